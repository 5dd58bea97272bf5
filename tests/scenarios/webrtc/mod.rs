//! WebRTC clients of another implementation, over real sockets.

mod bad_input;
mod continuity;
mod joins;
mod leaving;
mod loss;
mod odd_publishers;
mod restarts;
mod slow;
mod sound;
mod stock;
mod tcp;
mod times;
mod whip;

use anyhow::Result;
use steadycast_tests::client::Publisher;
use steadycast_tests::coded::{Coded, Kind, coded};
use steadycast_tests::relay::{TestBroadcast, TestRelay};
use steadycast_tests::webrtc::Player;

/// A capture host on WebTransport that sends frames which look as encoders make them.
struct Host<'a> {
    relay: &'a TestRelay,
    publisher: Publisher,
    kind: Kind,
    number: u32,
    capture_us: u64,
    /// How long ago it captured what it sends.
    behind_us: u64,
}

impl<'a> Host<'a> {
    async fn start(
        relay: &'a TestRelay,
        broadcast: &TestBroadcast<'_>,
        kind: Kind,
    ) -> Result<Self> {
        Ok(Self {
            relay,
            publisher: broadcast.publisher().await?,
            kind,
            number: 0,
            capture_us: 0,
            behind_us: 0,
        })
    }

    async fn keyframe(&mut self, len: usize) -> Result<Coded> {
        self.send(true, len).await
    }

    async fn delta(&mut self, len: usize) -> Result<Coded> {
        self.send(false, len).await
    }

    async fn send(&mut self, keyframe: bool, len: usize) -> Result<Coded> {
        self.number += 1;
        let frame = coded(self.kind, keyframe, self.number, len);
        self.send_as_it_is(&frame).await?;
        Ok(frame)
    }

    async fn send_as_it_is(&mut self, frame: &Coded) -> Result<()> {
        // Never the same time twice, however fast it goes, and not so far ahead that it cannot be true
        // (PROTOCOL 4.12).
        let now_us = self.relay.now_us() - self.behind_us;
        self.capture_us = now_us.max(self.capture_us + 200);
        self.publisher.send_coded(frame, self.capture_us).await
    }

    /// The RTP time of the last frame (PROTOCOL 8.6).
    fn rtp_time(&self) -> u32 {
        (u128::from(self.capture_us) * 9 / 100) as u32
    }
}

/// So many connected players.
async fn watching(broadcast: &TestBroadcast<'_>, count: usize) -> Result<Vec<Player>> {
    let mut players = Vec::with_capacity(count);
    for _ in 0..count {
        players.push(Player::watch(&broadcast.whep()).await?);
    }
    Ok(players)
}

/// How much later one RTP time is than another.
fn later(time: u32, than: u32) -> i32 {
    time.wrapping_sub(than) as i32
}

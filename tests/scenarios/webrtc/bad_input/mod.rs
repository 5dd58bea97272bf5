//! Bad input over WebRTC costs its sender at most the session, and nobody else a frame.

mod dtls;
mod feedback;
mod http;
mod media;
mod stun;
mod tcp;

use anyhow::{Result, ensure};
use steadycast_tests::coded::Kind;
use steadycast_tests::relay::{TestBroadcast, TestRelay};
use steadycast_tests::webrtc::Player;

use super::Host;

/// A relay on one shard, so that nobody is out of the way of what others do.
async fn relay() -> Result<TestRelay> {
    TestRelay::with(|config| config.relay.shards = 1).await
}

/// A broadcast that lives, with a player that must not notice what others do.
struct Witness<'a> {
    host: Host<'a>,
    player: Player,
}

impl<'a> Witness<'a> {
    async fn new(relay: &'a TestRelay, broadcast: &TestBroadcast<'_>) -> Result<Self> {
        let mut host = Host::start(relay, broadcast, Kind::Vp8).await?;
        let mut player = Player::join(&broadcast.whep()).await?;
        let sent = host.keyframe(2_000).await?;
        player.expect(&sent).await?;
        Ok(Self { host, player })
    }

    /// The picture still goes through, to the last frame.
    async fn is_undisturbed(&mut self) -> Result<()> {
        let sent = self.host.delta(3_000).await?;
        let frame = self.player.expect(&sent).await?;
        ensure!(frame.contiguous, "something is missing");
        Ok(())
    }
}

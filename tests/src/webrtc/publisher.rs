//! A publisher over WHIP.

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use anyhow::{Context as _, Result};
use str0m::format::Codec;
use str0m::media::{Direction, Frequency, MediaTime, Pt};
use str0m::rtp::RtpWrite;
use tokio::sync::oneshot;

use super::peer::{Heard, Peer};
use super::session::Endpoint;
use crate::client::soon;
use crate::coded::{Coded, Kind};

/// A publisher; dropping it is like a crash of its program.
pub struct Publisher(Peer);

/// A packet that nothing checks.
#[derive(Debug, Clone)]
pub struct RawRtp {
    /// The codec whose payload type it has.
    pub kind: Kind,
    /// Its number.
    pub sequence: u64,
    /// Its time.
    pub time: u32,
    /// Whether it is a frame's last.
    pub marker: bool,
    /// What stands after the header.
    pub payload: Vec<u8>,
}

impl Publisher {
    /// Opens a session and waits until it is connected.
    ///
    /// # Errors
    /// With the code, when the relay refuses.
    pub async fn join(endpoint: &Endpoint) -> Result<Self> {
        let mut publisher = Self::begin(endpoint).await?;
        publisher.connected().await?;
        Ok(publisher)
    }

    /// Opens a session and begins to connect.
    ///
    /// # Errors
    /// With the code, when the relay refuses.
    pub async fn begin(endpoint: &Endpoint) -> Result<Self> {
        Self::with(endpoint, |offer| offer).await
    }

    /// As [`Publisher::begin`], with an offer that `change` has changed.
    ///
    /// # Errors
    /// With the code, when the relay refuses.
    pub async fn with(endpoint: &Endpoint, change: impl FnOnce(String) -> String) -> Result<Self> {
        Ok(Self(
            Peer::open(endpoint, Direction::SendOnly, change).await?,
        ))
    }

    /// Sends a frame with this RTP time, cut by `str0m`.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub async fn send(&self, coded: &Coded, time: u64) -> Result<()> {
        let (mid, coded) = (self.0.mid, coded.clone());
        let (tell, told) = oneshot::channel();
        self.0.act(move |rtc| {
            let sent = rtc.writer(mid).and_then(|writer| {
                let pt = payload_type(&writer, coded.kind)?;
                let time = MediaTime::from_90khz(time);
                Some(writer.write(pt, Instant::now(), time, coded.payload))
            });
            // Nobody waits any more when the scenario has ended.
            let _ = tell.send(sent);
        });
        let sent = soon("the peer", told).await??;
        Ok(sent.ok_or_else(|| anyhow::anyhow!("no payload type"))??)
    }

    /// Sends a frame of sound with this RTP time, in 1/48,000 s.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub async fn send_sound(&self, frame: &[u8], time: u64) -> Result<()> {
        let (mid, frame) = (
            self.0.sound.context("no sound was offered")?,
            frame.to_vec(),
        );
        let (tell, told) = oneshot::channel();
        self.0.act(move |rtc| {
            let sent = rtc.writer(mid).and_then(|writer| {
                let pt = writer.payload_params().next()?.pt();
                let time = MediaTime::new(time, Frequency::FORTY_EIGHT_KHZ);
                Some(writer.write(pt, Instant::now(), time, frame))
            });
            // Nobody waits any more when the scenario has ended.
            let _ = tell.send(sent);
        });
        let sent = soon("the peer", told).await??;
        Ok(sent.context("no payload type")??)
    }

    /// Sends a packet as it is.
    pub fn send_rtp(&self, packet: RawRtp) {
        let mid = self.0.mid;
        self.0.act(move |rtc| {
            let pt = rtc
                .writer(mid)
                .and_then(|writer| payload_type(&writer, packet.kind));
            let (Some(pt), mut api) = (pt, rtc.direct_api()) else {
                return;
            };
            if let Some(stream) = api.stream_tx_by_mid(mid, None) {
                let number = packet.sequence.into();
                let now = Instant::now();
                let write = RtpWrite::new(pt, number, packet.time, now, packet.payload);
                stream.write_rtp(write.marker(packet.marker).nackable(true));
            }
        });
    }

    /// Waits until the relay asks for a keyframe.
    ///
    /// # Errors
    /// When it does not.
    pub async fn keyframe_request(&mut self) -> Result<()> {
        let request = |heard| matches!(heard, Heard::KeyframeRequest).then_some(());
        self.0.find("a keyframe request", request).await
    }
}

fn payload_type(writer: &str0m::media::Writer<'_>, kind: Kind) -> Option<Pt> {
    let codec = match kind {
        Kind::Vp8 => Codec::Vp8,
        Kind::Vp9 => Codec::Vp9,
        Kind::H264 => Codec::H264,
        Kind::Av1 => Codec::Av1,
    };
    let mut all = writer.payload_params();
    all.find(|params| params.spec().codec == codec)
        .map(|params| params.pt())
}

impl Deref for Publisher {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.0
    }
}

impl DerefMut for Publisher {
    fn deref_mut(&mut self) -> &mut Peer {
        &mut self.0
    }
}

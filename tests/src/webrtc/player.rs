//! A player over WHEP.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use str0m::format::{Codec, CodecExtra};
use str0m::media::{Direction, KeyframeRequestKind, MediaData};

use super::peer::{Heard, Peer};
use super::session::Endpoint;
use crate::coded::{Coded, Kind, units};

/// A frame as a player gets it: put together by `str0m`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its codec.
    pub kind: Kind,
    /// Whether it needs no other.
    pub keyframe: bool,
    /// Its RTP time, in 1/90,000 s.
    pub time: u32,
    /// The numbers of its first and last packet, not wrapped.
    pub sequence: (u64, u64),
    /// Whether nothing is missing before it, by its numbers and picture ids.
    pub contiguous: bool,
    /// Its number, in codecs that have one.
    pub picture: Option<u64>,
    /// What goes to the decoder.
    pub payload: Bytes,
}

impl Frame {
    fn from(data: &MediaData) -> Result<Self> {
        let kind = match data.params.spec().codec {
            Codec::Vp8 => Kind::Vp8,
            Codec::Vp9 => Kind::Vp9,
            Codec::H264 => Kind::H264,
            Codec::Av1 => Kind::Av1,
            other => bail!("a frame of {other:?}"),
        };
        let picture = match &data.codec_extra {
            CodecExtra::Vp8(extra) => extra.picture_id,
            CodecExtra::Vp9(extra) => extra.picture_id,
            _ => None,
        };
        Ok(Self {
            kind,
            keyframe: data.is_keyframe(),
            time: data.time.numer() as u32,
            sequence: (**data.seq_range.start(), **data.seq_range.end()),
            contiguous: data.contiguous,
            picture,
            payload: data.data.to_vec().into(),
        })
    }

    /// Whether it is what was sent.
    ///
    /// # Errors
    /// When its payload is not what its codec says.
    pub fn is(&self, sent: &Coded) -> Result<bool> {
        let same = (self.kind, self.keyframe) == (sent.kind, sent.keyframe);
        Ok(same && units(self.kind, &self.payload)? == sent.units()?)
    }
}

/// A player; dropping it is like a crash of its browser.
pub struct Player(Peer);

impl Player {
    /// Opens a session and begins to connect.
    ///
    /// # Errors
    /// With the code, when the relay refuses.
    pub async fn join(endpoint: &Endpoint) -> Result<Self> {
        Self::with(endpoint, |offer| offer).await
    }

    /// As [`Player::join`], and waits until it is connected.
    ///
    /// # Errors
    /// With the code, when the relay refuses, or when nothing connects.
    pub async fn watch(endpoint: &Endpoint) -> Result<Self> {
        let mut player = Self::join(endpoint).await?;
        player.connected().await?;
        Ok(player)
    }

    /// As [`Player::join`], with an offer that `change` has changed.
    ///
    /// # Errors
    /// With the code, when the relay refuses.
    pub async fn with(endpoint: &Endpoint, change: impl FnOnce(String) -> String) -> Result<Self> {
        Ok(Self(
            Peer::open(endpoint, Direction::RecvOnly, change).await?,
        ))
    }

    /// The next frame.
    ///
    /// # Errors
    /// When none comes.
    pub async fn frame(&mut self) -> Result<Frame> {
        let frame = |heard| match heard {
            Heard::Frame(data) => Some(data),
            _ => None,
        };
        Frame::from(&*self.0.find("a frame", frame).await?)
    }

    /// The next frame, which has to be this one.
    ///
    /// # Errors
    /// When it is another.
    pub async fn expect(&mut self, sent: &Coded) -> Result<Frame> {
        let frame = self.frame().await?;
        if frame.is(sent)? {
            return Ok(frame);
        }
        bail!(
            "another frame: {} bytes of {:?}",
            frame.payload.len(),
            frame.kind
        )
    }

    /// All frames up to this one.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn until(&mut self, sent: &Coded) -> Result<Vec<Frame>> {
        let mut frames = Vec::new();
        loop {
            let frame = self.frame().await?;
            let last = frame.is(sent)?;
            frames.push(frame);
            if last {
                return Ok(frames);
            }
        }
    }

    /// The frames that come while `wait` lasts: for what must not happen.
    ///
    /// # Errors
    /// When one makes no sense.
    pub async fn frames_within(&mut self, wait: Duration) -> Result<Vec<Frame>> {
        tokio::time::sleep(wait).await;
        let frames = self
            .0
            .waiting()
            .into_iter()
            .filter_map(|heard| match heard {
                Heard::Frame(data) => Some(Frame::from(&data)),
                _ => None,
            });
        frames.collect()
    }

    /// Asks for a keyframe.
    pub fn request_keyframe(&self) {
        let mid = self.0.mid;
        self.0.act(move |rtc| {
            if let Some(mut writer) = rtc.writer(mid) {
                // It cannot ask before the first packet.
                let _ = writer.request_keyframe(None, KeyframeRequestKind::Pli);
            }
        });
    }

    /// Leaves, with a word to the relay.
    pub fn close(&self) {
        // What cannot be closed is closed already.
        self.0.act(|rtc| drop(rtc.close()));
    }

    /// The source of the picture: there has to be exactly one, but for what was sent again.
    ///
    /// # Errors
    /// When there are several, or none.
    pub fn source(&self) -> Result<u32> {
        let packets = self.0.packets();
        let mut own = packets
            .iter()
            .filter(|packet| !self.0.retransmissions.contains(&packet.payload_type))
            .map(|packet| packet.ssrc);
        let first = own.next().context("no packets")?;
        if own.all(|ssrc| ssrc == first) {
            return Ok(first);
        }
        bail!("several sources")
    }
}

impl Deref for Player {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.0
    }
}

impl DerefMut for Player {
    fn deref_mut(&mut self) -> &mut Peer {
        &mut self.0
    }
}

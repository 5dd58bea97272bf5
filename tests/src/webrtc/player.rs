//! A player over WHEP.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use str0m::format::{Codec, CodecExtra};
use str0m::media::{Direction, KeyframeRequestKind, MediaData};

use super::peer::{Heard, Peer, Rtp};
use super::session::Endpoint;
use crate::coded::{Coded, Kind, units};

/// The payload types of sound that `str0m` offers.
pub const OPUS: u8 = 111;
/// The same with earlier frames beside it.
pub const RED: u8 = 63;

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

/// A frame of sound as a player gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// Its RTP time, in 1/48,000 s.
    pub time: u32,
    /// Its number, not wrapped.
    pub sequence: u64,
    /// Whether it is the first after a silence.
    pub begins: bool,
    /// What goes to the decoder.
    pub frame: Bytes,
    /// Its relay's clock: a time of the day, and the RTP time that this is; none before a report has come.
    pub clock: Option<(SystemTime, u32)>,
}

impl Sound {
    fn from(data: &MediaData) -> Self {
        let clock = data
            .last_sender_info
            .as_ref()
            .map(|sender| (sender.ntp_time, sender.rtp_time.numer() as u32));
        Self {
            time: data.time.numer() as u32,
            sequence: **data.seq_range.start(),
            begins: data.audio_start_of_talk_spurt,
            frame: data.data.to_vec().into(),
            clock,
        }
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

    /// The next frame of sound.
    ///
    /// # Errors
    /// When none comes.
    pub async fn sound(&mut self) -> Result<Sound> {
        let sound = |heard| match heard {
            Heard::Sound(data) => Some(data),
            _ => None,
        };
        Ok(Sound::from(&*self.0.find("sound", sound).await?))
    }

    /// The next frame of sound, if one comes within this time.
    ///
    /// # Errors
    /// When the peer has ended.
    pub async fn sound_within(&mut self, patience: Duration) -> Result<Option<Sound>> {
        match tokio::time::timeout(patience, self.sound()).await {
            Ok(sound) => sound.map(Some),
            Err(_) => Ok(None),
        }
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

    /// The packets of sound that have come, in the order in which they did.
    pub fn packets_of_sound(&self) -> Vec<Rtp> {
        let packets = self.0.packets().into_iter();
        packets
            .filter(|packet| is_sound(packet.payload_type))
            .collect()
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
            .filter(|packet| !is_sound(packet.payload_type))
            .map(|packet| packet.ssrc);
        let first = own.next().context("no packets")?;
        if own.all(|ssrc| ssrc == first) {
            return Ok(first);
        }
        bail!("several sources")
    }
}

/// Whether packets of this type carry sound: Opus, alone or with earlier frames beside it.
fn is_sound(payload_type: u8) -> bool {
    matches!(payload_type, OPUS | RED)
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

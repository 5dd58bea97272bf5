//! An honest publisher, of as many tracks as it is asked for.

use std::time::Duration;

use anyhow::{Context, Result};
use steadycast_codec_glue::wire::{
    ClientMessage, CodecKind, GROUP_STREAM, RelayMessage, ResumeSecret, Role, TrackGroup, TrackId,
    WantedTrack,
};
use tokio::time::interval;

use crate::client::{Control, Output, Target, Welcome, soon};
use crate::picture::Picture;

/// An honest publisher.
pub struct Publisher {
    /// Its control stream.
    pub control: Control,
    /// What it was welcomed with.
    pub welcome: Welcome,
    /// The codec of its main track.
    pub codec: CodecKind,
    tracks: [Sending; TrackId::COUNT],
}

/// Where a track is.
#[derive(Default)]
struct Sending {
    group: Option<Output>,
    next: (u32, u32),
}

impl Publisher {
    /// Takes over the broadcast of `token`.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn join(target: &Target, token: &str, resume: Option<ResumeSecret>) -> Result<Self> {
        let mut control = Control::open(target).await?;
        let welcome = control.hello(Role::Publisher, token, resume).await?;
        Ok(Self {
            control,
            welcome,
            codec: CodecKind::Vp8,
            tracks: Default::default(),
        })
    }

    /// Its epoch.
    pub fn epoch(&self) -> u32 {
        self.welcome.status.epoch
    }

    /// Opens the next group with a keyframe of `len` bytes.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn keyframe(&mut self, len: usize) -> Result<Picture> {
        self.keyframe_on(TrackId::MAIN, len).await
    }

    /// Continues the group with a frame of `len` bytes.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn delta(&mut self, len: usize) -> Result<Picture> {
        self.delta_on(TrackId::MAIN, len).await
    }

    /// Shows a picture that takes 2 Mbit/s until a track is wanted that takes less than this. Gives it, and how many
    /// frames were sent.
    ///
    /// # Errors
    /// When none is wanted, or the relay does not take the frames.
    pub async fn until_lighter(&mut self, kbps: u32) -> Result<(WantedTrack, usize)> {
        let mut beat = interval(Duration::from_millis(33));
        let mut sent = 0;
        let wanted = async {
            loop {
                tokio::select! {
                    message = self.control.next() => {
                        let RelayMessage::Tracks { wanted } = message? else {
                            continue;
                        };
                        let is_lighter = |most: u32| most < kbps;
                        let lighter = wanted.iter().find(|one| one.max_kbps.is_some_and(is_lighter));
                        if let Some(wanted) = lighter {
                            return anyhow::Ok(*wanted);
                        }
                    }
                    _ = beat.tick() => {
                        match sent % 60 {
                            0 => self.keyframe(30_000).await?,
                            _ => self.delta(8_000).await?,
                        };
                        sent += 1;
                    }
                }
            }
        };
        let wanted = soon("a track that the narrow path carries", wanted).await??;
        Ok((wanted, sent))
    }

    /// Opens the next group of `track`.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn keyframe_on(&mut self, track: TrackId, len: usize) -> Result<Picture> {
        self.send(track, true, len).await
    }

    /// Continues the group of `track`.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn delta_on(&mut self, track: TrackId, len: usize) -> Result<Picture> {
        self.send(track, false, len).await
    }

    /// Says that it cannot encode the rendition in `codec`.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn refuse(&mut self, codec: CodecKind) -> Result<()> {
        let refusal = ClientMessage::RenditionRefused {
            track: TrackId::of(codec),
            reason: "no encoder".to_owned(),
        };
        self.control.send(&refusal).await
    }

    /// Takes the picture back: the card begins with this group.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn pause(&mut self, group: u32) -> Result<()> {
        let from = vec![TrackGroup {
            track: TrackId::MAIN,
            group,
        }];
        self.control.send(&ClientMessage::Pause { from }).await
    }

    fn sending(&mut self, track: TrackId) -> &mut Sending {
        &mut self.tracks[usize::from(track.number())]
    }

    async fn send(&mut self, track: TrackId, keyframe: bool, len: usize) -> Result<Picture> {
        let (group, index) = self.place(track, keyframe).await?;
        let picture = Picture {
            track,
            codec: track.codec().unwrap_or(self.codec),
            epoch: self.epoch(),
            group,
            index,
            len,
        };
        self.write(track, &picture.encode()?).await?;
        Ok(picture)
    }

    /// Sends a frame of the main track with this payload; a keyframe opens a group.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn show(&mut self, keyframe: bool, payload: &[u8]) -> Result<()> {
        let (group, index) = self.place(TrackId::MAIN, keyframe).await?;
        let picture = Picture {
            codec: self.codec,
            epoch: self.epoch(),
            group,
            index,
            len: payload.len(),
            ..Picture::default()
        };
        let mut frame = picture.encode()?.to_vec();
        let own = frame.len() - payload.len();
        frame[own..].copy_from_slice(payload);
        self.write(TrackId::MAIN, &frame).await
    }

    /// Group and index of the next frame; a keyframe opens a group.
    pub(crate) async fn place(&mut self, track: TrackId, keyframe: bool) -> Result<(u32, u32)> {
        if keyframe {
            let mut stream = self.control.connection.open_uni().await?;
            stream.write_all(&[GROUP_STREAM]).await?;
            let sending = self.sending(track);
            sending.next = (sending.next.0 + 1, 0);
            if let Some(mut old) = sending.group.replace(stream) {
                old.finish();
            }
        }
        let sending = self.sending(track);
        let (next_group, index) = sending.next;
        sending.next.1 += 1;
        Ok((next_group.wrapping_sub(1), index))
    }

    /// Writes a frame on the stream of the track's group.
    pub(crate) async fn write(&mut self, track: TrackId, frame: &[u8]) -> Result<()> {
        let stream = self.sending(track).group.as_mut();
        let stream = stream.context("no group is open")?;
        stream.write_all(frame).await?;
        Ok(())
    }

    /// Goes without a word, as a crashed browser does.
    pub fn crash(self) {
        self.control.connection.close();
    }
}

/// A frame of which a part has been sent.
pub struct Begun {
    picture: Picture,
    rest: bytes::Bytes,
}

impl Publisher {
    /// Sends the first half of a frame of `len` bytes of the main track.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn begin_delta(&mut self, len: usize) -> Result<Begun> {
        let (group, index) = self.place(TrackId::MAIN, false).await?;
        let picture = Picture {
            codec: self.codec,
            epoch: self.epoch(),
            group,
            index,
            len,
            ..Picture::default()
        };
        let mut rest = picture.encode()?;
        let first = rest.split_to(rest.len() / 2);
        self.write(TrackId::MAIN, &first).await?;
        Ok(Begun { picture, rest })
    }

    /// Sends the rest of it.
    ///
    /// # Errors
    /// When the relay does not take it.
    pub async fn end(&mut self, begun: Begun) -> Result<Picture> {
        self.write(TrackId::MAIN, &begun.rest).await?;
        Ok(begun.picture)
    }
}

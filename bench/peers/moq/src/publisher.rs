//! The publisher's side: one broadcast with one track, frames at a fixed pace.

use std::sync::Arc;
use std::time::Duration;

use moq_net::{Timestamp, broadcast, group, track};
use moq_tokio::{Client, Connection};
use tokio::time::{MissedTickBehavior, interval};
use url::Url;

use crate::clock::now_us;
use crate::payload::{self, Stamp};
use crate::tally::Tally;
use crate::{BROADCAST, TRACK};

/// What is published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Frames per second, at least 1.
    pub(crate) fps: u32,
    /// Frames in a group, its keyframe included, at least 1.
    pub(crate) group: u32,
    /// Bytes of a group's first frame.
    pub(crate) key_bytes: usize,
    /// Bytes of every other frame.
    pub(crate) delta_bytes: usize,
}

impl Shape {
    /// Bytes of the frame at `index` of its group.
    pub(crate) fn frame_bytes(&self, index: u32) -> usize {
        let bytes = if index == 0 {
            self.key_bytes
        } else {
            self.delta_bytes
        };
        bytes.max(payload::HEAD_LEN)
    }
}

/// Why publishing ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The relay cannot be reached or has closed the session.
    #[error("the publisher's session")]
    Session(#[from] moq_tokio::Error),
    /// moq does not take what is published.
    #[error("the publisher's track")]
    Track(#[from] moq_net::Error),
}

/// A publisher with a session, its track not begun.
pub(crate) struct Publisher {
    connection: Connection,
    // Held, for the broadcast ends with it.
    _broadcast: broadcast::Producer,
    track: track::Producer,
    shape: Shape,
    tally: Arc<Tally>,
}

impl Publisher {
    /// Dials the relay and announces the broadcast.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn connect(
        client: Client,
        url: Url,
        shape: Shape,
        tally: Arc<Tally>,
    ) -> Result<Self, Error> {
        let origin = moq_tokio::origin::spawn();
        let broadcast = origin.create_broadcast(BROADCAST)?;
        let track = broadcast.create_track(TRACK, None)?;
        broadcast.announce(Default::default())?;
        let connection = client
            .with_publisher(&origin)
            .connect(url)
            .established()
            .await?;
        Ok(Self {
            connection,
            _broadcast: broadcast,
            track,
            shape,
            tally,
        })
    }

    /// Publishes until it is dropped; frames that come late are made up for, so that their number is kept.
    ///
    /// # Errors
    /// [`Error`]; without the session moq would go on to take frames that nobody gets.
    pub(crate) async fn run(self) -> Result<(), Error> {
        tokio::select! {
            ended = self.publish_all() => ended,
            closed = self.connection.closed() => Ok(closed?),
        }
    }

    async fn publish_all(&self) -> Result<(), Error> {
        let mut pace = interval(Duration::from_secs(1) / self.shape.fps);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for number in 0.. {
            let mut group = self.track.append_group()?;
            for index in 0..self.shape.group {
                pace.tick().await;
                self.publish(&mut group, number, index)?;
            }
            group.finish()?;
        }
        Ok(())
    }

    fn publish(&self, into: &mut group::Producer, group: u32, index: u32) -> Result<(), Error> {
        let stamp = Stamp {
            captured_us: now_us(),
            group,
            index,
        };
        into.write_frame(
            Timestamp::now(),
            payload::encode(stamp, self.shape.frame_bytes(index)),
        )?;
        self.tally.published(stamp.captured_us);
        Ok(())
    }
}

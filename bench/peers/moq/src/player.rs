//! A player: a session of its own that reads every frame of the track and checks it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moq_net::{group, track::Subscription};
use moq_tokio::Client;
use tokio::task::JoinSet;
use url::Url;

use crate::clock::now_us;
use crate::payload::{self, Stamp};
use crate::publisher::Shape;
use crate::tally::Tally;
use crate::{BROADCAST, TRACK};

/// Why a player stopped watching.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The relay cannot be reached.
    #[error("a player's session")]
    Session(#[from] moq_tokio::Error),
    /// The broadcast or the track has ended.
    #[error("a player's track")]
    Track(#[from] moq_net::Error),
}

/// One player, not yet connected.
pub(crate) struct Player {
    /// The client to dial with; clones share a UDP socket.
    pub(crate) client: Client,
    /// Where the relay is.
    pub(crate) url: Url,
    /// How far a group may fall behind before it is given up.
    pub(crate) max_age: Duration,
    /// What the frames ought to look like.
    pub(crate) shape: Shape,
    /// Where to note them.
    pub(crate) notes: Arc<dyn Notes>,
}

/// Where a player's frames are noted.
pub(crate) trait Notes: Send + Sync {
    /// A frame of so many bytes has come whole, the first one perhaps.
    fn frame(&self, stamp: Stamp, bytes: usize);

    /// One has come that is not what was sent, or not where it belongs.
    fn bad(&self);
}

/// A player's part of the common count.
pub(crate) struct Counted {
    dialled_us: u64,
    joined: AtomicBool,
    tally: Arc<Tally>,
}

impl Counted {
    /// For a player that dials now.
    pub(crate) fn new(tally: Arc<Tally>) -> Self {
        Self {
            dialled_us: now_us(),
            joined: AtomicBool::new(false),
            tally,
        }
    }
}

impl Notes for Counted {
    fn frame(&self, stamp: Stamp, bytes: usize) {
        if !self.joined.swap(true, Ordering::Relaxed) {
            self.tally.joined(self.dialled_us);
        }
        self.tally.received(stamp.captured_us, bytes);
    }

    fn bad(&self) {
        self.tally.bad();
    }
}

impl Player {
    /// Dials and watches until it is dropped.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn watch(self) -> Result<(), Error> {
        let check = Arc::new(Check {
            shape: self.shape,
            notes: self.notes,
        });
        let origin = moq_tokio::origin::spawn();
        let _connection = self
            .client
            .with_subscriber(origin.clone())
            .connect(self.url)
            .established()
            .await?;
        let broadcast = origin.consume().routed_broadcast(BROADCAST).await?;
        let wanted = Subscription::default().with_max_age(self.max_age);
        let mut track = broadcast.track(TRACK)?.subscribe(wanted).await?;

        // Each group is read by a task of its own: the end of one and the start of the next travel side by side.
        let mut readers = JoinSet::new();
        while let Some(group) = track.recv_group().await? {
            while readers.try_join_next().is_some() {}
            readers.spawn(read_group(group, Arc::clone(&check)));
        }
        Ok(())
    }
}

/// Reads a group to its end, or to where moq gives it up; what is missing shows in the count.
async fn read_group(mut group: group::Consumer, check: Arc<Check>) {
    let number = group.sequence;
    let mut index = 0;
    loop {
        match group.read_frame().await {
            Ok(Some(frame)) => check.frame(number, index, &frame.payload),
            Ok(None) => return,
            Err(error) => return tracing::debug!(number, index, %error, "group given up"),
        }
        index += 1;
    }
}

/// What one player's readers share.
struct Check {
    shape: Shape,
    notes: Arc<dyn Notes>,
}

impl Check {
    /// Notes a frame that came as number `index` of group `number`.
    fn frame(&self, number: u64, index: u32, payload: &[u8]) {
        match payload::decode(payload) {
            Ok(stamp)
                if u64::from(stamp.group) == number
                    && stamp.index == index
                    && payload.len() == self.shape.frame_bytes(index) =>
            {
                self.notes.frame(stamp, payload.len());
            }
            other => {
                tracing::warn!(number, index, bytes = payload.len(), ?other, "bad frame");
                self.notes.bad();
            }
        }
    }
}

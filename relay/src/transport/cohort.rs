//! Players that have been sent everything there is, and so get the same next.
//!
//! Most players are here most of the time. For each frame the cache is asked
//! once and its bytes are handed to every member's stream, without a task, an
//! allocation or an await for any of them. A member that cannot take all at
//! once leaves with what is left and goes on by itself (`feed`), so that it
//! delays nobody.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use wtransport::Connection;

use super::RelayClock;
use super::group::{Gone, GroupWriter};
use crate::broadcast::{Broadcast, Cursor, RelayTime, Step};

/// The players of one broadcast, on one shard, that stand at the same place.
pub(super) struct Cohort {
    broadcast: Arc<Broadcast>,
    members: Mutex<Members>,
    task: OnceLock<AbortHandle>,
}

#[derive(Default)]
struct Members {
    all: Vec<Member>,
    /// Where all of them stand.
    cursor: Cursor,
    /// Numbers given so far.
    numbers: u64,
    /// Kept for its room.
    chunks: Vec<Bytes>,
}

struct Member {
    number: u64,
    connection: Connection,
    group: GroupWriter,
    back: oneshot::Sender<Result<Back, Gone>>,
}

/// What a member takes with it when it leaves.
pub(super) struct Back {
    /// Where it stands once it has been sent `rest`.
    pub(super) cursor: Cursor,
    /// Its open stream; `None` when `rest` begins a group for which none could be opened.
    pub(super) group: Option<GroupWriter>,
    /// What it could not take.
    pub(super) rest: Vec<Bytes>,
}

/// A member's time in the cohort; dropping it ends the membership.
pub(super) struct Stay {
    cohort: Arc<Cohort>,
    number: u64,
    back: oneshot::Receiver<Result<Back, Gone>>,
}

impl Stay {
    /// Waits until the member has to go on by itself.
    pub(super) async fn over(mut self) -> Result<Back, Gone> {
        (&mut self.back).await.unwrap_or(Err(Gone))
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let mut members = self.cohort.members.lock();
        members.all.retain(|member| member.number != self.number);
    }
}

impl Drop for Cohort {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

impl Cohort {
    /// A cohort without members, and the task that moves it. Call it within the shard's runtime.
    pub(super) fn start(broadcast: &Arc<Broadcast>, clock: RelayClock) -> Arc<Self> {
        let cohort = Arc::new(Self {
            broadcast: broadcast.clone(),
            members: Mutex::default(),
            task: OnceLock::new(),
        });
        let (mut frames, moved) = (broadcast.frames(), Arc::downgrade(&cohort));
        let task = tokio::spawn(async move {
            while frames.changed().await.is_ok() {
                let Some(cohort) = moved.upgrade() else {
                    return;
                };
                cohort
                    .members
                    .lock()
                    .advance(&cohort.broadcast, clock.now());
            }
        });
        // Set once, right here.
        let _ = cohort.task.set(task.abort_handle());
        cohort
    }

    /// Takes in a player that has been sent everything up to `cursor`, on the stream of `group`;
    /// gives the stream back when the cohort stands elsewhere.
    pub(super) fn enter(
        self: &Arc<Self>,
        cursor: &Cursor,
        connection: Connection,
        group: GroupWriter,
        now: RelayTime,
    ) -> Result<Stay, GroupWriter> {
        let mut members = self.members.lock();
        // The newcomer may have heard of a frame before the cohort has.
        members.advance(&self.broadcast, now);
        if members.all.is_empty() {
            members.cursor = cursor.clone();
        } else if !members.cursor.is_beside(cursor) {
            return Err(group);
        }
        members.numbers += 1;
        let number = members.numbers;
        let (sender, back) = oneshot::channel();
        members.all.push(Member {
            number,
            connection,
            group,
            back: sender,
        });
        Ok(Stay {
            cohort: self.clone(),
            number,
            back,
        })
    }
}

impl Members {
    /// Brings all members what has come since.
    fn advance(&mut self, broadcast: &Broadcast, now: RelayTime) {
        while !self.all.is_empty() {
            match broadcast.step_together(&mut self.cursor, self.all.len(), now) {
                Some(Step::Continue(frames)) => self.send(&frames, false),
                Some(Step::Open { frames, .. }) => self.send(&frames, true),
                Some(_) => return,
                None => self.disband(),
            }
        }
    }

    /// Sends `frames` to all; `opens`: on a new stream each. Who cannot take them leaves.
    fn send(&mut self, frames: &[Bytes], opens: bool) {
        let mut chunks = std::mem::take(&mut self.chunks);
        let mut at = 0;
        while at < self.all.len() {
            chunks.clear();
            chunks.extend_from_slice(frames);
            let member = &mut self.all[at];
            let opened = !opens || member.open();
            match opened.then(|| member.write(&mut chunks)) {
                Some(Ok(0)) => at += 1,
                Some(Ok(left)) => {
                    let rest = chunks.split_off(chunks.len() - left);
                    self.all.swap_remove(at).leave(&self.cursor, true, rest);
                }
                Some(Err(gone)) => self.all.swap_remove(at).gone(gone),
                None => {
                    let rest = frames.to_vec();
                    self.all.swap_remove(at).leave(&self.cursor, false, rest);
                }
            }
        }
        chunks.clear();
        self.chunks = chunks;
    }

    /// They lag, all of them: each decides for itself.
    fn disband(&mut self) {
        for member in self.all.drain(..) {
            member.leave(&self.cursor, true, Vec::new());
        }
    }
}

impl Member {
    /// Ends the open stream and opens one for the next group; false when that would mean waiting.
    fn open(&mut self) -> bool {
        match GroupWriter::open(&self.connection).now_or_never() {
            Some(Ok(group)) => {
                std::mem::replace(&mut self.group, group).finish();
                true
            }
            // What has gone shows at the next write.
            Some(Err(Gone)) => true,
            None => false,
        }
    }

    /// Writes what can be written without waiting; returns how many chunks are left.
    fn write(&mut self, chunks: &mut [Bytes]) -> Result<usize, Gone> {
        let mut rest = chunks;
        while !rest.is_empty() {
            match self.group.write_some(&mut rest).now_or_never() {
                Some(Ok(())) => {}
                Some(Err(gone)) => return Err(gone),
                None => break,
            }
        }
        Ok(rest.len())
    }

    fn leave(self, cursor: &Cursor, streaming: bool, rest: Vec<Bytes>) {
        let group = if streaming {
            Some(self.group)
        } else {
            self.group.finish();
            None
        };
        // A session that has just ended does not want it back.
        let _ = self.back.send(Ok(Back {
            cursor: cursor.clone(),
            group,
            rest,
        }));
    }

    fn gone(self, gone: Gone) {
        // As above.
        let _ = self.back.send(Err(gone));
    }
}

//! Players that have been sent everything there is, and so get the same next.
//!
//! Most players are here most of the time. For each frame the cache is asked
//! once and its bytes are handed to every member's stream, without a task, an
//! allocation or an await for any of them. A member that cannot take all at
//! once leaves with what is left and goes on by itself (`feed`), so that it
//! delays nobody.

use std::sync::{Arc, OnceLock};
use std::task::Poll;

use bytes::Bytes;
use futures_util::FutureExt as _;
use parking_lot::Mutex;
use steadycast_codec_glue::wire::TrackId;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use wtransport::Connection;

use super::RelayClock;
use super::group::{Gone, GroupWriter};
use crate::broadcast::{Broadcast, Cursor, RelayTime, Step};

/// The players of one track of a broadcast, on one shard, that stand at the same place.
pub(super) struct Cohort {
    broadcast: Arc<Broadcast>,
    track: TrackId,
    members: Mutex<Members>,
    task: OnceLock<AbortHandle>,
}

#[derive(Default)]
struct Members {
    all: Vec<Member>,
    /// Where all of them stand when the round is over.
    cursor: Cursor,
    /// What they are being sent.
    round: Option<Round>,
    /// Numbers given so far.
    numbers: u64,
    /// Kept for its room.
    chunks: Vec<Bytes>,
}

/// Frames on their way to all members, in turn.
struct Round {
    frames: Vec<Bytes>,
    /// They go on a new stream each.
    opens: bool,
    /// The member that is next.
    at: usize,
}

/// Members that are sent to in a row. Then their connections have their turn, while what they
/// need is still near the processor.
const IN_A_ROW: usize = 16;

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
    /// Waits until the member has to go on by itself. Cancel-safe.
    pub(super) async fn over(&mut self) -> Result<Back, Gone> {
        (&mut self.back).await.unwrap_or(Err(Gone))
    }

    /// Ends the membership; gives back the member's stream, which may lack what it was to get next.
    pub(super) async fn leave(mut self) -> Result<Option<GroupWriter>, Gone> {
        let member = self.cohort.members.lock().remove(self.number);
        match member {
            Some(member) => Ok(Some(member.group)),
            // It has just had to leave.
            None => self.over().await.map(|back| back.group),
        }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.cohort.members.lock().remove(self.number);
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
    pub(super) fn start(
        broadcast: &Arc<Broadcast>,
        track: TrackId,
        clock: RelayClock,
    ) -> Arc<Self> {
        let cohort = Arc::new(Self {
            broadcast: broadcast.clone(),
            track,
            members: Mutex::default(),
            task: OnceLock::new(),
        });
        let (mut frames, moved) = (broadcast.frames(track), Arc::downgrade(&cohort));
        let task = tokio::spawn(async move {
            while frames.changed().await.is_ok() {
                loop {
                    let Some(cohort) = moved.upgrade() else {
                        return;
                    };
                    if !cohort.advance(clock.now(), IN_A_ROW) {
                        break;
                    }
                    drop(cohort);
                    let_others_run().await;
                }
            }
        });
        // Set once, right here.
        let _ = cohort.task.set(task.abort_handle());
        cohort
    }

    /// Sends to the next members; false when all have been sent everything.
    fn advance(&self, now: RelayTime, most: usize) -> bool {
        self.members.lock().advance(&self.broadcast, now, most)
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
        while members.advance(&self.broadcast, now, usize::MAX) {}
        if cursor.track() != Some(self.track) || !cursor.is_placed() {
            return Err(group);
        }
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

/// Lets what has been woken run before this task goes on.
async fn let_others_run() {
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Members {
    /// Brings the next `most` members what has come since; false when all have everything.
    fn advance(&mut self, broadcast: &Broadcast, now: RelayTime, most: usize) -> bool {
        if self.round.is_none() && !self.begin_round(broadcast, now) {
            return false;
        }
        if let Some(mut round) = self.round.take() {
            self.send(&mut round, most);
            self.round = Some(round).filter(|round| round.at < self.all.len());
        }
        true
    }

    fn begin_round(&mut self, broadcast: &Broadcast, now: RelayTime) -> bool {
        if self.all.is_empty() {
            return false;
        }
        let (frames, opens) = match broadcast.step_together(&mut self.cursor, self.all.len(), now) {
            Some(Step::Continue(frames)) => (frames, false),
            Some(Step::Open { frames, .. }) => (frames, true),
            Some(_) => return false,
            None => {
                self.disband();
                return false;
            }
        };
        self.round = Some(Round {
            frames,
            opens,
            at: 0,
        });
        true
    }

    /// Sends a round to its next `most` members. Who cannot take it leaves.
    fn send(&mut self, round: &mut Round, most: usize) {
        let mut chunks = std::mem::take(&mut self.chunks);
        for _ in 0..most {
            let Some(member) = self.all.get_mut(round.at) else {
                break;
            };
            chunks.clear();
            chunks.extend_from_slice(&round.frames);
            let opened = !round.opens || member.open();
            match opened.then(|| member.write(&mut chunks)) {
                Some(Ok(0)) => round.at += 1,
                Some(Ok(left)) => {
                    let rest = chunks.split_off(chunks.len() - left);
                    let member = self.all.swap_remove(round.at);
                    member.leave(&self.cursor, true, rest);
                }
                Some(Err(gone)) => self.all.swap_remove(round.at).gone(gone),
                None => {
                    let member = self.all.swap_remove(round.at);
                    member.leave(&self.cursor, false, round.frames.clone());
                }
            }
        }
        chunks.clear();
        self.chunks = chunks;
    }

    fn remove(&mut self, number: u64) -> Option<Member> {
        let mut at = self.all.iter().position(|member| member.number == number)?;
        // The last takes the place of who leaves; it must not miss a round for that.
        if let Some(round) = self.round.as_mut().filter(|round| at < round.at) {
            round.at -= 1;
            self.all.swap(at, round.at);
            at = round.at;
        }
        Some(self.all.swap_remove(at))
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

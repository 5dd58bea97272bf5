//! What drives a channel of one carrier, and what a session has of it.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Poll, Wake, Waker};

use parking_lot::Mutex;
use steadycast_codec_glue::wire::Code;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::sleep_until;

use super::ending::Ending;
use super::link::{Link, Player};
use crate::broadcast::{Broadcast, PlayerSeat};
use crate::delivery::{Carrier, Channel, Limits, PathNews, Wakes};
use crate::metrics::Metrics;
use crate::records::Figures;
use crate::shard::RelayClock;

/// Players that are sent to in a row. Then their connections have their turn, while what they
/// need is still near the processor.
const IN_A_ROW: usize = 16;

/// The players of one broadcast on one shard, over one carrier, and the task that moves them.
pub(super) struct Deliverer<L: Link> {
    channel: Mutex<Channel<L::Carrier>>,
    /// Who is told that a player's session is to end, by its key.
    over: Mutex<HashMap<usize, Over<L>>>,
    wakes: Arc<Wakes<usize>>,
    clock: RelayClock,
    metrics: Arc<Metrics>,
    task: OnceLock<AbortHandle>,
}

impl<L: Link> Deliverer<L> {
    /// Nobody yet. Call it within the shard's runtime.
    pub(super) fn start(
        broadcast: &Arc<Broadcast>,
        limits: Limits,
        clock: RelayClock,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let packer = <L::Carrier as Carrier>::Packer::default();
        let deliverer = Arc::new(Self {
            channel: Mutex::new(Channel::new(broadcast, packer, limits)),
            over: Mutex::default(),
            wakes: Arc::default(),
            clock,
            metrics,
            task: OnceLock::new(),
        });
        let task = tokio::spawn(drive(Arc::downgrade(&deliverer), broadcast.clone()));
        // Set once, right here.
        let _ = deliverer.task.set(task.abort_handle());
        deliverer
    }

    /// Takes in a player whose session speaks `version`, until the stay is dropped.
    pub(super) fn join(
        self: &Arc<Self>,
        seat: PlayerSeat,
        link: &L,
        most: u64,
        version: u16,
    ) -> Stay<L> {
        let (tell, over) = oneshot::channel();
        let carrier = |key| {
            let wakes = self.wakes.clone();
            let carrier = link.carrier(Player {
                waker: Waker::from(Arc::new(Ready { key, wakes })),
                most,
                version,
            });
            let link = link.clone();
            self.over.lock().insert(key, Over { link, tell });
            carrier
        };
        let key = self.channel.lock().join(seat, carrier);
        self.wakes.wake(key);
        Stay {
            deliverer: self.clone(),
            key,
            over,
            left: None,
        }
    }

    /// Brings the next players what they have not got; false when all have everything.
    fn advance(&self) -> bool {
        let mut channel = self.channel.lock();
        let more = channel.advance(self.clock.moment(), IN_A_ROW);
        let now = self.clock.now();
        for arrived in channel.take_relayed() {
            self.metrics.relayed_after(L::TRANSPORT, now - arrived);
        }
        for (key, code) in channel.take_over() {
            if let Some(Over { link, tell }) = self.over.lock().remove(&key) {
                let ending = match code {
                    Code::TooSlow => Ending::because(code, "no progress"),
                    _ => Ending::of(&link),
                };
                // A session that has just ended does not need to hear it.
                let _ = tell.send(ending);
            }
        }
        more
    }
}

impl<L: Link> Drop for Deliverer<L> {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

/// Moves the players whenever there is a reason to, until nobody holds them any more.
async fn drive<L: Link>(deliverer: Weak<Deliverer<L>>, broadcast: Arc<Broadcast>) {
    let mut frames = broadcast.frames();
    let mut sounded = broadcast.sounded();
    let Some(wakes) = deliverer.upgrade().map(|deliverer| deliverer.wakes.clone()) else {
        return;
    };
    loop {
        let due = match deliverer.upgrade() {
            Some(deliverer) => deliverer.channel.lock().deadline(),
            None => return,
        };
        let time = async {
            match due {
                Some(due) => sleep_until(due.into()).await,
                None => pending().await,
            }
        };
        let woken = tokio::select! {
            changed = frames.changed() => match changed {
                Ok(()) => Woken::Frames,
                // The registry has forgotten the broadcast, which has told everybody before.
                Err(_) => return,
            },
            sound = sounded.changed() => match sound {
                Ok(()) => Woken::Sound,
                Err(_) => return,
            },
            ready = wakes.ready() => Woken::Ready(ready),
            () = time => Woken::Time,
        };
        {
            let Some(deliverer) = deliverer.upgrade() else {
                return;
            };
            let mut channel = deliverer.channel.lock();
            match woken {
                Woken::Frames => channel.wake(),
                // The channel looks by itself.
                Woken::Sound => {}
                Woken::Ready(keys) => keys.into_iter().for_each(|key| {
                    channel.ready(key);
                }),
                Woken::Time => channel.pass_time(deliverer.clock.moment()),
            }
        }
        while deliverer
            .upgrade()
            .is_some_and(|deliverer| deliverer.advance())
        {
            let_others_run().await;
        }
    }
}

/// How the session of a player is told that it is to end.
struct Over<L> {
    link: L,
    tell: oneshot::Sender<Ending>,
}

enum Woken {
    Frames,
    Sound,
    Ready(std::collections::HashSet<usize>),
    Time,
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

/// Wakes a player's channel when a stream of the player can take more.
struct Ready {
    key: usize,
    wakes: Arc<Wakes<usize>>,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.wakes.wake(self.key);
    }
}

/// A player's time in a channel; dropping it ends that, and gives up the seat.
pub(super) struct Stay<L: Link> {
    deliverer: Arc<Deliverer<L>>,
    key: usize,
    over: oneshot::Receiver<Ending>,
    /// Why it ends, once that is known.
    left: Option<Code>,
}

impl<L: Link> Stay<L> {
    /// Waits until the player's session has to end, for what delivery knows. Cancel-safe.
    pub(super) async fn over(&mut self) -> Ending {
        let over = (&mut self.over).await;
        over.unwrap_or_else(|_| Ending::because(Code::Internal, "the broadcast is gone"))
    }

    /// Does something with the player's seat.
    pub(super) fn with_seat<R>(&self, act: impl FnOnce(&mut PlayerSeat) -> R) -> Option<R> {
        self.deliverer.channel.lock().seat(self.key).map(act)
    }

    /// The player is to hear what there is, or not any more.
    pub(super) fn listen(&self, on: bool) {
        self.deliverer.channel.lock().listen(self.key, on);
    }

    /// What the player has been given so far, and how its path is.
    pub(super) fn figures(&self) -> Option<Figures> {
        let now = self.deliverer.clock.moment();
        let channel = self.deliverer.channel.lock();
        Some(Figures {
            given: channel.given(self.key)?,
            reception: channel.reception(self.key, now.instant)?,
        })
    }

    /// What there is to say of the path to the player.
    pub(super) fn path(&self) -> Option<PathNews> {
        let now = self.deliverer.clock.moment();
        self.deliverer.channel.lock().path(self.key, now.instant)
    }

    /// The player may be on another track than it should be.
    pub(super) fn sort(&self) {
        self.deliverer.channel.lock().sort(self.key);
        self.deliverer.wakes.wake(self.key);
    }

    /// Leaves with `code` as the reason.
    pub(super) fn leave(mut self, code: Code) {
        // Dropping does the rest.
        self.left = Some(code);
    }
}

impl<L: Link> Drop for Stay<L> {
    fn drop(&mut self) {
        let gone = {
            let mut channel = self.deliverer.channel.lock();
            // The key is another player's as soon as the channel is free.
            self.deliverer.over.lock().remove(&self.key);
            channel.leave(self.key)
        };
        // A seat that is dropped is given up without a reason.
        if let (Some((seat, _)), Some(code)) = (gone, self.left) {
            seat.leave(code);
        }
    }
}

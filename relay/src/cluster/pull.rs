//! One broadcast of another relay's: it is got for as long as somebody watches it here.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use steadycast_codec_glue::wire::{Code, Hop, Status};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::link::{End, Link};
use super::talk::{Failure, Talk};
use super::upstream::{Upstream, Upstreams};
use super::whereabouts::Whereabouts;
use crate::broadcast::{Broadcast, BroadcastId, Pulse, Registry};
use crate::config::Peer;
use crate::shard::RelayClock;

/// Waits before the next attempts at a link that was lost: at once, then longer each time, up to this.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A link that has lasted for so long was a good one: the next attempt comes at once again.
const GOOD: Duration = Duration::from_secs(5);

/// Where a broadcast is got, and for whom.
pub(super) struct Way {
    pub(super) broadcast: BroadcastId,
    /// This relay.
    pub(super) own: Hop,
    /// Those that it is asked for on behalf of, this one first.
    pub(super) relays: Vec<Hop>,
    pub(super) clock: RelayClock,
    upstreams: Arc<Upstreams>,
    whereabouts: Arc<dyn Whereabouts>,
    upstream: Mutex<Arc<Upstream>>,
}

impl Way {
    /// The way of a broadcast; `None`: nobody has it.
    pub(super) async fn find(
        broadcast: &BroadcastId,
        (own, behind): (Hop, &[Hop]),
        clock: RelayClock,
        upstreams: &Arc<Upstreams>,
        whereabouts: &Arc<dyn Whereabouts>,
    ) -> Option<Self> {
        let peer = whereabouts.of(broadcast).await?;
        Some(Self {
            broadcast: broadcast.clone(),
            own,
            relays: [&[own], behind].concat(),
            clock,
            upstream: Mutex::new(upstreams.at(&peer)),
            upstreams: upstreams.clone(),
            whereabouts: whereabouts.clone(),
        })
    }

    /// The relay that it is got from.
    pub(super) fn peer(&self) -> Peer {
        self.upstream.lock().peer().clone()
    }

    /// Asks the relay for the broadcast.
    pub(super) async fn ask(&self) -> Result<(Talk, Status), Failure> {
        let upstream = self.upstream.lock().clone();
        let connection = upstream.connection().await?;
        let asked = Talk::begin(connection, &self.broadcast, &self.relays, self.clock).await;
        if let Err(Failure::Unreached(_)) = asked {
            upstream.distrust();
        }
        asked
    }

    /// The same on another connection than those that there are, which may lead nowhere.
    pub(super) async fn ask_afresh(&self) -> Result<(Talk, Status), Failure> {
        self.upstream.lock().distrust();
        self.ask_again().await
    }

    /// Asks the relay that has it by now, which may be another.
    async fn ask_again(&self) -> Result<(Talk, Status), Failure> {
        // Where nobody is known to have it, it may come back where it was.
        if let Some(peer) = self.whereabouts.of(&self.broadcast).await {
            *self.upstream.lock() = self.upstreams.at(&peer);
        }
        self.ask().await
    }
}

/// A broadcast that is got.
pub(super) struct Pull {
    pub(super) way: Arc<Way>,
    pub(super) broadcast: Arc<Broadcast>,
    pub(super) registry: Arc<Registry>,
    pub(super) clock: RelayClock,
    /// The relays through which it has come, this one last.
    pub(super) come: watch::Sender<Vec<Hop>>,
    pub(super) linger: Duration,
}

impl Pull {
    /// Goes on from a session that has been welcomed, until the broadcast is over or nobody watches it any more.
    pub(super) async fn run(self, first: (Talk, Status)) {
        let mut watchers = Watchers::new(&self.broadcast, self.linger);
        let mut welcomed = Some(first);
        let mut pause = Duration::ZERO;
        loop {
            let begun = Instant::now();
            let end = match welcomed.take() {
                Some((talk, status)) => {
                    let pulse = *self.broadcast.pulses().borrow();
                    Link::new(&self, talk, status, &pulse)
                        .run(&mut watchers)
                        .await
                }
                None => {
                    tokio::select! {
                        asked = self.again(pause) => match asked {
                            Ok(asked) => {
                                welcomed = Some(asked);
                                continue;
                            }
                            Err(failure) => End::of(failure),
                        },
                        () = watchers.gone(&self.registry, &self.broadcast) => End::Unwatched,
                    }
                }
            };
            let broadcast = self.broadcast.id();
            match end {
                End::Lost(failure) => {
                    pause = match begun.elapsed() >= GOOD {
                        true => Duration::ZERO,
                        false => (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE),
                    };
                    tracing::info!(%broadcast, relay = %self.way.peer(), %failure, "the link is lost");
                }
                End::Over(code) => {
                    tracing::info!(%broadcast, %code, "over, as its relay says");
                    // To players there has been a broadcast until now.
                    let code = match code {
                        Code::UnknownBroadcast => Code::BroadcastEnded,
                        code => code,
                    };
                    self.registry.end(broadcast, code);
                    return;
                }
                End::Replaced(asked) => {
                    tracing::info!(%broadcast, relay = %self.way.peer(), "the link is another");
                    welcomed = Some(*asked);
                }
                End::Unwatched => {
                    tracing::info!(%broadcast, "nobody watches it here any more");
                    return;
                }
            }
        }
    }

    async fn again(&self, pause: Duration) -> Result<(Talk, Status), Failure> {
        sleep(pause).await;
        self.way.ask_again().await
    }
}

/// Whether somebody watches a broadcast.
pub(super) struct Watchers {
    pulses: watch::Receiver<Pulse>,
    linger: Duration,
    /// Since when nobody does.
    gone: Option<Instant>,
}

impl Watchers {
    fn new(broadcast: &Broadcast, linger: Duration) -> Self {
        Self {
            pulses: broadcast.pulses(),
            linger,
            gone: Some(Instant::now()),
        }
    }

    /// Waits until nobody has watched the broadcast for the linger, and it has been let go of. Cancel-safe.
    pub(super) async fn gone(&mut self, registry: &Registry, broadcast: &Broadcast) {
        loop {
            let watched = self.pulses.borrow_and_update().watched;
            self.gone = match watched {
                true => None,
                false => Some(self.gone.unwrap_or_else(Instant::now)),
            };
            let due = self.gone.map(|since| since + self.linger);
            tokio::select! {
                changed = self.pulses.changed() => if changed.is_err() {
                    return;
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    if registry.let_go(broadcast) {
                        return;
                    }
                    self.gone = None;
                }
            }
        }
    }
}

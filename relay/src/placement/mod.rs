//! Other relays that would take the sessions of this one, and how it hands them over (PROTOCOL 2.15).
//!
//! Clients are told ahead of a few others, the candidates, so that they know where to go when this relay is full, falls
//! silent or dies without a word. A relay that stops and is not the only one leaves: it takes nobody
//! any more, and has its clients open sessions elsewhere before it ends theirs. A relay by itself does nothing here.

mod candidates;
mod handover;
pub mod packing;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use self::candidates::Candidates;
pub(crate) use self::handover::{Handover, Hint};
use self::packing::Leaver;
use crate::auth::{Origin, Origins, PublicUrl};
use crate::broadcast::BroadcastId;
use crate::directory::{Directory, Mark, Standing, State};
use steadycast_codec_glue::wire::RelayMessage;

/// How often it is looked for other relays; clients hear of changes no more often.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is looked whether everybody has gone.
const GONE: Duration = Duration::from_millis(100);
/// Clients are told to go over this share of the time that there is, so that not all go at once, and the last has time.
const TELLING: f64 = 0.5;

/// Where clients of this relay may go.
#[derive(Debug, Default)]
pub struct Placement {
    candidates: watch::Sender<Arc<Candidates>>,
    lots: AtomicU64,
    leaving: CancellationToken,
    term: OnceLock<Term>,
}

/// From when until when the relay leaves.
#[derive(Debug, Clone, Copy)]
struct Term {
    began: Instant,
    takes: Duration,
}

impl Placement {
    /// A handful of relays that take sessions, for somebody of whom nothing is known.
    pub(crate) fn draw(&self) -> Vec<String> {
        let lot = self.lots.fetch_add(1, Ordering::Relaxed);
        self.candidates.borrow().draw(lot)
    }

    /// The same for somebody who comes for this broadcast: those at which the others are to be that watch it.
    pub(crate) fn draw_for(&self, broadcast: &BroadcastId) -> Vec<String> {
        let comes = Leaver { of: 1, turn: 0.0 };
        let broadcast = Mark::of_broadcast(broadcast);
        self.candidates.borrow().of(broadcast, comes)
    }

    /// Looks for other relays until the shutdown; their pages are trusted like this one's own.
    pub(crate) async fn follow(
        &self,
        directory: &dyn Directory,
        origins: &Origins,
        shutdown: &CancellationToken,
    ) {
        if directory.state() == State::Alone {
            return;
        }
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => self.look(directory, origins),
                () = shutdown.cancelled() => return,
            }
        }
    }

    fn look(&self, directory: &dyn Directory, origins: &Origins) {
        let leases = directory.relays();
        let pages = leases.iter().filter_map(|lease| {
            let url: PublicUrl = lease.places.pages.as_ref()?.parse().ok()?;
            Some(url.origin().clone())
        });
        origins.trust_relays(pages.collect::<Vec<Origin>>());
        self.candidates.send_if_modified(|before| {
            let now = Candidates::among(&leases, directory.own(), before);
            let changed = !now.are_as(before);
            *before = Arc::new(now);
            changed
        });
    }

    /// Whether this relay takes nobody any more.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.is_cancelled()
    }

    /// Hands everybody over to other relays, and waits for so long at most until `sessions` says that nobody is here;
    /// not at all where there is nowhere to go.
    pub(crate) async fn leave(
        &self,
        directory: &dyn Directory,
        takes: Duration,
        sessions: impl Fn() -> usize,
    ) {
        if takes.is_zero() || self.candidates.borrow().is_empty() {
            return;
        }
        let began = Instant::now();
        if self.term.set(Term { began, takes }).is_err() {
            return;
        }
        tracing::info!(sessions = sessions(), ?takes, "sessions are handed over");
        directory.stand(Standing::Draining);
        self.leaving.cancel();
        let mut looks = interval(GONE);
        while sessions() > 0 && began.elapsed() < takes {
            looks.tick().await;
        }
        tracing::info!(left = sessions(), took = ?began.elapsed(), "handed over");
    }

    /// Waits until a client with this lot is to go; says how much longer the relay is there. Cancel-safe.
    async fn due(&self, lot: u64) -> Duration {
        self.leaving.cancelled().await;
        let Some(Term { began, takes }) = self.term.get().copied() else {
            return Duration::ZERO;
        };
        sleep_until(began + takes.mul_f64(TELLING * turn(lot))).await;
        takes.saturating_sub(began.elapsed())
    }
}

/// As sessions with streams are told it.
pub(crate) fn message_of(hint: Hint) -> RelayMessage {
    match hint {
        Hint::Relays(relays) => RelayMessage::Relays { relays },
        Hint::Move(within) => RelayMessage::Move {
            within_ms: u32::try_from(within.as_millis()).unwrap_or(u32::MAX),
        },
    }
}

/// A client's turn, from 0 to 1: those of successive lots lie far apart, so that few that came together go together.
fn turn(lot: u64) -> f64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    lot.wrapping_mul(GOLDEN) as f64 / u64::MAX as f64
}

#[cfg(test)]
impl Placement {
    /// One that knows of relays at these places.
    pub(crate) fn at(pages: &[&str]) -> Self {
        let lease = |(place, pages): (usize, &&str)| {
            let mut lease = crate::directory::test_lease(&format!("other{place}"));
            lease.places.pages = Some((*pages).into());
            Arc::new(lease)
        };
        let leases: Vec<_> = pages.iter().enumerate().map(lease).collect();
        let own = "own".parse().expect("a relay's name");
        let placement = Self::default();
        let candidates = Candidates::among(&leases, &own, &Candidates::default());
        placement.candidates.send_replace(Arc::new(candidates));
        placement
    }

    /// Takes nobody from now on.
    pub(crate) fn takes_nobody(&self) {
        self.leaving.cancel();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::broadcast::{Broadcast, Registry, RelayTime, Settings};
    use crate::directory::{Alone, test_lease};
    use crate::shard::RelayClock;

    #[tokio::test(start_paused = true)]
    async fn a_relay_with_nowhere_to_go_does_not_wait() {
        let placement = Placement::default();
        let directory = Alone::new(test_lease("a"), RelayClock::start());
        placement
            .leave(&directory, Duration::from_secs(10), || 3)
            .await;
        assert!(!placement.is_leaving());
        assert_eq!(directory.relays()[0].standing, Standing::Ready);
    }

    fn with_another() -> (Placement, Alone) {
        let directory = Alone::new(test_lease("a"), RelayClock::start());
        (Placement::at(&["https://b.example"]), directory)
    }

    #[tokio::test(start_paused = true)]
    async fn clients_are_told_one_after_another_in_the_first_half_of_the_time() {
        let (placement, directory) = with_another();
        let takes = Duration::from_secs(10);
        let began = Instant::now();
        let left = AtomicU64::new(100);
        let told = async {
            let clients = (0..100).map(|lot| {
                let (placement, left) = (&placement, &left);
                async move {
                    let within = placement.due(lot).await;
                    assert!(within >= takes / 2, "{within:?}");
                    left.fetch_sub(1, Ordering::Relaxed);
                    began.elapsed()
                }
            });
            futures_util::future::join_all(clients).await
        };
        let leave = placement.leave(&directory, takes, || left.load(Ordering::Relaxed) as usize);
        let (mut told, ()) = tokio::join!(told, leave);
        assert!(
            began.elapsed() < Duration::from_millis(5_200),
            "it waits for nobody who has gone"
        );
        assert!(placement.is_leaving());
        assert_eq!(directory.relays()[0].standing, Standing::Draining);
        told.sort();
        let steps = told.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(
            steps.max().unwrap() < Duration::from_millis(150),
            "{told:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_go_is_not_waited_for_any_longer_than_it_may_take() {
        let (placement, directory) = with_another();
        let began = Instant::now();
        placement
            .leave(&directory, Duration::from_secs(4), || 1)
            .await;
        let took = began.elapsed();
        assert!((4_000..4_300).contains(&took.as_millis()), "{took:?}");
    }

    fn broadcast() -> Arc<Broadcast> {
        let registry = Registry::new(Settings::default());
        let id = "b".parse().unwrap();
        let made = registry.create(id, "b".into(), RelayTime::default());
        made.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_told_where_it_could_go_and_later_that_it_is_to_go() {
        let (placement, directory) = with_another();
        let placement = Arc::new(placement);
        let mut handover = Handover::new(&placement, &broadcast(), 7);
        let relays = Hint::Relays(vec!["https://b.example".to_owned()]);
        assert_eq!(handover.next().await, relays);
        let told = async {
            let hint = handover.next().await;
            assert!(matches!(hint, Hint::Move(_)), "{hint:?}");
            // It is told once.
            assert_eq!(handover.next().now_or_never(), None);
        };
        let leave = placement.leave(&directory, Duration::from_secs(2), || 1);
        tokio::join!(told, leave);
    }

    #[tokio::test]
    async fn where_there_are_no_others_nobody_is_told_of_any() {
        let placement = Arc::new(Placement::default());
        assert_eq!(
            Handover::new(&placement, &broadcast(), 1)
                .next()
                .now_or_never(),
            None
        );
    }
}

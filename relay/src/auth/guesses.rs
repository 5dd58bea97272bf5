//! How often the admin key may be guessed.
//!
//! Each network has a few wrong tries, and gets one back every so often. Without any left a try waits
//! for its turn among those of its network, in the order in which they came: so a right key is heard
//! too, however many guess beside it. A connection has one try waiting, and so nobody fills the queue
//! without opening as many connections, of which an address has a share (`limits.sessions_per_address`).

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Mutex as Turn;
use tokio::time::{Instant, sleep_until};

use super::AdminKey;
use crate::shard::neighbourhood;

/// Wrong keys that a network may show at once: more than a person mistypes.
const AT_ONCE: u32 = 10;
/// How long until it may show one more. A 16-letter key of words stands that for millennia.
const EVERY: Duration = Duration::from_millis(100);
/// Networks that are remembered. Of more, the one that was heard of longest ago is forgotten.
const NETWORKS: usize = 4_096;

/// What each network has guessed.
#[derive(Debug, Default)]
pub(super) struct Guesses(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    networks: HashMap<IpAddr, Tries>,
    /// The same networks in the order in which they were heard of.
    order: BTreeMap<u64, IpAddr>,
    heard: u64,
}

#[derive(Debug)]
struct Tries {
    /// When all wrong tries are given back.
    forgiven: Instant,
    /// Its place in the order.
    heard: u64,
    queue: Arc<Queue>,
}

/// Those of a network who wait for their turn.
#[derive(Debug, Default)]
struct Queue {
    turn: Turn<()>,
    waiting: AtomicUsize,
}

struct InLine(Arc<Queue>);

impl InLine {
    fn at_the_end_of(queue: Arc<Queue>) -> Self {
        queue.waiting.fetch_add(1, Ordering::AcqRel);
        Self(queue)
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Why there is no answer yet.
struct Wait {
    queue: Arc<Queue>,
    until: Instant,
}

/// Another try of this connection waits for its turn already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("one try after the other: too many wrong keys came from this network")]
pub struct TooManyTries;

/// A connection has at most one try that waits.
#[derive(Debug, Clone, Default)]
pub struct OneAtATime(Arc<AtomicBool>);

struct Waiting(Arc<AtomicBool>);

impl OneAtATime {
    fn begin(&self) -> Option<Waiting> {
        let first = !self.0.swap(true, Ordering::AcqRel);
        first.then(|| Waiting(self.0.clone()))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Guesses {
    /// Whether `shown` is the key. Waits where the network has shown too many that were not.
    pub(super) async fn matches(
        &self,
        from: IpAddr,
        connection: &OneAtATime,
        key: &AdminKey,
        shown: &str,
    ) -> Result<bool, TooManyTries> {
        let network = neighbourhood(from);
        let queue = match self.decide(network, key, shown, false) {
            Ok(right) => return Ok(right),
            Err(Wait { queue, .. }) => queue,
        };
        let _waiting = connection.begin().ok_or(TooManyTries)?;
        let line = InLine::at_the_end_of(queue);
        let _turn = line.0.turn.lock().await;
        loop {
            match self.decide(network, key, shown, true) {
                Ok(right) => return Ok(right),
                Err(Wait { until, .. }) => sleep_until(until).await,
            }
        }
    }

    /// Whether the key is right, or for whom to wait and until when. Nobody overtakes those who wait,
    /// but the one whose turn it is.
    fn decide(
        &self,
        network: IpAddr,
        key: &AdminKey,
        shown: &str,
        its_turn: bool,
    ) -> Result<bool, Wait> {
        let now = Instant::now();
        let mut table = self.0.lock();
        let tries = table.tries(network, now);
        let spent = tries.forgiven.max(now) + EVERY;
        let bound = now + EVERY * AT_ONCE;
        let overtakes = !its_turn && tries.queue.waiting.load(Ordering::Acquire) > 0;
        // A right key is not compared either then: the answer would tell.
        if overtakes || spent > bound {
            let queue = tries.queue.clone();
            let until = now + spent.saturating_duration_since(bound);
            return Err(Wait { queue, until });
        }
        let right = key.matches(shown);
        if !right {
            tries.forgiven = spent;
        }
        Ok(right)
    }
}

impl Table {
    fn tries(&mut self, network: IpAddr, now: Instant) -> &mut Tries {
        self.heard += 1;
        let heard = self.heard;
        if !self.networks.contains_key(&network)
            && self.networks.len() == NETWORKS
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.networks.remove(&oldest);
        }
        let tries = self.networks.entry(network).or_insert_with(|| Tries {
            forgiven: now,
            heard,
            queue: Arc::default(),
        });
        self.order.remove(&tries.heard);
        self.order.insert(heard, network);
        tries.heard = heard;
        tries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "correct-horse-battery";

    fn from(number: u32) -> IpAddr {
        let [a, b, c, _] = (number << 8).to_be_bytes();
        [a, b, c, 1].into()
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_keys_are_slowed_and_the_right_one_is_heard_in_its_turn() {
        let (guesses, key) = (
            Arc::new(Guesses::default()),
            RIGHT.parse::<AdminKey>().unwrap(),
        );
        let mut guessing = tokio::task::JoinSet::new();
        let begun = Instant::now();
        // Forty connections that guess without end.
        for _ in 0..40 {
            let (guesses, key) = (guesses.clone(), key.clone());
            guessing.spawn(async move {
                let connection = OneAtATime::default();
                let mut tried = 0_u32;
                while begun.elapsed() < Duration::from_secs(10) {
                    let tried_one = guesses.matches(from(1), &connection, &key, "wrong").await;
                    tried += u32::from(tried_one.is_ok());
                }
                tried
            });
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let admin = OneAtATime::default();
        let asked = Instant::now();
        assert_eq!(
            guesses.matches(from(2), &admin, &key, RIGHT).await,
            Ok(true)
        );
        assert_eq!(asked.elapsed(), Duration::ZERO, "another network");
        assert_eq!(
            guesses.matches(from(1), &admin, &key, RIGHT).await,
            Ok(true)
        );
        assert!(asked.elapsed() <= EVERY * 41, "{:?}", asked.elapsed());
        let mut tried = 0;
        while let Some(one) = guessing.join_next().await {
            tried += one.unwrap();
        }
        let most = AT_ONCE + 10 * 10 + 40;
        assert!((100..=most).contains(&tried), "{tried} in ten seconds");
        // It is forgiven.
        tokio::time::sleep(EVERY * AT_ONCE).await;
        let asked = Instant::now();
        assert_eq!(
            guesses.matches(from(1), &admin, &key, "typo").await,
            Ok(false)
        );
        assert_eq!(
            guesses.matches(from(1), &admin, &key, RIGHT).await,
            Ok(true)
        );
        assert_eq!(asked.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_has_one_try_waiting() {
        let (guesses, key) = (Guesses::default(), RIGHT.parse::<AdminKey>().unwrap());
        let connection = OneAtATime::default();
        for _ in 0..AT_ONCE {
            assert_eq!(
                guesses.matches(from(1), &connection, &key, "wrong").await,
                Ok(false)
            );
        }
        let first = guesses.matches(from(1), &connection, &key, "wrong");
        let second = guesses.matches(from(1), &connection, &key, "wrong");
        let (first, second) = tokio::join!(first, second);
        assert_eq!(first, Ok(false));
        assert!(second.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_networks_are_remembered_as_there_is_room_for() {
        let (guesses, key) = (Guesses::default(), RIGHT.parse::<AdminKey>().unwrap());
        for number in 0..3 * NETWORKS as u32 {
            let connection = OneAtATime::default();
            let tried = guesses.matches(from(number), &connection, &key, "wrong");
            assert_eq!(tried.await, Ok(false));
        }
        let table = guesses.0.lock();
        assert_eq!(
            (table.networks.len(), table.order.len()),
            (NETWORKS, NETWORKS)
        );
    }
}

//! How much of what a publisher sends has come: it is told so, for its browser tells it nothing of its
//! uplink (PROTOCOL 2.13).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::BufMut;
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep, sleep_until};

use super::link::{CutOff, Input};

/// How often it is told at most.
const INTERVAL: Duration = Duration::from_millis(100);

/// What may come at once of a session that is held to a rate, in time at that rate: a keyframe among smaller frames.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Bytes of a session's group streams so far; clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Count(Arc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    bytes: AtomicU64,
    pace: Option<Pace>,
}

/// What a session may bring in the long run.
#[derive(Debug)]
struct Pace {
    bytes_per_second: f64,
    /// When all that has come would have come at that rate.
    even: Mutex<Instant>,
}

impl Count {
    /// Of a session that is read no faster than `kbps`, if anything: QUIC has its publisher wait meanwhile, and see
    /// a narrow path.
    pub(super) fn at_most(kbps: Option<u32>) -> Self {
        let pace = kbps.map(|kbps| Pace {
            bytes_per_second: f64::from(kbps.max(1)) * 125.0,
            even: Mutex::new(Instant::now()),
        });
        Self(Arc::new(Counted {
            pace,
            ..Counted::default()
        }))
    }

    /// More have come.
    pub(super) fn add(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if let Some(pace) = &self.0.pace {
            let mut even = pace.even.lock();
            let takes = Duration::from_secs_f64(bytes as f64 / pace.bytes_per_second);
            *even = Instant::now().max(*even) + takes;
        }
    }

    /// Waits until more may be read. Cancel-safe.
    pub(super) async fn turn(&self) {
        let Some(pace) = &self.0.pace else { return };
        loop {
            let due = *pace.even.lock() - AT_ONCE;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    fn get(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }
}

/// A stream whose bytes are counted as they are read.
pub(super) struct Counting<'a, I> {
    pub(super) stream: &'a mut I,
    pub(super) count: &'a Count,
}

impl<I: Input> Counting<'_, I> {
    /// Reads as the stream does.
    pub(super) async fn read(&mut self, to: &mut (impl BufMut + Send)) -> Result<usize, CutOff> {
        let read = self.stream.read(to).await?;
        self.count.add(read);
        Ok(read)
    }
}

/// What of a count is news to the publisher.
pub(super) struct Arrivals {
    count: Count,
    told: u64,
    /// When it may be told again.
    next: Pin<Box<Sleep>>,
}

impl Arrivals {
    pub(super) fn new(count: Count) -> Self {
        Self {
            count,
            told: 0,
            next: Box::pin(sleep_until(Instant::now())),
        }
    }

    /// The count, once it is due and another one than was told last. Cancel-safe. To be polled by the
    /// task that reads what is counted: nothing else wakes it.
    pub(super) async fn news(&mut self) -> u64 {
        let bytes = poll_fn(|cx| {
            let bytes = self.count.get();
            if bytes == self.told {
                return Poll::Pending;
            }
            self.next.as_mut().poll(cx).map(|()| bytes)
        })
        .await;
        self.told = bytes;
        self.next.as_mut().reset(Instant::now() + INTERVAL);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_is_held_to_a_rate_brings_no_more_in_the_long_run_and_a_keyframe_at_once() {
        let count = Count::at_most(Some(800));
        let begun = Instant::now();
        for _ in 0..100 {
            count.turn().await;
            count.add(10_000);
            if begun.elapsed() < Duration::from_millis(1) {
                assert!(count.get() <= 110_000);
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        assert!((8.8..=9.2).contains(&seconds), "{seconds}");
        // What was not used while nothing came is gone.
        tokio::time::sleep(Duration::from_secs(60)).await;
        let begun = Instant::now();
        for _ in 0..20 {
            count.turn().await;
            count.add(10_000);
        }
        assert!(begun.elapsed() > Duration::from_millis(800));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_is_told_ten_times_a_second_at_most_and_nothing_twice() {
        let count = Count::default();
        let mut arrivals = Arrivals::new(count.clone());
        let silent = timeout(Duration::from_secs(1), arrivals.news()).await;
        assert!(silent.is_err());
        let (mut publisher, mut stream) = duplex(300);
        publisher.write_all(&[7; 300]).await.unwrap();
        let mut counted = Counting {
            stream: &mut stream,
            count: &count,
        };
        counted.read(&mut &mut [0; 200][..]).await.unwrap();
        assert_eq!(arrivals.news().await, 200);
        counted.read(&mut &mut [0; 100][..]).await.unwrap();
        let begun = Instant::now();
        assert_eq!(arrivals.news().await, 300);
        assert!((100..110).contains(&begun.elapsed().as_millis()));
    }
}

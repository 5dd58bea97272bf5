//! How much of what a publisher sends has come: it is told so, for its browser tells it nothing of its
//! uplink (PROTOCOL 2.13).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How often it is told at most.
const INTERVAL: Duration = Duration::from_millis(100);

/// Bytes of a session's group streams so far; clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Count(Arc<AtomicU64>);

impl Count {
    /// More have come.
    pub(super) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream whose bytes are counted as they are read.
pub(super) struct Counted<'a, R> {
    pub(super) stream: &'a mut R,
    pub(super) count: &'a Count,
}

impl<R: AsyncRead + Unpin> AsyncRead for Counted<'_, R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = to.filled().len();
        let read = Pin::new(&mut *self.stream).poll_read(cx, to);
        self.count.add(to.filled().len() - before);
        read
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
    use tokio::io::AsyncReadExt;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_read_is_told_ten_times_a_second_at_most_and_nothing_twice() {
        let count = Count::default();
        let mut arrivals = Arrivals::new(count.clone());
        let silent = timeout(Duration::from_secs(1), arrivals.news()).await;
        assert!(silent.is_err());
        let mut stream = &[7; 300][..];
        let mut counted = Counted {
            stream: &mut stream,
            count: &count,
        };
        counted.read_exact(&mut [0; 200]).await.unwrap();
        assert_eq!(arrivals.news().await, 200);
        counted.read_exact(&mut [0; 100]).await.unwrap();
        let begun = Instant::now();
        assert_eq!(arrivals.news().await, 300);
        assert!((100..110).contains(&begun.elapsed().as_millis()));
    }
}

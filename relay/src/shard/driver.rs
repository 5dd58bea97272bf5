//! How a shard runs quinn: its tasks on the shard's runtime, its packets through [`ShardSocket`].

use std::future::Future;
use std::io;
use std::net::UdpSocket;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use futures_util::task::AtomicWaker;
use quinn::{AsyncTimer, AsyncUdpSocket, Runtime, TokioRuntime};

use super::socket::ShardSocket;

/// The runtime that a shard's endpoint works with.
#[derive(Debug)]
pub(crate) struct ShardRuntime {
    socket: Arc<ShardSocket>,
}

impl ShardRuntime {
    pub(crate) fn new(socket: Arc<ShardSocket>) -> Self {
        Self { socket }
    }
}

impl Runtime for ShardRuntime {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn AsyncTimer>> {
        TokioRuntime.new_timer(at)
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let turn = Arc::new(Turn::default());
        tokio::spawn(Driver {
            future,
            waker: turn.clone().into(),
            turn,
            socket: self.socket.clone(),
        });
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// A connection may send so often in a row, 20 packets each, before another has its turn.
const BURSTS: usize = 16;

/// A connection's driver. quinn's own gives the turn away after 20 packets, so that large
/// keyframes would go to all players at the same time, and arrive at all of them late; one after
/// the other they arrive as early as can be. What is sent in one turn leaves in few system calls.
struct Driver {
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    turn: Arc<Turn>,
    waker: Waker,
    socket: Arc<ShardSocket>,
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.turn.task.register(cx.waker());
        let mut ended = Poll::Pending;
        for burst in 1..=BURSTS {
            this.turn.begin();
            ended = this
                .future
                .as_mut()
                .poll(&mut Context::from_waker(&this.waker));
            if ended.is_ready() || !this.turn.wants_another() {
                break;
            }
            if burst == BURSTS {
                cx.waker().wake_by_ref();
            }
        }
        this.socket.flush(cx);
        ended
    }
}

const IDLE: u8 = 0;
const POLLING: u8 = 1;
const WOKEN: u8 = 2;

/// Tells a driver that wakes itself while it is polled from one that is woken later.
#[derive(Default)]
struct Turn {
    state: AtomicU8,
    task: AtomicWaker,
}

impl Turn {
    fn begin(&self) {
        self.state.store(POLLING, Ordering::Release);
    }

    /// Ends the poll; whether it was woken meanwhile.
    fn wants_another(&self) -> bool {
        self.state.swap(IDLE, Ordering::AcqRel) == WOKEN
    }
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let polled =
            self.state
                .compare_exchange(POLLING, WOKEN, Ordering::AcqRel, Ordering::Acquire);
        match polled {
            Ok(_) | Err(WOKEN) => {}
            Err(_) => self.task.wake(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_wake_during_the_poll_asks_for_another_and_a_later_one_wakes_the_task() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let turn = Arc::new(Turn::default());
        turn.task.register(&count.clone().into());
        turn.begin();
        turn.wake_by_ref();
        turn.wake_by_ref();
        assert!(turn.wants_another());
        turn.begin();
        assert!(!turn.wants_another());
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        turn.wake_by_ref();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}

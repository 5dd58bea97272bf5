//! What the two halves of a WebSocket and the carrier above it share: the account, and whom to wake when it moves.

use std::task::Waker;
use std::time::Instant;

use parking_lot::Mutex;

use super::acks::{Acks, Unsent};
use super::frames::Outgoing;

/// One connection's account, as all that write to it and read from it see it.
#[derive(Debug)]
pub struct Flow {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    acks: Acks,
    /// Woken when something was written or has arrived, once for each time that it is set.
    waiting: Option<Waker>,
    fault: Option<Fault>,
}

/// What the other end did that no end of this protocol does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Everything on this wire is binary (PROTOCOL 10).
    #[error("a text message")]
    Text,
    /// A message is one record of QMux, which has a limit.
    #[error("a message of {0} bytes")]
    Oversized(usize),
    /// It does not keep to the rules of WebSocket (RFC 6455, 5).
    #[error("a frame that is none of WebSocket's")]
    Framing,
    /// It acknowledges what it has not been sent.
    #[error(transparent)]
    Unsent(#[from] Unsent),
}

impl Flow {
    /// Nothing is written yet.
    pub fn new(now: Instant) -> Self {
        Self {
            inner: Mutex::new(Inner {
                acks: Acks::new(now),
                waiting: None,
                fault: None,
            }),
        }
    }

    /// Looks at the account.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Acks) -> T) -> T {
        look(&self.inner.lock().acks)
    }

    /// Takes note of a message that is written next. The ping that is to follow it, if one is due.
    pub(super) fn write(&self, message: &[u8], now: Instant) -> Option<u64> {
        let acks = &mut self.inner.lock().acks;
        acks.write(message.len() as u64, now);
        match Outgoing::of(message) {
            Some(Outgoing::Group { number, end }) => acks.reach(number, end),
            Some(Outgoing::Datagram) => acks.write_datagram(),
            None => {}
        }
        acks.ping(false, now)
    }

    /// The ping that is to follow what was written, if it has none yet.
    pub(super) fn end_of_burst(&self, now: Instant) -> Option<u64> {
        self.inner.lock().acks.ping(true, now)
    }

    /// Takes a pong's payload. Others than those of this connection's pings say nothing (RFC 6455, 5.5.3).
    pub(super) fn pong(&self, payload: &[u8], now: Instant) -> Result<(), Unsent> {
        let Ok(count) = payload.try_into().map(u64::from_be_bytes) else {
            return Ok(());
        };
        let mut inner = self.inner.lock();
        inner.acks.pong(count, now)?;
        wake(inner);
        Ok(())
    }

    /// Whether something waits that could not be written.
    pub(super) fn hold_up(&self, waits: bool, now: Instant) {
        self.inner.lock().acks.hold_up(waits, now);
    }

    /// Something was handed to the system.
    pub(super) fn moved(&self) {
        wake(self.inner.lock());
    }

    /// Wakes `waker` once when something moves.
    pub(super) fn wait(&self, waker: &Waker) {
        let waiting = &mut self.inner.lock().waiting;
        match waiting {
            Some(known) => known.clone_from(waker),
            None => *waiting = Some(waker.clone()),
        }
    }

    /// The other end did what nobody does: the first time counts.
    pub(super) fn fault(&self, fault: Fault) {
        self.inner.lock().fault.get_or_insert(fault);
    }

    /// What the other end did wrong, where its session ended because of that.
    pub fn why(&self) -> Option<Fault> {
        self.inner.lock().fault
    }
}

/// Wakes whoever waits, once the account is free again.
fn wake(mut inner: parking_lot::MutexGuard<'_, Inner>) {
    let waiting = inner.waiting.take();
    drop(inner);
    if let Some(waker) = waiting {
        waker.wake();
    }
}

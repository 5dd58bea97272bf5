//! How long this process was not run although it wanted to: what players saw meanwhile says nothing of relays.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

const EVERY: Duration = Duration::from_millis(10);

/// Watches that.
pub(super) struct Stall {
    /// The longest since it was asked last.
    longest: Arc<Mutex<Duration>>,
    _watch: AbortOnDropHandle<()>,
}

impl Stall {
    /// From now on.
    pub(super) fn watch() -> Self {
        let longest = Arc::new(Mutex::new(Duration::ZERO));
        let (seen, known) = (longest.clone(), Arc::downgrade(&longest));
        // Threads of the runtime may wait for one another, and this one for the system alone.
        thread::spawn(move || {
            while let Some(longest) = known.upgrade() {
                let begun = Instant::now();
                drop(longest);
                thread::sleep(EVERY);
                note(&known.upgrade(), begun);
            }
        });
        let watch = tokio::spawn(async move {
            let seen = Some(seen);
            loop {
                let begun = Instant::now();
                sleep(EVERY).await;
                note(&seen, begun);
            }
        });
        Self {
            longest,
            _watch: AbortOnDropHandle::new(watch),
        }
    }

    /// The longest since this was asked last.
    pub(super) fn take(&self) -> Duration {
        std::mem::take(&mut *self.longest.lock())
    }
}

fn note(longest: &Option<Arc<Mutex<Duration>>>, begun: Instant) {
    if let Some(longest) = longest {
        let late = begun.elapsed().saturating_sub(EVERY);
        let mut longest = longest.lock();
        *longest = longest.max(late);
    }
}

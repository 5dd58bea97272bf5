//! Directories for tests.

use std::fs;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::StateDir;

/// A state directory that goes with the value.
pub(crate) struct TempDir(StateDir);

impl TempDir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("steadycast-state-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        Self(StateDir::open(&path).unwrap())
    }
}

impl Deref for TempDir {
    type Target = StateDir;

    fn deref(&self) -> &StateDir {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.file(""));
    }
}

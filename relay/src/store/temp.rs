//! Directories and stores for tests.

use std::fs;
use std::io;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::{Change, Entry, Kept, StateDir, StateError, Store};

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

/// A store in memory, of broadcasts alone, that can be made to fail.
#[derive(Debug, Default)]
pub(crate) struct Fragile {
    broken: AtomicBool,
    broadcasts: Mutex<Vec<Entry>>,
}

impl Fragile {
    pub(crate) fn breaks(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }
}

impl Store for Fragile {
    fn load(&self) -> Result<Kept, StateError> {
        Ok(Kept {
            broadcasts: self.broadcasts.lock().clone(),
            revocations: Vec::new(),
            patterns_end: 0,
            mark: None,
        })
    }

    fn commit(&self, changes: &[Change]) -> Result<(), StateError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(StateError::Io {
                path: self.place().into(),
                source: io::ErrorKind::StorageFull.into(),
            });
        }
        let mut broadcasts = self.broadcasts.lock();
        for change in changes {
            let (Change::Put(Entry { id, .. }) | Change::Remove(id)) = change else {
                continue;
            };
            broadcasts.retain(|known| known.id != *id);
            if let Change::Put(entry) = change {
                broadcasts.push(entry.clone());
            }
        }
        Ok(())
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}

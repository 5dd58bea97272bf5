use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{Access, StateDir, StateError};
use crate::broadcast::BroadcastId;

const NAME: &str = "broadcasts.json";
const VERSION: u32 = 1;

/// What is kept of a broadcast: enough to let its links work after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The broadcast.
    pub id: BroadcastId,
    /// Its name for people.
    pub title: String,
    /// When it was created, in seconds since the Unix epoch.
    pub created: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    broadcasts: Vec<Entry>,
}

/// The list of broadcasts on disk, written anew with every change.
///
/// Its methods wait for the disk: call them where that is allowed.
#[derive(Debug)]
pub struct Store {
    dir: StateDir,
    entries: Mutex<BTreeMap<BroadcastId, Entry>>,
}

impl Store {
    /// Reads `broadcasts.json`; a missing one is an empty list.
    ///
    /// # Errors
    /// [`StateError::Io`], or [`StateError::Corrupt`] naming the file.
    pub fn open(dir: StateDir) -> Result<Self, StateError> {
        let entries = match dir.read(NAME)? {
            Some(bytes) => read(&bytes).map_err(|why| dir.corrupt(NAME, why))?,
            None => Vec::new(),
        };
        let by_id = entries.into_iter().map(|entry| (entry.id.clone(), entry));
        Ok(Self {
            entries: Mutex::new(by_id.collect()),
            dir,
        })
    }

    /// What is in the list, by id.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().values().cloned().collect()
    }

    /// Adds a broadcast. When this fails, the list is as before.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn add(&self, entry: Entry) -> Result<(), StateError> {
        let mut entries = self.entries.lock();
        let id = entry.id.clone();
        let before = entries.insert(id.clone(), entry);
        let written = self.write(&entries);
        if written.is_err() {
            match before {
                Some(before) => entries.insert(id, before),
                None => entries.remove(&id),
            };
        }
        written
    }

    /// Removes a broadcast that has ended. When this fails, the next change writes it too.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn remove(&self, id: &BroadcastId) -> Result<(), StateError> {
        let mut entries = self.entries.lock();
        match entries.remove(id) {
            Some(_) => self.write(&entries),
            None => Ok(()),
        }
    }

    /// Called under the lock, so that the file is never older than the list.
    fn write(&self, entries: &BTreeMap<BroadcastId, Entry>) -> Result<(), StateError> {
        let document = Document {
            version: VERSION,
            broadcasts: entries.values().cloned().collect(),
        };
        let json = serde_json::to_vec_pretty(&document)
            .map_err(|error| self.dir.corrupt(NAME, error.to_string()))?;
        self.dir.write(NAME, &json, Access::Private)
    }
}

fn read(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| {
        format!("not a list of broadcasts: {error}; mend it, or remove it to start without any")
    })?;
    if document.version != VERSION {
        return Err(format!(
            "version {}, but this relay reads version {VERSION}",
            document.version
        ));
    }
    Ok(document.broadcasts)
}

#[cfg(test)]
mod tests {
    use super::super::temp::TempDir;
    use super::*;

    fn entry(id: &str) -> Entry {
        Entry {
            id: id.parse().unwrap(),
            title: format!("The {id} \"quoted\""),
            created: 1_700_000_000,
        }
    }

    #[test]
    fn broadcasts_survive_a_restart_and_ended_ones_do_not() {
        let dir = TempDir::new();
        let store = Store::open(dir.clone()).unwrap();
        assert!(store.entries().is_empty());
        store.add(entry("b")).unwrap();
        store.add(entry("a")).unwrap();
        store.remove(&entry("b").id).unwrap();
        store.remove(&entry("never-was").id).unwrap();
        let again = Store::open(dir.clone()).unwrap();
        assert_eq!(again.entries(), [entry("a")]);
    }

    #[test]
    fn a_corrupt_list_is_named_and_left_alone() {
        let dir = TempDir::new();
        for text in [
            "",
            "{",
            "[]",
            r#"{"version":2,"broadcasts":[]}"#,
            r#"{"version":1,"broadcasts":[{"id":"NO","title":"","created":0}]}"#,
            r#"{"version":1,"broadcasts":[],"more":1}"#,
        ] {
            dir.write(NAME, text.as_bytes(), Access::Private).unwrap();
            let error = Store::open(dir.clone()).unwrap_err().to_string();
            let path = dir.file(NAME).display().to_string();
            assert!(error.starts_with(&path), "{error}");
            assert_eq!(dir.read(NAME).unwrap().as_deref(), Some(text.as_bytes()));
        }
    }

    #[test]
    fn a_list_that_cannot_be_written_changes_nothing() {
        let dir = TempDir::new();
        let store = Store::open(dir.clone()).unwrap();
        // A directory in the place of the temporary file: nobody can write there, not even root.
        std::fs::create_dir(dir.file(".broadcasts.json.new")).unwrap();
        assert!(store.add(entry("a")).is_err());
        assert!(store.entries().is_empty());
    }
}

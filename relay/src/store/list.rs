use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{Access, StateDir, StateError};
use crate::broadcast::{BroadcastId, Presence, RelayTime};

const NAME: &str = "broadcasts.json";
/// Version 1 knows nothing of publishers, and is read as well.
const VERSION: u32 = 2;

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
    /// When a publisher was there last.
    #[serde(default, skip_serializing_if = "Seen::is_never")]
    pub publisher: Seen,
}

/// When a broadcast's publisher was there last, in seconds since the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Seen {
    /// Never yet.
    #[default]
    Never,
    /// It was there when this was written.
    Here,
    /// It has been away since then.
    AwaySince(u64),
}

impl Seen {
    fn is_never(&self) -> bool {
        *self == Self::Never
    }

    /// What that is for a relay that starts `now`: who was there has been away since then.
    pub fn after_restart(self, now: RelayTime) -> Presence {
        match self {
            Self::Never => Presence::Never,
            Self::Here => Presence::AwaySince(now),
            Self::AwaySince(seconds) => {
                let since = RelayTime::from_micros(seconds.saturating_mul(1_000_000));
                // A clock that was ahead then must not keep it for years.
                Presence::AwaySince(since.min(now))
            }
        }
    }
}

impl From<Presence> for Seen {
    fn from(presence: Presence) -> Self {
        match presence {
            Presence::Never => Self::Never,
            Presence::Here => Self::Here,
            Presence::AwaySince(since) => Self::AwaySince(since.as_micros() / 1_000_000),
        }
    }
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

    /// Removes a broadcast. When this fails, the list is as before.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn remove(&self, id: &BroadcastId) -> Result<(), StateError> {
        let mut entries = self.entries.lock();
        let Some(removed) = entries.remove(id) else {
            return Ok(());
        };
        let written = self.write(&entries);
        if written.is_err() {
            entries.insert(id.clone(), removed);
        }
        written
    }

    /// Brings the list in line with what there is: `presence` says of each broadcast whether its
    /// publisher is there, and `None` of one that is no more. Writes only what has changed; when
    /// that fails, the list is as before.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn keep(
        &self,
        presence: impl Fn(&BroadcastId) -> Option<Presence>,
    ) -> Result<(), StateError> {
        let mut entries = self.entries.lock();
        let now: BTreeMap<_, _> = entries
            .values()
            .filter_map(|entry| {
                let publisher = presence(&entry.id)?.into();
                let entry = Entry {
                    publisher,
                    ..entry.clone()
                };
                Some((entry.id.clone(), entry))
            })
            .collect();
        if now != *entries {
            self.write(&now)?;
            *entries = now;
        }
        Ok(())
    }

    /// Where the list is.
    pub fn path(&self) -> std::path::PathBuf {
        self.dir.file(NAME)
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
    if !(1..=VERSION).contains(&document.version) {
        return Err(format!(
            "version {}, but this relay reads versions up to {VERSION}",
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
            publisher: Seen::Never,
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
            r#"{"version":0,"broadcasts":[]}"#,
            r#"{"version":3,"broadcasts":[]}"#,
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
        std::fs::remove_dir(dir.file(".broadcasts.json.new")).unwrap();
        store.add(entry("a")).unwrap();
        std::fs::create_dir(dir.file(".broadcasts.json.new")).unwrap();
        assert!(store.remove(&entry("a").id).is_err());
        assert!(store.keep(|_| None).is_err());
        assert_eq!(store.entries(), [entry("a")]);
        assert_eq!(Store::open(dir.clone()).unwrap().entries(), [entry("a")]);
    }

    #[test]
    fn when_a_publisher_was_there_last_survives_a_restart() {
        let dir = TempDir::new();
        let store = Store::open(dir.clone()).unwrap();
        for id in ["ahead", "away", "gone", "here", "never"] {
            store.add(entry(id)).unwrap();
        }
        let at = |seconds: u64| RelayTime::from_micros(seconds * 1_000_000);
        let presence = |id: &BroadcastId| match id.as_str() {
            "ahead" => Some(Presence::AwaySince(at(500))),
            "away" => Some(Presence::AwaySince(at(5))),
            "here" => Some(Presence::Here),
            "never" => Some(Presence::Never),
            _ => None,
        };
        store.keep(presence).unwrap();
        let again = Store::open(dir.clone()).unwrap();
        let told: Vec<_> = again
            .entries()
            .into_iter()
            .map(|entry| (entry.id.to_string(), entry.publisher.after_restart(at(9))))
            .collect();
        let expected = [
            ("ahead".to_owned(), Presence::AwaySince(at(9))),
            ("away".to_owned(), Presence::AwaySince(at(5))),
            ("here".to_owned(), Presence::AwaySince(at(9))),
            ("never".to_owned(), Presence::Never),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn lists_of_the_version_before_are_read() {
        let dir = TempDir::new();
        let text = r#"{"version":1,"broadcasts":[{"id":"a","title":"A","created":7}]}"#;
        dir.write(NAME, text.as_bytes(), Access::Private).unwrap();
        let entries = Store::open(dir.clone()).unwrap().entries();
        assert_eq!(entries[0].publisher, Seen::Never);
    }

    #[test]
    fn nothing_new_writes_nothing() {
        let dir = TempDir::new();
        let store = Store::open(dir.clone()).unwrap();
        store.add(entry("a")).unwrap();
        std::fs::create_dir(dir.file(".broadcasts.json.new")).unwrap();
        store.keep(|_| Some(Presence::Never)).unwrap();
    }
}

//! The broadcasts that are kept, in memory and in the store together.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::StateError;
use super::engine::{Change, Entry, Kept, Store};
use crate::broadcast::{BroadcastId, Presence};

/// The broadcasts that are kept, in memory as in the store: a change that cannot be stored is none.
///
/// Its methods wait for the disk: call them where that is allowed.
#[derive(Debug)]
pub struct Ledger {
    store: Arc<dyn Store>,
    entries: Mutex<BTreeMap<BroadcastId, Entry>>,
}

impl Ledger {
    /// Reads what is in the store; gives besides what was taken back.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn open(store: Arc<dyn Store>) -> Result<(Self, Vec<crate::auth::Revocation>), StateError> {
        let Kept {
            broadcasts,
            revocations,
        } = store.load()?;
        let by_id = broadcasts
            .into_iter()
            .map(|entry| (entry.id.clone(), entry));
        let entries = Mutex::new(by_id.collect());
        Ok((Self { store, entries }, revocations))
    }

    /// The broadcasts, by id.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().values().cloned().collect()
    }

    /// Makes these changes, all or none of them.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn commit(&self, changes: &[Change]) -> Result<(), StateError> {
        // Under the lock, so that both see the changes in the same order.
        let mut entries = self.entries.lock();
        self.store.commit(changes)?;
        for change in changes {
            match change {
                Change::Put(entry) => {
                    entries.insert(entry.id.clone(), entry.clone());
                }
                Change::Remove(id) => {
                    entries.remove(id);
                }
                Change::Revoke(_) | Change::ForgetToken(_) | Change::ForgetLinks(_) => {}
            }
        }
        Ok(())
    }

    /// The broadcast of this id, as it is kept.
    pub fn get(&self, id: &BroadcastId) -> Option<Entry> {
        self.entries.lock().get(id).cloned()
    }

    /// What has changed since it was kept: `presence` says of each broadcast whether its publisher is
    /// there, and `None` of one that is no more.
    pub fn changes(&self, presence: impl Fn(&BroadcastId) -> Option<Presence>) -> Vec<Change> {
        let changed = |entry: &Entry| {
            let Some(presence) = presence(&entry.id) else {
                return Some(Change::Remove(entry.id.clone()));
            };
            let publisher = presence.into();
            (publisher != entry.publisher).then(|| {
                Change::Put(Entry {
                    publisher,
                    ..entry.clone()
                })
            })
        };
        self.entries.lock().values().filter_map(changed).collect()
    }

    /// Where it is, for people.
    pub fn place(&self) -> String {
        self.store.place()
    }
}

#[cfg(test)]
mod tests {
    use super::super::temp::{Fragile, TempDir};
    use super::super::{LocalStore, Seen};
    use super::*;
    use crate::broadcast::RelayTime;

    fn entry(id: &str) -> Entry {
        Entry {
            id: id.parse().unwrap(),
            title: String::new(),
            created: 1_700_000_000,
            maker: Some("ada".into()),
            chosen: false,
            publisher: Seen::Never,
        }
    }

    fn open(dir: &TempDir) -> Ledger {
        let store = Arc::new(LocalStore::open(dir).unwrap());
        Ledger::open(store).unwrap().0
    }

    #[test]
    fn what_cannot_be_written_changes_nothing() {
        let store = Arc::new(Fragile::default());
        let (ledger, _) = Ledger::open(store.clone()).unwrap();
        store.breaks(true);
        assert!(ledger.commit(&[Change::Put(entry("a"))]).is_err());
        assert!(ledger.entries().is_empty());
        store.breaks(false);
        ledger.commit(&[Change::Put(entry("a"))]).unwrap();
        store.breaks(true);
        assert!(ledger.commit(&[Change::Remove(entry("a").id)]).is_err());
        assert_eq!(ledger.entries(), [entry("a")]);
    }

    #[test]
    fn when_a_publisher_was_there_last_survives_a_restart() {
        let dir = TempDir::new();
        let ledger = open(&dir);
        let names = ["ahead", "away", "gone", "here", "never"];
        let changes = names.map(|id| Change::Put(entry(id)));
        ledger.commit(&changes).unwrap();
        let at = |seconds: u64| RelayTime::from_micros(seconds * 1_000_000);
        let presence = |id: &BroadcastId| match id.as_str() {
            "ahead" => Some(Presence::AwaySince(at(500))),
            "away" => Some(Presence::AwaySince(at(5))),
            "here" => Some(Presence::Here),
            "never" => Some(Presence::Never),
            _ => None,
        };
        let changes = ledger.changes(presence);
        assert_eq!(changes.len(), 4, "nothing of the one that is as it was");
        ledger.commit(&changes).unwrap();
        drop(ledger);
        let told: Vec<_> = open(&dir)
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
}

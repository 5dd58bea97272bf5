//! The broadcasts that are kept, in memory and in the store together.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::Mutex;

use super::StateError;
use super::engine::{Change, Entry, Kept, Mark, PanelSecret, Store};
use crate::auth::Pattern;
use crate::broadcast::{BroadcastId, Presence, RelayTime};

/// The broadcasts that are kept, in memory as in the store: a change that cannot be stored is none.
///
/// Its methods wait for the disk: call them where that is allowed.
#[derive(Debug)]
pub struct Ledger {
    store: Arc<dyn Store>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    entries: BTreeMap<BroadcastId, Entry>,
    /// Those of which the store does not know all: when their last link ends, or their secret.
    ahead: BTreeSet<BroadcastId>,
    /// When the last token ends that is for more than one broadcast; whether the store knows.
    patterns_end: (u64, bool),
    /// As of when the engine's bucket is known, where there is one.
    mark: Option<Mark>,
    /// Those that are otherwise in the store than the engine says.
    unsaved: BTreeSet<BroadcastId>,
}

/// When links end is kept no more precisely than this, in seconds: links are given out more often than a
/// disk should be written.
const COARSE: u64 = 3_600;

impl Ledger {
    /// Reads what is in the store; gives besides what was taken back.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn open(store: Arc<dyn Store>) -> Result<(Self, Vec<crate::auth::Revocation>), StateError> {
        let Kept {
            broadcasts,
            revocations,
            patterns_end,
            mark,
        } = store.load()?;
        let by_id = broadcasts
            .into_iter()
            .map(|entry| (entry.id.clone(), entry));
        let known = Mutex::new(Known {
            entries: by_id.collect(),
            ahead: BTreeSet::new(),
            patterns_end: (patterns_end, true),
            mark,
            unsaved: BTreeSet::new(),
        });
        Ok((Self { store, known }, revocations))
    }

    /// The broadcasts, by id.
    pub fn entries(&self) -> Vec<Entry> {
        self.known.lock().entries.values().cloned().collect()
    }

    /// The first ones behind an id that are meant, at most so many; and whether there are more.
    pub fn page(
        &self,
        after: Option<&BroadcastId>,
        most: usize,
        is_meant: impl Fn(&Entry) -> bool,
    ) -> (Vec<Entry>, bool) {
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        let known = self.known.lock();
        let entries = known.entries.range((behind, Bound::Unbounded));
        let mut meant = entries
            .map(|(_, entry)| entry)
            .filter(|entry| is_meant(entry));
        let page = meant.by_ref().take(most).cloned().collect();
        (page, meant.next().is_some())
    }

    /// Makes these changes, all or none of them.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn commit(&self, changes: &[Change]) -> Result<(), StateError> {
        // Under the lock, so that both see the changes in the same order.
        let mut known = self.known.lock();
        self.store.commit(changes)?;
        for change in changes {
            match change {
                Change::Put(entry) => {
                    let mut entry = entry.clone();
                    let is_all = known
                        .entries
                        .get(&entry.id)
                        .is_none_or(|known| !take_newer(&mut entry, known));
                    if is_all {
                        known.ahead.remove(&entry.id);
                    }
                    known.entries.insert(entry.id.clone(), entry);
                }
                Change::Remove(id) => {
                    known.entries.remove(id);
                    known.ahead.remove(id);
                }
                Change::PatternsEnd(end) => {
                    let newest = known.patterns_end.0;
                    known.patterns_end = (newest.max(*end), newest <= *end);
                }
                Change::Revoke(_)
                | Change::ForgetToken(_)
                | Change::ForgetLinks(_)
                | Change::Mark(_) => {}
            }
        }
        Ok(())
    }

    /// A broadcast is like this, as the engine says. The store hears of it with the next [`save`](Self::save).
    pub(super) fn learn(&self, mut entry: Entry) {
        let mut known = self.known.lock();
        let before = known.entries.get(&entry.id);
        if !before.is_some_and(|before| take_newer(&mut entry, before)) {
            known.ahead.remove(&entry.id);
        }
        known.unsaved.insert(entry.id.clone());
        known.entries.insert(entry.id.clone(), entry);
    }

    /// A broadcast is no more, as the engine says; gives what it was.
    pub(super) fn unlearn(&self, id: &BroadcastId) -> Option<Entry> {
        let mut known = self.known.lock();
        known.ahead.remove(id);
        let entry = known.entries.remove(id)?;
        known.unsaved.insert(id.clone());
        Some(entry)
    }

    /// When the last token ends that is for more than one broadcast, as the engine says.
    pub(super) fn learn_patterns_end(&self, end: u64) {
        let mut known = self.known.lock();
        if end >= known.patterns_end.0 {
            known.patterns_end = (end, true);
        }
    }

    /// What the engine has not been told of yet: when the links to broadcasts end.
    pub(super) fn untold(&self) -> Untold {
        let known = self.known.lock();
        let links = known.ahead.iter();
        let links = links.filter_map(|id| {
            let end = known.entries.get(id)?.links_end?;
            Some((id.clone(), end))
        });
        let (end, told) = known.patterns_end;
        Untold {
            links: links.collect(),
            patterns_end: (!told).then_some(end),
        }
    }

    /// As of when the engine's bucket is known.
    pub(super) fn mark(&self) -> Option<Mark> {
        self.known.lock().mark
    }

    /// The engine's bucket is known as of then.
    pub(super) fn mark_as(&self, mark: Mark) {
        self.known.lock().mark = Some(mark);
    }

    /// Has the store say what the engine says.
    ///
    /// # Errors
    /// [`StateError`]; the next call makes up for it.
    pub(crate) fn save(&self) -> Result<(), StateError> {
        let (ids, changes) = {
            let mut known = self.known.lock();
            let ids = std::mem::take(&mut known.unsaved);
            if ids.is_empty() {
                return Ok(());
            }
            let change = |id: &BroadcastId| match known.entries.get(id) {
                Some(entry) => Change::Put(entry.clone()),
                None => Change::Remove(id.clone()),
            };
            let mut changes: Vec<_> = ids.iter().map(change).collect();
            changes.push(Change::PatternsEnd(known.patterns_end.0));
            changes.extend(known.mark.map(Change::Mark));
            (ids, changes)
        };
        // Nobody who looks for a broadcast waits for the disk.
        let saved = self.store.commit(&changes);
        if saved.is_err() {
            self.known.lock().unsaved.extend(ids);
        }
        saved
    }

    /// Their ids.
    pub fn ids(&self) -> Vec<BroadcastId> {
        self.known.lock().entries.keys().cloned().collect()
    }

    /// How many broadcasts there are.
    pub fn count(&self) -> usize {
        self.known.lock().entries.len()
    }

    /// The broadcast of this id, as it is kept.
    pub fn get(&self, id: &BroadcastId) -> Option<Entry> {
        self.known.lock().entries.get(id).cloned()
    }

    /// How many broadcasts were made with a token about `subject`.
    pub fn made_by(&self, subject: &str) -> usize {
        let known = self.known.lock();
        let own = known.entries.values();
        own.filter(|entry| entry.maker.as_deref() == Some(subject))
            .count()
    }

    /// A token was made for `broadcasts` that is good until `end`, in seconds since the Unix epoch. The store
    /// learns of it with the next [`changes`](Self::changes).
    pub fn token_made(&self, broadcasts: &Pattern, end: u64) {
        let mut known = self.known.lock();
        let Known {
            entries,
            ahead,
            patterns_end,
            ..
        } = &mut *known;
        match broadcasts {
            Pattern::One(id) => {
                let Some(entry) = entries.get_mut(id) else {
                    return;
                };
                if entry.links_end.is_none_or(|known| end > known + COARSE) {
                    entry.links_end = Some(end);
                    ahead.insert(id.clone());
                }
            }
            Pattern::Beginning(_) if end > patterns_end.0 => *patterns_end = (end, false),
            Pattern::Beginning(_) => {}
        }
    }

    /// The secret of a broadcast whose links for publishing have to be of this generation, made with `make` where
    /// there is none yet or where that there is is of another. The store learns of it with the next
    /// [`changes`](Self::changes), so that nobody who asks waits for a disk. `None`: there is no such broadcast.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn panel_secret<E>(
        &self,
        id: &BroadcastId,
        generation: u64,
        make: impl FnOnce() -> Result<String, E>,
    ) -> Result<Option<PanelSecret>, E> {
        let mut known = self.known.lock();
        let Known { entries, ahead, .. } = &mut *known;
        let Some(entry) = entries.get_mut(id) else {
            return Ok(None);
        };
        let has = entry.panel_secret.as_ref();
        if has.is_none_or(|secret| secret.generation != generation) {
            entry.panel_secret = Some(PanelSecret {
                generation,
                text: make()?.into(),
            });
            ahead.insert(id.clone());
        }
        Ok(entry.panel_secret.clone())
    }

    /// The broadcasts to which no token of the relay's own is good any more, for certain.
    pub fn without_links(&self, now: RelayTime) -> Vec<BroadcastId> {
        let now = now.as_seconds();
        let known = self.known.lock();
        if known.patterns_end.0 > now {
            return Vec::new();
        }
        let over = |entry: &&Entry| entry.links_end.is_some_and(|end| end + COARSE < now);
        let over = known.entries.values().filter(over);
        over.map(|entry| entry.id.clone()).collect()
    }

    /// What has changed since it was kept: `presence` says of each broadcast whether its publisher is
    /// there, and `None` of one that is no more.
    pub fn changes(&self, presence: impl Fn(&BroadcastId) -> Option<Presence>) -> Vec<Change> {
        let known = self.known.lock();
        let changed = |entry: &Entry| {
            let Some(presence) = presence(&entry.id) else {
                return Some(Change::Remove(entry.id.clone()));
            };
            let publisher = presence.into();
            (publisher != entry.publisher || known.ahead.contains(&entry.id)).then(|| {
                Change::Put(Entry {
                    publisher,
                    ..entry.clone()
                })
            })
        };
        let (end, stored) = known.patterns_end;
        let patterns = (!stored).then_some(Change::PatternsEnd(end));
        let entries = known.entries.values().filter_map(changed);
        entries.chain(patterns).collect()
    }

    /// Where it is, for people.
    pub fn place(&self) -> String {
        self.store.place()
    }
}

/// What the engine has not been told of yet.
#[derive(Debug, Default)]
pub(super) struct Untold {
    /// When the last link to a broadcast ends.
    pub(super) links: Vec<(BroadcastId, u64)>,
    /// When the last token ends that is for more than one.
    pub(super) patterns_end: Option<u64>,
}

/// Takes from what is known what has come about since `entry` was made to be written; whether there was anything.
fn take_newer(entry: &mut Entry, known: &Entry) -> bool {
    let linked = entry.links_end < known.links_end;
    if linked {
        entry.links_end = known.links_end;
    }
    let secret = known.panel_secret.is_some() && entry.panel_secret != known.panel_secret;
    if secret {
        entry.panel_secret = known.panel_secret.clone();
    }
    linked || secret
}

#[cfg(test)]
mod tests {
    use super::super::temp::{Fragile, TempDir};
    use super::super::{LocalStore, Seen};
    use super::*;
    use crate::broadcast::OwnSettings;

    fn entry(id: &str) -> Entry {
        Entry {
            id: id.parse().unwrap(),
            title: String::new(),
            created: 1_700_000_000,
            maker: Some("ada".into()),
            chosen: false,
            private: false,
            settings: OwnSettings::default(),
            links_end: None,
            panel_secret: None,
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
    fn a_page_is_what_is_meant_behind_an_id() {
        let ledger = open(&TempDir::new());
        let put = ["a", "b", "c", "d"].map(|id| Change::Put(entry(id)));
        ledger.commit(&put).unwrap();
        let page = |after: Option<&str>, most| {
            let after = after.map(|id| entry(id).id);
            let is_meant = |entry: &Entry| entry.id.as_str() != "c";
            let (page, more) = ledger.page(after.as_ref(), most, is_meant);
            let ids: Vec<_> = page.iter().map(|entry| entry.id.to_string()).collect();
            (ids.concat(), more)
        };
        assert_eq!(page(None, 2), ("ab".to_owned(), true));
        assert_eq!(page(None, 3), ("abd".to_owned(), false));
        assert_eq!(page(Some("b"), 9), ("d".to_owned(), false));
        assert_eq!(page(Some("bb"), 0), (String::new(), true));
        assert_eq!(page(Some("d"), 9), (String::new(), false));
    }

    #[test]
    fn a_broadcast_is_without_links_once_the_last_has_ended_whatever_is_restarted() {
        let dir = TempDir::new();
        let at = |seconds: u64| RelayTime::from_micros(seconds * 1_000_000);
        let end = 1_700_000_000;
        let over = |ledger: &Ledger, after: u64| ledger.without_links(at(end + after)).len();
        let ledger = open(&dir);
        let names = ["linked", "unknown"];
        let put = names.map(|id| Change::Put(entry(id)));
        ledger.commit(&put).unwrap();
        assert_eq!(over(&ledger, 10 * COARSE), 0, "nobody knows of links");
        let one = Pattern::One(entry("linked").id);
        ledger.token_made(&one, end);
        ledger.token_made(&one, end + 10);
        ledger.token_made(&Pattern::One(entry("none").id), end);
        assert_eq!(over(&ledger, 0), 0);
        assert_eq!(over(&ledger, 2 * COARSE), 1);
        let here = |_: &BroadcastId| Some(Presence::Never);
        let changes = ledger.changes(here);
        assert_eq!(
            changes.len(),
            1,
            "that of the one alone, and once: {changes:?}"
        );
        // One more, while that is being written.
        ledger.token_made(&one, end + 5 * COARSE);
        ledger.commit(&changes).unwrap();
        assert_eq!(over(&ledger, 2 * COARSE), 0);
        ledger.token_made(&Pattern::all(), end + 20 * COARSE);
        let changes = ledger.changes(here);
        assert_eq!(changes.len(), 2);
        ledger.commit(&changes).unwrap();
        assert!(ledger.changes(here).is_empty());
        drop(ledger);
        let ledger = open(&dir);
        assert_eq!(
            over(&ledger, 19 * COARSE),
            0,
            "there is one for all of them"
        );
        assert_eq!(over(&ledger, 21 * COARSE), 1);
    }

    #[test]
    fn a_secret_is_made_once_for_each_generation_and_no_older_change_takes_it_away() {
        let dir = TempDir::new();
        let ledger = open(&dir);
        ledger.commit(&[Change::Put(entry("a"))]).unwrap();
        let id = entry("a").id;
        let here = |_: &BroadcastId| Some(Presence::Here);
        let secret = |ledger: &Ledger, generation, text: &str| {
            let made = ledger.panel_secret(&id, generation, || Ok::<_, ()>(text.to_owned()));
            made.unwrap().unwrap().text
        };
        // What is about to be written knows nothing of it yet.
        let stale = ledger.changes(here);
        assert_eq!(&*secret(&ledger, 0, "one"), "one");
        assert_eq!(&*secret(&ledger, 0, "two"), "one");
        ledger.commit(&stale).unwrap();
        assert_eq!(&*secret(&ledger, 0, "two"), "one");
        let stale = ledger.changes(here);
        assert_eq!(stale.len(), 1, "the store learns of it");
        assert_eq!(&*secret(&ledger, 1, "three"), "three");
        ledger.commit(&stale).unwrap();
        ledger.commit(&ledger.changes(here)).unwrap();
        assert!(ledger.changes(here).is_empty());
        drop(ledger);
        let ledger = open(&dir);
        assert_eq!(&*secret(&ledger, 1, "four"), "three");
        let none = ledger.panel_secret(&entry("b").id, 0, || Ok::<_, ()>(String::new()));
        assert_eq!(none, Ok(None));
        assert!(!format!("{:?}", ledger.entries()).contains("three"));
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

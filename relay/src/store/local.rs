//! The store in a file of the state directory.

use std::fmt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use redb::backends::InMemoryBackend;
use redb::{
    Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, WriteTransaction,
};

use super::engine::{Change, Entry, Kept, Mark, Store};
use super::{StateDir, StateError, early};
use crate::auth::{Generation, Revocation};

/// Pages of the file that are kept in memory, in bytes.
const CACHE: usize = 4 << 20;
/// How often the file is read again until it stays the same.
const AT_REST: usize = 5;

/// What the tables hold; a relay reads the formats that it knows.
const FORMAT: u64 = 1;
const FORMATS: TableDefinition<'_, &str, u64> = TableDefinition::new("formats");
/// By name.
const FIGURES: TableDefinition<'_, &str, u64> = TableDefinition::new("figures");
const PATTERNS_END: &str = "patterns_end";
const BUCKET_MADE: &str = "bucket_made";
const BUCKET_REVISION: &str = "bucket_revision";
/// By id, as JSON.
const BROADCASTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("broadcasts");
/// By the broadcast's id, as JSON.
const GENERATIONS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("generations");
/// By the token's id: when it ends by itself.
const TOKENS: TableDefinition<'_, &str, u64> = TableDefinition::new("revoked_tokens");
/// By name: until when tokens were made that are taken back.
const SUBJECTS: TableDefinition<'_, &str, u64> = TableDefinition::new("revoked_subjects");

/// The store in a file of the state directory: a database of one process, on disk with every commit.
pub struct LocalStore {
    /// `None` after an error of the disk: a database that had one takes nothing more, and is opened
    /// anew for the next change.
    database: Mutex<Option<Database>>,
    path: PathBuf,
}

impl LocalStore {
    /// The file's name.
    pub(crate) const NAME: &str = "steadycast.redb";

    /// Whether there is a file, and what a relay of this version writes in it. Works on a copy in memory: the file is
    /// neither written nor locked.
    ///
    /// # Errors
    /// [`StateError`].
    pub(crate) fn look(dir: &StateDir) -> Result<bool, StateError> {
        let Some(bytes) = read_at_rest(dir)? else {
            return Ok(false);
        };
        // As it is made before anything is in it.
        if bytes.is_empty() {
            return Ok(true);
        }
        let path = dir.file(Self::NAME);
        let opened = in_memory(&bytes).map_err(broken(&path))?;
        let store = Self {
            database: Mutex::new(Some(opened)),
            path,
        };
        store.prepare()?;
        store.load()?;
        Ok(true)
    }

    /// Opens the file; makes it where it is missing. Takes over the list of broadcasts that relays up to
    /// 0.1 kept in `broadcasts.json`.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn open(dir: &StateDir) -> Result<Self, StateError> {
        dir.ensure(Self::NAME)?;
        let store = Self {
            database: Mutex::default(),
            path: dir.file(Self::NAME),
        };
        store.prepare()?;
        let Some(entries) = early::list(dir)? else {
            return Ok(store);
        };
        let count = entries.len();
        let changes: Vec<_> = entries.into_iter().map(Change::Put).collect();
        store.commit(&changes)?;
        early::put_aside(dir)?;
        tracing::info!(broadcasts = count, store = %store.place(), "the list of broadcasts has moved");
        Ok(store)
    }

    /// Makes what is missing, and passes a file whose format is known.
    fn prepare(&self) -> Result<(), StateError> {
        let format = self.written(|transaction| {
            let mut formats = transaction.open_table(FORMATS)?;
            let format = formats.get("format")?.map(|format| format.value());
            if format.is_none() {
                formats.insert("format", FORMAT)?;
            }
            transaction.open_table(FIGURES)?;
            transaction.open_table(BROADCASTS)?;
            transaction.open_table(GENERATIONS)?;
            transaction.open_table(TOKENS)?;
            transaction.open_table(SUBJECTS)?;
            Ok(format.unwrap_or(FORMAT))
        })?;
        if format == FORMAT {
            return Ok(());
        }
        let why = format!("format {format}, but this relay reads format {FORMAT}");
        Err(self.corrupt(why))
    }

    /// Does that in one transaction, and waits until it is on disk.
    fn written<T>(
        &self,
        act: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StateError> {
        self.with(|database| {
            let transaction = database.begin_write()?;
            let done = act(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }

    fn with<T>(
        &self,
        act: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StateError> {
        let mut held = self.database.lock();
        let database = match held.take() {
            Some(database) => database,
            None => self.reopen()?,
        };
        match act(&database) {
            Ok(done) => {
                *held = Some(database);
                Ok(done)
            }
            Err(error) => Err(broken(&self.path)(error)),
        }
    }

    fn reopen(&self) -> Result<Database, StateError> {
        let opened = Database::builder().set_cache_size(CACHE).create(&self.path);
        opened.map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => StateError::InUse {
                path: self.path.clone(),
            },
            error => broken(&self.path)(error.into()),
        })
    }

    fn rows(database: &Database) -> Result<Rows, redb::Error> {
        let transaction = database.begin_read()?;
        let mut rows = Rows::default();
        for row in transaction.open_table(BROADCASTS)?.iter()? {
            rows.broadcasts.push(row?.1.value().to_vec());
        }
        for row in transaction.open_table(GENERATIONS)?.iter()? {
            let (id, generation) = row?;
            let row = (id.value().to_owned(), generation.value().to_vec());
            rows.generations.push(row);
        }
        for row in transaction.open_table(TOKENS)?.iter()? {
            let (id, until) = row?;
            rows.revocations.push(Revocation::Token {
                id: id.value().into(),
                until: until.value(),
            });
        }
        for row in transaction.open_table(SUBJECTS)?.iter()? {
            let (subject, made_by) = row?;
            rows.revocations.push(Revocation::Subject {
                subject: subject.value().into(),
                made_by: made_by.value(),
            });
        }
        let figures = transaction.open_table(FIGURES)?;
        let end = figures.get(PATTERNS_END)?.map(|end| end.value());
        rows.patterns_end = end.unwrap_or_default();
        let figure = |name| Ok::<_, redb::Error>(figures.get(name)?.map(|figure| figure.value()));
        let mark = figure(BUCKET_MADE)?.zip(figure(BUCKET_REVISION)?);
        rows.mark = mark.map(|(made, revision)| Mark { made, revision });
        Ok(rows)
    }

    fn corrupt(&self, why: String) -> StateError {
        StateError::Corrupt {
            path: self.path.clone(),
            why,
        }
    }
}

/// The file's bytes as they are for a moment: a relay may be writing it.
fn read_at_rest(dir: &StateDir) -> Result<Option<Vec<u8>>, StateError> {
    let mut bytes = dir.read(LocalStore::NAME)?;
    for _ in 0..AT_REST {
        let again = dir.read(LocalStore::NAME)?;
        if again == bytes {
            break;
        }
        bytes = again;
    }
    Ok(bytes)
}

/// A database of these bytes, each page of which is looked at.
fn in_memory(bytes: &[u8]) -> Result<Database, redb::Error> {
    let copy = InMemoryBackend::new();
    copy.set_len(bytes.len() as u64)?;
    copy.write(0, bytes)?;
    let mut builder = Database::builder();
    builder.set_check_integrity_on_open(true);
    Ok(builder.create_with_backend(copy)?)
}

#[derive(Default)]
struct Rows {
    broadcasts: Vec<Vec<u8>>,
    generations: Vec<(String, Vec<u8>)>,
    revocations: Vec<Revocation>,
    patterns_end: u64,
    mark: Option<Mark>,
}

impl Store for LocalStore {
    fn load(&self) -> Result<Kept, StateError> {
        let rows = self.with(Self::rows)?;
        let unreadable = |error: &dyn fmt::Display| {
            let why = format!("not what a relay of this version writes: {error}");
            self.corrupt(why)
        };
        let broadcasts = rows.broadcasts.iter();
        let broadcasts = broadcasts.map(|row| serde_json::from_slice::<Entry>(row));
        let mut revocations = rows.revocations;
        for (id, row) in rows.generations {
            let generation: Generation =
                serde_json::from_slice(&row).map_err(|error| unreadable(&error))?;
            let broadcast = id.parse().map_err(|error| unreadable(&error))?;
            revocations.push(Revocation::Broadcast {
                broadcast,
                generation,
            });
        }
        Ok(Kept {
            broadcasts: broadcasts
                .collect::<Result<_, _>>()
                .map_err(|error| unreadable(&error))?,
            revocations,
            patterns_end: rows.patterns_end,
            mark: rows.mark,
        })
    }

    fn commit(&self, changes: &[Change]) -> Result<(), StateError> {
        self.written(|transaction| {
            changes
                .iter()
                .try_for_each(|change| make(transaction, change))
        })
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

/// Makes one change of a transaction.
fn make(transaction: &WriteTransaction, change: &Change) -> Result<(), redb::Error> {
    match change {
        Change::Put(entry) => {
            let mut table = transaction.open_table(BROADCASTS)?;
            table.insert(entry.id.as_str(), &*json(entry)?)?;
        }
        Change::Remove(id) => {
            transaction.open_table(BROADCASTS)?.remove(id.as_str())?;
        }
        Change::Revoke(Revocation::Token { id, until }) => {
            transaction.open_table(TOKENS)?.insert(&**id, until)?;
        }
        Change::Revoke(Revocation::Subject { subject, made_by }) => {
            let mut table = transaction.open_table(SUBJECTS)?;
            table.insert(&**subject, made_by)?;
        }
        Change::Revoke(Revocation::Broadcast {
            broadcast,
            generation,
        }) => {
            let mut table = transaction.open_table(GENERATIONS)?;
            table.insert(broadcast.as_str(), &*json(generation)?)?;
        }
        Change::ForgetToken(id) => {
            transaction.open_table(TOKENS)?.remove(&**id)?;
        }
        Change::PatternsEnd(end) => {
            transaction.open_table(FIGURES)?.insert(PATTERNS_END, end)?;
        }
        Change::Mark(Mark { made, revision }) => {
            let mut table = transaction.open_table(FIGURES)?;
            table.insert(BUCKET_MADE, made)?;
            table.insert(BUCKET_REVISION, revision)?;
        }
        Change::ForgetLinks(id) => {
            transaction.open_table(GENERATIONS)?.remove(id.as_str())?;
        }
    }
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, redb::Error> {
    serde_json::to_vec(value).map_err(|error| redb::Error::Io(error.into()))
}

fn broken(path: &Path) -> impl FnOnce(redb::Error) -> StateError {
    let path = path.to_owned();
    |error| StateError::Database {
        path,
        source: Box::new(error),
    }
}

impl fmt::Debug for LocalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalStore").field(&self.path).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::temp::TempDir;
    use super::*;
    use crate::auth::Power;
    use crate::broadcast::OwnSettings;
    use crate::store::Seen;

    fn entry(id: &str) -> Entry {
        Entry {
            id: id.parse().unwrap(),
            title: format!("The {id} \"quoted\""),
            created: 1_700_000_000,
            maker: Some("ada".into()),
            chosen: false,
            private: false,
            settings: OwnSettings::default(),
            links_end: None,
            panel_secret: None,
            publisher: Seen::AwaySince(7),
        }
    }

    #[test]
    fn what_was_committed_is_there_again() {
        let dir = TempDir::new();
        let revocations = [
            Revocation::Token {
                id: "a".into(),
                until: 9,
            },
            Revocation::Subject {
                subject: "ada".into(),
                made_by: 8,
            },
            Revocation::Broadcast {
                broadcast: "b".parse().unwrap(),
                generation: Generation::default().next(&[Power::Play], 7),
            },
        ];
        let store = LocalStore::open(&dir).unwrap();
        let mut changes = vec![Change::Put(entry("a")), Change::Put(entry("b"))];
        changes.extend(revocations.iter().cloned().map(Change::Revoke));
        store.commit(&changes).unwrap();
        store.commit(&[Change::Remove(entry("a").id)]).unwrap();
        drop(store);
        let kept = LocalStore::open(&dir).unwrap().load().unwrap();
        assert_eq!(kept.broadcasts, [entry("b")]);
        assert_eq!(kept.revocations, revocations);
    }

    #[test]
    fn tokens_that_have_ended_are_forgotten() {
        let dir = TempDir::new();
        let store = LocalStore::open(&dir).unwrap();
        let revoke = |id: &str| {
            Change::Revoke(Revocation::Token {
                id: id.into(),
                until: 9,
            })
        };
        store.commit(&[revoke("a"), revoke("b")]).unwrap();
        store.commit(&[Change::ForgetToken("a".into())]).unwrap();
        let kept = store.load().unwrap().revocations;
        assert_eq!(kept.len(), 1);
    }

    #[test]
    fn one_relay_has_the_file() {
        let dir = TempDir::new();
        let _store = LocalStore::open(&dir).unwrap();
        let text = LocalStore::open(&dir).unwrap_err().to_string();
        assert!(text.contains("another relay uses"), "{text}");
    }

    #[test]
    fn a_file_that_is_none_is_named_and_left_alone() {
        let dir = TempDir::new();
        let bytes = vec![b'x'; 10_000];
        std::fs::write(dir.file(LocalStore::NAME), &bytes).unwrap();
        let error = LocalStore::open(&dir).unwrap_err().to_string();
        assert!(error.contains(LocalStore::NAME), "{error}");
        assert_eq!(std::fs::read(dir.file(LocalStore::NAME)).unwrap(), bytes);
    }

    #[test]
    fn formats_that_are_not_known_are_refused() {
        let dir = TempDir::new();
        let store = LocalStore::open(&dir).unwrap();
        let newer = |transaction: &WriteTransaction| {
            let mut formats = transaction.open_table(FORMATS)?;
            formats.insert("format", FORMAT + 1)?;
            Ok(())
        };
        store.written(newer).unwrap();
        drop(store);
        let error = LocalStore::open(&dir).unwrap_err().to_string();
        assert!(error.contains("format 2"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn it_is_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = TempDir::new();
        let _store = LocalStore::open(&dir).unwrap();
        let mode = std::fs::metadata(dir.file(LocalStore::NAME))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    #[test]
    fn the_list_of_relays_before_moves_in_once() {
        let dir = TempDir::new();
        let text = r#"{"version":2,"broadcasts":[
            {"id":"a","title":"A","created":7},
            {"id":"b","title":"B","created":8,"publisher":{"awaySince":9}}]}"#;
        std::fs::write(dir.file("broadcasts.json"), text).unwrap();
        let store = LocalStore::open(&dir).unwrap();
        let kept = store.load().unwrap().broadcasts;
        let seen: Vec<_> = kept
            .iter()
            .map(|entry| (entry.created, entry.publisher))
            .collect();
        assert_eq!(seen, [(7, Seen::Never), (8, Seen::AwaySince(9))]);
        assert!(!dir.file("broadcasts.json").exists());
        let aside = std::fs::read_to_string(dir.file("broadcasts.json.moved"));
        assert_eq!(aside.unwrap(), text);
        store.commit(&[Change::Remove(kept[0].id.clone())]).unwrap();
        drop(store);
        let again = LocalStore::open(&dir).unwrap().load().unwrap();
        assert_eq!(again.broadcasts.len(), 1, "and does not come back");
    }
}

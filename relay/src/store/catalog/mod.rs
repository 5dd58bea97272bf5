//! The broadcasts of all relays, and their keys: in a bucket of the engine, of which each relay has a copy.
//!
//! The copy is the ledger, in memory, and on disk as it was a moment ago, for the time in which the engine is away. What
//! changes is written to the engine first, over what was there and nothing else, so that of two relays that make a
//! broadcast of one id one does, and what one relay ends is over at all.

mod follow;
mod keys;
mod record;
mod secret;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use steadycast_codec_glue::wire::Code;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use self::keys::Keys;
use self::record::{Value, key, value};
use super::Ledger;
use super::engine::Entry;
use crate::auth::RandomError;
use crate::broadcast::BroadcastId;
use crate::directory::engine::{Bucket, EngineError, WriteError};

pub(crate) use follow::{Here, follow};
pub(crate) use keys::{AdminText, Document};
pub use record::Ending;
pub use secret::{ClusterSecret, ClusterSecretError};

/// How often something is written over what was read anew.
const TRIES: usize = 5;
/// How long a relay that is away can hear how a broadcast has ended; after that it hears that it has.
const ENDED_FOR: Duration = Duration::from_secs(3_600);
/// How long it waits to hear of what it has seen to be there.
const HEARD_WITHIN: Duration = Duration::from_secs(2);

/// The broadcasts of all relays.
#[derive(Debug)]
pub struct Catalog {
    ledger: Arc<Ledger>,
    secret: ClusterSecret,
    known: Mutex<Known>,
    /// The newest revision that was heard of, and of which everything is done here.
    heard: watch::Sender<u64>,
    /// There is something to be told.
    more: Notify,
}

#[derive(Debug, Default)]
struct Known {
    /// Where they are, while the engine is reached and the copy is up to date.
    bucket: Option<Arc<Bucket>>,
    /// The newest revision of each that is known.
    revisions: HashMap<BroadcastId, u64>,
    keys: Option<Keys>,
    /// Those that have ended here, of which the engine does not know yet.
    over: HashMap<BroadcastId, Code>,
}

/// The catalog is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The id is taken.
    #[error("a broadcast of this id exists")]
    Exists,
    /// The engine is not reached, or refuses.
    #[error("the engine that all relays have is away: {0}")]
    Engine(#[from] EngineError),
    /// Others change the same all the time.
    #[error("too many change the same at once")]
    Contended,
    /// Nothing can be sealed.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// A broadcast that is no more, and how it has ended, where that is known.
type Over = (Entry, Option<Ending>);

impl Catalog {
    /// The one whose copy is `ledger`; it begins to be kept when it is followed.
    pub(crate) fn new(ledger: Arc<Ledger>, secret: ClusterSecret) -> Self {
        Self {
            ledger,
            secret,
            known: Mutex::default(),
            heard: watch::Sender::new(0),
            more: Notify::new(),
        }
    }

    /// What all relays know that have it.
    pub(crate) fn secret(&self) -> &ClusterSecret {
        &self.secret
    }

    /// The broadcast of this id, as it is known; `None`: there is none, or it has just ended here.
    pub fn entry(&self, id: &BroadcastId) -> Option<Entry> {
        let entry = self.ledger.get(id)?;
        (!self.known.lock().over.contains_key(id)).then_some(entry)
    }

    /// The ids of all broadcasts.
    pub fn ids(&self) -> Vec<BroadcastId> {
        self.ledger.ids()
    }

    /// Whether the engine is reached and what is known here is up to date.
    pub fn is_reached(&self) -> bool {
        self.known.lock().bucket.is_some()
    }

    /// What panels and capture hosts of a broadcast know each other by.
    pub(crate) fn panel(&self, entry: &Entry, generation: u64) -> Option<String> {
        self.secret.panel(&entry.id, entry.created, generation)
    }

    /// Has a broadcast be there, which is not.
    ///
    /// # Errors
    /// [`CatalogError`].
    pub(crate) async fn create(&self, entry: &Entry) -> Result<(), CatalogError> {
        let bucket = self.bucket()?;
        let mut over = self.revision(&entry.id);
        if self.ledger.get(&entry.id).is_some() && over > 0 {
            return Err(CatalogError::Exists);
        }
        for _ in 0..TRIES {
            let there = Value::there(entry);
            let written = bucket
                .put(&key(&entry.id), there.to_json(), over, None)
                .await;
            match written {
                Ok(revision) => {
                    self.take(&entry.id, revision, Some(there));
                    return Ok(());
                }
                Err(WriteError::Engine(error)) => return Err(error.into()),
                Err(WriteError::Stale) => {}
            }
            let found = bucket.read(&key(&entry.id)).await?;
            if let Some(Some(Value::There(_))) = value(found.bytes.as_deref()) {
                return Err(CatalogError::Exists);
            }
            // Which links of the one before were taken back is known then.
            self.hear_of(found.revision).await;
            over = found.revision;
        }
        Err(CatalogError::Contended)
    }

    /// Has a broadcast be over for all relays. False when there is none.
    ///
    /// # Errors
    /// [`CatalogError`].
    pub(crate) async fn end(&self, id: &BroadcastId, ending: Ending) -> Result<bool, CatalogError> {
        let ended = |_: Entry| Some(Value::Ended(ending));
        let ended = self.write(id, Some(ENDED_FOR), ended).await?;
        self.known.lock().over.remove(id);
        Ok(ended)
    }

    /// Time has ended a broadcast here: all relays are told as soon as that can be.
    pub(crate) fn end_soon(&self, id: &BroadcastId, code: Code) {
        self.known.lock().over.insert(id.clone(), code);
        self.more.notify_one();
    }

    /// Writes what `next` makes of a broadcast, as often as others were faster. False: there is none, or nothing is to
    /// be written.
    async fn write(
        &self,
        id: &BroadcastId,
        lasts: Option<Duration>,
        next: impl Fn(Entry) -> Option<Value>,
    ) -> Result<bool, CatalogError> {
        let bucket = self.bucket()?;
        let (mut there, mut over) = (self.ledger.get(id), self.revision(id));
        for _ in 0..TRIES {
            let Some(value) = there.take().and_then(&next) else {
                return Ok(false);
            };
            match bucket.put(&key(id), value.to_json(), over, lasts).await {
                Ok(revision) => {
                    self.take(id, revision, Some(value));
                    return Ok(true);
                }
                Err(WriteError::Engine(error)) => return Err(error.into()),
                Err(WriteError::Stale) => {}
            }
            let found = bucket.read(&key(id)).await?;
            over = found.revision;
            there = match record::value(found.bytes.as_deref()) {
                Some(Some(Value::There(record))) => Some(record.entry(id)),
                _ => None,
            };
        }
        Err(CatalogError::Contended)
    }

    /// The engine says this of a broadcast; gives the one that is over by that, if one is.
    fn take(&self, id: &BroadcastId, revision: u64, value: Option<Value>) -> Option<Over> {
        let mut known = self.known.lock();
        if known
            .revisions
            .get(id)
            .is_some_and(|known| *known >= revision)
        {
            return None;
        }
        let before = self.ledger.get(id);
        match value {
            Some(Value::There(record)) => {
                known.revisions.insert(id.clone(), revision);
                let entry = record.entry(id);
                // It may have ended and been made again while nobody here listened.
                let other = before.filter(|before| before.created != entry.created);
                if other.is_some() {
                    self.ledger.unlearn(id);
                }
                self.ledger.learn(entry);
                other.map(|other| (other, None))
            }
            Some(Value::Ended(ending)) => {
                known.revisions.insert(id.clone(), revision);
                Some((self.ledger.unlearn(id)?, Some(ending)))
            }
            None => {
                known.revisions.remove(id);
                Some((self.ledger.unlearn(id)?, None))
            }
        }
    }

    fn revision(&self, id: &BroadcastId) -> u64 {
        let known = self.known.lock();
        known.revisions.get(id).copied().unwrap_or_default()
    }

    fn bucket(&self) -> Result<Arc<Bucket>, EngineError> {
        let bucket = self.known.lock().bucket.clone();
        bucket.ok_or(EngineError::Unreached)
    }

    /// Hears of what it hears, by its newest revision.
    pub(crate) fn heard(&self) -> watch::Receiver<u64> {
        self.heard.subscribe()
    }

    /// Asks the engine for a broadcast that is not known here, and waits until it is, if it is there.
    pub(crate) async fn ask_for(&self, id: &BroadcastId) {
        let Ok(bucket) = self.bucket() else {
            return;
        };
        let asked = timeout(HEARD_WITHIN, bucket.read(&key(id))).await;
        if let Ok(Ok(found)) = asked
            && let Some(Some(Value::There(_))) = value(found.bytes.as_deref())
        {
            self.hear_of(found.revision).await;
        }
    }

    /// Waits until this revision was heard of, but not for ever: it is tried again in any case.
    async fn hear_of(&self, revision: u64) {
        let mut heard = self.heard.subscribe();
        let waiting = heard.wait_for(|heard| *heard >= revision);
        let _ = timeout(HEARD_WITHIN, waiting).await;
    }
}

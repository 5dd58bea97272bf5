//! Hears what becomes of broadcasts, and tells what has become of those that are here.

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use futures_util::future::try_join_all;
use parking_lot::Mutex;
use steadycast_codec_glue::wire::Code;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::super::engine::{Entry, Mark, Seen};
use super::super::ledger::Untold;
use super::record::{PATTERNS, Said, Value};
use super::{Catalog, CatalogError, Ending, Over};
use crate::broadcast::BroadcastId;
use crate::directory::engine::{Bucket, Changed, Connection, EngineError, Shape, WriteError};

/// How long it waits before it looks at everything again.
const PAUSE: Duration = Duration::from_millis(500);
/// How often it is looked for what is to be told.
const TOLD_EVERY: Duration = Duration::from_millis(500);
/// Changes that are written at once.
const AT_ONCE: usize = 64;
/// Values of a key that the engine keeps, for people who look what happened.
const HISTORY: i64 = 8;

/// What a relay has of the catalog.
pub(crate) trait Here: Send + Sync {
    /// A broadcast has ended elsewhere.
    async fn ended(&self, entry: &Entry, ending: Option<Ending>);

    /// Ends a broadcast for all relays that time has ended here. Whether that is known to the engine now, or need not be.
    async fn end(&self, id: &BroadcastId, code: Code) -> bool;

    /// How the publishers of those are whose home is here.
    fn publishers(&self) -> Vec<(BroadcastId, Seen)>;

    /// The keys as all relays are to have them, from those that the engine has. Where this relay is `new` its own are
    /// among them.
    fn next_keys(&self, theirs: Option<&super::Document>, is_new: bool) -> super::Document;

    /// These are the keys from now on. Whether they could be kept.
    async fn adopt(&self, keys: super::Document) -> bool;
}

/// Keeps the copy up to date; never ends.
pub(crate) async fn follow(
    name: String,
    replicas: usize,
    mut connection: Connection,
    catalog: &Catalog,
    here: &impl Here,
) {
    let shape = Shape {
        name,
        about: "The broadcasts of all relays, and their sealed keys.",
        replicas,
        history: HISTORY,
    };
    let news = News::default();
    loop {
        let session = |connection| session(&shape, connection, catalog, here, &news);
        let why = match connection.once_there(session).await {
            Some(Ok(never)) => match never {},
            Some(Err(why)) => why,
            None => EngineError::Unreached.into(),
        };
        catalog.known.lock().bucket = None;
        news.lost(&why);
        tracing::debug!(%why, "broadcasts are looked at again");
        sleep(PAUSE).await;
    }
}

/// What is said of how the catalog is heard.
#[derive(Default)]
struct News(Mutex<Told>);

#[derive(Default)]
struct Told {
    /// It was heard since it was lost last: it will be again at once, be it from another server.
    heard: bool,
    /// Why it is not, as was said.
    said: Option<Box<str>>,
}

impl News {
    fn heard(&self) {
        let mut told = self.0.lock();
        told.heard = true;
        if told.said.take().is_some() {
            tracing::info!("broadcasts are made and ended again");
        }
    }

    fn lost(&self, why: &CatalogError) {
        let mut told = self.0.lock();
        let was_heard = std::mem::take(&mut told.heard);
        if let CatalogError::Engine(EngineError::Refused(why)) = why
            && !was_heard
            && told.said.as_ref() != Some(why)
        {
            tracing::error!(%why, "no broadcast is made or ended for now");
            told.said = Some(why.clone());
        }
    }
}

async fn session(
    shape: &Shape,
    connection: Connection,
    catalog: &Catalog,
    here: &impl Here,
    news: &News,
) -> Result<Infallible, CatalogError> {
    let bucket = Bucket::open(connection.context(), shape).await?;
    let mut watch = bucket.watch().await?;
    let all = watch.all().await?;
    begin(catalog, &bucket, &all, here).await?;
    news.heard();
    let mut ticks = interval(TOLD_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            changed = watch.next() => catalog.hear(&changed?, here).await?,
            _ = ticks.tick() => catalog.tell(here).await?,
            () = catalog.more.notified() => catalog.tell(here).await?,
        }
    }
}

/// Takes all that there is in place of what was known, and adds what the engine has never heard of or has forgotten.
async fn begin(
    catalog: &Catalog,
    bucket: &Bucket,
    all: &[Changed],
    here: &impl Here,
) -> Result<(), CatalogError> {
    let mark = bucket.mark();
    // One that was made anew, or that is as it was earlier, says nothing about what is missing in it.
    let is_new = catalog
        .ledger
        .mark()
        .is_none_or(|known| known.made != mark.made || known.revision > mark.revision);
    if is_new {
        catalog.known.lock().revisions.clear();
    }
    let (mut keys, mut there) = (None, HashSet::new());
    for changed in all {
        match Said::read(changed) {
            Some(Said::Keys(Some(sealed))) => keys = Some((sealed, changed.value.revision)),
            Some(Said::Broadcast(id, value)) => {
                // What has ended is known to have ended, whichever bucket says so.
                there.insert(id.clone());
                let over = catalog.take(&id, changed.value.revision, value);
                tell_over(over, here).await;
            }
            Some(Said::Patterns(end)) => catalog.ledger.learn_patterns_end(end),
            Some(Said::Keys(None)) | None => {}
        }
    }
    let found = keys
        .as_ref()
        .map(|(sealed, revision)| (&**sealed, *revision));
    catalog.settle_keys(bucket, found, is_new, here).await?;
    let missing = catalog.ledger.entries();
    let missing: Vec<_> = missing
        .into_iter()
        .filter(|entry| !there.contains(&entry.id))
        .collect();
    if !is_new {
        for entry in &missing {
            let over = catalog.ledger.unlearn(&entry.id);
            tell_over(over.map(|over| (over, None)), here).await;
        }
    }
    catalog.known.lock().bucket = Some(bucket.clone().into());
    if is_new {
        bring_in(catalog, missing).await?;
    }
    catalog.ledger.mark_as(mark);
    catalog.heard.send_replace(mark.revision);
    Ok(())
}

/// Has broadcasts be known to all relays that were this one's own, or that the engine has forgotten.
async fn bring_in(catalog: &Catalog, entries: Vec<Entry>) -> Result<(), CatalogError> {
    for some in entries.chunks(AT_ONCE) {
        let made = some.iter().map(|entry| async move {
            match catalog.create(entry).await {
                // Another relay was faster; which one of that id it is all hear of.
                Ok(()) | Err(CatalogError::Exists) => Ok(()),
                Err(error) => Err(error),
            }
        });
        try_join_all(made).await?;
    }
    if !entries.is_empty() {
        tracing::info!(broadcasts = entries.len(), "brought to the other relays");
    }
    Ok(())
}

async fn tell_over(over: Option<Over>, here: &impl Here) {
    if let Some((entry, ending)) = over {
        here.ended(&entry, ending).await;
    }
}

impl Catalog {
    async fn hear(&self, changed: &Changed, here: &impl Here) -> Result<(), CatalogError> {
        let revision = changed.value.revision;
        match Said::read(changed) {
            Some(Said::Broadcast(id, value)) => {
                tell_over(self.take(&id, revision, value), here).await;
            }
            Some(Said::Keys(Some(sealed))) => self.hear_keys(&sealed, revision, here).await?,
            Some(Said::Patterns(end)) => self.ledger.learn_patterns_end(end),
            Some(Said::Keys(None)) | None => {}
        }
        if let Some(mark) = self.ledger.mark() {
            self.ledger.mark_as(Mark { revision, ..mark });
        }
        self.heard.send_replace(revision);
        Ok(())
    }

    /// Has the engine know what has become of broadcasts here.
    async fn tell(&self, here: &impl Here) -> Result<(), CatalogError> {
        self.tell_endings(here).await;
        let publishers = here.publishers().into_iter().filter(|(id, seen)| {
            let known = self.ledger.get(id);
            known.is_some_and(|known| known.publisher != *seen)
        });
        let publishers: Vec<_> = publishers.collect();
        for some in publishers.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|(id, seen)| self.tell_publisher(id, *seen))).await?;
        }
        let Untold {
            links,
            patterns_end,
        } = self.ledger.untold();
        for some in links.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|(id, end)| self.tell_links(id, *end))).await?;
        }
        if let Some(end) = patterns_end {
            self.tell_patterns(end).await?;
        }
        self.tell_keys(here).await
    }

    async fn tell_endings(&self, here: &impl Here) {
        let over: Vec<_> = {
            let known = self.known.lock();
            let over = known.over.iter();
            over.map(|(id, code)| (id.clone(), *code)).collect()
        };
        for (id, code) in over {
            if here.end(&id, code).await {
                self.known.lock().over.remove(&id);
            }
        }
    }

    async fn tell_publisher(&self, id: &BroadcastId, publisher: Seen) -> Result<(), CatalogError> {
        let next = |entry: Entry| {
            (entry.publisher != publisher).then(|| Value::there(&Entry { publisher, ..entry }))
        };
        self.write(id, None, next).await.map(drop)
    }

    async fn tell_links(&self, id: &BroadcastId, end: u64) -> Result<(), CatalogError> {
        let next = |entry: Entry| {
            let links_end = Some(entry.links_end.unwrap_or_default().max(end));
            Some(Value::there(&Entry { links_end, ..entry }))
        };
        self.write(id, None, next).await.map(drop)
    }

    async fn tell_patterns(&self, end: u64) -> Result<(), CatalogError> {
        let bucket = self.bucket()?;
        let found = bucket.read(PATTERNS).await?;
        let known = found.bytes.as_deref();
        let known = known.and_then(|bytes| serde_json::from_slice(bytes).ok());
        let known: u64 = known.unwrap_or_default();
        if known < end {
            let text = end.to_string().into_bytes();
            match bucket.put(PATTERNS, text, found.revision, None).await {
                // It is looked again with the next telling.
                Err(WriteError::Stale) => return Ok(()),
                written => drop(written.map_err(unwritten)?),
            }
        }
        self.ledger.learn_patterns_end(known.max(end));
        Ok(())
    }
}

fn unwritten(error: WriteError) -> CatalogError {
    match error {
        WriteError::Stale => CatalogError::Contended,
        WriteError::Engine(error) => error.into(),
    }
}

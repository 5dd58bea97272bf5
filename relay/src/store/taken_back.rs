//! What was taken back at one relay is so at all: in a bucket of the engine, from which each takes it into its own
//! store.
//!
//! Whatever order it comes in, the same is taken back in the end: of two that are about one thing what both take back
//! is. So nobody has to be asked, an engine that has forgotten it is told again, and what was taken back while the
//! engine was away is told once it is back.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use ring::digest::{SHA256, digest};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::auth::Revocation;
use crate::directory::engine::{Bucket, Changed, Connection, EngineError, Shape, WriteError};

/// How long it waits before it looks at everything again.
const PAUSE: Duration = Duration::from_millis(500);
/// How often something is tried to be told over what was read anew.
const TRIES: usize = 5;
/// Values of a key that the engine keeps, for people who look what happened.
const HISTORY: i64 = 8;

/// What was taken back at this relay and is to be told to the others.
#[derive(Debug, Default)]
pub struct Outbox {
    untold: Mutex<Vec<Revocation>>,
    more: Notify,
}

impl Outbox {
    /// This was taken back here.
    pub(crate) fn tell(&self, revocation: Revocation) {
        self.untold.lock().push(revocation);
        self.more.notify_one();
    }

    fn take(&self) -> Vec<Revocation> {
        std::mem::take(&mut self.untold.lock())
    }
}

/// What a relay has taken back.
pub(crate) trait Taken {
    /// All of it.
    fn all(&self) -> Vec<Revocation>;

    /// This was taken back elsewhere. Whether it could be kept.
    async fn hear(&self, revocation: Revocation) -> bool;
}

/// Tells and hears; never ends.
pub(crate) async fn follow(
    name: String,
    replicas: usize,
    mut connection: Connection,
    outbox: &Outbox,
    taken: &impl Taken,
) {
    let shape = Shape {
        name,
        about: "What was taken back: tokens, what somebody had, links to broadcasts.",
        replicas,
        history: HISTORY,
    };
    loop {
        let session = |connection| session(&shape, connection, outbox, taken);
        let why = match connection.once_there(session).await {
            Some(Ok(never)) => match never {},
            Some(Err(why)) => why,
            None => EngineError::Unreached,
        };
        tracing::debug!(%why, "what was taken back is looked at again");
        sleep(PAUSE).await;
    }
}

async fn session(
    shape: &Shape,
    connection: Connection,
    outbox: &Outbox,
    taken: &impl Taken,
) -> Result<Infallible, EngineError> {
    let bucket = Bucket::open(connection.context(), shape).await?;
    let mut watch = bucket.watch().await?;
    let mut known = Known::default();
    for changed in watch.all().await? {
        known.hear(&changed, taken).await?;
    }
    // What waits to be told is among all of it.
    drop(outbox.take());
    for revocation in taken.all() {
        known.tell(&bucket, revocation).await?;
    }
    loop {
        tokio::select! {
            changed = watch.next() => known.hear(&changed?, taken).await?,
            () = outbox.more.notified() => {
                for revocation in outbox.take() {
                    known.tell(&bucket, revocation).await?;
                }
            }
        }
    }
}

/// What the engine has, by key.
#[derive(Default)]
struct Known(HashMap<String, (Option<Revocation>, u64)>);

impl Known {
    async fn hear(&mut self, changed: &Changed, taken: &impl Taken) -> Result<(), EngineError> {
        let Changed { key, value } = changed;
        let revocation = value.bytes.as_deref().and_then(read);
        if self
            .0
            .get(key)
            .is_none_or(|(_, known)| *known < value.revision)
        {
            self.0
                .insert(key.clone(), (revocation.clone(), value.revision));
        }
        let Some(revocation) = revocation else {
            return Ok(());
        };
        match taken.hear(revocation).await {
            true => Ok(()),
            false => Err(EngineError::Refused("it cannot be kept here".into())),
        }
    }

    /// Has the engine say that this was taken back, beside what it says of the same thing.
    async fn tell(&mut self, bucket: &Bucket, revocation: Revocation) -> Result<(), EngineError> {
        let key = key(&revocation);
        for _ in 0..TRIES {
            let (known, over) = self.0.get(&key).cloned().unwrap_or_default();
            let all = match &known {
                Some(known) => revocation.clone().with(known),
                None => revocation.clone(),
            };
            if known.as_ref() == Some(&all) {
                return Ok(());
            }
            // It has nothing that JSON does not.
            let value = serde_json::to_vec(&all).unwrap_or_default();
            match bucket.put(&key, value, over, None).await {
                Ok(revision) => {
                    self.0.insert(key, (Some(all), revision));
                    return Ok(());
                }
                Err(WriteError::Engine(error)) => return Err(error),
                Err(WriteError::Stale) => {
                    let found = bucket.read(&key).await?;
                    let revocation = found.bytes.as_deref().and_then(read);
                    self.0.insert(key.clone(), (revocation, found.revision));
                }
            }
        }
        Err(EngineError::Refused("it changes all the time".into()))
    }
}

fn read(bytes: &[u8]) -> Option<Revocation> {
    let read = serde_json::from_slice(bytes);
    if read.is_err() {
        tracing::warn!("the engine has something as taken back that makes no sense");
    }
    read.ok()
}

/// The key of what a revocation is about. What strangers name is hashed, for it may be anything.
fn key(revocation: &Revocation) -> String {
    let hashed = |text: &str| URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()));
    match revocation {
        Revocation::Token { id, .. } => format!("token.{}", hashed(id)),
        Revocation::Subject { subject, .. } => format!("subject.{}", hashed(subject)),
        Revocation::Broadcast { broadcast, .. } => format!("broadcast.{broadcast}"),
    }
}

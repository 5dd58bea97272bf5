//! A bucket of the engine: what is written over which revision, and who is told.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::{
    HeaderValue, NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_MARKER_REASON, NATS_MESSAGE_TTL,
    NATS_ROLLUP,
};
use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::push::{Ordered, OrderedConfig};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::kv;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::connection::PATIENCE;
use crate::excerpt::excerpt;
use crate::store::Mark;
use crate::telemetry::reasons;

/// The end of a value is told by a marker that stays for so long: a relay that is away longer looks at everything.
const MARKED_FOR: Duration = Duration::from_secs(60);
/// The largest value.
const LARGEST: i32 = 64 << 10;
/// What a value's end says of itself, beside what the engine's own markers say.
const OPERATION: &str = "KV-Operation";

/// The engine does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// No server of it is reached.
    #[error("no server of the engine is reached")]
    Unreached,
    /// It has not answered in time: what was asked may be done or not.
    #[error("the engine does not answer")]
    Silent,
    /// It refuses.
    #[error("the engine refuses: {0}")]
    Refused(Box<str>),
}

/// A value cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// There is another revision than the one to write over.
    Stale,
    /// Nobody knows whether it has been written.
    Engine(EngineError),
}

/// A bucket.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    context: Context,
    stream: Stream,
    prefix: String,
}

/// What a key has: its value, where it has one, and the newest revision, which may be that of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) bytes: Option<Bytes>,
    pub(crate) revision: u64,
}

/// A bucket's name, how many servers keep it, and how many values of a key.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) name: String,
    pub(crate) about: &'static str,
    pub(crate) replicas: usize,
    pub(crate) history: i64,
}

impl Bucket {
    /// The bucket of this shape; made where it is missing, and changed where it is of another.
    ///
    /// # Errors
    /// [`EngineError`].
    pub(crate) async fn open(context: &Context, shape: &Shape) -> Result<Self, EngineError> {
        let config = kv::Config {
            bucket: shape.name.clone(),
            description: shape.about.to_owned(),
            history: shape.history,
            max_value_size: LARGEST,
            num_replicas: shape.replicas,
            limit_markers: Some(MARKED_FOR),
            ..kv::Config::default()
        };
        let store = match answer(context.get_key_value(&shape.name)).await? {
            Ok(store) if fits(&store, shape) => store,
            Ok(_) => {
                tracing::info!(
                    bucket = shape.name,
                    replicas = shape.replicas,
                    "bucket changed"
                );
                made(context, config).await?
            }
            Err(_) => made(context, config).await?,
        };
        Ok(Self {
            context: context.clone(),
            prefix: store.prefix,
            stream: store.stream,
        })
    }

    /// Which bucket it is, and its newest revision as it was opened.
    pub(crate) fn mark(&self) -> Mark {
        let info = self.stream.cached_info();
        let made = info.created.unix_timestamp_nanos();
        Mark {
            made: u64::try_from(made).unwrap_or_default(),
            revision: info.state.last_sequence,
        }
    }

    /// Writes a value over this revision (0: there is none) and no other, and tells its own. With `lasts` it ends by
    /// itself after that, in whole seconds.
    ///
    /// # Errors
    /// [`WriteError`].
    pub(crate) async fn put(
        &self,
        key: &str,
        value: Vec<u8>,
        over: u64,
        lasts: Option<Duration>,
    ) -> Result<u64, WriteError> {
        let mut headers = HeaderMap::new();
        if let Some(lasts) = lasts {
            headers.insert(NATS_MESSAGE_TTL, HeaderValue::from(lasts.as_secs()));
        }
        self.write(key, headers, value.into(), over).await
    }

    /// Ends a value of this revision and no other.
    ///
    /// # Errors
    /// [`WriteError`].
    pub(crate) async fn remove(&self, key: &str, over: u64) -> Result<u64, WriteError> {
        let mut headers = HeaderMap::new();
        headers.insert(OPERATION, "PURGE");
        headers.insert(NATS_ROLLUP, "sub");
        headers.insert(NATS_MESSAGE_TTL, HeaderValue::from(MARKED_FOR.as_secs()));
        self.write(key, headers, Bytes::new(), over).await
    }

    async fn write(
        &self,
        key: &str,
        mut headers: HeaderMap,
        value: Bytes,
        over: u64,
    ) -> Result<u64, WriteError> {
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, HeaderValue::from(over));
        let subject = format!("{}{key}", self.prefix);
        let sent = self.context.publish_with_headers(subject, headers, value);
        let written = sent.await.map_err(unwritten)?.await.map_err(unwritten)?;
        Ok(written.sequence)
    }

    /// What a key has, as the server says that decides about it.
    ///
    /// # Errors
    /// [`EngineError`].
    pub(crate) async fn read(&self, key: &str) -> Result<Value, EngineError> {
        let subject = format!("{}{key}", self.prefix);
        match answer(self.stream.get_last_raw_message_by_subject(&subject)).await? {
            Ok(message) => Ok(Value {
                bytes: (!is_end(&message.headers)).then_some(message.payload),
                revision: message.sequence,
            }),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(Value {
                bytes: None,
                revision: 0,
            }),
            Err(error) => Err(refused(&error)),
        }
    }

    /// Everything that is there, and then every change, in order.
    ///
    /// # Errors
    /// [`EngineError`].
    pub(crate) async fn watch(&self) -> Result<Watch, EngineError> {
        let config = OrderedConfig {
            deliver_subject: self.context.client().new_inbox(),
            description: Some("steadycast".to_owned()),
            filter_subject: format!("{}>", self.prefix),
            deliver_policy: DeliverPolicy::LastPerSubject,
            ..OrderedConfig::default()
        };
        let consumer = answer(self.stream.create_consumer(config)).await?;
        let consumer = consumer.map_err(|error| refused(&error))?;
        let left = consumer.cached_info().num_pending;
        let messages = answer(consumer.messages()).await?;
        Ok(Watch {
            messages: messages.map_err(|error| refused(&error))?,
            prefix: self.prefix.clone(),
            left,
        })
    }
}

fn fits(store: &kv::Store, shape: &Shape) -> bool {
    let config = &store.stream.cached_info().config;
    config.num_replicas == shape.replicas
        && config.max_messages_per_subject == shape.history
        && config.allow_message_ttl
        && config.subject_delete_marker_ttl.is_some()
}

async fn made(context: &Context, config: kv::Config) -> Result<kv::Store, EngineError> {
    let made = answer(context.create_or_update_key_value(config)).await?;
    made.map_err(|error| refused(&error))
}

/// Waits for an answer, but not for ever.
async fn answer<T>(asked: impl Future<Output = T>) -> Result<T, EngineError> {
    let answered = timeout(PATIENCE, asked).await;
    answered.map_err(|_| EngineError::Silent)
}

fn refused(error: &dyn std::error::Error) -> EngineError {
    EngineError::Refused(excerpt(&reasons(error)).into())
}

fn unwritten(error: PublishError) -> WriteError {
    match error.kind() {
        PublishErrorKind::WrongLastSequence => WriteError::Stale,
        PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => {
            WriteError::Engine(EngineError::Silent)
        }
        _ => WriteError::Engine(refused(&error)),
    }
}

/// Whether a message is the end of a value: by one of the relays, or by the engine itself.
fn is_end(headers: &HeaderMap) -> bool {
    headers.get(NATS_MARKER_REASON).is_some() || headers.get(OPERATION).is_some()
}

/// Hears what changes in a bucket.
pub(crate) struct Watch {
    messages: Ordered,
    prefix: String,
    /// How much of what was there at the beginning is still to come.
    left: u64,
}

/// A key has another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) key: String,
    pub(crate) value: Value,
}

impl Watch {
    /// All that was there when it began, each key once.
    ///
    /// # Errors
    /// [`EngineError`].
    pub(crate) async fn all(&mut self) -> Result<Vec<Changed>, EngineError> {
        let mut all = Vec::new();
        while self.left > 0 {
            all.push(answer(self.next()).await??);
        }
        Ok(all)
    }

    /// The next change. Cancel-safe.
    ///
    /// # Errors
    /// [`EngineError`]: it hears nothing more, and another has to begin with everything that is there.
    pub(crate) async fn next(&mut self) -> Result<Changed, EngineError> {
        let message = self.messages.next().await.ok_or(EngineError::Unreached)?;
        let message = message.map_err(|error| refused(&error))?;
        let info = message.info().map_err(|error| refused(&*error))?;
        let revision = info.stream_sequence;
        self.left = info.pending;
        let ended = message.headers.as_ref().is_some_and(is_end);
        let key = message.subject.strip_prefix(&*self.prefix);
        Ok(Changed {
            key: key.unwrap_or_default().to_owned(),
            value: Value {
                bytes: (!ended).then(|| message.payload.clone()),
                revision,
            },
        })
    }
}

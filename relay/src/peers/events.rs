//! What happens at each relay, told to those who listen at others.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Subscriber;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::seal::{self, About, Seal, Time, is_fresh};
use super::seldom::Seldom;
use super::{Peers, events_of};
use crate::broadcast::BroadcastId;
use crate::directory::RelayId;
use crate::directory::engine::{Connection, Losses};
use crate::events::{Listener, Lost};

/// How long the engine has to say that it is heard.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells other relays what happens at this one; never ends before this relay does. While the engine is away it waits,
/// and what is too much for that is missing in the numbers that others see.
pub(crate) async fn tell(
    connection: Connection,
    (prefix, own): (&str, &RelayId),
    seal: &Seal,
    mut happens: Listener,
) {
    let client = connection.client();
    while let Some(next) = happens.next().await {
        match next {
            Ok(happened) => {
                let subject = events_of(prefix, happened.broadcast.as_ref(), own.as_str());
                // It has nothing that JSON does not.
                let payload = serde_json::to_vec(&*happened).unwrap_or_default();
                let (_, sealed) = seal.seal(About::Event(&subject), &payload);
                if let Err(error) = client.publish(subject, sealed.into()).await {
                    tracing::warn!(%error, "an event is not told to other relays");
                }
            }
            Err(Lost(events)) => {
                tracing::warn!(
                    events,
                    "events are not told to other relays, for the engine was away"
                );
            }
        }
    }
}

/// Something of other relays.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    /// It has happened there.
    Happened(Told),
    /// Some of it was not heard; how much, where that is known.
    Lost(Option<u64>),
}

/// An event of another relay, as that relay tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    /// The relay.
    pub(crate) relay: RelayId,
    /// Its number there.
    pub(crate) id: u64,
    /// Its name.
    pub(crate) event: String,
    /// All of it.
    pub(crate) data: Value,
}

/// Hears what happens at other relays.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    /// What subjects end with on which this relay tells its own.
    own_end: String,
    subscriber: Subscriber,
    connection: Connection,
    losses: Losses,
    seal: Arc<Seal>,
    strange: Arc<Seldom>,
    /// When it began to listen: what is older than that by more than events can be is not new.
    since: Time,
    /// The newest that was heard of each relay.
    newest: HashMap<RelayId, Newest>,
    /// It is about all broadcasts. Events of one have no numbers of their own.
    of_all: bool,
    /// The event before which some are missing.
    waits: Option<Told>,
}

#[derive(Debug, Clone, Copy)]
struct Newest {
    at: Time,
    number: u64,
}

impl Peers {
    /// Hears what happens at other relays, at one broadcast or at all; `None`: there are none.
    pub(crate) async fn events(&self, broadcast: Option<&BroadcastId>) -> Option<Elsewhere> {
        let line = self.line()?;
        let subject = match broadcast {
            Some(_) => events_of(&line.prefix, broadcast, "*"),
            None => format!("{}.events.>", line.prefix),
        };
        let client = line.connection.client();
        let subscribed = client.subscribe(subject).await;
        let refused = |error| tracing::error!(%error, "events of other relays are not heard");
        let subscriber = subscribed.map_err(refused).ok()?;
        // Whoever listens is told that it is heard once it is; where the engine is away, later.
        let _ = timeout(PATIENCE, client.flush()).await;
        Some(Elsewhere {
            own_end: format!(".{}", self.own()?),
            subscriber,
            strange: self.strange.clone(),
            losses: line.connection.losses(),
            connection: line.connection.clone(),
            seal: line.seal.clone(),
            since: seal::now(),
            newest: HashMap::new(),
            of_all: broadcast.is_none(),
            waits: None,
        })
    }
}

impl Elsewhere {
    /// The next; `None`: this relay stops. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        if let Some(told) = self.waits.take() {
            return Some(Heard::Happened(told));
        }
        loop {
            let message = tokio::select! {
                biased;
                message = self.subscriber.next() => message?,
                () = self.connection.lost_since(self.losses) => {
                    self.losses = self.connection.losses();
                    return Some(Heard::Lost(None));
                }
            };
            if message.subject.ends_with(&self.own_end) {
                continue;
            }
            let subject = &message.subject;
            let Ok(opened) = self.seal.open(About::Event(subject), &message.payload) else {
                self.say("is not of a relay with this cluster.secret");
                continue;
            };
            let Some(told) = read(subject, &opened.text) else {
                self.say("makes no sense here");
                continue;
            };
            if !self.is_new(&told, opened.at) {
                self.say("comes again, or by a clock that was set back");
                continue;
            }
            return Some(match self.missing_before(&told, opened.at) {
                0 => Heard::Happened(told),
                events => {
                    self.waits = Some(told);
                    Heard::Lost(Some(events))
                }
            });
        }
    }

    fn say(&self, event: &str) {
        if let Some(times) = self.strange.once_more(Instant::now()) {
            tracing::warn!(times, event, "an event of another relay is not told here");
        }
    }

    /// Whether it has not been heard before: a relay tells one after another.
    fn is_new(&self, told: &Told, at: Time) -> bool {
        match self.newest.get(&told.relay) {
            Some(newest) => (at, told.id) > (newest.at, newest.number),
            None => at >= self.since || is_fresh(at, self.since),
        }
    }

    /// How many events of its relay have come neither before it nor with it.
    fn missing_before(&mut self, told: &Told, at: Time) -> u64 {
        let number = told.id;
        let newest = Newest { at, number };
        let last = self.newest.insert(told.relay.clone(), newest);
        let last = last.filter(|_| self.of_all);
        // A relay that has started anew counts from the beginning.
        last.map_or(0, |last| {
            number.saturating_sub(last.number.saturating_add(1))
        })
    }
}

#[derive(Deserialize)]
struct Head {
    id: u64,
    relay: RelayId,
    event: String,
    #[serde(default)]
    broadcast: Option<BroadcastId>,
}

/// Reads an event; `None`: it is none, or not of whom and what its subject says.
fn read(subject: &str, bytes: &[u8]) -> Option<Told> {
    let data: Value = serde_json::from_slice(bytes).ok()?;
    let Head {
        id,
        relay,
        event,
        broadcast,
    } = Head::deserialize(&data).ok()?;
    let is_name = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_');
    let named = !event.is_empty() && event.bytes().all(is_name);
    let told = events_of("", broadcast.as_ref(), relay.as_str());
    (named && subject.ends_with(&told)).then_some(Told {
        relay,
        id,
        event,
        data,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_of_whom_and_what_its_subject_says() {
        let event =
            json!({"id": 7, "relay": "a", "event": "player.left", "broadcast": "x", "why": "done"});
        let read = |subject: &str, event: &Value| read(subject, event.to_string().as_bytes());
        let told = read("steadycast.events.x.a", &event).unwrap();
        assert_eq!((told.id, told.event.as_str()), (7, "player.left"));
        assert_eq!(told.data, event);
        assert_eq!(read("steadycast.events.x.b", &event), None);
        assert_eq!(read("steadycast.events.y.a", &event), None);
        assert_eq!(read("steadycast.events._.a", &event), None);
        for (field, bad) in [
            ("event", json!("a\ndata: {}")),
            ("event", json!("")),
            ("relay", json!("not a relay")),
            ("id", json!(-1)),
        ] {
            let mut event = event.clone();
            event[field] = bad;
            assert_eq!(read("steadycast.events.x.a", &event), None, "{event}");
        }
        let beside = json!({"id": 8, "relay": "a", "event": "publisher.refused"});
        assert!(read("steadycast.events._.a", &beside).is_some());
    }
}

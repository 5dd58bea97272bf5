//! What happens at each relay, told to those who listen at others.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::Subscriber;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

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
    prefix: &str,
    own: &RelayId,
    mut happens: Listener,
) {
    let client = connection.client();
    while let Some(next) = happens.next().await {
        match next {
            Ok(happened) => {
                let subject = events_of(prefix, happened.broadcast.as_ref(), own.as_str());
                // It has nothing that JSON does not.
                let payload = serde_json::to_vec(&*happened).unwrap_or_default();
                if let Err(error) = client.publish(subject, payload.into()).await {
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
    own: RelayId,
    subscriber: Subscriber,
    connection: Connection,
    losses: Losses,
    /// The newest number of each relay; `None`: it is about one broadcast, whose events have no numbers of their own.
    numbers: Option<HashMap<RelayId, u64>>,
    /// The event before which some are missing.
    waits: Option<Told>,
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
            own: self.own()?.clone(),
            subscriber,
            losses: line.connection.losses(),
            connection: line.connection.clone(),
            numbers: broadcast.is_none().then(HashMap::new),
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
            let Some(told) = read(&message.subject, &message.payload) else {
                tracing::warn!("the engine tells an event that no relay wrote");
                continue;
            };
            if told.relay == self.own {
                continue;
            }
            return Some(match self.missing_before(&told) {
                0 => Heard::Happened(told),
                events => {
                    self.waits = Some(told);
                    Heard::Lost(Some(events))
                }
            });
        }
    }

    /// How many events of its relay have come neither before it nor with it.
    fn missing_before(&mut self, told: &Told) -> u64 {
        let Some(numbers) = &mut self.numbers else {
            return 0;
        };
        let last = numbers.insert(told.relay.clone(), told.id);
        // A relay that has started anew counts from the beginning.
        last.map_or(0, |last| told.id.saturating_sub(last.saturating_add(1)))
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

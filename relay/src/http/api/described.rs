//! How broadcasts are doing, here and at other relays.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::super::links::Links;
use super::super::problem::Problem;
use super::super::site::Site;
use crate::broadcast::{Broadcast, BroadcastId, OwnSettings, Presence, RelayTime, Snapshot};
use crate::directory::RelayId;
use crate::peers::Question;
use crate::store::Entry;

/// Broadcasts that a relay tells another of at once: as many as fit into an answer.
const AT_ONCE: usize = 200;

/// A broadcast as it is now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Broadcast)]
pub(super) struct Shown {
    #[serde(flatten)]
    facts: Facts,
    links: PlayerLink,
    /// The generation that viewers' links have to be of at least, by what their tokens say. Whoever has the key of a private
    /// broadcast by a link of an earlier one has one of before they were replaced.
    play_generation: u64,
    /// What the panels and capture hosts of its publishers know each other by: 32 random bytes, as base64url.
    /// Another one once links for publishers were taken back; in no list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z0-9_-]{43}$")]
    pub(super) panel_secret: Option<Box<str>>,
}

/// How a broadcast is doing: as this relay knows, or as the relay says that it is at.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Facts {
    Here(Box<Known>),
    Told(Map<String, Value>),
}

impl PartialSchema for Facts {
    fn schema() -> RefOr<Schema> {
        Known::schema()
    }
}

impl ToSchema for Facts {
    fn name() -> std::borrow::Cow<'static, str> {
        Known::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Known::schemas(schemas);
    }
}

/// How a broadcast is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BroadcastFacts)]
pub(super) struct Known {
    #[serde(flatten)]
    snapshot: Snapshot,
    #[serde(flatten)]
    origin: OriginOf,
    /// The relay that it is at and that says all this, where there are others. Missing: it is at none at the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    relay: Option<RelayId>,
}

/// Where a broadcast comes from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Origin)]
struct OriginOf {
    /// When it was created, in seconds since the Unix epoch.
    created: u64,
    /// Whom the token is about that it was created with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    maker: Option<Box<str>>,
    /// When something last happened that made a difference to its pictures, in seconds since the Unix epoch.
    last_activity: u64,
    /// When a publisher was there last, in seconds since the Unix epoch: now, where one is. Missing: none was yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_live: Option<u64>,
    /// What it has less of than others. Where the relay allows less than was asked for, what holds is said.
    settings: OwnSettings,
}

/// The viewers' link: the same each time, until it is taken back or half of its time is over.
#[derive(Serialize, ToSchema)]
struct PlayerLink {
    player: String,
    /// Where `player` begins with a name that means this machine alone, as `localhost` does: the same link at the
    /// addresses by which other machines may reach the relay, the most likely one first. Missing where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    network: Vec<String>,
}

/// Asks how broadcasts at a relay are doing.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Describe {
    broadcasts: Vec<BroadcastId>,
}

impl Question for Describe {
    const NAME: &'static str = "broadcasts";
    /// Of those that are there.
    type Answer = HashMap<BroadcastId, Map<String, Value>>;
}

impl Describe {
    pub(super) fn answer(&self, site: &Site) -> HashMap<BroadcastId, Map<String, Value>> {
        let asked = self.broadcasts.iter().take(AT_ONCE);
        let known = asked.filter_map(|id| {
            let broadcast = site.registry.find(id)?;
            let known = Known::of(site, &broadcast, site.ledger.get(id)?);
            let Ok(Value::Object(facts)) = serde_json::to_value(known) else {
                return None;
            };
            Some((id.clone(), facts))
        });
        known.collect()
    }
}

impl Shown {
    /// A broadcast with links to it, without its panels' secret.
    pub(super) fn new(
        site: &Site,
        links: &Links,
        id: &BroadcastId,
        facts: Facts,
    ) -> Result<Self, Problem> {
        let play = site.viewers_token(id)?;
        Ok(Self {
            facts,
            links: PlayerLink {
                player: links.player(&play.token),
                network: links.player_in_network(&play.token),
            },
            play_generation: site.gate.generation(id).play.generation,
            panel_secret: None,
        })
    }
}

impl Known {
    /// A broadcast that is here.
    fn of(site: &Site, broadcast: &Broadcast, entry: Entry) -> Self {
        // One that comes from another relay is called by its id there.
        let snapshot = Snapshot {
            title: entry.title,
            ..broadcast.snapshot()
        };
        let last = snapshot.since_us.max(snapshot.totals.newest_keyframe_us);
        let settings = broadcast.holding(entry.settings);
        Self {
            origin: OriginOf {
                last_activity: (last / 1_000_000).max(entry.created),
                created: entry.created,
                last_live: last_live(broadcast.presence(), site.clock.now()),
                maker: entry.maker,
                settings,
            },
            relay: site.peers.own().cloned(),
            snapshot,
        }
    }

    /// A broadcast that is at no relay: nobody has asked for it since the one that had it has gone.
    fn at_none(site: &Site, entry: Entry) -> Self {
        let now = site.clock.now();
        let presence = entry.publisher.after_restart(now);
        let last_live = last_live(presence, now);
        let created = RelayTime::from_micros(entry.created.saturating_mul(1_000_000));
        let since = match presence {
            Presence::AwaySince(since) => since,
            Presence::Never | Presence::Here => created,
        };
        Self {
            snapshot: Snapshot::waiting(entry.id, (entry.title, entry.private), since),
            origin: OriginOf {
                last_activity: since.as_seconds().max(entry.created),
                created: entry.created,
                last_live,
                maker: entry.maker,
                settings: entry.settings,
            },
            relay: None,
        }
    }
}

fn last_live(presence: Presence, now: RelayTime) -> Option<u64> {
    match presence {
        Presence::Never => None,
        Presence::Here => Some(now.as_seconds()),
        Presence::AwaySince(since) => Some(since.as_seconds()),
    }
}

/// The relay that a broadcast is at, where it is another one, and lives.
pub(super) fn elsewhere(site: &Site, id: &BroadcastId) -> Option<RelayId> {
    let here = site.registry.find(id);
    if here.is_some_and(|here| here.upstream().is_none()) {
        return None;
    }
    let home = site.directory.find(id)?;
    (!home.is_own && home.lease.is_some()).then_some(home.relay)
}

/// How a broadcast is doing. Where the relay that it is at does not answer, it is as this one gets it from there.
///
/// # Errors
/// [`Problem`]: there is none, or it is at a relay that does not answer.
pub(super) async fn one(site: &Site, whom: &str, id: &BroadcastId) -> Result<Facts, Problem> {
    let here = || {
        let broadcast = site.registry.find(id)?;
        let known = Known::of(site, &broadcast, site.ledger.get(id)?);
        Some(Facts::Here(Box::new(known)))
    };
    let Some(home) = elsewhere(site, id) else {
        let at_none = || {
            let entry = site.ledger.get(id).filter(|_| site.peers.own().is_some())?;
            Some(Facts::Here(Box::new(Known::at_none(site, entry))))
        };
        return here()
            .or_else(at_none)
            .ok_or_else(Problem::unknown_broadcast);
    };
    let question = Describe {
        broadcasts: vec![id.clone()],
    };
    let told = site.peers.ask(&home, whom, &question).await;
    match told.map(|mut told| told.remove(id)) {
        Ok(Some(facts)) => Ok(Facts::Told(facts)),
        Ok(None) => here().ok_or_else(Problem::unknown_broadcast),
        Err(why) => here().ok_or_else(|| why.into()),
    }
}

/// How broadcasts are doing, and which relays do not say so of theirs.
pub(super) struct Described {
    /// By id.
    pub(super) answers: Vec<(BroadcastId, Facts)>,
    pub(super) silent: Vec<RelayId>,
}

/// How these broadcasts are doing, which are in order.
pub(super) async fn all(site: &Site, whom: &str, entries: Vec<Entry>) -> Described {
    let mut answers = Vec::new();
    let mut others: HashMap<RelayId, Vec<BroadcastId>> = HashMap::new();
    for entry in entries {
        let id = entry.id.clone();
        let known = match (elsewhere(site, &id), site.registry.find(&id)) {
            (Some(home), _) => {
                others.entry(home).or_default().push(id);
                continue;
            }
            (None, Some(broadcast)) => Known::of(site, &broadcast, entry),
            (None, None) if site.peers.own().is_some() => Known::at_none(site, entry),
            // It is just being made, or has just ended.
            (None, None) => continue,
        };
        answers.push((id, Facts::Here(Box::new(known))));
    }
    let asked = others.into_iter().map(async |(home, ids)| {
        let mut told = Vec::new();
        for some in ids.chunks(AT_ONCE) {
            let broadcasts = some.to_vec();
            let question = Describe { broadcasts };
            match site.peers.ask(&home, whom, &question).await {
                Ok(some) => told.extend(some),
                Err(_) => return (told, Some(home)),
            }
        }
        (told, None)
    });
    let mut silent = Vec::new();
    for (told, unanswered) in futures_util::future::join_all(asked).await {
        let told = told.into_iter();
        answers.extend(told.map(|(id, facts)| (id, Facts::Told(facts))));
        silent.extend(unanswered);
    }
    answers.sort_by(|(one, _), (other, _)| one.cmp(other));
    Described { answers, silent }
}

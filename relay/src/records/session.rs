//! Sessions that go on, with what they have had so far.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::{Code, Role};
use tracing::Span;
use tracing::field::Empty;
use utoipa::ToSchema;

use super::access_log::AccessLog;
use super::latencies::Latencies;
use super::line::{Addresses, line};
use super::reports::{Reports, Shown};
use super::viewer::Fares;
use crate::auth::{Pass, Standing};
use crate::broadcast::{BroadcastId, RelayTime};
use crate::delivery::{Given, Reception};
use crate::events::{Event, Events, SessionFacts};
use crate::metrics::{Metrics, role_name};
use crate::shard::RelayClock;
use crate::telemetry::traces::{BroadcastTrace, TRACES};

/// What a session has had so far, and how its path is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// What a player was given, or a publisher has brought.
    pub given: Given,
    /// What a player gets at present, and how the path is.
    pub reception: Reception,
}

/// What carries a session of a transport that has several ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Over {
    /// Packets of their own.
    Udp,
    /// A connection.
    Tcp,
}

/// A session as others see it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Who it is, where, and since when.
    pub standing: Standing,
    /// What carried it last, where that is known.
    pub over: Option<Over>,
    /// What it has had.
    pub figures: Figures,
    /// How late its pictures were.
    pub latencies: Latencies,
}

/// All sessions that go on, and what becomes of those that have ended.
pub struct Records {
    clock: RelayClock,
    sessions: Mutex<HashMap<u64, Arc<Open>>>,
    metrics: Arc<Metrics>,
    events: Arc<Events>,
    access: Option<(AccessLog, Addresses)>,
}

struct Open {
    standing: Standing,
    /// It is there: others have heard of it.
    begun: AtomicBool,
    noted: Mutex<Noted>,
    span: Span,
}

/// What is known of a session so far.
#[derive(Default)]
pub(super) struct Noted {
    pub(super) figures: Figures,
    over: Option<Over>,
    /// It is served: over WebRTC a session begins before its client has connected.
    pub(super) served: bool,
    pub(super) reports: Reports,
    /// How a viewer fares, and since when.
    pub(super) fares: Fares,
    pub(super) fares_since: RelayTime,
    latencies: Latencies,
    ended: Option<Code>,
}

/// A session that goes on. It is over when this is dropped, at the latest.
pub struct Record {
    pass: Pass,
    open: Arc<Open>,
    records: Arc<Records>,
}

impl Records {
    /// Of no sessions yet. What they say of addresses goes for the access log alone.
    pub fn new(
        clock: RelayClock,
        metrics: Arc<Metrics>,
        events: Arc<Events>,
        access: Option<(AccessLog, Addresses)>,
    ) -> Self {
        Self {
            clock,
            sessions: Mutex::default(),
            metrics,
            events,
            access,
        }
    }

    /// A session has been let in. Nobody hears of it before it [begins](Record::begin).
    pub fn open(self: &Arc<Self>, pass: Pass) -> Record {
        let open = Arc::new(Open {
            standing: pass.standing().clone(),
            span: span(pass.standing()),
            begun: AtomicBool::new(false),
            noted: Mutex::new(Noted {
                fares_since: pass.standing().visit.since,
                ..Noted::default()
            }),
        });
        self.sessions.lock().insert(pass.number(), open.clone());
        Record {
            pass,
            open,
            records: self.clone(),
        }
    }

    /// The sessions at a broadcast, by number.
    pub fn at(&self, broadcast: &BroadcastId) -> Vec<Seen> {
        let sessions = self.sessions.lock();
        let there = sessions
            .values()
            .filter(|open| open.standing.broadcast == *broadcast && open.has_begun());
        let mut seen: Vec<_> = there.map(|open| open.seen()).collect();
        seen.sort_by_key(|seen| seen.standing.visit.number);
        seen
    }

    /// Looks at each session at a broadcast.
    pub(super) fn each_at(&self, broadcast: &BroadcastId, mut look: impl FnMut(&Standing, &Noted)) {
        let sessions = self.sessions.lock();
        for open in sessions.values() {
            if open.standing.broadcast == *broadcast && open.has_begun() {
                look(&open.standing, &open.noted.lock());
            }
        }
    }

    /// What times are told by.
    pub(super) fn clock(&self) -> RelayClock {
        self.clock
    }

    /// The session of this number.
    pub fn get(&self, number: u64) -> Option<Seen> {
        let sessions = self.sessions.lock();
        let open = sessions.get(&number).filter(|open| open.has_begun())?;
        Some(open.seen())
    }

    /// What is counted.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Somebody was refused, and told this; who it is, where they wanted to publish.
    pub fn refused(&self, code: Code, publisher: Option<SessionFacts>) {
        self.metrics.refused(code);
        if let Some(facts) = publisher {
            self.events.tell(Event::Refused(facts, code));
        }
    }

    /// Where what happens is told.
    pub fn events(&self) -> &Arc<Events> {
        &self.events
    }

    fn close(&self, open: &Open) {
        if !open.has_begun() {
            self.sessions.lock().remove(&open.standing.visit.number);
            return;
        }
        let seen = open.seen();
        let code = open.noted.lock().ended.unwrap_or(Code::Done);
        let Standing { role, visit, .. } = &seen.standing;
        self.metrics.ended(visit.transport, *role, code);
        open.span.record("steadycast.end", code.name());
        // Before it is forgotten.
        if let Some((log, addresses)) = &self.access {
            log.write(line(&seen, code, self.clock.now(), *addresses));
        }
        let number = visit.number;
        self.events.tell(Event::Left(seen.standing, code));
        self.sessions.lock().remove(&number);
    }
}

/// What a collector of traces learns of a session.
fn span(standing: &Standing) -> Span {
    let (transport, role) = (standing.visit.transport.name(), role_name(standing.role));
    let span = tracing::info_span!(
        target: TRACES,
        parent: None,
        "session",
        otel.name = format!("{role} over {transport}"),
        otel.kind = "server",
        steadycast.session = standing.visit.number,
        steadycast.broadcast = %standing.broadcast,
        steadycast.role = role,
        steadycast.transport = transport,
        steadycast.end = Empty,
    );
    BroadcastTrace::of(&standing.broadcast).adopt(&span);
    span
}

impl Open {
    fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    fn seen(&self) -> Seen {
        let noted = self.noted.lock();
        Seen {
            standing: self.standing.clone(),
            over: noted.over,
            figures: noted.figures,
            latencies: noted.latencies.clone(),
        }
    }
}

impl Noted {
    /// Sees how the viewer fares by now.
    fn judge(&mut self, now: RelayTime) {
        let fares = Fares::of(self.figures.reception, &self.reports, now);
        if std::mem::replace(&mut self.fares, fares) != fares {
            self.fares_since = now;
        }
    }
}

impl Record {
    /// It has a place at its broadcast.
    pub fn begin(&self) {
        if !self.open.begun.swap(true, Ordering::Relaxed) {
            let joined = Event::Joined(self.open.standing.clone());
            self.records.events.tell(joined);
        }
    }

    /// Whether it ever had.
    pub fn has_begun(&self) -> bool {
        self.open.has_begun()
    }

    /// What let it in.
    pub fn pass(&self) -> &Pass {
        &self.pass
    }

    /// What it has had so far.
    pub fn note(&self, figures: Figures) {
        let mut noted = self.open.noted.lock();
        let before = std::mem::replace(&mut noted.figures, figures);
        noted.served = true;
        noted.judge(self.records.clock.now());
        drop(noted);
        let Standing { role, visit, .. } = &self.open.standing;
        if let (None, Some(first), Role::Player) = (before.given.first, figures.given.first, role) {
            let wait = first - visit.since;
            self.records.metrics.joined_after(visit.transport, wait);
        }
    }

    /// What carries it now.
    pub fn note_over(&self, over: Over) {
        self.open.noted.lock().over = Some(over);
    }

    /// What is counted, of this session and of others.
    pub fn metrics(&self) -> &Arc<Metrics> {
        self.records.metrics()
    }

    /// It has shown a picture that was so old.
    pub fn shown_after(&self, delay: Duration) {
        self.open.noted.lock().latencies.add(delay);
        self.records.metrics.shown_after(delay);
    }

    /// Its page has said what it shows.
    pub fn reported(&self, shown: Shown) {
        let now = self.records.clock.now();
        let mut noted = self.open.noted.lock();
        noted.reports.take(shown, now);
        noted.judge(now);
    }

    /// What it has brought so far, of a publisher.
    pub fn note_brought(&self, (frames, bytes): (u64, u64), rtt: Option<Duration>) {
        let given = Given {
            frames,
            bytes,
            ..Given::default()
        };
        let reception = Reception {
            rtt,
            ..Reception::default()
        };
        self.note(Figures { given, reception });
    }

    /// Why it is over. The first reason counts.
    pub fn end(&self, code: Code) {
        self.open.noted.lock().ended.get_or_insert(code);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.records.close(&self.open);
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pass.fmt(f)
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}

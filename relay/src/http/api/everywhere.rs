//! What other relays are asked where a request is about more than this one has, and what this one answers them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::caller::Caller;
use super::super::problem::Problem;
use super::super::site::Site;
use super::broadcasts::AskForKeyframes;
use super::described::Describe;
use super::sessions::{KickSession, ListSessions};
use super::viewers::CountViewers;
use crate::broadcast::BroadcastId;
use crate::directory::RelayId;
use crate::excerpt::excerpt;
use crate::peers::{Answers, Envelope, Gathered, Question, Refused, Unanswered};

/// What a relay says of a broadcast that it has.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part<P> {
    /// Sessions of relays that get it there.
    relays: u32,
    /// What its clock says.
    now_us: u64,
    pub(super) of: P,
}

/// A time of another relay's, as this relay's clock has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift(i64);

impl Shift {
    pub(super) fn apply(self, time_us: &mut u64) {
        *time_us = time_us.saturating_add_signed(self.0);
    }
}

/// A question about a broadcast that every relay which has it answers for itself.
pub(super) trait Partial: Question<Answer = Option<Part<Self::Of>>> {
    /// What each has to say.
    type Of;

    /// What this relay has to say; `None`: it has not got the broadcast.
    fn own(&self, site: &Site) -> Option<Self::Of>;

    /// Which broadcast it is about.
    fn broadcast(&self) -> &BroadcastId;

    /// It is this relay that has said it, and so far is its clock from that of this one.
    fn said_by(of: &mut Self::Of, relay: &RelayId, shift: Shift);
}

/// What this relay has to say as others are told it.
pub(super) fn part<Q: Partial>(site: &Site, question: &Q) -> Option<Part<Q::Of>> {
    let of = question.own(site)?;
    let broadcast = site.registry.find(question.broadcast());
    let relays = broadcast.map_or(0, |broadcast| broadcast.snapshot().relays);
    let now_us = site.clock.now().as_micros();
    Some(Part { relays, now_us, of })
}

/// What all relays that have a broadcast say of it, this one among them.
///
/// The relay that it is at is asked first: most broadcasts are there alone. Where others get it, all are asked, for
/// one whose link is lost at the moment has people at it as well.
pub(super) async fn gather<Q: Partial>(site: &Site, whom: &str, question: &Q) -> Gathered<Q::Of> {
    let here = part(site, question);
    let Some(own) = site.peers.own() else {
        let mut alone = Gathered::default();
        let here = here.map(|here| here.of).into_iter();
        alone
            .answers
            .extend(here.map(|of| (site.directory.own().clone(), of)));
        return alone;
    };
    let pulled = site.registry.find(question.broadcast());
    let pulled = pulled.is_some_and(|here| here.upstream().is_some());
    let mut further = here.as_ref().is_some_and(|here| here.relays > 0);
    let mut gathered = Gathered::default();
    let mut asked = Vec::new();
    take::<Q>(site, &mut gathered, own.clone(), Ok(here));
    let home = site.directory.find(question.broadcast());
    if let Some(home) = home.filter(|home| !home.is_own) {
        let answer = site.peers.ask(&home.relay, whom, question).await;
        further |= match &answer {
            // This relay is one of them.
            Ok(Some(part)) => part.relays > u32::from(pulled),
            Ok(None) | Err(_) => true,
        };
        take::<Q>(site, &mut gathered, home.relay.clone(), answer);
        asked.push(home.relay);
    }
    if !further {
        return gathered;
    }
    let others = site.peers.ask_all(&asked, whom, question, |_| false).await;
    for (relay, answer) in others.answers {
        take::<Q>(site, &mut gathered, relay, Ok(answer));
    }
    gathered.silent.extend(others.silent);
    gathered
}

/// What one other relay says of a broadcast; `None`: it has not got it.
pub(super) async fn ask<Q: Partial>(
    site: &Site,
    whom: &str,
    relay: &RelayId,
    question: &Q,
) -> Result<Option<Q::Of>, Unanswered> {
    let part = site.peers.ask(relay, whom, question).await?;
    Ok(part.map(|part| settled::<Q>(site, relay, part)))
}

/// What a relay has said, as if it had been said here.
fn settled<Q: Partial>(site: &Site, relay: &RelayId, mut part: Part<Q::Of>) -> Q::Of {
    let now_us = site.clock.now().as_micros();
    let shift = Shift(now_us.wrapping_sub(part.now_us).cast_signed());
    Q::said_by(&mut part.of, relay, shift);
    part.of
}

fn take<Q: Partial>(
    site: &Site,
    gathered: &mut Gathered<Q::Of>,
    relay: RelayId,
    answer: Result<Option<Part<Q::Of>>, Unanswered>,
) {
    match answer {
        Ok(Some(part)) => {
            let of = settled::<Q>(site, &relay, part);
            gathered.take(relay, Ok(of));
        }
        Ok(None) => {}
        Err(why) => gathered.take(relay, Err(why)),
    }
}

/// Who asks, as the log of another relay has it.
pub(super) fn whom(caller: &Caller) -> String {
    match caller {
        Caller::Granted(grant) => match (&grant.holder.subject, &grant.holder.token) {
            (Some(subject), _) => excerpt(subject),
            (None, Some(token)) => format!("token {}", excerpt(token)),
            (None, None) => "the admin key".to_owned(),
        },
        Caller::Unjudged { from, .. } => format!("somebody at {from}"),
    }
}

impl From<Unanswered> for Problem {
    fn from(why: Unanswered) -> Self {
        Self::unavailable(why.to_string())
    }
}

impl Answers for Site {
    async fn answer(&self, asked: &Envelope) -> Result<Value, Refused> {
        match asked.name() {
            CountViewers::NAME => answer(asked, |question: CountViewers| part(self, &question)),
            ListSessions::NAME => answer(asked, |question: ListSessions| question.answer(self)),
            Describe::NAME => answer(asked, |question: Describe| question.answer(self)),
            AskForKeyframes::NAME => {
                answer(asked, |question: AskForKeyframes| question.answer(self))
            }
            KickSession::NAME => {
                let kick: KickSession = asked.question()?;
                let done = kick.answer(self).await;
                let (relay, whom) = (&asked.from, excerpt(&asked.whom));
                tracing::info!(session = kick.session, ?done, %relay, whom, "kicked by way of another relay");
                written(&done)
            }
            _ => Err(Refused::Unknown),
        }
    }
}

fn answer<Q: Question>(
    asked: &Envelope,
    answer: impl FnOnce(Q) -> Q::Answer,
) -> Result<Value, Refused> {
    written(&answer(asked.question()?))
}

fn written(answer: &impl Serialize) -> Result<Value, Refused> {
    // Answers have nothing that JSON does not.
    Ok(serde_json::to_value(answer).unwrap_or_default())
}

//! How a relay comes to a broadcast: it asks the relay that has it, which may send it on to one that gets it from there.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use steadycast_codec_glue::wire::{Branch, Code, Hop, Status, limits};
use tokio::time::{Instant, sleep, timeout};

use super::children::{Children, Own};
use super::talk::{Failure, Request, Talk};
use super::tree::MOST_LINKS;
use super::upstream::{Upstream, Upstreams};
use super::whereabouts::Whereabouts;
use crate::broadcast::BroadcastId;
use crate::config::Peer;
use crate::session::About;
use crate::shard::RelayClock;

/// Relays that one is sent to, one after another, before it asks again where it began.
const MOST_SENT_ON: usize = MOST_LINKS - 1;
/// How often it begins again, and how long it waits before: longer each time.
const ROUNDS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// How long a relay has to answer that one was sent to: others may answer sooner.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// For how long one that has not answered is said to be of no use.
const VAIN: Duration = Duration::from_secs(10);

/// Where a broadcast is got, and for whom.
pub(super) struct Way {
    pub(super) broadcast: BroadcastId,
    /// This relay.
    pub(super) own: Hop,
    /// Those that it is asked for on behalf of, this one first.
    relays: Vec<Hop>,
    clock: RelayClock,
    parts: Parts,
    state: Mutex<State>,
}

/// What ways lead over.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) about: Arc<Own>,
    pub(super) upstreams: Arc<Upstreams>,
    pub(super) whereabouts: Arc<dyn Whereabouts>,
}

#[derive(Default)]
struct State {
    /// The relay that has it; `None`: it is not known yet.
    home: Option<Arc<Upstream>>,
    /// That one has answered when it was asked last.
    answers: bool,
    /// Relays that did not, and until when that is said.
    vain: Vec<(Peer, Instant)>,
}

/// A session that has been welcomed.
pub(super) struct Asked {
    pub(super) talk: Talk,
    pub(super) status: Status,
    /// The relays through which the broadcast comes, that one last.
    pub(super) through: Vec<Hop>,
    /// The relay that it is at.
    pub(super) upstream: Arc<Upstream>,
}

impl Way {
    /// The way of a broadcast, for this relay and those behind it that have asked for it.
    pub(super) fn new(
        broadcast: &BroadcastId,
        (own, behind): (Hop, &[Hop]),
        clock: RelayClock,
        parts: &Parts,
    ) -> Self {
        Self {
            broadcast: broadcast.clone(),
            own,
            relays: [&[own], behind].concat(),
            clock,
            parts: parts.clone(),
            state: Mutex::default(),
        }
    }

    /// Looks where the broadcast is by now; false: nobody is known to have it.
    pub(super) async fn look(&self) -> bool {
        let Some(peer) = self.parts.whereabouts.of(&self.broadcast).await else {
            return false;
        };
        let home = self.parts.upstreams.at(&peer);
        self.state.lock().home = Some(home);
        true
    }

    /// The relay that has it, as far as is known.
    pub(super) fn home(&self) -> Option<Arc<Upstream>> {
        self.state.lock().home.clone()
    }

    /// The same for people.
    pub(super) fn peer(&self) -> Arc<str> {
        let home = self.home();
        let peer = home.as_ref().map(|home| home.peer().as_str());
        peer.unwrap_or("nobody").into()
    }

    /// Whether broadcasts move from relay to relay.
    pub(super) fn moves(&self) -> bool {
        self.parts.whereabouts.moves()
    }

    /// The relay that has it has not been reached for a while. Where it has answered since, it is another one that has not.
    pub(super) fn is_dead(&self) {
        if !self.state.lock().answers {
            let whereabouts = &self.parts.whereabouts;
            whereabouts.unreached(&self.broadcast, &self.peer());
        }
    }

    /// A relay did not answer, or takes nobody.
    pub(super) fn in_vain(&self, peer: &Peer) {
        let until = Instant::now() + VAIN;
        let mut state = self.state.lock();
        state.vain.retain(|(vain, _)| vain != peer);
        state.vain.push((peer.clone(), until));
        let most = state.vain.len().saturating_sub(limits::PLACES);
        state.vain.drain(..most);
    }

    /// Asks for the broadcast where it is, and goes where it is sent. `children` are those that get it from here;
    /// `besides`: the relay that it comes from, which is not asked again.
    pub(super) async fn ask(
        &self,
        children: Option<&Children>,
        besides: Option<&Peer>,
    ) -> Result<Asked, Failure> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ROUNDS {
            match self.go_round(children, besides).await {
                Err(failure) if failure.may_pass() => {
                    tracing::debug!(broadcast = %self.broadcast, %failure, "asked for in vain");
                }
                over => return over,
            }
            sleep(pause).await;
            pause *= 2;
        }
        self.go_round(children, besides).await
    }

    /// From the relay that has it to where it sends this one.
    async fn go_round(
        &self,
        children: Option<&Children>,
        besides: Option<&Peer>,
    ) -> Result<Asked, Failure> {
        let home = self.home();
        let home = home.ok_or_else(|| Failure::unreached("nobody is known to have it"))?;
        if Some(home.peer()) == besides {
            return Err(Failure::unreached("no other relay has it"));
        }
        let mut branch = children.map(|children| *children.branch().borrow());
        let mut asked = self.ask_home(&home, branch.unwrap_or_default()).await;
        if let (Some(children), Some(behind)) = (children, branch)
            && behind.children > 0
            && asked.as_ref().is_err_and(Failure::is_for_want_of_room)
        {
            tracing::info!(broadcast = %self.broadcast, "no room with those behind: they are let go");
            children.let_go();
            branch = None;
            asked = self.ask_home(&home, Branch::default()).await;
        }
        for _ in 0..MOST_SENT_ON {
            let Err(Failure::SentOn(place)) = &asked else {
                return asked;
            };
            let place = place.parse::<Peer>();
            let peer = place.map_err(|_| Failure::unreached("sent to a relay at no place"))?;
            if peer == *home.peer() {
                return Err(Failure::InVain("sent in a circle".to_owned()));
            }
            asked = self.ask_child(&peer, branch.unwrap_or_default()).await;
        }
        match asked {
            Err(Failure::SentOn(_)) => Err(Failure::InVain("sent on too often".to_owned())),
            asked => asked,
        }
    }

    async fn ask_home(&self, home: &Arc<Upstream>, branch: Branch) -> Result<Asked, Failure> {
        self.state.lock().answers = false;
        let asked = self.ask_at(home, Some(self.about(branch))).await;
        self.state.lock().answers = !matches!(asked, Err(Failure::Unreached(_)));
        asked
    }

    async fn ask_child(&self, peer: &Peer, branch: Branch) -> Result<Asked, Failure> {
        let upstream = self.parts.upstreams.at(peer);
        let asking = self.ask_at(&upstream, Some(self.about(branch)));
        let why = match timeout(PATIENCE, asking).await {
            Ok(Ok(asked)) => return Ok(asked),
            Ok(Err(sent @ Failure::SentOn(_))) => return Err(sent),
            Ok(Err(failure)) => failure.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.in_vain(peer);
        Err(Failure::InVain(format!("{peer}: {why}")))
    }

    fn about(&self, branch: Branch) -> About {
        let mut state = self.state.lock();
        let now = Instant::now();
        state.vain.retain(|(_, until)| *until > now);
        let text = |text: &Option<Box<str>>| text.as_deref().map(Into::into);
        // Those that have asked here get it from here.
        let asked_by = u8::try_from(self.relays.len() - 1).unwrap_or(u8::MAX);
        About {
            place: text(&self.parts.about.place),
            region: text(&self.parts.about.region),
            vain: state
                .vain
                .iter()
                .map(|(peer, _)| peer.to_string())
                .collect(),
            branch: Branch {
                links: branch.links.max(asked_by),
                ..branch
            },
        }
    }

    /// Asks a relay for the broadcast, and goes nowhere else.
    pub(super) async fn ask_at(
        &self,
        upstream: &Arc<Upstream>,
        about: Option<About>,
    ) -> Result<Asked, Failure> {
        let connection = upstream.connection().await?;
        let request = Request {
            broadcast: &self.broadcast,
            relays: &self.relays,
            about,
        };
        let begun = Talk::begin(connection, request, self.clock).await;
        if let Err(Failure::Unreached(_)) = begun {
            upstream.distrust();
        }
        let (talk, status, through) = begun?;
        if through.contains(&self.own) || through.len() >= limits::RELAYS {
            return Err(Failure::Goodbye {
                code: Code::TooFar,
                why: "the broadcast comes in a circle, or from too far".to_owned(),
            });
        }
        Ok(Asked {
            talk,
            status,
            through,
            upstream: upstream.clone(),
        })
    }
}

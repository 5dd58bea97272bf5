//! One broadcast of another relay's: it is got for as long as somebody watches it here.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use steadycast_codec_glue::wire::{Code, Hop};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::children::Children;
use super::feed::Feed;
use super::link::{End, Link};
use super::pulls::AtHome;
use super::talk::Failure;
use super::tree;
use super::upstream::Upstream;
use super::way::{Asked, Way};
use crate::broadcast::{Broadcast, PublisherSeat, Pulse, Registry};
use crate::session::Answer;
use crate::shard::RelayClock;

/// Waits before the next attempts at a link that was lost: at once, then longer each time, up to this.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A relay that is not reached for so long is dead, as far as is known here.
const DEAD: Duration = Duration::from_secs(1);
/// A link beside another takes over at the next keyframe, but after this at any rate.
const BESIDE: Duration = Duration::from_secs(2);
/// A link that has lasted for so long was a good one: the next attempt comes at once again.
const GOOD: Duration = Duration::from_secs(5);

/// A broadcast that is got.
pub(super) struct Pull {
    pub(super) way: Arc<Way>,
    pub(super) broadcast: Arc<Broadcast>,
    /// Which move of the broadcast it belongs to: it goes on until the next.
    pub(super) moves: u32,
    pub(super) registry: Arc<Registry>,
    pub(super) at_home: Arc<dyn AtHome>,
    pub(super) clock: RelayClock,
    /// The relays through which it has come, this one last.
    pub(super) come: watch::Sender<Vec<Hop>>,
    /// Those that get it from here.
    pub(super) children: Arc<Children>,
    /// Rises when another relay has it.
    pub(super) moved: watch::Receiver<u64>,
    pub(super) linger: Duration,
}

/// How a pull begins.
pub(super) enum Begin {
    /// With a session that has been welcomed.
    Welcomed(Box<Asked>),
    /// With this seat, which keeps what is seen here until there is a session.
    Seated(PublisherSeat),
}

/// A link that runs.
struct Running<'a> {
    /// The relay at the other end.
    upstream: Arc<Upstream>,
    feed: Arc<Feed>,
    doubt: watch::Receiver<bool>,
    moves: watch::Receiver<bool>,
    through: watch::Receiver<Vec<Hop>>,
    in_charge: bool,
    begun: Instant,
    run: Pin<Box<dyn Future<Output = End> + Send + 'a>>,
}

/// What has happened on a link.
enum LinkNews {
    Ended(End),
    /// Nothing has been heard for a while.
    Doubted,
    /// The other relay is to be left for another.
    Moves,
    /// It is what is seen here from now on.
    InCharge,
}

/// What is under way of a pull.
struct Links<'a> {
    pull: &'a Pull,
    /// The one that is in charge.
    current: Option<Running<'a>>,
    /// One that is about to be, beside it.
    next: Option<Running<'a>>,
    asking: Option<Asking<'a>>,
    /// Where the session that is asked for fails, it is to be asked for again.
    wanted: bool,
    /// The relay that it comes from is to be left.
    leaves: bool,
    /// It was here until now: those that got it from here go to where it is by themselves.
    alone: bool,
    pause: Duration,
    seat: Option<PublisherSeat>,
    /// When to act on that there is no link: the other relay is dead then, as far as is known here.
    dead: Option<Instant>,
    adopting: Option<Answer<'a, ()>>,
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<Asked, Failure>> + Send + 'a>>;

/// Why a pull is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// The broadcast is over, as the relay says that has it.
    Ended(Code),
    /// Nobody watches it any more, and it has been let go of.
    Unwatched,
    /// It has moved: it is here, or another pull brings it.
    Moved,
}

impl Pull {
    /// It comes through these relays to this one.
    pub(super) fn comes_through(&self, relays: &[Hop]) {
        let come_here = [relays, &[self.way.own]].concat();
        self.come.send_if_modified(|come| {
            let another = *come != come_here;
            *come = come_here;
            another
        });
    }

    /// Asks for it after a pause, wherever it is by then, but not at the relay `besides`.
    /// `alone`: those behind it look for themselves.
    async fn ask(
        &self,
        pause: Duration,
        besides: Option<Arc<Upstream>>,
        alone: bool,
    ) -> Result<Asked, Failure> {
        sleep(pause).await;
        // Where nobody is known to have it, it may come back where it was.
        self.way.look().await;
        let besides = besides.as_ref().map(|besides| besides.peer());
        let children = (!alone).then_some(&*self.children);
        self.way.ask(children, besides).await
    }

    /// The same where the relay that it comes from may be dead: on other connections than there are, which may lead nowhere.
    async fn ask_afresh(&self, pause: Duration, silent: Arc<Upstream>) -> Result<Asked, Failure> {
        silent.distrust();
        self.way.in_vain(silent.peer());
        self.ask(pause, None, false).await
    }

    /// What a session that has failed means for the broadcast. Where relays move about, one that does not have it may
    /// have had it, or be about to.
    fn end(&self, failure: Failure) -> End {
        match End::of(failure) {
            End::Over(Code::UnknownBroadcast) if self.way.moves() => {
                End::Lost(Failure::unreached("it is not there"))
            }
            end => end,
        }
    }

    /// Goes on until the broadcast is over, nobody watches it any more, or it has moved.
    pub(super) async fn run(self, begin: Begin) {
        let broadcast = self.broadcast.id();
        let mut watchers = Watchers::new(&self);
        let mut links = Links::new(&self, begin);
        let mut moved = self.moved.clone();
        let over = loop {
            tokio::select! {
                over = watchers.over() => break over,
                over = links.turn(&mut moved) => if let Some(over) = over {
                    break over;
                },
            }
        };
        drop(links);
        match over {
            Over::Ended(code) => {
                tracing::info!(%broadcast, %code, "over, as its relay says");
                // To players there has been a broadcast until now.
                let code = match code {
                    Code::UnknownBroadcast => Code::BroadcastEnded,
                    code => code,
                };
                self.registry.end(broadcast, code);
            }
            Over::Unwatched => tracing::info!(%broadcast, "nobody watches it here any more"),
            Over::Moved => tracing::info!(%broadcast, "it comes from there no more"),
        }
    }
}

impl<'a> Links<'a> {
    fn new(pull: &'a Pull, begin: Begin) -> Self {
        let mut links = Self {
            pull,
            current: None,
            next: None,
            asking: None,
            wanted: true,
            leaves: false,
            alone: false,
            pause: Duration::ZERO,
            seat: None,
            dead: Some(Instant::now() + DEAD),
            adopting: None,
        };
        match begin {
            Begin::Welcomed(asked) => links.welcomed(*asked),
            Begin::Seated(seat) => (links.seat, links.alone) = (Some(seat), true),
        }
        links
    }

    /// Waits for the next thing that happens; gives why the pull is over, if it is. Cancel-safe.
    async fn turn(&mut self, moved: &mut watch::Receiver<u64>) -> Option<Over> {
        if self.current.is_none() {
            self.go_on();
        }
        if self.asking.is_none() && (self.current.is_none() || self.wanted && self.next.is_none()) {
            let current = self.current.as_ref().filter(|_| self.leaves);
            let besides = current.map(|current| current.upstream.clone());
            let asking = self.pull.ask(self.pause, besides, self.alone);
            self.asking = Some(Box::pin(asking));
        }
        let beside = self.next.is_some() || self.asking.is_some();
        tokio::select! {
            news = news(&mut self.current, !beside) => match news {
                LinkNews::Ended(end) => return self.lost(end),
                LinkNews::Doubted => if let Some(current) = &self.current {
                    let silent = current.upstream.clone();
                    self.asking = Some(Box::pin(self.pull.ask_afresh(self.pause, silent)));
                },
                LinkNews::Moves => (self.wanted, self.leaves) = (true, true),
                LinkNews::InCharge => {}
            },
            news = news(&mut self.next, false) => match news {
                LinkNews::Ended(end) => self.not_next(end),
                LinkNews::InCharge => self.replace(),
                LinkNews::Moves => (self.next, self.wanted) = (None, true),
                LinkNews::Doubted => {}
            },
            asked = answered(&mut self.asking) => {
                self.asking = None;
                return self.answered(asked);
            }
            () = sleep_until(self.dead.unwrap_or_else(Instant::now)), if self.dead.is_some() => {
                self.is_dead();
            }
            () = adopted(&mut self.adopting) => self.adopting = None,
            changed = moved.changed() => {
                moved.borrow_and_update();
                // Where its end is the end of the relay, the pull goes on as it is.
                if changed.is_ok() {
                    self.has_moved().await;
                }
            }
        }
        None
    }

    /// The broadcast is at another relay than before: this one goes there, or stays behind one that does.
    async fn has_moved(&mut self) {
        let Pull { way, come, .. } = self.pull;
        way.look().await;
        let links = come.borrow().len().saturating_sub(1);
        let home = way.home();
        let stays = self.current.as_ref().is_some_and(|current| {
            let from_home = home.is_some_and(|home| home.peer() == current.upstream.peer());
            tree::stays(from_home, links)
        });
        // What was under way leads to where it was before.
        self.pause = Duration::ZERO;
        self.wanted = !stays || self.leaves;
        self.next = None;
        self.asking = None;
    }

    /// There is no link in charge: the next one is, if there is one.
    fn go_on(&mut self) {
        if let Some(mut next) = self.next.take() {
            next.feed.take_charge(self.seat.take());
            next.in_charge = true;
            self.begins(next);
        }
    }

    /// The link that was to be the next one has ended.
    fn not_next(&mut self, end: End) {
        self.next = None;
        self.wanted = self.pull.way.moves();
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        if let End::Lost(failure) = end {
            tracing::debug!(broadcast = %self.pull.broadcast.id(), %failure, "not the next link");
        }
    }

    /// The next link has taken over.
    fn replace(&mut self) {
        if let Some(next) = self.next.take() {
            self.begins(next);
        }
    }

    fn begins(&mut self, link: Running<'a>) {
        let peer: Arc<str> = link.upstream.peer().as_str().into();
        tracing::info!(broadcast = %self.pull.broadcast.id(), relay = %peer, "comes by this link");
        self.pull.broadcast.is_at(peer);
        self.pull.comes_through(&link.through.borrow());
        self.current = Some(link);
        (self.leaves, self.alone) = (false, false);
        (self.dead, self.adopting) = (None, None);
    }

    /// The other relay has not been reached for a while: whoever has the broadcast next is asked, and where nobody has it,
    /// it stays here.
    fn is_dead(&mut self) {
        let pull = self.pull;
        self.dead = Some(Instant::now() + DEAD);
        pull.way.is_dead();
        if self.adopting.is_none() {
            self.adopting = Some(pull.at_home.adopt(&pull.broadcast));
        }
    }

    /// The link in charge has ended.
    fn lost(&mut self, end: End) -> Option<Over> {
        let current = self.current.take();
        self.dead = Some(Instant::now() + DEAD);
        let begun = current
            .as_ref()
            .map_or_else(Instant::now, |current| current.begun);
        let upstream = current.map(|current| current.upstream);
        self.leaves = false;
        let failure = match end {
            End::Lost(failure) => failure,
            End::Over(code) => return Some(Over::Ended(code)),
        };
        self.pause = match begun.elapsed() >= GOOD {
            true => Duration::ZERO,
            false => (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE),
        };
        let broadcast = self.pull.broadcast.id();
        if let Some(peer) = upstream.as_ref().map(|upstream| upstream.peer()) {
            self.pull.way.in_vain(peer);
            tracing::info!(%broadcast, relay = %peer, %failure, "the link is lost");
        }
        None
    }

    /// A relay has answered.
    fn answered(&mut self, asked: Result<Asked, Failure>) -> Option<Over> {
        let failure = match asked {
            Ok(asked) => {
                self.welcomed(asked);
                return None;
            }
            Err(failure) => failure,
        };
        match (self.pull.end(failure), &self.current) {
            (End::Over(code), None) => return Some(Over::Ended(code)),
            (End::Over(_), Some(_)) => {}
            (End::Lost(failure), _) => {
                let broadcast = self.pull.broadcast.id();
                tracing::debug!(%broadcast, relay = %self.pull.way.peer(), %failure, "no link");
            }
        }
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        None
    }

    fn welcomed(&mut self, asked: Asked) {
        let pull = self.pull;
        let pulse = *pull.broadcast.pulses().borrow();
        let upstream = asked.upstream.clone();
        let link = Link::new(pull, asked, &pulse);
        let feed = link.feed().clone();
        if self.current.is_none() {
            feed.take_charge(self.seat.take());
        }
        let link = Running {
            upstream,
            feed,
            doubt: link.doubt(),
            moves: link.moves(),
            through: link.through(),
            in_charge: self.current.is_none(),
            begun: Instant::now(),
            run: Box::pin(link.run()),
        };
        self.wanted = false;
        match &self.current {
            None => self.begins(link),
            Some(_) => self.next = Some(link),
        }
    }
}

impl Running<'_> {
    /// Waits for the next thing that happens on the link, or until it has been beside another for too long. Cancel-safe.
    async fn news(&mut self, doubts: bool) -> LinkNews {
        let mut charge = self.feed.charge();
        let by = self.begun + BESIDE;
        tokio::select! {
            end = self.run.as_mut() => LinkNews::Ended(end),
            Ok(_) = self.doubt.wait_for(|doubt| *doubt), if doubts => LinkNews::Doubted,
            Ok(()) = self.moves.changed() => LinkNews::Moves,
            Ok(_) = charge.wait_for(|in_charge| *in_charge), if !self.in_charge => {
                self.in_charge = true;
                LinkNews::InCharge
            }
            () = sleep_until(by), if !self.in_charge => {
                self.feed.take_charge(None);
                self.in_charge = true;
                LinkNews::InCharge
            }
        }
    }
}

async fn news(link: &mut Option<Running<'_>>, doubts: bool) -> LinkNews {
    match link {
        Some(link) => link.news(doubts).await,
        None => pending().await,
    }
}

async fn answered(asking: &mut Option<Asking<'_>>) -> Result<Asked, Failure> {
    match asking {
        Some(asking) => asking.as_mut().await,
        None => pending().await,
    }
}

async fn adopted(adopting: &mut Option<Answer<'_, ()>>) {
    match adopting {
        Some(adopting) => adopting.as_mut().await,
        None => pending().await,
    }
}

/// Whether somebody watches a broadcast that is got.
struct Watchers<'a> {
    pull: &'a Pull,
    pulses: watch::Receiver<Pulse>,
    /// Since when nobody does.
    gone: Option<Instant>,
}

impl<'a> Watchers<'a> {
    fn new(pull: &'a Pull) -> Self {
        Self {
            pull,
            pulses: pull.broadcast.pulses(),
            gone: Some(Instant::now()),
        }
    }

    /// Waits until nobody has watched the broadcast for the linger, and it has been let go of, or until it has moved.
    /// Cancel-safe.
    async fn over(&mut self) -> Over {
        loop {
            let Pulse {
                watched,
                moves,
                ended,
                ..
            } = *self.pulses.borrow_and_update();
            if moves != self.pull.moves || ended.is_some() {
                return Over::Moved;
            }
            self.gone = match watched {
                true => None,
                false => Some(self.gone.unwrap_or_else(Instant::now)),
            };
            let due = self.gone.map(|since| since + self.pull.linger);
            tokio::select! {
                changed = self.pulses.changed() => if changed.is_err() {
                    return Over::Moved;
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    if self.pull.registry.let_go(&self.pull.broadcast) {
                        return Over::Unwatched;
                    }
                    self.gone = None;
                }
            }
        }
    }
}

//! The session at another relay that brings a broadcast's main track, and all that is said of the broadcast.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use steadycast_codec_glue::wire::{
    Branch, ClientMessage, Code, Hop, RelayMessage, TrackId, limits,
};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::feed::Feed;
use super::pull::Pull;
use super::renditions::Renditions;
use super::talk::{Failure, HEARTBEAT, Talk};
use super::way::Asked;
use crate::broadcast::Pulse;

/// How often the other relay is told who is behind this one at most (PROTOCOL 11.5).
const TOLD_EVERY: Duration = Duration::from_millis(250);

/// After so much silence another session is tried for beside this one.
const DOUBT: Duration = Duration::from_secs(1);

/// Why a link has ended.
pub(super) enum End {
    /// The other relay is not reached, or says that it will be back.
    Lost(Failure),
    /// The broadcast is over, as the other relay says.
    Over(Code),
}

impl End {
    /// What a session that has failed means for the broadcast.
    pub(super) fn of(failure: Failure) -> Self {
        match failure.code() {
            Some(code @ (Code::BroadcastEnded | Code::HeldTooLong | Code::UnknownBroadcast)) => {
                Self::Over(code)
            }
            _ => Self::Lost(failure),
        }
    }
}

/// A session that has been welcomed.
pub(super) struct Link<'a> {
    pull: &'a Pull,
    talk: Talk,
    feed: Arc<Feed>,
    renditions: Renditions,
    told: Told,
    /// Nothing has been heard for a while.
    doubt: watch::Sender<bool>,
    /// Through which relays it comes, the other one last.
    through: watch::Sender<Vec<Hop>>,
    /// The other one is to be left for another.
    moves: watch::Sender<bool>,
}

/// What the other relay knows.
#[derive(Debug, Default)]
struct Told {
    players: u32,
    listeners: u32,
    branch: Branch,
    at: Option<Instant>,
    listens: bool,
    keyframe_requests: u64,
}

impl<'a> Link<'a> {
    pub(super) fn new(pull: &'a Pull, asked: Asked, pulse: &Pulse) -> Self {
        let Asked {
            talk,
            status,
            through,
            upstream,
        } = asked;
        let feed = Arc::new(Feed::new(pull, status, talk.offset()));
        Self {
            pull,
            talk,
            renditions: Renditions::new(&pull.way, &upstream, &feed),
            feed,
            told: Told {
                keyframe_requests: pulse.keyframe_requests[0],
                ..Told::default()
            },
            doubt: watch::Sender::new(false),
            through: watch::Sender::new(through),
            moves: watch::Sender::new(false),
        }
    }

    /// Where to hear through which relays it comes.
    pub(super) fn through(&self) -> watch::Receiver<Vec<Hop>> {
        self.through.subscribe()
    }

    /// Where to hear that another relay is to be asked.
    pub(super) fn moves(&self) -> watch::Receiver<bool> {
        self.moves.subscribe()
    }

    /// What it brings in.
    pub(super) fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Where to hear that nothing is heard of the other relay.
    pub(super) fn doubt(&self) -> watch::Receiver<bool> {
        self.doubt.subscribe()
    }

    /// Serves the link until it ends.
    pub(super) async fn run(mut self) -> End {
        let Err(failure) = self.serve().await;
        End::of(failure)
    }

    async fn serve(&mut self) -> Result<Infallible, Failure> {
        let mut pulses = self.pull.broadcast.pulses();
        let mut branch = self.pull.children.branch();
        let mut beats = interval(HEARTBEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (feed, connection) = (self.feed.clone(), self.talk.connection.clone());
        let mut groups = FuturesUnordered::new();
        if !*feed.charge().borrow() {
            // The sooner there is one, the sooner it takes over.
            self.ask_for_a_keyframe().await?;
        }
        loop {
            let due = self.tell(&mut pulses, &mut branch).await?;
            tokio::select! {
                message = self.talk.next() => {
                    self.doubt.send_if_modified(std::mem::take);
                    self.take(message?)?;
                }
                stream = connection.accept_uni() => {
                    let stream = stream.map_err(Failure::unreached)?;
                    groups.push(feed.read_group(stream, TrackId::MAIN));
                }
                Some(broken) = groups.next() => if broken {
                    self.ask_for_a_keyframe().await?;
                },
                datagram = connection.receive_datagram() => {
                    let datagram = datagram.map_err(Failure::unreached)?;
                    feed.hear(&datagram.payload());
                }
                changed = pulses.changed() => changed.map_err(Failure::unreached)?,
                changed = branch.changed() => changed.map_err(Failure::unreached)?,
                _ = beats.tick() => self.beat().await?,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }

    async fn beat(&mut self) -> Result<(), Failure> {
        self.talk.ping().await?;
        if self.talk.silence() > DOUBT {
            self.doubt.send_replace(true);
        }
        match self.feed.is_behind() {
            true => self.ask_for_a_keyframe().await,
            false => Ok(()),
        }
    }

    fn take(&mut self, message: RelayMessage) -> Result<(), Failure> {
        match message {
            RelayMessage::Pong { .. } => self.feed.heard(self.talk.offset()),
            RelayMessage::Status { status } => self.feed.becomes(status),
            RelayMessage::Through { relays } => self.comes_through(relays)?,
            RelayMessage::Pause { epoch, from } => {
                // What is on its way of the renditions may be from before the card.
                self.renditions.begin_anew();
                self.feed.pause(epoch, &from);
            }
            RelayMessage::Continue => self.feed.go_on(),
            RelayMessage::Sound { sound } => self.feed.sounds_as(sound),
            RelayMessage::Move { .. } => {
                self.moves.send_replace(true);
            }
            other => tracing::debug!(?other, "a relay says what is for others"),
        }
        Ok(())
    }

    /// The broadcast comes through these relays (PROTOCOL 11.3).
    fn comes_through(&self, relays: Vec<Hop>) -> Result<(), Failure> {
        let own = self.pull.way.own;
        if relays.contains(&own) || relays.len() >= limits::RELAYS {
            return Err(Failure::Goodbye {
                code: Code::TooFar,
                why: "the broadcast comes in a circle, or from too far".to_owned(),
            });
        }
        // What is not in charge is not how it comes here.
        if *self.feed.charge().borrow() {
            self.pull.comes_through(&relays);
        }
        self.through.send_replace(relays);
        Ok(())
    }

    /// Tells what is new here; gives when more may be told.
    async fn tell(
        &mut self,
        pulses: &mut watch::Receiver<Pulse>,
        branch: &mut watch::Receiver<Branch>,
    ) -> Result<Option<Instant>, Failure> {
        let pulse = *pulses.borrow_and_update();
        self.renditions.are(&pulse.wanted.list());
        let requests = pulse.keyframe_requests[0];
        if requests > self.told.keyframe_requests {
            self.told.keyframe_requests = requests;
            self.ask_for_a_keyframe().await?;
        }
        let listeners = pulse.listeners.unwrap_or_default();
        if self.told.listens != (listeners > 0) {
            self.told.listens = listeners > 0;
            let on = self.told.listens;
            self.talk.say(&ClientMessage::Listen { on }).await?;
        }
        let players = pulse.status.players;
        let branch = *branch.borrow_and_update();
        let told = &self.told;
        if (players, listeners, branch) == (told.players, told.listeners, told.branch) {
            return Ok(None);
        }
        let due = self.told.at.map(|at| at + TOLD_EVERY);
        if due.is_some_and(|due| due > Instant::now()) {
            return Ok(due);
        }
        self.told.at = Some(Instant::now());
        if self.told.branch != branch {
            self.told.branch = branch;
            self.talk.say(&behind(branch)).await?;
        }
        if (players, listeners) != (self.told.players, self.told.listeners) {
            (self.told.players, self.told.listeners) = (players, listeners);
            let audience = ClientMessage::Audience { players, listeners };
            self.talk.say(&audience).await?;
        }
        Ok(None)
    }

    async fn ask_for_a_keyframe(&mut self) -> Result<(), Failure> {
        let epoch = self.feed.epoch().unwrap_or_default();
        let request = ClientMessage::KeyframeRequest { epoch, group: 0 };
        self.talk.say(&request).await
    }
}

/// What is behind this relay, of which everything else was said before.
fn behind(branch: Branch) -> ClientMessage {
    ClientMessage::Branch {
        place: None,
        region: None,
        vain: Vec::new(),
        branch,
    }
}

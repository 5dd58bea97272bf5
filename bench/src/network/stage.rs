//! The clean side: a relay, and a publisher beside it.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use steadycast_lab::conditions::Join;
use steadycast_relay::shard::RelayClock;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::trial::Trial;
use crate::client::Client;
use crate::fanout::on_this_thread;
use crate::lab::World;
use crate::ledger::Ledger;
use crate::load::Picture;
use crate::process::OwnRelay;
use crate::publisher::Publisher;
use crate::sound::Script;
use crate::source::Source;
use crate::target::{Broadcast, Target};

/// Where the relay listens, in a namespace where nobody else does.
pub(super) const PORT: u16 = 4_433;
/// How often is looked whether the group has grown enough.
const LOOK: Duration = Duration::from_millis(5);
/// How long publishing may take to begin.
const PATIENCE: Duration = Duration::from_secs(30);

/// A relay and a publisher at work. Dropping it ends both.
pub(super) struct Stage {
    relay: OwnRelay,
    broadcast: Broadcast,
    clock: RelayClock,
    publisher: JoinHandle<Result<Sent>>,
    over: oneshot::Sender<()>,
}

/// What was published.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) frames: u64,
    pub(super) keyframe_requests: u64,
}

impl Stage {
    /// Starts both, and waits until a player may come.
    pub(super) fn set(world: &World, trial: &Trial) -> Result<Self> {
        let address = SocketAddr::from((World::relay_address(), PORT));
        let (relay, broadcast) = world.relay().within(|| {
            let relay = OwnRelay::start_at(&trial.program, address, &[], &trial.flags)?;
            let broadcast = relay.target().create("Bad networks")?;
            Ok((relay, broadcast))
        })?;
        let clock = RelayClock::start();
        let (ready, is_ready) = mpsc::channel();
        let (over, is_over) = oneshot::channel();
        let work = Work {
            target: relay.target().clone(),
            token: broadcast.publish_token.clone(),
            picture: trial.picture.clone(),
            clock,
            join: trial.condition.join,
            sound: trial.sound,
        };
        let namespace = world.relay().clone();
        let publisher = std::thread::Builder::new().name("publisher".to_owned());
        let publisher = publisher.spawn(move || {
            namespace.enter()?;
            on_this_thread(work.publish(ready, is_over))
        })?;
        let stage = Self {
            relay,
            broadcast,
            clock,
            publisher,
            over,
        };
        match is_ready.recv_timeout(PATIENCE) {
            Ok(()) => Ok(stage),
            Err(_) => {
                let error = anyhow!("the publisher does not begin");
                Err(stage.leave().err().unwrap_or(error))
            }
        }
    }

    pub(super) fn target(&self) -> &Target {
        self.relay.target()
    }

    pub(super) fn broadcast(&self) -> &Broadcast {
        &self.broadcast
    }

    /// The clock of capture times.
    pub(super) fn clock(&self) -> RelayClock {
        self.clock
    }

    /// Ends both, and says what was published.
    pub(super) fn leave(self) -> Result<Sent> {
        // A publisher that has ended by itself says why.
        let _ = self.over.send(());
        let sent = self.publisher.join();
        sent.map_err(|_| anyhow!("the publisher panicked"))?
    }
}

/// What the publisher's thread does.
struct Work {
    target: Target,
    token: String,
    picture: Picture,
    clock: RelayClock,
    join: Join,
    sound: Option<u64>,
}

impl Work {
    async fn publish(
        self,
        ready: mpsc::Sender<()>,
        is_over: oneshot::Receiver<()>,
    ) -> Result<Sent> {
        let client = Client::new(&self.target, 1)?;
        let source = Source::of(&self.picture)?;
        let publisher = Publisher::join(&client, 0, &self.token, source, self.clock).await?;
        let mut publisher = publisher.obliging();
        if let Some(kbit) = self.sound {
            let script = Rc::<Script>::default();
            script.speak(true);
            publisher = publisher.with_sound(kbit, &script).await?;
        }
        let (ledger, asked) = (publisher.ledger(), publisher.asked());
        let told = async {
            while !self.may_come(&ledger.borrow()) {
                sleep(LOOK).await;
            }
            // Nobody waits where the run is given up.
            let _ = ready.send(());
            is_over.await
        };
        tokio::select! {
            ended = publisher.run(&self.picture, Duration::ZERO) => {
                ended.context("the publisher's session ended")?;
            }
            _ = told => {}
        }
        let (frames, keyframe_requests) = (ledger.borrow().total(), asked.borrow().keyframes);
        Ok(Sent {
            frames,
            keyframe_requests,
        })
    }

    /// Whether it is time for a player.
    fn may_come(&self, ledger: &Ledger) -> bool {
        let sent = ledger.total() as usize;
        match self.join {
            // A few frames, so that the relay has had the first of them.
            Join::Early => sent > 15,
            // No player has come, so that this is the first group.
            Join::Group { bytes } => {
                sent > 0 && self.picture.key_bytes + (sent - 1) * self.picture.delta_bytes >= bytes
            }
        }
    }
}

//! A player that comes again when its session is lost.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use steadycast_relay::shard::RelayClock;
use steadycast_tests::client::Carrier;
use tokio::time::sleep;

use super::company::Company;
use super::figures::{Figures, Window};
use super::groups;
use crate::checker::Watch;
use crate::client::Client;
use crate::load::Appetite;
use crate::sound::SoundFigures;
use crate::tally::Tally;
use crate::target::{Broadcast, Target};
use crate::transport::{Srtp, Way};
use crate::whep;

/// How long a player waits before it comes again.
const AGAIN: Duration = Duration::from_millis(500);

/// What a player had.
#[derive(Debug, Clone)]
pub(super) struct Had {
    pub(super) figures: Figures,
    /// What it heard, if it listened.
    pub(super) sound: Option<SoundFigures>,
    /// Bytes that came on group streams, or of frames in RTP packets.
    pub(super) received: u64,
    /// Groups that it saw cut off.
    pub(super) skips: u64,
    /// Sessions that ended early, or could not be opened.
    pub(super) lost: u64,
    /// Why the first of them did.
    pub(super) why_lost: Option<String>,
    /// Frames that were wrong.
    pub(super) bad: u64,
}

/// A player that has come.
pub(super) struct Viewer {
    tally: Rc<RefCell<Tally>>,
    clock: RelayClock,
    from_us: u64,
    task: tokio::task::JoinHandle<()>,
}

impl Viewer {
    /// Has one come. Call it within a `LocalSet`.
    pub(super) fn come(company: &Company<'_>) -> Result<Self> {
        let clock = company.clock;
        let from_us = clock.now().as_micros();
        let tally = Rc::new(RefCell::new(Tally {
            log: Some(Vec::new()),
            // Of pictures, the log says more.
            window: from_us..u64::MAX,
            ..Tally::default()
        }));
        let watch = Watch {
            ledger: None,
            tally: tally.clone(),
            clock,
            appetite: Appetite::Healthy,
            listens: company.listens,
        };
        let entrance = Entrance::of(company.target, company.way)?;
        let broadcast = company.broadcast.clone();
        let task = tokio::task::spawn_local(async move {
            loop {
                let ended = entrance.watch(&broadcast, &watch).await;
                if let Err(error) = ended {
                    watch.tally.borrow_mut().closed(&error);
                }
                sleep(AGAIN).await;
            }
        });
        Ok(Self {
            tally,
            clock,
            from_us,
            task,
        })
    }

    /// Has it leave, and says what it had.
    pub(super) async fn leave(self) -> Had {
        let until_us = self.clock.now().as_micros();
        self.task.abort();
        // It says goodbye.
        let _ = self.task.await;
        let tally = self.tally.borrow();
        let window = Window {
            from_us: self.from_us,
            until_us,
        };
        let log = tally.log.as_deref().unwrap_or_default();
        Had {
            figures: Figures::of(log, window),
            sound: SoundFigures::of(&tally.sound),
            received: tally.received,
            skips: tally.skips,
            lost: tally.closed,
            why_lost: tally.first_end.clone(),
            bad: tally.bad(),
        }
    }
}

enum Entrance {
    Sessions(Client),
    Whep(Box<whep::Client>),
}

impl Entrance {
    fn of(target: &Target, way: Way) -> Result<Self> {
        Ok(match way {
            Way::WebTransport => Self::Sessions(Client::new(target, 1)?),
            Way::WebSocket => Self::Sessions(Client::over(target, 1, Carrier::WebSocket)?),
            Way::WebRtc => Self::Whep(Box::new(whep::Client::new(target, Srtp::Gcm)?)),
        })
    }

    async fn watch(&self, broadcast: &Broadcast, watch: &Watch) -> Result<()> {
        match self {
            Self::Sessions(client) => groups::watch(client, &broadcast.play_token, watch).await,
            Self::Whep(client) => whep::watch(client, broadcast, watch.clone()).await,
        }
    }
}

//! The publishers of a run, one for each of its broadcasts.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, bail};
use steadycast_relay::shard::RelayClock;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::ledger::Ledger;
use crate::load::Picture;
use crate::publisher::{Asked, Publisher};
use crate::sound::Script;
use crate::source::Source;
use crate::target::Broadcast;

/// Publishers at work; dropping them ends their sessions.
#[derive(Debug, Default)]
pub struct Publishers {
    ledgers: Vec<Rc<RefCell<Ledger>>>,
    asked: Vec<Rc<RefCell<Asked>>>,
    script: Rc<Script>,
    tasks: JoinSet<()>,
    /// What ended the first that ended.
    failed: Rc<RefCell<Option<String>>>,
}

impl Publishers {
    /// Takes over `broadcasts` and publishes `picture` at each, and sound of so many kbit/s where that is wanted, once the
    /// script says so. Call it within a `LocalSet`.
    ///
    /// # Errors
    /// When the relay refuses, or a recording cannot be read.
    pub async fn start(
        client: &Client,
        (picture, sound): (&Picture, Option<u64>),
        broadcasts: &[Broadcast],
        clock: RelayClock,
    ) -> Result<Self> {
        let mut publishers = Self::default();
        let source = Source::of(picture)?;
        let interval = Duration::from_secs(1) / picture.fps;
        for (number, broadcast) in broadcasts.iter().enumerate() {
            let token = &broadcast.publish_token;
            let mut publisher =
                Publisher::join(client, number, token, source.clone(), clock).await?;
            if let Some(kbit) = sound {
                publisher = publisher.with_sound(kbit, &publishers.script).await?;
            }
            // Publishers do not keep step with one another.
            let delay = interval * number as u32 / broadcasts.len() as u32;
            publishers.run(publisher, picture.clone(), delay);
        }
        Ok(publishers)
    }

    fn run(&mut self, publisher: Publisher, picture: Picture, delay: Duration) {
        self.ledgers.push(publisher.ledger());
        self.asked.push(publisher.asked());
        let failed = self.failed.clone();
        self.tasks.spawn_local(async move {
            if let Err(error) = publisher.run(&picture, delay).await {
                failed.borrow_mut().get_or_insert(format!("{error:#}"));
            }
        });
    }

    /// What the publisher of this number has sent.
    pub fn ledger(&self, number: usize) -> Rc<RefCell<Ledger>> {
        self.ledgers[number].clone()
    }

    /// When they speak, and how much they have said.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// Frames that each has sent so far.
    pub fn sent(&self) -> Vec<u64> {
        let ledgers = self.ledgers.iter();
        ledgers.map(|ledger| ledger.borrow().total()).collect()
    }

    /// What the relay has asked all of them for.
    pub fn asked(&self) -> Asked {
        let asked = self.asked.iter().map(|asked| *asked.borrow());
        asked.fold(Asked::default(), |all, one| Asked {
            keyframes: all.keyframes + one.keyframes,
            renditions: all.renditions + one.renditions,
        })
    }

    /// Whether all of them still publish.
    ///
    /// # Errors
    /// With what ended the first that does not.
    pub fn check(&self) -> Result<()> {
        match self.failed.borrow().as_ref() {
            Some(why) => bail!("a publisher ended: {why}"),
            None => Ok(()),
        }
    }
}

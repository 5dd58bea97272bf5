//! Everybody behind the lab's paths who is a client of this program, and the download beside.

use std::thread::{Scope, ScopedJoinHandle};

use anyhow::{Result, anyhow};
use steadycast_lab::conditions::Beside;
use steadycast_relay::shard::RelayClock;
use tokio::sync::watch;

use super::download::Download;
use super::trial::{Lane, Trial};
use super::viewer::{Had, Viewer};
use crate::fanout::on_this_thread;
use crate::lab::World;
use crate::lab::netns::Namespace;
use crate::target::{Broadcast, Target};
use crate::transport::Way;

/// Where to come, and by what.
pub(super) struct Company<'a> {
    pub(super) world: &'a World,
    pub(super) target: &'a Target,
    pub(super) broadcast: &'a Broadcast,
    /// The clock of capture times.
    pub(super) clock: RelayClock,
    pub(super) way: Way,
    pub(super) listens: bool,
}

/// Those who have come, each lane's players on a thread of their own.
pub(super) struct Present<'scope> {
    lanes: Vec<ScopedJoinHandle<'scope, Result<Vec<Had>>>>,
    over: watch::Sender<bool>,
    _download: Option<Download>,
}

impl<'a> Company<'a> {
    /// Has the players of all lanes but the first `absent` come, and the download begin.
    pub(super) fn come<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, 'a>,
        trial: &Trial,
        lanes: &'scope [Lane],
        absent: usize,
    ) -> Result<Present<'scope>> {
        let download = match trial.condition.beside {
            Beside::Download => Some(Download::begin(scope, self.world)?),
            _ => None,
        };
        let (over, is_over) = watch::channel(false);
        let lanes = lanes.iter().zip(self.world.players()).skip(absent);
        let lanes = lanes.map(|(lane, namespace)| {
            let is_over = is_over.clone();
            scope.spawn(move || self.watch(lane, namespace, is_over))
        });
        Ok(Present {
            lanes: lanes.collect(),
            over,
            _download: download,
        })
    }

    fn watch(
        &self,
        lane: &Lane,
        namespace: &Namespace,
        mut is_over: watch::Receiver<bool>,
    ) -> Result<Vec<Had>> {
        namespace.enter()?;
        on_this_thread(async {
            let viewers = (0..lane.players)
                .map(|_| Viewer::come(self))
                .collect::<Result<Vec<_>>>()?;
            // All is over as well when nobody is there who could say so.
            let _ = is_over.wait_for(|over| *over).await;
            let mut had = Vec::new();
            for viewer in viewers {
                had.push(viewer.leave().await);
            }
            Ok(had)
        })
    }
}

impl Present<'_> {
    /// Has all of them leave, and says what each lane's had.
    pub(super) fn leave(mut self) -> Result<Vec<Vec<Had>>> {
        self.over.send_replace(true);
        let lanes = self.lanes.drain(..).map(|lane| {
            let had = lane.join();
            had.map_err(|_| anyhow!("a player's thread panicked"))?
        });
        lanes.collect()
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.over.send_replace(true);
    }
}

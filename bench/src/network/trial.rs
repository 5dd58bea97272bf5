//! One condition, one transport, one seed.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use steadycast_lab::conditions::{self, Beside, Of};
use steadycast_lab::{Condition, Ways};

use super::company::Company;
use super::outcome::{Outcome, Who};
use super::stage::Stage;
use super::viewer::Had;
use crate::lab::{Emulator, PathRecord, World};
use crate::load::Picture;
use crate::transport::Way;

/// What is to be tried.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The path, and what is done on it.
    pub condition: Condition,
    /// By what players watch.
    pub way: Way,
    /// What chance comes from.
    pub seed: u64,
    /// How long it takes.
    pub duration: Duration,
    /// Players beside, on paths without trouble, who are measured as well.
    pub beside: usize,
    /// What is published, unless a browser does.
    pub picture: Picture,
    /// Sound besides, of so many kbit/s, to which players listen.
    pub sound: Option<u64>,
    /// The bench program, which the relay is started as.
    pub program: PathBuf,
    /// Flags of the relay.
    pub flags: Vec<String>,
}

/// Players behind one path.
pub(super) struct Lane {
    pub(super) who: Who,
    ways: Ways,
    pub(super) players: usize,
}

impl Trial {
    /// Whether there is but the player in question.
    pub fn comes_alone(&self) -> bool {
        self.lanes().len() == 1
    }

    /// Paths and players; the first is the one in question.
    pub(super) fn lanes(&self) -> Vec<Lane> {
        let condition = &self.condition;
        let lane = |who, ways: &Ways, players| Lane {
            who,
            ways: ways.clone(),
            players,
        };
        let (behind, free) = match condition.beside {
            Beside::Nobody | Beside::Download => (1, 0),
            Beside::Players { behind, free } => (behind, free),
        };
        let base = conditions::named(condition.base);
        let base = base.map_or_else(|| condition.ways.clone(), |base| base.ways);
        let mut lanes = match condition.of {
            Of::Player => vec![lane(Who::Player, &condition.ways, 1)],
            // The publisher is the second.
            Of::Publisher => vec![
                lane(Who::Player, &base, 1),
                lane(Who::Behind, &condition.ways, 0),
            ],
        };
        lanes.extend((1..behind).map(|_| lane(Who::Behind, &condition.ways, 1)));
        let free = free + self.beside;
        if free > 0 {
            lanes.push(lane(Who::Free, &base, free));
        }
        lanes
    }
}

impl Lane {
    /// What became of these lanes' players, those aside who are there for the others' sake.
    pub(super) fn outcomes(
        trial: &Trial,
        lanes: &[Self],
        had: &[Vec<Had>],
        paths: &[PathRecord],
    ) -> Vec<Outcome> {
        let all = lanes.iter().zip(had).zip(paths);
        all.filter(|((lane, _), _)| lane.who != Who::Behind)
            .map(|((lane, had), path)| Outcome::of(trial, lane.who, had, path))
            .collect()
    }
}

/// The lanes' paths.
pub(super) fn paths(lanes: &[Lane]) -> Vec<Ways> {
    lanes.iter().map(|lane| lane.ways.clone()).collect()
}

/// Does it with this program's own clients: an outcome for the player in question, and one for
/// those on paths without trouble where there are any. Blocks.
///
/// # Errors
/// When the lab or the relay fails; what players suffer is no error.
pub fn run(trial: &Trial) -> Result<Vec<Outcome>> {
    let lanes = trial.lanes();
    let world = World::create(lanes.len())?;
    let stage = Stage::set(&world, trial)?;
    let emulator = Emulator::start(&world, &paths(&lanes), trial.seed)?;
    let company = Company {
        world: &world,
        target: stage.target(),
        broadcast: stage.broadcast(),
        clock: stage.clock(),
        way: trial.way,
        listens: trial.sound.is_some(),
    };
    emulator.begin();
    let had = thread::scope(|scope| {
        let present = company.come(scope, trial, &lanes, 0)?;
        thread::sleep(trial.duration);
        present.leave()
    })?;
    let record = emulator.stop(&world)?;
    let sent = stage.leave().context("publishing")?;
    let mut outcomes = Lane::outcomes(trial, &lanes, &had, &record.paths);
    for outcome in &mut outcomes {
        outcome.lateness = record.lateness;
        outcome.void = record.void();
        outcome.keyframe_requests = sent.keyframe_requests;
        outcome.published = sent.frames;
    }
    Ok(outcomes)
}

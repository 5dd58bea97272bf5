//! Many relays and very many players on virtual time: what a cluster sends, and what happens when a region is lost.
//!
//! What decides is the relay's own: each relay of the model has its own copy of the directory with the rules of leases
//! and claims, and relays find their places at one another by the rules of the tree. Sessions, frames and sockets are
//! left out: a picture is there once there is a way to its publisher, after the time that this takes.

mod crowd;
mod directory;
mod engine;
mod figures;
mod getting;
mod outcome;
mod random;
mod scene;
mod trees;
mod world;

#[cfg(test)]
mod tests;

use anyhow::{Result, ensure};

pub use outcome::{Outcome, Spread};
pub use scene::{Placement, Scene};

use self::scene::TIMES;
use self::world::World;

/// Plays a scene, and says what came of it.
///
/// # Errors
/// When it cannot be played as it is.
pub fn play(scene: Scene) -> Result<Outcome> {
    let (_, outcome) = played(scene)?;
    Ok(outcome)
}

fn played(scene: Scene) -> Result<(World, Outcome)> {
    ensure!(
        scene.regions > 1,
        "one region is lost: there have to be two"
    );
    ensure!(scene.relays >= scene.regions, "a region without relays");
    ensure!(scene.broadcasts > 0, "nothing to watch");
    let mut world = World::new(scene)?;
    // Before anything is given back of which a copy could be made.
    let copy_kb = world.copy_kb()?;
    world.run(TIMES.counted);
    let mut outcome = world.counted(copy_kb);
    world.run(TIMES.lost - 1);
    world.moved_publishers(&mut outcome);
    world.run(TIMES.end);
    world.recovered(&mut outcome);
    Ok((world, outcome))
}

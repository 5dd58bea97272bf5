//! Several relays: what is at one of them is watched at the others.

mod branches;
mod catalog;
mod certificates;
mod clocks;
mod early;
mod links;
mod measured;
mod moves;
mod refused;
mod renditions;
mod rolling;
mod sound;
mod states;
mod tree;

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::{Phase, Status};
use steadycast_relay::broadcast::BroadcastId;
use steadycast_tests::client::{Player, Received};
use steadycast_tests::cluster::Authority;
use steadycast_tests::picture::Picture;
use steadycast_tests::relay::TestRelay;

/// Three relays in a row: the publisher is at the first.
struct Tree {
    origin: TestRelay,
    edge: TestRelay,
    leaf: TestRelay,
}

impl Tree {
    async fn start() -> Result<Self> {
        let authority = Authority::new()?;
        let origin = authority.origin().await?;
        let edge = authority.edge(origin.cluster()?).await?;
        let leaf = authority.edge(edge.cluster()?).await?;
        Ok(Self { origin, edge, leaf })
    }

    fn relays(&self) -> [&TestRelay; 3] {
        [&self.origin, &self.edge, &self.leaf]
    }

    /// A player at each relay.
    async fn players(&self, id: &BroadcastId) -> Result<Vec<Player>> {
        let mut players = Vec::new();
        for relay in self.relays() {
            players.push(relay.known(id).player().await?);
        }
        Ok(players)
    }
}

/// Two relays: the publisher is at the first.
async fn pair() -> Result<(TestRelay, TestRelay)> {
    let authority = Authority::new()?;
    let origin = authority.origin().await?;
    let edge = authority.edge(origin.cluster()?).await?;
    Ok((origin, edge))
}

/// Whether a frame is the one that was sent: epochs, and the groups of renditions, are each relay's own.
fn is(frame: &Received, sent: &Picture) -> bool {
    (frame.header.index, &frame.payload) == (sent.index, &sent.payload())
}

/// The next frame of a player, which has to be this one.
async fn sees(player: &mut Player, sent: &Picture) -> Result<Received> {
    let frame = player.frame().await?;
    ensure!(is(&frame, sent), "{:?} instead of {sent:?}", frame.header);
    Ok(frame)
}

/// The next frame of each of these players, which has to be this one.
async fn all_see(players: &mut [Player], sent: &Picture) -> Result<()> {
    for player in players {
        sees(player, sent).await?;
    }
    Ok(())
}

/// The frames of a player up to this one.
async fn sees_at_last(player: &mut Player, sent: &Picture) -> Result<Received> {
    loop {
        let frame = player.frame().await?;
        if is(&frame, sent) {
            return Ok(frame);
        }
    }
}

/// Waits until a player is told of this phase, if it does not know already.
async fn in_phase(player: &mut Player, phase: Phase) -> Result<Status> {
    match player.welcome.status {
        status if status.phase == phase => Ok(status),
        _ => player.control.phase(phase).await,
    }
}

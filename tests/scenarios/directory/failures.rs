//! The engine fails, and comes back.

use steadycast_relay::directory::ClaimError;
use steadycast_tests::nats::Server;

use super::*;

/// Two relays, one of which has claimed `a`.
async fn two(server: &Server) -> Result<(Relay, Relay)> {
    let one = Relay::join("r1", &[server.url()], 1).await?;
    let mut two = Relay::join("r2", &[server.url()], 1).await?;
    one.claim(&id("a")?, newcomer(1)).await?;
    two.finds(&id("a")?, "r1").await?;
    Ok((one, two))
}

/// What was known stays, and nothing is claimed.
async fn is_away(relay: &Relay) -> Result<()> {
    let found = relay.find(&id("a")?).context("forgotten")?;
    assert_eq!(found.relay.as_str(), "r1");
    assert!(
        found.lease.is_some(),
        "nobody is dead because the engine is"
    );
    let refused = relay.claim(&id("b")?, newcomer(3)).await;
    assert!(matches!(refused, Err(ClaimError::Away(_))), "{refused:?}");
    Ok(())
}

/// Both hold what they held, and what is claimed now is found.
async fn are_back(one: &mut Relay, two: &mut Relay) -> Result<()> {
    one.becomes(State::Joined).await?;
    two.becomes(State::Joined).await?;
    assert_eq!((one.census().own, two.census().own), (1, 0));
    two.finds(&id("a")?, "r1").await?;
    claimed(two, &id("b")?, newcomer(3)).await?;
    one.finds(&id("b")?, "r2").await
}

#[tokio::test]
async fn what_was_known_stays_while_the_engine_is_killed() -> Result<()> {
    let mut server = Server::start().await?;
    let (mut one, mut two) = two(&server).await?;
    server.kill();
    for relay in [&mut one, &mut two] {
        relay.becomes(State::Away).await?;
        is_away(relay).await?;
    }
    server.restart().await?;
    are_back(&mut one, &mut two).await
}

#[tokio::test]
async fn an_engine_that_has_lost_everything_is_told_again() -> Result<()> {
    let mut server = Server::start().await?;
    let (mut one, mut two) = two(&server).await?;
    let epoch = one.find(&id("a")?).context("not found")?.epoch;
    server.kill();
    for relay in [&mut one, &mut two] {
        relay.becomes(State::Away).await?;
    }
    server.forget()?;
    server.restart().await?;
    are_back(&mut one, &mut two).await?;
    let found = two.find(&id("a")?).context("not found")?;
    assert_eq!(found.epoch, epoch, "it is the same claim");
    Ok(())
}

#[tokio::test]
async fn a_frozen_engine_is_away_and_what_it_wakes_up_with_is_put_right() -> Result<()> {
    let server = Server::start().await?;
    let (mut one, mut two) = two(&server).await?;
    server.freeze()?;
    for relay in [&mut one, &mut two] {
        relay.becomes(State::Away).await?;
        is_away(relay).await?;
    }
    // What nobody waits for any more may still be written when it wakes up.
    server.thaw()?;
    are_back(&mut one, &mut two).await?;
    assert_eq!(two.census().claims, 2);
    Ok(())
}

#[tokio::test]
async fn a_relay_begins_without_an_engine_and_joins_it_when_it_is_there() -> Result<()> {
    let mut server = Server::start().await?;
    server.kill();
    let mut relay = Relay::begin("r1", &[server.url()], 1)?;
    assert_eq!(relay.state(), State::Joining);
    let refused = relay.claim(&id("a")?, newcomer(1)).await;
    assert!(matches!(refused, Err(ClaimError::Away(_))), "{refused:?}");
    server.restart().await?;
    relay.becomes(State::Joined).await?;
    relay.claim(&id("a")?, newcomer(1)).await?;
    Ok(())
}

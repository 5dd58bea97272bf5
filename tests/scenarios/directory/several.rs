//! Several relays with one engine.

use std::time::Instant;

use steadycast_relay::directory::ClaimError;
use steadycast_tests::nats::Server;

use super::*;

#[tokio::test]
async fn a_publisher_that_comes_to_another_relay_takes_the_broadcast_there() -> Result<()> {
    let server = Server::start().await?;
    let mut one = Relay::join("r1", &[server.url()], 1).await?;
    let mut two = Relay::join("r2", &[server.url()], 1).await?;
    let a = id("a")?;
    let first = one.claim(&a, newcomer(1)).await?;
    two.finds(&a, "r1").await?;
    let found = two.find(&a).context("not found")?;
    assert_eq!((found.epoch, found.is_own), (first.epoch, false));
    let begun = Instant::now();
    let second = two.claim(&a, newcomer(2)).await?;
    assert!(second.epoch > first.epoch);
    one.loses(&a).await?;
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    let refused = one.claim(&a, returning(1)).await;
    assert_eq!(refused, Err(ClaimError::Superseded));
    // What it has lost it cannot give back.
    one.release(&a, first.epoch);
    one.claim(&id("b")?, newcomer(1)).await?;
    two.finds(&id("b")?, "r1").await?;
    assert_eq!(two.find(&a).context("gone")?.epoch, second.epoch);
    Ok(())
}

#[tokio::test]
async fn of_many_that_claim_at_once_one_holds_in_the_end() -> Result<()> {
    let server = Server::start().await?;
    let mut relays = Vec::new();
    for name in ["r1", "r2", "r3", "r4"] {
        relays.push(Relay::join(name, &[server.url()], 1).await?);
    }
    let a = id("a")?;
    let bids = relays.iter().map(|relay| relay.claim(&a, newcomer(1)));
    let claims = futures_util::future::join_all(bids).await;
    let newest = claims.iter().flatten().max_by_key(|claim| claim.epoch);
    let newest = newest.context("nobody has it")?;
    for relay in &mut relays {
        relay.finds(&a, newest.relay.as_str()).await?;
    }
    let holders = relays.iter().filter(|relay| relay.census().own == 1);
    assert_eq!(holders.count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_relay_that_dies_frees_what_it_had_when_its_lease_ends() -> Result<()> {
    let server = Server::start().await?;
    let one = Relay::join("r1", &[server.url()], 1).await?;
    let mut two = Relay::join("r2", &[server.url()], 1).await?;
    let a = id("a")?;
    one.claim(&a, newcomer(1)).await?;
    two.finds(&a, "r1").await?;
    let died = Instant::now();
    one.dies().await;
    let taken = two.claim(&a, Bid::Home).await;
    assert_eq!(taken, Err(ClaimError::Taken("r1".parse()?)));
    let went = Event::Went("r1".parse()?);
    two.hears("its end", |event| *event == went).await?;
    let after = died.elapsed();
    assert!(after < LEASE + Duration::from_secs(2), "{after:?}");
    assert_eq!(two.find(&a).context("gone")?.lease, None);
    claimed(&two, &a, Bid::Home).await?;
    Ok(())
}

#[tokio::test]
async fn a_relay_that_goes_or_was_seen_dead_is_not_waited_for() -> Result<()> {
    let server = Server::start().await?;
    let one = Relay::join("r1", &[server.url()], 1).await?;
    let mut two = Relay::join("r2", &[server.url()], 1).await?;
    let three = Relay::join("r3", &[server.url()], 1).await?;
    let (a, b) = (id("a")?, id("b")?);
    three.claim(&a, newcomer(1)).await?;
    one.claim(&b, newcomer(1)).await?;
    two.finds(&a, "r3").await?;
    two.finds(&b, "r1").await?;
    let (dead, died) = (three.own().clone(), Instant::now());
    three.dies().await;
    two.report_dead(&dead);
    assert!(two.find(&a).is_some_and(|found| found.lease.is_none()));
    claimed(&two, &a, Bid::Home).await?;
    assert!(died.elapsed() < LEASE, "{:?}", died.elapsed());
    let begun = Instant::now();
    one.goes().await?;
    let went = Event::Went("r1".parse()?);
    two.hears("its end", |event| *event == went).await?;
    assert!(begun.elapsed() < Duration::from_secs(1));
    claimed(&two, &b, Bid::Home).await?;
    Ok(())
}

#[tokio::test]
async fn a_relay_that_starts_again_has_its_id_at_once_and_two_never_share_one() -> Result<()> {
    let server = Server::start().await?;
    let one = Relay::join("r1", &[server.url()], 1).await?;
    one.claim(&id("a")?, newcomer(1)).await?;
    one.dies().await;
    let mut again = Relay::join("r1", &[server.url()], 1).await?;
    // What the one before had is given back: nobody holds it.
    let a = id("a")?;
    if again.find(&a).is_some() {
        let freed = Event::Freed(a.clone());
        again
            .hears("what it gives back", |event| *event == freed)
            .await?;
    }
    again.claim(&a, newcomer(2)).await?;
    // Of two at once the newer has it, and the older claims nothing.
    let _newer = Relay::join("r1", &[server.url()], 1).await?;
    again.becomes(State::Away).await?;
    let refused = again.claim(&a, newcomer(3)).await;
    assert!(matches!(refused, Err(ClaimError::Away(_))), "{refused:?}");
    Ok(())
}

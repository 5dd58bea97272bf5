//! An engine of three servers, of which any one may fail.

use std::time::Instant;

use steadycast_tests::nats::Three;

use super::*;

#[tokio::test]
async fn whichever_server_is_killed_or_frozen_claims_go_on() -> Result<()> {
    let mut three = Three::start().await?;
    let urls: Vec<_> = three.servers.iter().map(|server| server.url()).collect();
    let mut one = Relay::join("r1", &urls, 3).await?;
    let mut two = Relay::join("r2", &urls[1..], 3).await?;
    let a = id("a")?;
    claimed(&one, &a, newcomer(0)).await?;
    for number in 0..3 {
        for frozen in [false, true] {
            match frozen {
                true => three.servers[number].freeze()?,
                false => three.servers[number].kill(),
            }
            // One of them has it, and then the other, whatever leads.
            let new = claimed(&two, &a, newcomer(1)).await?;
            one.finds(&a, "r2").await?;
            let newer = claimed(&one, &a, newcomer(2)).await?;
            two.finds(&a, "r1").await?;
            assert!(newer.epoch > new.epoch);
            match frozen {
                true => three.servers[number].thaw()?,
                false => three.servers[number].restart().await?,
            }
            one.becomes(State::Joined).await?;
            two.becomes(State::Joined).await?;
            assert_eq!((one.census().own, two.census().own), (1, 0));
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_a_minority_wrote_in_vain_never_takes_the_place_of_what_is_newer() -> Result<()> {
    let three = Three::start().await?;
    let urls: Vec<_> = three.servers.iter().map(|server| server.url()).collect();
    // The one reaches the server that will be cut off, and no other.
    let mut one = Relay::join("r1", &urls[..1], 3).await?;
    let mut two = Relay::join("r2", &urls[1..], 3).await?;
    let (a, b) = (id("a")?, id("b")?);
    claimed(&one, &a, newcomer(1)).await?;
    two.finds(&a, "r1").await?;
    three.cut_off(0, true);
    // It is answered by nobody.
    for broadcast in [&a, &b] {
        assert!(one.claim(broadcast, newcomer(1)).await.is_err());
    }
    one.becomes(State::Away).await?;
    assert_eq!(one.census().own, 1, "what it holds it holds on to");
    let newer = claimed(&two, &a, newcomer(2)).await?;
    let other = claimed(&two, &b, newcomer(2)).await?;
    let healed = Instant::now();
    three.cut_off(0, false);
    one.loses(&a).await?;
    assert!(healed.elapsed() < CONVERGED);
    one.becomes(State::Joined).await?;
    for (broadcast, claim) in [(&a, &newer), (&b, &other)] {
        one.finds(broadcast, "r2").await?;
        two.finds(broadcast, "r2").await?;
        assert_eq!(two.find(broadcast).context("gone")?.epoch, claim.epoch);
    }
    assert_eq!((one.census().own, two.census().own), (0, 2));
    Ok(())
}

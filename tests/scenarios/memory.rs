//! Memory for pictures has a budget, whoever holds them: what is coming in, what is kept, and what is
//! on its way to players that are slow to take it.

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::{GROUP_STREAM, TrackId};
use steadycast_tests::client::{Publisher, soon};
use steadycast_tests::picture::Picture;
use steadycast_tests::relay::TestRelay;

const MIB: usize = 1 << 20;

/// The largest picture that the wire knows.
const LARGEST: usize = 4 * MIB - 4096;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_never_come_cost_what_has_come_of_them() -> Result<()> {
    const OPEN: usize = 60;
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let publisher = broadcast.publisher().await?;
    let mut open = Vec::new();
    for group in 0..OPEN {
        let picture = Picture {
            track: TrackId::MAIN,
            codec: publisher.codec,
            epoch: publisher.epoch(),
            group: group as u32,
            index: 0,
            len: LARGEST,
        };
        let mut stream = publisher.control.connection.open_uni().await?;
        stream.write_all(&[GROUP_STREAM]).await?;
        stream.write_all(&picture.encode()?[..10_000]).await?;
        open.push(stream);
    }
    broadcast
        .until("all have begun", |r| r.memory_bytes >= OPEN * 10_000)
        .await?;
    let held = broadcast.records()?.memory_bytes;
    ensure!(held <= OPEN * 80_000, "{held} bytes");
    drop((open, publisher));
    broadcast
        .until("it is given back", |r| r.memory_bytes == 0)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_beyond_the_relays_memory_is_not_kept_and_its_publisher_goes_on() -> Result<()> {
    let relay = TestRelay::with(|config| config.limits.cache_bytes = MIB).await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(2 * MIB).await?;
    broadcast
        .until("it is not kept", |r| {
            r.totals.groups_passed_over + r.totals.caches_shed > 0
        })
        .await?;
    let mut player = broadcast.player().await?;
    assert_eq!(publisher.control.keyframe_request().await?, TrackId::MAIN);
    let picture = publisher.keyframe(MIB / 2).await?;
    assert_eq!(player.frame().await?.place(), (1, picture.group, 0));
    ensure!(broadcast.records()?.memory_bytes <= MIB);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_that_take_nothing_hold_no_more_than_the_budget() -> Result<()> {
    const BUDGET: usize = 16 * MIB;
    let relay = TestRelay::with(|config| {
        config.limits.cache_bytes = BUDGET;
        config.limits.broadcast_bytes = 4 * MIB;
        // Nobody is closed for that they take nothing, however busy the machine is.
        config.limits.player_stall = Duration::from_secs(60);
        config.limits.idle_timeout = Duration::from_secs(60);
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let mut lively = broadcast.player().await?;
    let mut stalled = Vec::new();
    // Each of them stops at another picture, which nobody else needs any more.
    for group in 0..8 {
        stalled.push(broadcast.player().await?);
        publisher.keyframe(3 * MIB).await?;
        assert_eq!(lively.frame().await?.place(), (1, group, 0));
        let held = broadcast.records()?.memory_bytes;
        ensure!(held <= BUDGET, "group {group}: {held} bytes");
    }
    let modest = relay.broadcast().await?;
    let mut other = modest.publisher().await?;
    let mut watching = modest.player().await?;
    other.keyframe(2 * MIB).await?;
    assert_eq!(watching.frame().await?.place(), (1, 0, 0));
    // They were skipped, not closed: whoever reads again has a whole picture.
    for player in &mut stalled {
        assert!(player.frame().await?.is_intact());
    }
    assert!(broadcast.records()?.totals.players_left.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn greedy_broadcasts_cost_a_modest_one_nothing() -> Result<()> {
    const BUDGET: usize = 16 * MIB;
    let relay = TestRelay::with(|config| {
        config.limits.cache_bytes = BUDGET;
        config.limits.broadcast_bytes = 2 * MIB;
    })
    .await?;
    let greedy = [
        relay.broadcast().await?,
        relay.broadcast().await?,
        relay.broadcast().await?,
    ];
    let mut publishers = Vec::new();
    for broadcast in &greedy {
        publishers.push(broadcast.publisher().await?);
    }
    let modest = relay.broadcast().await?;
    let mut publisher = modest.publisher().await?;
    let mut player = modest.player().await?;
    for round in 0..2 {
        for publisher in &mut publishers {
            fill(publisher).await?;
        }
        let picture = publisher.keyframe(MIB).await?;
        assert_eq!(player.frame().await?.place(), (1, picture.group, 0));
        publisher.delta(100_000).await?;
        assert_eq!(player.frame().await?.place(), (1, picture.group, 1));
        let held = greedy.iter().chain([&modest]);
        let held = held.map(|broadcast| Ok(broadcast.records()?.memory_bytes));
        let held = held.sum::<Result<usize>>()?;
        ensure!(held <= BUDGET + MIB, "round {round}: {held} bytes");
    }
    let totals = modest.records()?.totals;
    assert_eq!((totals.caches_shed, totals.groups_passed_over), (0, 0));
    // They are still there as well, and take pictures of their size again.
    for (publisher, broadcast) in publishers.iter_mut().zip(&greedy) {
        let picture = publisher.keyframe(MIB).await?;
        let mut player = broadcast.player().await?;
        assert_eq!(player.frame().await?.place(), (1, picture.group, 0));
    }
    Ok(())
}

/// As much in one group as the wire lets.
async fn fill(publisher: &mut Publisher) -> Result<()> {
    publisher.keyframe(LARGEST).await?;
    for _ in 0..2 {
        soon("the relay to read on", publisher.delta(LARGEST)).await??;
    }
    Ok(())
}

steadycast_tests::over_websocket! {
    frames_that_never_come_cost_what_has_come_of_them,
    a_group_beyond_the_relays_memory_is_not_kept_and_its_publisher_goes_on,
    players_that_take_nothing_hold_no_more_than_the_budget,
    greedy_broadcasts_cost_a_modest_one_nothing,
}

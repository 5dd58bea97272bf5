//! One slow player harms nobody else, and its own delay stays bounded.

use anyhow::Result;
use steadycast_codec_glue::wire::Code;
use steadycast_tests::relay::TestRelay;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_player_delays_nobody_and_resumes_at_the_newest_keyframe() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let mut lively = broadcast.player().await?;
    let mut stalled = broadcast.player().await?;
    // Far more than the send window and the stalled player's receive window hold together.
    let groups = 20;
    for group in 0..groups {
        publisher.keyframe(200_000).await?;
        assert_eq!(lively.frame().await?.place(), (1, group, 0));
        for index in 1..10 {
            publisher.delta(50_000).await?;
            let frame = lively.frame().await?;
            assert_eq!(frame.place(), (1, group, index));
            assert!(frame.is_intact());
        }
    }
    let last = groups - 1;
    let mut seen = 0;
    loop {
        let frame = stalled.frame().await?;
        assert!(frame.is_intact());
        seen += 1;
        if frame.place() == (1, last, 9) {
            break;
        }
    }
    assert!(seen < groups * 10, "it was skipped, not fed the past");
    let records = broadcast.records()?;
    assert!(records.totals.skips > 0);
    assert!(records.totals.players_left.is_empty(), "no session closed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_takes_nothing_for_long_is_closed_as_too_slow() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.limits.player_stall = std::time::Duration::from_millis(300);
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let mut player = broadcast.player().await?;
    // One frame that no window holds: the player never reads it.
    publisher.keyframe(4 << 20).await?;
    publisher.keyframe(4 << 20).await?;
    assert_eq!(player.control.goodbye().await?, (Code::TooSlow, true));
    broadcast
        .until("it has left", |r| {
            r.totals.players_left.contains_key("too_slow")
        })
        .await
}

//! One slow player harms nobody else, and its own delay stays bounded.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use steadycast_codec_glue::wire::{Code, Role};
use steadycast_tests::client::Player;
use steadycast_tests::proxy::{Proxy, faultless, policed};
use steadycast_tests::relay::TestRelay;
use tokio::sync::watch;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_player_delays_nobody_and_resumes_at_the_newest_keyframe() -> Result<()> {
    let relay = TestRelay::with(|config| {
        // Nobody says a word here, however busy the machine is.
        config.limits.idle_timeout = Duration::from_secs(60);
    })
    .await?;
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
        config.limits.player_stall = Duration::from_secs(1);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_takes_no_more_of_a_group_has_the_next_one() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let mut player = broadcast.player().await?;
    publisher.keyframe(10_000).await?;
    player.frame().await?;
    player.stop();
    // The relay learns of it from a write.
    for _ in 0..20 {
        publisher.delta(20_000).await?;
        player.control.ping().await?;
    }
    let sent = publisher.keyframe(10_000).await?;
    let frame = player.frame().await?;
    ensure!(frame.is_intact() && frame.place() == (sent.epoch, sent.group, 0));
    ensure!(broadcast.records()?.totals.players_left.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_player_that_moves_to_another_network_is_not_taken_for_a_stalled_one() -> Result<()>
{
    const STALL: Duration = Duration::from_secs(3);
    /// Takes half as long again.
    const BYTES: usize = 1_100_000;
    let relay = TestRelay::with(|config| config.limits.player_stall = STALL).await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    // It takes 17 s, and is on its way all the time.
    publisher.keyframe(4 << 20).await?;
    let (passed, mut watched) = watch::channel(0);
    let link = policed(250_000.0, passed);
    let proxy = Proxy::with(relay.target(), faultless(), link).await?;
    let mut player = Player::join(proxy.target(), &broadcast.token(Role::Player)).await?;
    watched.wait_for(|passed| *passed > 50_000).await?;
    proxy.move_to(Ipv4Addr::new(127, 0, 0, 2)).await?;
    // The relay learns the new address from whatever the client sends next.
    player.control.ping().await?;
    let before = *watched.borrow();
    // Clients speak every second; without, one lost packet of the new path's proof would be the end.
    let quic = player.control.connection.quic()?.quic_connection().clone();
    let mut words = tokio::time::interval(Duration::from_millis(500));
    let speak = async {
        loop {
            words.tick().await;
            if let Err(error) = quic.send_datagram(Bytes::from_static(&[0])) {
                bail!("it cannot speak: {error}");
            }
        }
    };
    tokio::select! {
        had = player.frame() => bail!("it had {:?} of a frame this large", had?.place()),
        silenced = speak => silenced,
        passed = watched.wait_for(|passed| *passed > before + BYTES) => {
            passed?;
            Ok(())
        }
    }?;
    ensure!(broadcast.records()?.totals.players_left.is_empty());
    Ok(())
}

steadycast_tests::over_websocket! {
    a_stalled_player_delays_nobody_and_resumes_at_the_newest_keyframe,
    a_player_that_takes_nothing_for_long_is_closed_as_too_slow,
    a_player_that_takes_no_more_of_a_group_has_the_next_one,
}

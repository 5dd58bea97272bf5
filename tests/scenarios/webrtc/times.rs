//! Capture times that cannot be true, from publishers of both kinds.

use anyhow::{Result, ensure};
use steadycast_tests::coded::{Kind, coded};
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc::{Player, Publisher};
use tokio::time::{Duration, Instant, sleep_until};

use super::later;

const FRAME: Duration = Duration::from_millis(33);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_claims_times_an_hour_ahead_leaves_the_next_publisher_alone() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = Player::watch(&broadcast.whep()).await?;
    let mut wrong = broadcast.publisher().await?;
    for number in 0..10 {
        let sent = coded(Kind::Vp8, number == 0, number, 500);
        let ahead = relay.now_us() + 3_600_000_000 + u64::from(number) * 33_333;
        wrong.send_coded(&sent, ahead).await?;
        player.expect(&sent).await?;
    }
    let warned = broadcast.records()?.warnings;
    ensure!(
        warned.iter().any(|shown| shown.name == "clock"),
        "{warned:?}"
    );
    let mut honest = broadcast.publisher().await?;
    let (begin, captured) = (Instant::now(), relay.now_us());
    let mut times = Vec::new();
    for number in 0..20u32 {
        sleep_until(begin + FRAME * number).await;
        let sent = coded(Kind::Vp8, number == 0, 100 + number, 500);
        let capture = captured + u64::from(number) * 33_333;
        honest.send_coded(&sent, capture).await?;
        times.push(player.expect(&sent).await?.time);
    }
    let steps: Vec<_> = times
        .windows(2)
        .map(|pair| later(pair[1], pair[0]))
        .collect();
    // The first may have been captured before the last of the other arrived.
    let right = steps[2..].iter().all(|step| (2_999..=3_000).contains(step));
    ensure!(right, "{steps:?}");
    ensure!(
        broadcast.records()?.warnings.is_empty(),
        "the honest one is told nothing"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_rtp_time_that_falls_by_a_minute_makes_no_picture_older() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let publisher = Publisher::join(&broadcast.whip()).await?;
    let begin = Instant::now();
    let mut captures = Vec::new();
    for number in 0..60u32 {
        sleep_until(begin + FRAME * number).await;
        let sent = coded(Kind::Vp8, number == 0, number, 500);
        let fallen = if number < 20 { 0 } else { 60 * 90_000 };
        let time = 100 * 90_000 + u64::from(number) * 3_000 - fallen;
        publisher.send(&sent, time).await?;
        let capture = player.frame().await?.header.capture_us;
        ensure!(capture <= relay.now_us(), "frame {number} is ahead");
        captures.push(capture);
    }
    // It goes on, at the pace of the pictures: a picture is as old as it was before.
    let steps = captures.windows(2).map(|pair| pair[1] - pair[0]);
    ensure!(steps.min() > Some(0), "{captures:?}");
    let passed = captures[59] - captures[25];
    ensure!(passed > 700_000, "{passed} us of 1.1 s");
    Ok(())
}

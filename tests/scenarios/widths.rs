//! A picture for every width: who is on a narrow path gets less, and the others notice nothing.

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::{RelayMessage, Role, TrackId};
use steadycast_tests::client::{Player, soon};
use steadycast_tests::proxy::{Proxy, faultless, queued};
use steadycast_tests::relay::TestRelay;
use tokio::time::interval;

const FRAME: Duration = Duration::from_millis(33);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_on_a_narrow_path_gets_what_it_carries_and_the_others_notice_nothing() -> Result<()>
{
    /// A third of what the main track takes.
    const CARRIED_KBPS: u32 = 640;
    const BYTES_PER_SECOND: f64 = CARRIED_KBPS as f64 * 1_000.0 / 8.0;
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let mut free = broadcast.player().await?;
    let proxy = Proxy::with(relay.target(), faultless(), queued(BYTES_PER_SECOND)).await?;
    let mut narrow = Player::join(proxy.target(), &broadcast.token(Role::Player)).await?;
    let watching = tokio::spawn(async move {
        let (mut frames, mut kept) = (0, true);
        while let Ok(frame) = free.frame().await {
            kept &= frame.header.track == TrackId::MAIN && frame.is_intact();
            frames += 1;
        }
        (frames, kept)
    });

    // What the path carries is learned, and the relay asks again when it knows better.
    let (wanted, mut sent) = publisher.until_lighter(CARRIED_KBPS).await?;
    let mut beat = interval(FRAME);
    ensure!(wanted.players == 1, "it is for one player: {wanted:?}");

    let lighter = tokio::spawn(async move {
        loop {
            let frame = narrow.frame().await?;
            if frame.header.track == wanted.track && frame.header.index > 5 {
                return anyhow::Ok(frame.is_intact());
            }
        }
    });
    publisher.keyframe(30_000).await?;
    publisher.keyframe_on(wanted.track, 5_000).await?;
    sent += 1;
    for _ in 0..90 {
        beat.tick().await;
        publisher.delta(8_000).await?;
        publisher.delta_on(wanted.track, 1_000).await?;
        sent += 1;
    }
    ensure!(soon("frames of the lighter track", lighter).await???);
    // It goes with its last player.
    let ended = publisher.control.find("its end", |message| {
        matches!(message, RelayMessage::Tracks { wanted } if wanted.is_empty()).then_some(())
    });
    tokio::time::timeout(Duration::from_secs(20), ended).await??;
    drop(publisher);
    drop(relay);
    let (frames, kept) = watching.await?;
    // A busy machine may make it lag for a moment.
    ensure!(
        kept && frames * 10 >= sent * 9,
        "the other had {frames} of {sent}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_is_told_how_much_of_what_it_sent_has_come() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    // The first byte of each stream counts.
    let mut sent = 0;
    for _ in 0..3 {
        sent += publisher.keyframe(50_000).await?.encode()?.len() + 1;
        sent += publisher.delta(7_000).await?.encode()?.len();
    }
    let mut last = 0;
    let all = publisher.control.find("all of it", |message| {
        let RelayMessage::Arrived { bytes, .. } = message else {
            return None;
        };
        assert!(*bytes > last, "{bytes} after {last}");
        last = *bytes;
        (*bytes == sent as u64).then_some(())
    });
    all.await
}

steadycast_tests::over_websocket! {
    a_publisher_is_told_how_much_of_what_it_sent_has_come,
}

//! Relays whose clocks differ.

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_tests::cluster::Authority;

use super::sees;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn capture_times_are_on_the_clock_of_the_relay_that_players_are_at() -> Result<()> {
    const MINUTE: Duration = Duration::from_secs(60);
    let authority = Authority::new()?;
    let origin = authority.origin().await?;
    let edge = authority.relay(Some(origin.cluster()?), MINUTE, |_| {});
    let edge = edge.await?;
    let leaf = authority.edge(edge.cluster()?).await?;
    let broadcast = origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let first = publisher.keyframe(1_000).await?;
    let mut near = broadcast.player().await?;
    let mut far = edge.known(&broadcast.id).player().await?;
    let mut further = leaf.known(&broadcast.id).player().await?;
    let captured = sees(&mut near, &first).await?.header.capture_us;
    let apart = |frame: &steadycast_tests::client::Received, captured: u64| {
        frame.header.capture_us.cast_signed() - captured.cast_signed()
    };
    let off = apart(&sees(&mut far, &first).await?, captured);
    let off_again = apart(&sees(&mut further, &first).await?, captured);
    let minute = i64::try_from(MINUTE.as_micros())?;
    ensure!((off - minute).abs() < 20_000, "{off} us");
    ensure!(off_again.abs() < 20_000, "{off_again} us");
    // Differences stay as they are, to the microsecond, but for one step where the first estimate was plainly wrong.
    let mut offsets = [vec![off], vec![off_again]];
    for _ in 0..50 {
        let sent = publisher.delta(300).await?;
        let captured = sees(&mut near, &sent).await?.header.capture_us;
        offsets[0].push(apart(&sees(&mut far, &sent).await?, captured));
        offsets[1].push(apart(&sees(&mut further, &sent).await?, captured));
    }
    for known in &mut offsets {
        known.dedup();
        ensure!(known.len() <= 2, "{known:?}");
    }
    // Nobody is told that a clock is wrong.
    ensure!(edge.known(&broadcast.id).records()?.warnings.is_empty());
    Ok(())
}

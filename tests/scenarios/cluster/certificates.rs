//! Certificates of relays that are renewed while the relays run.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::{Code, Role};
use steadycast_relay::config::Config;
use steadycast_tests::client::Player;
use steadycast_tests::cluster::Authority;
use steadycast_tests::relay::TestRelay;

use super::sees;

/// Files are looked at every ten seconds.
const LOOKED_AT: Duration = Duration::from_secs(60);

/// Whether a relay gets broadcasts of the origin's over new connections: two, since one may have been ready before.
async fn gets(relay: &TestRelay, origin: &TestRelay) -> Result<bool> {
    for _ in 0..2 {
        let broadcast = origin.broadcast().await?;
        let token = relay.known(&broadcast.id).token(Role::Player);
        let joined = Player::join(relay.target(), &token).await;
        origin
            .site()
            .end(&broadcast.id, Code::BroadcastEnded)
            .await?;
        if joined.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Waits until a relay gets broadcasts of the origin's, or none any more.
async fn until(gets_them: bool, relay: &TestRelay, origin: &TestRelay) -> Result<()> {
    let begun = Instant::now();
    while gets(relay, origin).await? != gets_them {
        ensure!(begun.elapsed() < LOOKED_AT, "not {gets_them} in time");
    }
    Ok(())
}

/// A certificate of `shown`'s for a relay, which is to know others by all of these authorities.
fn write(relay: &TestRelay, shown: &Authority, known: &[&Authority]) -> Result<()> {
    let directory: &Path = relay.directory();
    let [authority, ..] = shown.write(shown, directory)?;
    let known: String = known.iter().map(|known| known.pem()).collect();
    Ok(std::fs::write(authority, known)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_is_replaced_by_another_while_links_go_on() -> Result<()> {
    let (old, new) = (Authority::new()?, Authority::new()?);
    // Those who are there say nothing meanwhile.
    let patient = |config: &mut Config| config.limits.idle_timeout = LOOKED_AT * 4;
    let origin = old.relay(None, Duration::ZERO, patient).await?;
    let edge = old
        .relay(Some(origin.cluster()?), Duration::ZERO, patient)
        .await?;
    let broadcast = origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(1_000).await?;
    let mut player = edge.known(&broadcast.id).player().await?;
    sees(&mut player, &sent).await?;
    // It knows others by the new one, and shows what the old one has signed.
    let between = new
        .relay(Some(origin.cluster()?), Duration::ZERO, |_| {})
        .await?;
    ensure!(!gets(&between, &origin).await?, "nobody shows that yet");
    write(&edge, &new, &[&old, &new])?;
    write(&origin, &new, &[&old, &new])?;
    until(true, &between, &origin).await?;
    // Each looks by itself: what the other shows now is known to it a little later.
    until(true, &edge, &origin).await?;
    // One that shows the old one's certificate is let in until that is known no more.
    let late = new
        .relay(Some(origin.cluster()?), Duration::ZERO, |config| {
            let shown = old.write(&old, &config.server.state_dir);
            let known = shown.and_then(|[authority, ..]| Ok(std::fs::write(authority, new.pem())?));
            known.expect("files");
        })
        .await?;
    ensure!(gets(&late, &origin).await?);
    write(&origin, &new, &[&new])?;
    until(false, &late, &origin).await?;
    // Whoever has a link has it still.
    let sent = publisher.keyframe(1_001).await?;
    sees(&mut player, &sent).await?;
    Ok(())
}

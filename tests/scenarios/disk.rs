//! What of a broadcast reaches a disk: its name and its links, and no picture.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use steadycast_tests::client::{Player, Publisher};
use steadycast_tests::process::RelayProcess;

/// What may be written for the list of broadcasts, and far less than the pictures are.
const LITTLE: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_picture_ever_touches_a_disk() -> Result<()> {
    let relay = RelayProcess::built().await?;
    let tokens = relay.broadcast().await?;
    let mut publisher = Publisher::join(relay.target(), &tokens.publish, None).await?;
    let mut player = Player::join(relay.target(), &tokens.play).await?;
    let (before, _) = relay.on_disk()?;
    let (mut sent, mut samples) = (0, Vec::new());
    for number in 0..60 {
        let picture = match number % 10 {
            0 => publisher.keyframe(400_000).await?,
            _ => publisher.delta(200_000).await?,
        };
        let frame = player.frame().await?;
        ensure!(frame.payload == picture.payload());
        sent += frame.payload.len() as u64;
        if number % 25 == 0 {
            samples.push(frame.payload.slice(1_000..1_032));
        }
    }
    // A player that comes late is given what is kept.
    Player::join(relay.target(), &tokens.play)
        .await?
        .frame()
        .await?;

    let (after, open) = relay.on_disk()?;
    ensure!(sent > 10 * LITTLE, "{sent} bytes of pictures");
    ensure!(after - before < LITTLE, "{} bytes on disks", after - before);
    for path in open.iter().filter(|path| path.starts_with("/")) {
        let known = path.starts_with(relay.state())
            || path.starts_with("/dev")
            || path.extension().is_some_and(|kind| kind == "log");
        ensure!(known, "{} is open", path.display());
    }
    ensure!(
        none_is_in(relay.state(), &samples)?,
        "a picture is in the state directory"
    );
    Ok(())
}

/// Whether no file below `dir` holds one of these.
fn none_is_in(dir: &Path, samples: &[bytes::Bytes]) -> Result<bool> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            if !none_is_in(&path, samples)? {
                return Ok(false);
            }
            continue;
        }
        let bytes = fs::read(&path)?;
        let held = |sample: &bytes::Bytes| {
            let mut parts = bytes.windows(sample.len());
            parts.any(|part| part[0] == sample[0] && part == sample)
        };
        if samples.iter().any(held) {
            return Ok(false);
        }
    }
    Ok(true)
}

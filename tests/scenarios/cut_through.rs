//! Large frames leave before they are whole, and frames that never become whole harm nobody.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use steadycast_codec_glue::wire::{Code, GROUP_STREAM, Phase};
use steadycast_tests::client::{Input, Output, Player, Publisher, soon};
use steadycast_tests::picture::Picture;
use steadycast_tests::relay::{TestBroadcast, TestRelay};
use tokio::time::MissedTickBehavior;

const LARGE: usize = 300_000;
/// What is passed on before the rest has come has this size at least.
const PART: usize = 32 << 10;

/// A group stream in the test's hands, for the keyframe of group 7.
async fn group_stream(publisher: &Publisher) -> Result<(Output, Bytes)> {
    let mut stream = publisher.control.connection.open_uni().await?;
    stream.write_all(&[GROUP_STREAM]).await?;
    let keyframe = Picture {
        epoch: publisher.epoch(),
        group: 7,
        index: 0,
        len: LARGE,
        ..Picture::default()
    };
    Ok((stream, keyframe.encode()?))
}

/// Sends `frame` as a slow link would, until `seen` shows that a part of it was passed on, however
/// long that takes; its last byte never. Returns what was seen, and how much was sent.
async fn send_until<T>(
    stream: &mut Output,
    frame: &[u8],
    seen: impl Future<Output = Result<T>>,
) -> Result<(T, usize)> {
    let seen = soon("a part of the frame", seen);
    tokio::pin!(seen);
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sent = 0;
    loop {
        tokio::select! {
            found = &mut seen => return Ok((found??, sent)),
            _ = pace.tick(), if sent < frame.len() - 1 => {
                let end = (sent + 2_000).min(frame.len() - 1);
                stream.write_all(&frame[sent..end]).await?;
                sent = end;
            }
        }
    }
}

/// Waits until the relay keeps a part of a frame.
async fn begun(broadcast: &TestBroadcast<'_>) -> Result<()> {
    let what = "a part of the frame";
    broadcast
        .until(what, |records| records.cache.bytes >= PART)
        .await
}

async fn read_some(stream: &mut Input, least: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while bytes.len() < least {
        let chunk = stream.read_chunk(65_536).await?;
        bytes.extend_from_slice(&chunk.context("the group ended")?);
    }
    Ok(bytes)
}

#[tokio::test]
async fn a_large_keyframe_leaves_before_its_last_byte_has_come() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let publisher = broadcast.publisher().await?;
    let player = broadcast.player().await?;
    let (mut stream, keyframe) = group_stream(&publisher).await?;
    // The kind of the stream, and then what has come of the frame.
    let part = async {
        let mut group = player.control.connection.accept_uni().await?;
        let read = read_some(&mut group, PART).await?;
        anyhow::Ok((group, read))
    };
    let ((mut group, mut read), sent) = send_until(&mut stream, &keyframe, part).await?;
    stream.write_all(&keyframe[sent..]).await?;
    let left = 1 + keyframe.len() - read.len();
    read.extend(soon("the rest", read_some(&mut group, left)).await??);
    ensure!(read[1..] == keyframe[..], "another frame than was sent");
    Ok(())
}

#[tokio::test]
async fn a_keyframe_that_is_cut_off_leaves_players_their_picture_and_session() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let picture = publisher.keyframe(1_000).await?;
    let mut player = broadcast.player().await?;
    player.frame().await?;
    let (mut stream, keyframe) = group_stream(&publisher).await?;
    send_until(&mut stream, &keyframe, begun(&broadcast)).await?;
    publisher.crash();
    player.control.phase(Phase::Held).await?;
    // Whoever joins now gets the picture that is whole.
    let mut late = broadcast.player().await?;
    let held = late.frame().await?;
    ensure!(held.place() == (picture.epoch, 0, 0) && held.is_intact());
    let mut second = broadcast.publisher().await?;
    second.keyframe(LARGE).await?;
    let frame = next_epoch(&mut player, second.epoch()).await?;
    ensure!(frame == (second.epoch(), 0, 0));
    ensure!(player.cut <= 1, "one stream at most was cut off");
    ensure!(next_epoch(&mut late, second.epoch()).await? == (second.epoch(), 0, 0));
    ensure!(broadcast.records()?.players == 2, "nobody was disconnected");
    Ok(())
}

/// The first frame of this epoch.
async fn next_epoch(player: &mut Player, epoch: u32) -> Result<(u32, u32, u32)> {
    loop {
        let frame = player.frame().await?;
        ensure!(frame.is_intact(), "a frame that is not whole");
        if frame.header.epoch == epoch {
            return Ok(frame.place());
        }
    }
}

#[tokio::test]
async fn a_group_that_is_reset_inside_a_frame_gives_way_to_the_next() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(1_000).await?;
    let mut player = broadcast.player().await?;
    player.frame().await?;
    let (mut stream, keyframe) = group_stream(&publisher).await?;
    send_until(&mut stream, &keyframe, begun(&broadcast)).await?;
    stream.reset(Code::Skipped);
    let before = broadcast.records()?.cache;
    broadcast
        .until("the picture before", |records| records.cache.groups == 1)
        .await
        .with_context(|| format!("{before:?}"))?;
    ensure!(broadcast.records()?.cache.bytes < PART);
    let (mut next, _) = group_stream(&publisher).await?;
    let picture = Picture {
        epoch: publisher.epoch(),
        group: 8,
        index: 0,
        len: 2_000,
        ..Picture::default()
    };
    next.write_all(&picture.encode()?).await?;
    loop {
        let frame = player.frame().await?;
        ensure!(frame.is_intact());
        if frame.header.group == 8 {
            return Ok(());
        }
    }
}

steadycast_tests::over_websocket! {
    a_large_keyframe_leaves_before_its_last_byte_has_come,
    a_keyframe_that_is_cut_off_leaves_players_their_picture_and_session,
    a_group_that_is_reset_inside_a_frame_gives_way_to_the_next,
}

//! Whatever happens to publishers, WebRTC players keep their connection.

use anyhow::{Result, ensure};
use serde_json::Value;
use steadycast_codec_glue::wire::TrackId;
use steadycast_tests::coded::{Coded, Kind, coded, vp8_keyframe};
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc::{Frame, Player};

use super::{Host, later};

/// What every frame keeps to, after the one before it.
fn follows(frame: &Frame, before: &Frame) -> Result<()> {
    let step = later(frame.time, before.time);
    ensure!(step > 0, "time goes back by {step}");
    ensure!(
        frame.sequence.0 == before.sequence.1 + 1,
        "a number is left out"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_is_back_goes_on_where_the_last_one_ended() -> Result<()> {
    for kind in [Kind::Vp8, Kind::Vp9] {
        let relay = TestRelay::start().await?;
        let broadcast = relay.broadcast().await?;
        let mut player = Player::join(&broadcast.whep()).await?;
        let mut before: Option<Frame> = None;
        for tenure in 1..=4 {
            let mut host = Host::start(&relay, &broadcast, kind).await?;
            host.number = tenure * 100;
            for number in 0..5 {
                let sent = host.send(number == 0, 2_000).await?;
                let frame = player.expect(&sent).await?;
                ensure!(frame.keyframe == (number == 0), "a keyframe comes first");
                if let Some(before) = &before {
                    follows(&frame, before)?;
                    // By its picture ids as well, as the other implementation counts them.
                    ensure!(frame.contiguous);
                    ensure!(frame.picture == before.picture.map(|number| number + 1));
                }
                before = Some(frame);
            }
            host.publisher.crash();
            broadcast.until("held", |r| r.phase == "held").await?;
            // That nothing is sent meanwhile, the next frame's numbers tell.
        }
        player.source()?;
        let records = broadcast.records()?;
        ensure!(records.totals.players_joined == 1 && records.players == 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_publisher_wins_and_the_older_ones_frames_do_not_return() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = Player::join(&broadcast.whep()).await?;
    let mut old = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let sent = old.keyframe(2_000).await?;
    let before = player.expect(&sent).await?;
    let mut new = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    new.number = 100;
    let sent = new.keyframe(2_000).await?;
    let frame = player.expect(&sent).await?;
    follows(&frame, &before)?;
    // The relay may have closed it before the frame is written.
    let _ = old.delta(100).await;
    let sent = new.delta(100).await?;
    follows(&player.expect(&sent).await?, &frame)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_size_needs_no_new_connection() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = Player::join(&broadcast.whep()).await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let mut before: Option<Frame> = None;
    for (number, size) in [(640, 360), (1_280, 720), (16, 16), (8_192, 8_192)]
        .into_iter()
        .enumerate()
    {
        let sent = vp8_keyframe(size, number as u32, 3_000);
        host.send_as_it_is(&sent).await?;
        let frame = player.expect(&sent).await?;
        if let Some(before) = &before {
            follows(&frame, before)?;
        }
        before = Some(frame);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_codec_is_another_payload_type_at_a_keyframe_of_the_same_source() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = Player::join(&broadcast.whep()).await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let mut before: Option<Frame> = None;
    let mut types = Vec::new();
    for kind in [Kind::Vp8, Kind::Av1, Kind::H264, Kind::Vp9, Kind::Vp8] {
        host.kind = kind;
        for number in 0..3 {
            let sent: Coded = host.send(number == 0, 4_000).await?;
            let frame = player.expect(&sent).await?;
            if let Some(before) = &before {
                follows(&frame, before)?;
            }
            before = Some(frame);
        }
        types.extend(player.packets().last().map(|packet| packet.payload_type));
    }
    player.source()?;
    ensure!(types[0] == types[4]);
    types.truncate(4);
    types.sort_unstable();
    types.dedup();
    ensure!(types.len() == 4, "each has a type of its own");
    ensure!(broadcast.records()?.totals.players_joined == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_decode_what_is_on_offer_is_told_and_gets_what_it_can_later() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = Player::watch(&broadcast.whep().only(&[Kind::Vp8])).await?;
    let mut events = player.session.events().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Av1).await?;
    host.keyframe(3_000).await?;
    let served = |service: &'static str| move |told: &Value| told["service"] == service;
    let told = events.find("serving", served("preparing")).await?;
    ensure!(told["codec"] == "vp8", "{told}");
    host.publisher.refuse(Kind::Vp8).await?;
    let told = events.find("serving", served("unsupported")).await?;
    ensure!(told["codec"] == "av1", "{told}");
    ensure!(player.packets().is_empty());
    host.kind = Kind::Vp8;
    let sent = host.keyframe(3_000).await?;
    player.expect(&sent).await?;
    events.find("serving", served("ready")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rendition_is_watched_beside_those_who_need_none() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut any = Player::join(&broadcast.whep()).await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Av1).await?;
    let sent = host.keyframe(3_000).await?;
    any.expect(&sent).await?;
    let mut picky = Player::join(&broadcast.whep().only(&[Kind::H264])).await?;
    let mut events = picky.session.events().await?;
    let track = TrackId::of(Kind::H264);
    events
        .find("serving", |told| told["track"] == track.number())
        .await?;
    for number in 0..10 {
        let keyframe = number % 5 == 0;
        let rendition = coded(Kind::H264, keyframe, 1_000 + number, 2_000);
        let now = relay.now_us();
        let publisher = &mut host.publisher;
        publisher.send_coded_on(track, &rendition, now).await?;
        picky.expect(&rendition).await?;
        let sent = host.delta(500).await?;
        any.expect(&sent).await?;
    }
    Ok(())
}

//! Publishers that send what few others do: it is served, or they are told in plain words why not.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use steadycast_codec_glue::bitstream::h264::{Framing, nal_units};
use steadycast_tests::client::{Player as Direct, soon};
use steadycast_tests::coded::{Kind, coded, vp8_keyframe};
use steadycast_tests::relay::{TestBroadcast, TestRelay};
use steadycast_tests::webrtc::{Player, Publisher, RawRtp, Rogue, rtp};
use tokio::time::{Instant, sleep};

/// Payload types of a rogue's offer.
const VP8: u8 = 96;
const VP9: u8 = 97;
const H264: u8 = 98;
/// How soon a publisher is told.
const TOLD: Duration = Duration::from_secs(3);
/// Between two frames.
const FRAME: Duration = Duration::from_millis(33);

/// The NAL units of a keyframe: SPS, PPS and a slice.
fn keyframe_units() -> Result<Vec<Vec<u8>>> {
    let frame = coded(Kind::H264, true, 1, 200).payload;
    let units = nal_units(&frame, Framing::AnnexB);
    units.map(|unit| Ok(unit?.to_vec())).collect()
}

/// Waits until the API shows a warning, while `send` goes on.
async fn is_told(
    broadcast: &TestBroadcast<'_>,
    warning: &str,
    mut send: impl AsyncFnMut(u32) -> Result<()>,
) -> Result<()> {
    let begin = Instant::now();
    for number in 0.. {
        send(number).await?;
        let records = broadcast.records()?;
        if records.warnings.iter().any(|shown| shown.name == warning) {
            return Ok(());
        }
        ensure!(begin.elapsed() < TOLD, "{:?}", records.warnings);
        sleep(FRAME).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameter_sets_that_stand_in_the_offer_alone_are_used() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let units = keyframe_units()?;
    let [sps, pps, slice] = &units[..] else {
        anyhow::bail!("other units");
    };
    // As Base64 has them (RFC 6184, 8.2.1).
    let sprop = "packetization-mode=1;sprop-parameter-sets=Z0LAH9oFB+Q=,aM48gA==";
    let with_sets = |offer: String| offer.replace("packetization-mode=1", sprop);
    let (mut rogue, _) = Rogue::open_as(&broadcast.whip(), "sendonly", with_sets).await?;
    rogue.connect().await?;
    rogue
        .send_rtp(&rtp::packet(H264, 1, 3_000, true, 7, slice))
        .await?;
    let frame = player.frame().await?;
    let units = nal_units(&frame.payload, Framing::AnnexB);
    let units: Vec<_> = units
        .map(|unit| unit.map(<[u8]>::to_vec))
        .collect::<Result<_, _>>()?;
    ensure!(
        units == [sps.clone(), pps.clone(), slice.clone()],
        "{units:?}"
    );
    let config = frame.config.context("no config")?;
    ensure!((config.width, config.height) == (320, 240), "{config:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_without_parameter_sets_is_told_so() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let slice = keyframe_units()?.pop().context("no slice")?;
    let mut rogue = Rogue::join(&broadcast.whip(), "sendonly").await?;
    is_told(&broadcast, "no_parameter_sets", async |number| {
        let packet = rtp::packet(H264, number as u16, number * 3_000, true, 7, &slice);
        rogue.send_rtp(&packet).await
    })
    .await?;
    // Once pictures come nothing is wrong.
    for (at, unit) in keyframe_units()?.iter().enumerate() {
        let packet = rtp::packet(H264, 1_000 + at as u16, 900_000, at == 2, 7, unit);
        rogue.send_rtp(&packet).await?;
    }
    for at in 0..3u16 {
        let again = rtp::packet(H264, 1_003 + at, 903_000, true, 7, &slice);
        rogue.send_rtp(&again).await?;
    }
    broadcast
        .until("the warning to go", |r| r.warnings.is_empty())
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_connects_and_sends_nothing_or_no_keyframe_is_told_so() -> Result<()> {
    let relay = TestRelay::start().await?;
    let (silent, keyless) = (relay.broadcast().await?, relay.broadcast().await?);
    let _rogue = Rogue::join(&silent.whip(), "sendonly").await?;
    let mut rogue = Rogue::join(&keyless.whip(), "sendonly").await?;
    is_told(&keyless, "no_keyframe", async |number| {
        let frame = coded(Kind::Vp8, false, number, 100).payload;
        let payload = [&[0x10], &frame[..]].concat();
        let packet = rtp::packet(VP8, number as u16, number * 3_000, true, 7, &payload);
        rogue.send_rtp(&packet).await
    })
    .await?;
    is_told(&silent, "no_video", async |_| Ok(())).await
}

/// A VP9 picture of two spatial layers: the payloads, and the frame that they are.
fn layered(keyframe: bool, number: u32) -> (Vec<Vec<u8>>, Vec<u8>) {
    let lower = coded(Kind::Vp9, keyframe, number, 300).payload;
    // Predicted from the lower one, in another size: 1,280 x 720 (VP9 specification, 6.2).
    let upper = [
        &[0x86, 0, 0, 0, 0x02, 0x7f, 0x81, 0x67, 0x80][..],
        &lower[20..],
    ]
    .concat();
    let predicted = if keyframe { 0 } else { 0x40 };
    let payload = |layer: u8, frame: &[u8]| {
        // I, L, B and E; a picture id, layers and TL0PICIDX (RFC 9628, 4.2).
        [&[0xac | predicted, 0x01, layer << 1, 0x00], frame].concat()
    };
    let payloads = vec![payload(0, &lower), payload(1, &upper)];
    let sizes = [&lower, &upper].map(|frame| (frame.len() as u32).to_le_bytes());
    let whole = [&lower[..], &upper, &[0xd9], &sizes[0], &sizes[1], &[0xd9]].concat();
    (payloads, whole)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spatial_layers_of_vp9_are_one_picture() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut direct = broadcast.player().await?;
    let mut bridged = Player::watch(&broadcast.whep()).await?;
    let mut rogue = Rogue::join(&broadcast.whip(), "sendonly").await?;
    let mut sequence = 0;
    for number in 0..30u32 {
        let (payloads, whole) = layered(number % 10 == 0, number);
        for (layer, payload) in payloads.iter().enumerate() {
            let (time, last) = (number * 3_000, layer == 1);
            rogue
                .send_rtp(&rtp::packet(VP9, sequence, time, last, 7, payload))
                .await?;
            sequence += 1;
        }
        let frame = direct.frame().await?;
        ensure!(frame.payload == whole, "picture {number}");
        if let Some(config) = frame.config {
            ensure!((config.width, config.height) == (1_280, 720), "{config:?}");
        }
        ensure!(bridged.frame().await?.payload == whole, "picture {number}");
    }
    ensure!(broadcast.records()?.warnings.is_empty());
    Ok(())
}

/// A publisher of the same picture in several sizes, each from a source of its own.
struct Simulcast {
    rogue: Rogue,
    number: u32,
    /// By size.
    sequences: HashMap<u16, u16>,
}

impl Simulcast {
    /// Sends the next picture of a size, from the source that is named so; gives what is in it.
    async fn send(&mut self, side: u16, keyframe: bool) -> Result<Vec<u8>> {
        self.number += 1;
        let frame = match keyframe {
            true => vp8_keyframe((side, side), self.number, 200),
            false => coded(Kind::Vp8, false, self.number, 200),
        };
        let payload = [&[0x10], &frame.payload[..]].concat();
        // Each counts for itself, in time as well.
        let sequence = self.sequences.entry(side).or_insert(side);
        *sequence += 1;
        let time = (self.number * 3_000).wrapping_add(u32::from(side) << 22);
        let packet = rtp::packet(VP8, *sequence, time, true, u32::from(side), &payload);
        self.rogue.send_rtp(&packet).await?;
        Ok(frame.payload)
    }
}

/// The sizes of the keyframes that come up to this picture.
async fn sizes(player: &mut Direct, last: &[u8]) -> Result<Vec<u16>> {
    let mut sizes = Vec::new();
    let there = async {
        loop {
            let frame = player.frame().await?;
            sizes.extend(frame.config.map(|config| config.width));
            if frame.payload == last {
                return anyhow::Ok(());
            }
        }
    };
    soon("the picture", there).await??;
    Ok(sizes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_of_several_sizes_is_taken_and_stays() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let offer = |offer: String| {
        offer
            + "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n\
                 a=rid:q send\r\na=rid:h send\r\na=rid:f send\r\na=simulcast:send q;h;f\r\n"
    };
    let (mut rogue, answer) = Rogue::open_as(&broadcast.whip(), "sendonly", offer).await?;
    ensure!(answer.contains("a=simulcast:recv q;h;f\r\n"), "{answer}");
    ensure!(
        answer.contains("a=rid:h recv\r\n") && answer.contains("a=extmap:4 urn:"),
        "{answer}"
    );
    rogue.connect().await?;
    let mut simulcast = Simulcast {
        rogue,
        number: 0,
        sequences: HashMap::new(),
    };
    // The smallest comes first, the largest as the uplink allows.
    let mut last = Vec::new();
    for side in [160, 320, 640] {
        last = simulcast.send(side, true).await?;
    }
    let first = sizes(&mut player, &last).await?;
    ensure!(first.last() == Some(&640), "{first:?}");
    for round in 0..20 {
        for side in [160, 320, 640] {
            last = simulcast.send(side, round % 5 == 0).await?;
        }
        sleep(FRAME).await;
    }
    let next = sizes(&mut player, &last).await?;
    ensure!(next == [640; 4], "it flaps: {next:?}");
    // The largest stops: the next one is taken after a second.
    for round in 0..60 {
        for side in [160, 320] {
            last = simulcast.send(side, round % 5 == 0).await?;
        }
        sleep(FRAME).await;
    }
    let after = sizes(&mut player, &last).await?;
    ensure!(after.last() == Some(&320), "{after:?}");
    // It comes back for a moment: not every change of the uplink is one of the picture.
    for _ in 0..5 {
        simulcast.send(640, true).await?;
        last = simulcast.send(320, false).await?;
    }
    let back = sizes(&mut player, &last).await?;
    ensure!(back.is_empty(), "{back:?}");
    // That each source counts time for itself is no fault of the publisher's clock.
    let warnings = broadcast.records()?.warnings;
    ensure!(warnings.is_empty(), "{warnings:?}");
    Ok(())
}

/// A frame of H.264 in one packet, with its time in frames.
fn slice(sequence: u64, frame: u32, reference: bool) -> RawRtp {
    let payload = coded(Kind::H264, false, sequence as u32, 300).payload[4..].to_vec();
    let header = if reference { 0x41 } else { 0x01 };
    RawRtp {
        kind: Kind::H264,
        sequence,
        time: 90_000 + frame * 3_000,
        marker: true,
        payload: [&[header], &payload[1..]].concat(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_frames_play_steadily_and_their_publisher_is_told() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut bridged = Player::watch(&broadcast.whep()).await?;
    let publisher = Publisher::join(&broadcast.whip()).await?;
    let begin = Instant::now();
    let mut sequence = 100;
    for (at, unit) in keyframe_units()?.into_iter().enumerate() {
        publisher.send_rtp(RawRtp {
            kind: Kind::H264,
            sequence,
            time: 90_000,
            marker: at == 2,
            payload: unit,
        });
        sequence += 1;
    }
    // As encoders send them: 0 3 1 2 6 4 5.
    let mut told = None;
    for third in 0..15u32 {
        for (frame, reference) in [(3, true), (1, false), (2, false)] {
            publisher.send_rtp(slice(sequence, third * 3 + frame, reference));
            sequence += 1;
            sleep(FRAME).await;
        }
        let warned = broadcast.records()?.warnings;
        if told.is_none() && warned.iter().any(|shown| shown.name == "b_frames") {
            told = Some(begin.elapsed());
        }
    }
    ensure!(told.is_some_and(|told| told < TOLD), "{told:?}");
    // The keyframe, and one of three after it.
    let mut frames = Vec::new();
    let there = async {
        while frames.len() < 15 {
            frames.extend(bridged.frames_within(FRAME).await?);
        }
        anyhow::Ok(())
    };
    soon("the frames", there).await??;
    let times = frames
        .windows(2)
        .map(|pair| super::later(pair[1].time, pair[0].time));
    let steps: Vec<_> = times.collect();
    // The joiner's first frames come in a rush.
    let steady = steps[3..].iter().all(|step| (8_000..10_000).contains(step));
    ensure!(steady, "{steps:?}");
    ensure!(broadcast.records()?.totals.reordered_frames >= 28);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b_frames_that_others_need_are_told_of() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let publisher = Publisher::join(&broadcast.whip()).await?;
    for (at, unit) in keyframe_units()?.into_iter().enumerate() {
        publisher.send_rtp(RawRtp {
            kind: Kind::H264,
            sequence: 100 + at as u64,
            time: 90_000,
            marker: at == 2,
            payload: unit,
        });
    }
    is_told(&broadcast, "b_frames_as_references", async |number| {
        let (pair, second) = (number / 2, number % 2 == 1);
        let frame = if second { pair * 2 + 1 } else { pair * 2 + 2 };
        publisher.send_rtp(slice(103 + u64::from(number), frame, true));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_no_keyframe_helps_is_sent_ever_fewer() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut host = super::Host::start(&relay, &broadcast, Kind::H264).await?;
    let mut player = Player::watch(&broadcast.whep()).await?;
    host.keyframe(2_000).await?;
    let mut keyframes = 0;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(4) {
        host.delta(500).await?;
        // Its decoder fails on whatever comes.
        player.request_keyframe();
        let frames = player.frames_within(Duration::from_millis(100)).await?;
        keyframes += frames.iter().filter(|frame| frame.keyframe).count();
    }
    // One to join, and after 0.3, 0.6, 1.2 and 2.4 s; 13 without a limit.
    ensure!((2..=6).contains(&keyframes), "{keyframes} keyframes in 4 s");
    Ok(())
}

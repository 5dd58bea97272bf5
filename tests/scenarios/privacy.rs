//! Private broadcasts: what is sealed goes through as it is, and nothing else does (PROTOCOL 12).

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::{BufMut, BytesMut};
use steadycast_codec_glue::privacy::{LinkKey, Opener, Sealer, Tenure};
use steadycast_codec_glue::rtp::Carried;
use steadycast_codec_glue::wire::{
    ClientMessage, Code, DecoderConfig, FrameHeader, GROUP_STREAM, HEADER_LEN, RelayMessage, Role,
    SoundPacket, decode_sound,
};
use steadycast_tests::client::{Control, Publisher, Received};
use steadycast_tests::picture::Picture;
use steadycast_tests::proxy::{Proxy, faultless, faulty};
use steadycast_tests::relay::{TestBroadcast, TestRelay};
use steadycast_tests::sound::{STEREO, Speaker};
use steadycast_tests::webrtc::{self, SoundOffer};

/// More than one part of what the relay passes on as it comes.
const LARGE: usize = 200_000;

fn key() -> LinkKey {
    LinkKey::new([7; LinkKey::LEN])
}

fn config() -> Result<BytesMut> {
    let mut bytes = BytesMut::new();
    let config = DecoderConfig {
        width: 640,
        height: 360,
        codec: "vp8".into(),
        description: Vec::new(),
    };
    config.encode(&mut bytes)?;
    Ok(bytes)
}

/// A sealed frame of so many bytes, as its host sends it.
fn sealed(sealer: &mut Sealer, epoch: u32, index: u32, len: usize) -> Result<BytesMut> {
    let config = if index == 0 {
        config()?
    } else {
        BytesMut::new()
    };
    let picture = Picture {
        epoch,
        group: 1,
        index,
        ..Picture::default()
    };
    let header = FrameHeader {
        sealed: true,
        ..picture.header(config.len())
    };
    let chunk: Vec<u8> = (0..len).map(|at| at as u8).collect();
    let inside = (5_000 + u64::from(index), index.min(1) as u8);
    let payload = sealer.picture((&header, &config), inside, &chunk)?;
    let mut bytes = BytesMut::new();
    let payload_len = payload.len() as u32;
    FrameHeader {
        payload_len,
        ..header
    }
    .encode(&mut bytes);
    bytes.put(config);
    bytes.put(&payload[..]);
    Ok(bytes)
}

/// What the relay says to a publisher that sends this as a group.
async fn answer_to_group(broadcast: &TestBroadcast<'_>, frame: &[u8]) -> Result<Code> {
    let mut publisher = broadcast.publisher().await?;
    let mut stream = publisher.control.connection.clone().open_uni().await?;
    // The relay may stop the stream before all of it is written.
    let _ = stream.write_all(&[&[GROUP_STREAM], frame].concat()).await;
    let (code, again) = publisher.control.goodbye().await?;
    assert!(!again);
    Ok(code)
}

fn open(opener: &mut Opener, got: &Received) -> Result<(u32, Vec<u8>)> {
    let mut config = BytesMut::new();
    if let Some(fields) = &got.config {
        fields.encode(&mut config)?;
    }
    let opened = opener.picture((&got.header, &config), &got.payload)?;
    Ok((opened.place.index, opened.chunk))
}

async fn send(publisher: &Publisher, frames: &[BytesMut]) -> Result<()> {
    let mut stream = publisher.control.connection.clone().open_uni().await?;
    stream.write_all(&[GROUP_STREAM]).await?;
    for frame in frames {
        stream.write_all(frame).await?;
    }
    stream.finish();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sealed_reaches_players_as_it_was_sealed() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.private_broadcast().await?;
    let publisher = broadcast.publisher().await?;
    let mut player = broadcast.player().await?;
    let mut sealer = Sealer::new(key(), Tenure::new([1; Tenure::LEN]));
    let frames = [(0, LARGE), (1, 300), (2, 300)]
        .map(|(index, len)| sealed(&mut sealer, publisher.epoch(), index, len));
    send(&publisher, &frames.into_iter().collect::<Result<Vec<_>>>()?).await?;
    let mut opener = Opener::new(key());
    for (index, len) in [(0, LARGE), (1, 300), (2, 300)] {
        let got = player.frame().await?;
        assert!(got.header.sealed);
        let (place, chunk) = open(&mut opener, &got)?;
        assert_eq!((place, chunk.len()), (index, len));
        assert!(chunk.iter().enumerate().all(|(at, &byte)| byte == at as u8));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_in_the_clear_is_refused_and_nobody_sees_any_of_it() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.private_broadcast().await?;
    let clear = Picture {
        group: 1,
        ..Picture::default()
    };
    let code = answer_to_group(&broadcast, &clear.encode()?).await?;
    assert_eq!(code, Code::Private);
    let snapshot = relay
        .site()
        .registry
        .find(&broadcast.id)
        .map(|one| one.snapshot());
    assert_eq!(
        snapshot.map(|shown| (shown.private, shown.cache.frames)),
        Some((true, 0))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sealed_has_no_place_elsewhere() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut sealer = Sealer::new(key(), Tenure::new([1; Tenure::LEN]));
    let code = answer_to_group(&broadcast, &sealed(&mut sealer, 1, 0, 10)?).await?;
    assert_eq!(code, Code::Malformed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_know_of_nothing_sealed_are_told_so() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.private_broadcast().await?;
    for role in [Role::Publisher, Role::Player] {
        let mut control = Control::open(relay.target()).await?;
        let hello = ClientMessage::Hello {
            version: 5,
            role,
            token: broadcast.token(role),
            agent: "scenario".to_owned(),
            resume: None,
        };
        control.send(&hello).await?;
        match control.next().await? {
            RelayMessage::Goodbye { code, .. } => {
                assert_eq!(code, Code::Private.number());
            }
            other => bail!("{other:?} instead of a goodbye"),
        }
    }
    Ok(())
}

/// A player over WebRTC whose page opens frames itself.
async fn bridged(broadcast: &TestBroadcast<'_>) -> Result<webrtc::Player> {
    bridged_by(&broadcast.whep().with_sound(SoundOffer::default())).await
}

async fn bridged_by(endpoint: &webrtc::Endpoint) -> Result<webrtc::Player> {
    let mut player = webrtc::Player::with(endpoint, |offer| {
        offer.replacen("m=", "a=steadycast-frames:6 av1 vp8\r\nm=", 1)
    })
    .await?;
    player.connected().await?;
    Ok(player)
}

/// The number of the next frame over WebRTC, its place, and what is in it.
async fn carried(player: &mut webrtc::Player, opener: &mut Opener) -> Result<(u16, u32, Vec<u8>)> {
    let frame = player.frame().await?;
    let carried = Carried::read(&frame.payload)?;
    ensure!(carried.keyframe == frame.keyframe);
    let (header, rest) = carried
        .frame
        .split_first_chunk::<HEADER_LEN>()
        .context("a header")?;
    let header = FrameHeader::decode(header)?;
    ensure!(header.sealed && header.keyframe == carried.keyframe);
    let (config, payload) = rest.split_at(header.config_len.into());
    let opened = opener.picture((&header, config), payload)?;
    Ok((carried.number, opened.place.index, opened.chunk))
}

/// Sends a group of so long frames.
async fn publish(publisher: &Publisher, sealer: &mut Sealer, lengths: &[usize]) -> Result<()> {
    let frames = lengths.iter().enumerate();
    let frames = frames.map(|(at, len)| sealed(sealer, publisher.epoch(), at as u32, *len));
    send(publisher, &frames.collect::<Result<Vec<_>>>()?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_webrtc_it_reaches_pages_that_open_it_and_nobody_else() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.private_broadcast().await?;
    let refused = webrtc::Player::watch(&broadcast.whep()).await.err();
    let why = refused
        .context("a player that could open nothing")?
        .to_string();
    ensure!(why.contains("private"), "{why}");
    let publisher = broadcast.publisher().await?;
    let mut player = bridged(&broadcast).await?;
    let (mut sealer, mut opener) = (
        Sealer::new(key(), Tenure::new([1; Tenure::LEN])),
        Opener::new(key()),
    );
    publish(&publisher, &mut sealer, &[LARGE, 300, 5]).await?;
    for (place, len) in [(0, LARGE), (1, 300), (2, 5)] {
        let (number, index, chunk) = carried(&mut player, &mut opener).await?;
        assert_eq!((number, index, chunk.len()), (place + 1, place.into(), len));
        assert!(chunk.iter().enumerate().all(|(at, &byte)| byte == at as u8));
    }
    Ok(())
}

/// The decoder of such a page's browser is given nothing, and asks for keyframes all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_webrtc_the_page_asks_for_keyframes_and_not_its_browser() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.private_broadcast().await?;
    let publisher = broadcast.publisher().await?;
    let mut player = bridged(&broadcast).await?;
    let (mut sealer, mut opener) = (
        Sealer::new(key(), Tenure::new([1; Tenure::LEN])),
        Opener::new(key()),
    );
    publish(&publisher, &mut sealer, &[900, 300]).await?;
    for _ in 0..2 {
        carried(&mut player, &mut opener).await?;
    }
    for _ in 0..5 {
        player.request_keyframe();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // What had been sent for those would have come before.
    assert_eq!(player.session.plead().await?, 202);
    for (number, place) in [(3, 0), (4, 1)] {
        let (found, index, _) = carried(&mut player, &mut opener).await?;
        assert_eq!((found, index), (number, place));
    }
    assert!(
        player
            .frames_within(Duration::from_millis(300))
            .await?
            .is_empty()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_webrtc_its_sound_comes_as_it_was_sealed() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.private_broadcast().await?;
    let mut player = bridged(&broadcast).await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.sounds_as(Some(STEREO)).await?;
    publisher.heard_by(1).await?;
    let speaker = Speaker::new(publisher.epoch(), relay.now_us());
    let mut sealer = Sealer::new(key(), Tenure::new([1; Tenure::LEN]));
    let mut opener = Opener::new(key());
    for sequence in 0..20 {
        let clear = speaker.packet(sequence);
        let frame = sealer.sound(sequence, clear.capture_us, &clear.frame)?;
        publisher.send_sound(&SoundPacket {
            sealed: true,
            repeats: Vec::new(),
            frame: frame.into(),
            ..clear.clone()
        })?;
        let heard = decode_sound(&player.sound().await?.frame)?.context("a datagram of sound")?;
        ensure!(heard.sealed && heard.sequence == sequence);
        let opened = opener.sound(&heard.frame)?;
        assert_eq!(opened.frame, clear.frame);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_opens_frames_itself_is_told_where_nothing_is_sealed() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = bridged(&broadcast).await?;
    let mut events = player.session.events().await?;
    let publisher = broadcast.publisher().await?;
    let clear = Picture {
        epoch: publisher.epoch(),
        group: 1,
        ..Picture::default()
    };
    let mut stream = publisher.control.connection.clone().open_uni().await?;
    stream
        .write_all(&[&[GROUP_STREAM][..], &clear.encode()?].concat())
        .await?;
    ensure!(events.ended().await? == ("private".to_owned(), false));
    player.closed().await
}

/// How much of a hundred packets is lost.
const LOST: u32 = 5;

/// Packets that are sent again have the frame's number as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_webrtc_it_is_whole_where_packets_are_lost() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.private_broadcast().await?;
    let proxy = Proxy::with(relay.target(), faultless(), faulty(1, LOST, 3)).await?;
    let publisher = broadcast.publisher().await?;
    let mut player = bridged_by(&broadcast.whep().via(&proxy)).await?;
    let (mut sealer, mut opener) = (
        Sealer::new(key(), Tenure::new([1; Tenure::LEN])),
        Opener::new(key()),
    );
    let mut stream = publisher.control.connection.clone().open_uni().await?;
    stream.write_all(&[GROUP_STREAM]).await?;
    for place in 0..60 {
        let len = if place == 0 { 60_000 } else { 9_000 };
        let frame = sealed(&mut sealer, publisher.epoch(), place, len)?;
        stream.write_all(&frame).await?;
        let (number, index, chunk) = carried(&mut player, &mut opener).await?;
        ensure!((u32::from(number), index, chunk.len()) == (place + 1, place, len));
    }
    let again = player.retransmissions.clone();
    let packets = player.packets();
    let mut repeated = packets
        .iter()
        .filter(|packet| again.contains(&packet.payload_type));
    ensure!(repeated.next().is_some(), "nothing was lost");
    Ok(())
}

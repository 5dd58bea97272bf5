//! Bad input gets a typed error, costs its sender the session, and disturbs nobody else.

use std::time::Duration;

use anyhow::Result;
use bytes::{BufMut, BytesMut};
use steadycast_codec_glue::wire::{
    ClientMessage, Code, CodecKind, CodecSet, DecoderConfig, FrameHeader, GROUP_STREAM, Role,
    TrackId, encode_client, limits,
};
use steadycast_tests::client::{Carrier, Control, Player, Publisher, hello};
use steadycast_tests::picture::Picture;
use steadycast_tests::relay::{TestBroadcast, TestRelay};

/// A broadcast that lives, with a player that must not notice what others do.
struct Witness {
    publisher: Publisher,
    player: Player,
}

impl Witness {
    async fn new(broadcast: &TestBroadcast<'_>) -> Result<Self> {
        let mut publisher = broadcast.publisher().await?;
        let mut player = broadcast.player().await?;
        publisher.keyframe(2000).await?;
        player.frame().await?;
        Ok(Self { publisher, player })
    }

    /// The picture still goes through.
    async fn is_undisturbed(&mut self) -> Result<()> {
        let sent = self.publisher.delta(300).await?;
        let got = self.player.frame().await?;
        assert_eq!(got.place(), (sent.epoch, sent.group, sent.index));
        assert!(got.is_intact());
        Ok(())
    }
}

/// What the relay answers to `bytes` as the first thing on a control stream.
async fn answer_to(relay: &TestRelay, bytes: &[u8]) -> Result<Code> {
    let mut control = Control::open(relay.target()).await?;
    control.send_raw(bytes).await?;
    let (code, again) = control.goodbye().await?;
    assert!(!again, "{code} must not invite back");
    control.closed().await?;
    Ok(code)
}

/// What the relay answers to `bytes` from a publisher that has been welcomed, as a group stream.
async fn answer_to_group(broadcast: &TestBroadcast<'_>, bytes: &[u8]) -> Result<Code> {
    let mut publisher = broadcast.publisher().await?;
    let connection = publisher.control.connection.clone();
    let mut stream = connection.open_uni().await?;
    // The relay may stop the stream before all of it is written.
    let _ = stream.write_all(bytes).await;
    stream.finish();
    let (code, _) = publisher.control.goodbye().await?;
    publisher.control.closed().await?;
    Ok(code)
}

fn group(frames: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![GROUP_STREAM];
    frames
        .iter()
        .for_each(|frame| bytes.extend_from_slice(frame));
    bytes
}

fn frame(epoch: u32, group: u32, index: u32) -> Vec<u8> {
    let picture = Picture {
        epoch,
        group,
        index,
        len: 50,
        ..Picture::default()
    };
    picture.encode().map(|b| b.to_vec()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_messages_that_make_no_sense() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&broadcast).await?;
    let token = broadcast.token(Role::Player);
    let good = encode_client(&hello(Role::Player, &token, None))?;
    let mut trailing = good.clone();
    trailing.push(0);
    let longer = u16::try_from(good.len() - 1)?;
    trailing[..2].copy_from_slice(&longer.to_be_bytes());
    let other_version = ClientMessage::Hello {
        version: 0,
        role: Role::Player,
        token: token.clone(),
        agent: String::new(),
        resume: None,
    };
    let ping = ClientMessage::Ping {
        sequence: 0,
        sent_us: 0,
    };
    for (what, bytes, code) in [
        ("empty", vec![0, 0], Code::Malformed),
        ("rubbish", vec![0, 3, 0, 1, 9], Code::Malformed),
        ("left over", trailing, Code::Malformed),
        ("too long", vec![0xff, 0xff], Code::TooLarge),
        ("unknown", vec![0, 1, 63], Code::UnknownMessage),
        ("no hello", encode_client(&ping)?, Code::OutOfOrder),
        (
            "version",
            encode_client(&other_version)?,
            Code::UnsupportedVersion,
        ),
        (
            "two hellos",
            [good.clone(), good.clone()].concat(),
            Code::OutOfOrder,
        ),
    ] {
        assert_eq!(answer_to(&relay, &bytes).await?, code, "{what}");
    }
    witness.is_undisturbed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_the_other_role() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    for message in [
        ClientMessage::KeyframeRequest { epoch: 1, group: 0 },
        ClientMessage::Report {
            received: 0,
            decoded: 0,
            shown: 0,
            black: 0,
            decoder_errors: 0,
            latency_us: 0,
        },
        ClientMessage::Decodes {
            codecs: CodecSet::NONE,
        },
    ] {
        let mut publisher = broadcast.publisher().await?;
        publisher.control.send(&message).await?;
        assert_eq!(publisher.control.goodbye().await?, (Code::WrongRole, false));
    }
    let mut player = broadcast.player().await?;
    let refusal = ClientMessage::RenditionRefused {
        track: TrackId::of(CodecKind::H264),
        reason: String::new(),
    };
    player.control.send(&refusal).await?;
    assert_eq!(player.control.goodbye().await?, (Code::WrongRole, false));
    let mut player = broadcast.player().await?;
    let connection = player.control.connection.clone();
    let mut stream = connection.open_uni().await?;
    // The relay may have stopped the stream before all of it is written.
    let _ = stream.write_all(&group(&[&frame(1, 0, 0)])).await;
    assert_eq!(player.control.goodbye().await?, (Code::WrongRole, false));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_control_stream() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let connection = player.control.connection.clone();
    let (mut send, _recv) = connection.open_bi().await?;
    // The relay may stop the stream before all of it is written.
    let _ = send.write_all(b"x").await;
    assert_eq!(
        player.control.goodbye().await?,
        (Code::UnexpectedStream, false)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_that_make_no_sense() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let witnessed = relay.broadcast().await?;
    let mut witness = Witness::new(&witnessed).await?;
    let mut epoch = 0;
    let mut next = || {
        epoch += 1;
        epoch
    };
    let mut reserved = frame(1, 0, 0);
    reserved[0] |= 0x08;
    let cases: Vec<(&str, Vec<u8>, Code)> = vec![
        ("no group", vec![0x99], Code::Malformed),
        ("nothing", vec![], Code::Malformed),
        (
            "bits that must be understood",
            group(&[&reserved]),
            Code::Malformed,
        ),
        (
            "a truncated frame",
            group(&[&frame(1, 0, 0)[..40]]),
            Code::Malformed,
        ),
        ("no keyframe", group(&[&frame(1, 0, 1)]), Code::OutOfOrder),
    ];
    for (what, bytes, code) in cases {
        next();
        assert_eq!(answer_to_group(&broadcast, &bytes).await?, code, "{what}");
    }
    let e = next();
    let gap = group(&[&frame(e, 0, 0), &frame(e, 0, 2)]);
    assert_eq!(answer_to_group(&broadcast, &gap).await?, Code::OutOfOrder);
    let e = next();
    let repeated = group(&[&frame(e, 0, 0), &frame(e, 0, 0)]);
    assert_eq!(
        answer_to_group(&broadcast, &repeated).await?,
        Code::OutOfOrder
    );
    let e = next();
    let stale = group(&[&frame(e - 1, 0, 0)]);
    assert_eq!(answer_to_group(&broadcast, &stale).await?, Code::StaleEpoch);
    let e = next();
    let future = group(&[&frame(e + 1, 0, 0)]);
    assert_eq!(
        answer_to_group(&broadcast, &future).await?,
        Code::StaleEpoch
    );
    witness.is_undisturbed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sizes_beyond_their_limits_are_refused_before_they_are_read() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let picture = Picture {
        epoch: 1,
        group: 0,
        index: 0,
        len: 1,
        ..Picture::default()
    };
    let big = FrameHeader {
        payload_len: limits::PAYLOAD + 1,
        ..picture.header(20)
    };
    let mut bytes = BytesMut::from(&[GROUP_STREAM][..]);
    big.encode(&mut bytes);
    assert_eq!(answer_to_group(&broadcast, &bytes).await?, Code::TooLarge);
    let config = DecoderConfig {
        width: 8,
        height: 8,
        codec: "vp8".into(),
        description: vec![0; 5000],
    };
    let mut encoded = BytesMut::new();
    config.encode(&mut encoded)?;
    let mut bytes = BytesMut::from(&[GROUP_STREAM][..]);
    picture.header(encoded.len()).encode(&mut bytes);
    bytes.put(encoded);
    assert_eq!(answer_to_group(&broadcast, &bytes).await?, Code::TooLarge);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_without_end() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(10).await?;
    for _ in 1..limits::GROUP_FRAMES_V1 {
        publisher.delta(10).await?;
    }
    // One more than a group may have; the relay may have closed before it is written.
    let _ = publisher.delta(10).await;
    assert_eq!(publisher.control.goodbye().await?, (Code::TooLarge, false));
    assert!(broadcast.records()?.cache.frames <= limits::GROUP_FRAMES_V1 as usize);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_an_old_group_are_dropped_and_counted_but_are_no_fault() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let connection = publisher.control.connection.clone();
    let mut old = connection.open_uni().await?;
    old.write_all(&group(&[&frame(1, 0, 0)])).await?;
    broadcast
        .until("the old group", |r| r.totals.frames_received == 1)
        .await?;
    let mut new = connection.open_uni().await?;
    new.write_all(&group(&[&frame(1, 1, 0)])).await?;
    broadcast
        .until("the new group", |r| r.totals.frames_received == 2)
        .await?;
    old.write_all(&frame(1, 0, 1)).await?;
    broadcast
        .until("the late frame", |r| r.totals.late_frames == 1)
        .await?;
    publisher.control.ping().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publishers_reset_stream_is_no_fault() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let connection = publisher.control.connection.clone();
    let mut stream = connection.open_uni().await?;
    let half = &frame(1, 0, 0)[..20];
    stream.write_all(&group(&[half])).await?;
    stream.reset(Code::Done);
    publisher.keyframe(100).await?;
    broadcast
        .until("the next group", |r| r.totals.frames_received == 1)
        .await?;
    publisher.control.ping().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_say_nothing_are_closed() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.limits.hello_timeout = Duration::from_millis(200);
        config.limits.idle_timeout = Duration::from_secs(1);
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    // A control stream without a word; on QMux a stream begins with its first byte.
    let mut mute = Control::open(relay.target()).await?;
    match relay.target().carrier {
        Carrier::WebTransport => {
            assert_eq!(mute.goodbye().await?, (Code::HelloTimeout, true));
        }
        Carrier::WebSocket => mute.closed().await?,
    }
    // Half a hello.
    let mut half = Control::open(relay.target()).await?;
    half.send_raw(&[0, 50, 0]).await?;
    assert_eq!(half.goodbye().await?, (Code::HelloTimeout, true));
    // A player and a publisher that have fallen silent while their connections live on.
    let mut player = broadcast.player().await?;
    assert_eq!(player.control.goodbye().await?, (Code::Silent, true));
    let mut publisher = broadcast.publisher().await?;
    assert_eq!(publisher.control.goodbye().await?, (Code::Silent, true));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_players_than_a_broadcast_has_room_for() -> Result<()> {
    let relay = TestRelay::with(|config| config.limits.players_per_broadcast = 1).await?;
    let broadcast = relay.broadcast().await?;
    let _first = broadcast.player().await?;
    let mut second = Control::open(relay.target()).await?;
    let token = broadcast.token(Role::Player);
    second.send(&hello(Role::Player, &token, None)).await?;
    assert_eq!(second.goodbye().await?, (Code::TooMany, true));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_sessions_than_an_address_may_have() -> Result<()> {
    let relay = TestRelay::with(|config| config.limits.sessions_per_address = 2).await?;
    let broadcast = relay.broadcast().await?;
    let (_first, _second) = (broadcast.player().await?, broadcast.player().await?);
    assert!(Control::open(relay.target()).await.is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_sessions_than_the_relay_may_have() -> Result<()> {
    let relay = TestRelay::with(|config| config.limits.sessions = 2).await?;
    let broadcast = relay.broadcast().await?;
    let (_first, _second) = (broadcast.player().await?, broadcast.player().await?);
    assert!(Control::open(relay.target()).await.is_err());
    Ok(())
}

steadycast_tests::over_websocket! {
    control_messages_that_make_no_sense,
    messages_of_the_other_role,
    a_second_control_stream,
    groups_that_make_no_sense,
    sizes_beyond_their_limits_are_refused_before_they_are_read,
    a_group_without_end,
    frames_of_an_old_group_are_dropped_and_counted_but_are_no_fault,
    a_publishers_reset_stream_is_no_fault,
    sessions_that_say_nothing_are_closed,
    more_players_than_a_broadcast_has_room_for,
    more_sessions_than_an_address_may_have,
    more_sessions_than_the_relay_may_have,
}

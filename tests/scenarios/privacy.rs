//! Private broadcasts: what is sealed goes through as it is, and nothing else does (PROTOCOL 12).

use anyhow::{Result, bail};
use bytes::{BufMut, BytesMut};
use steadycast_codec_glue::privacy::{LinkKey, Opener, Sealer, Tenure};
use steadycast_codec_glue::wire::{
    ClientMessage, Code, DecoderConfig, FrameHeader, GROUP_STREAM, RelayMessage, Role,
};
use steadycast_tests::client::{Control, Publisher, Received};
use steadycast_tests::picture::Picture;
use steadycast_tests::relay::{TestBroadcast, TestRelay};

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

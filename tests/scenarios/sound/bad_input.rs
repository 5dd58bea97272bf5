//! Sound that is none, too much of it, or from those who have none to send.

use anyhow::Result;
use bytes::Bytes;
use steadycast_codec_glue::wire::{
    ClientMessage, Code, Role, SoundCodec, SoundFormat, SoundPacket, encode_client, limits,
};
use steadycast_relay::broadcast::Snapshot;
use steadycast_tests::client::Player;
use steadycast_tests::relay::{TestBroadcast, TestRelay};
use steadycast_tests::sound::{STEREO, Speaker};

use super::{listening, sounding};

/// How the relay ends the session of a publisher that sends this, if it does.
async fn ends_with(
    broadcast: &TestBroadcast<'_>,
    datagram: impl Fn(u32) -> Vec<u8>,
) -> Result<Code> {
    let mut publisher = broadcast.publisher().await?;
    publisher.sounds_as(Some(STEREO)).await?;
    publisher.control.ping().await?;
    let datagram = datagram(publisher.epoch());
    publisher.control.connection.send_datagram(datagram)?;
    let (code, again) = publisher.control.goodbye().await?;
    assert!(!again, "{code} must not invite back");
    publisher.control.closed().await?;
    Ok(code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_datagram_that_makes_no_sense_ends_its_publisher_s_session() -> Result<()> {
    let relay = TestRelay::start().await?;
    let (broadcast, other) = (relay.broadcast().await?, relay.broadcast().await?);
    let (mut publisher, speaker) = sounding(&relay, &other).await?;
    let mut witness = listening(&other).await?;
    publisher.heard_by(1).await?;
    const PLACE: [u8; 12] = [0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9];
    let large = vec![0xf8; limits::SOUND_FRAME + 1];
    for (what, flags, rest, code) in [
        ("no frame", 0, &[][..], Code::Malformed),
        ("flags", 0x80, &[0xf8], Code::Malformed),
        ("no repeat", 1, &[9, 9, 0xf8], Code::Malformed),
        ("no Opus", 0, &[0xfb], Code::Malformed),
        ("too large", 0, &large, Code::TooLarge),
    ] {
        let datagram = |epoch: u32| [&[1, flags], &epoch.to_be_bytes()[..], &PLACE, rest].concat();
        assert_eq!(ends_with(&broadcast, datagram).await?, code, "{what}");
    }
    assert_eq!(ends_with(&broadcast, |_| vec![1]).await?, Code::Malformed);
    publisher.send_sound(&speaker.packet(0))?;
    assert_eq!(witness.hear().await?.sequence, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_of_another_epoch_ends_its_publisher_s_session() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (mut publisher, speaker) = sounding(&relay, &broadcast).await?;
    let stale = SoundPacket {
        epoch: speaker.epoch + 1,
        ..speaker.packet(0)
    };
    publisher.send_sound(&stale)?;
    assert_eq!(publisher.control.goodbye().await?.0, Code::StaleEpoch);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_other_role_says_ends_the_session() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let mut player = broadcast.player().await?;
    let listen = ClientMessage::Listen { on: true };
    publisher.control.send(&listen).await?;
    assert_eq!(publisher.control.goodbye().await?.0, Code::WrongRole);
    let sound = ClientMessage::Sound { sound: None };
    player.control.send(&sound).await?;
    assert_eq!(player.control.goodbye().await?.0, Code::WrongRole);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_format_that_nobody_plays_is_malformed() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let stereo = encode_client(&ClientMessage::Sound {
        sound: Some(SoundFormat {
            codec: SoundCodec::Opus,
            channels: 2,
        }),
    })?;
    let six = [&stereo[..stereo.len() - 1], &[6]].concat();
    publisher.control.send_raw(&six).await?;
    assert_eq!(publisher.control.goodbye().await?.0, Code::Malformed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_datagrams_and_those_of_players_are_passed_over() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (mut publisher, speaker) = sounding(&relay, &broadcast).await?;
    let mut player = listening(&broadcast).await?;
    publisher.heard_by(1).await?;
    for bytes in [&b""[..], &[0; 100], &[2, 0xff], &[0xff; 1_000]] {
        publisher.control.connection.send_datagram(bytes)?;
    }
    for _ in 0..100 {
        player.control.connection.send_datagram([1, 0xff])?;
    }
    player.control.ping().await?;
    publisher.send_sound(&speaker.packet(0))?;
    assert_eq!(player.hear().await?, speaker.packet(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_150_a_second_are_dropped_and_counted() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (mut publisher, speaker) = sounding(&relay, &broadcast).await?;
    let player: Player = listening(&broadcast).await?;
    publisher.heard_by(1).await?;
    let tiny = |sequence| SoundPacket {
        frame: Bytes::from_static(&[0xf8]),
        ..speaker.packet(sequence)
    };
    let began = std::time::Instant::now();
    for sequence in 0..400 {
        publisher.send_sound(&tiny(sequence))?;
        if sequence % 20 == 19 {
            publisher.control.ping().await?;
        }
    }
    let dropped = |records: &Snapshot| records.totals.sound_dropped > 0;
    broadcast.until("some to be dropped", dropped).await?;
    publisher.control.ping().await?;
    let most = 75 + 1 + 150 * began.elapsed().as_millis() as u64 / 1_000 + 1;
    let taken = broadcast.records()?.totals.sound_frames;
    assert!(taken <= most, "{taken} taken, {most} may be");
    assert_eq!(broadcast.records()?.players, 1);
    drop(player);
    Ok(())
}

/// Whoever has no token to publish has no datagrams either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_of_a_player_goes_to_nobody() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (mut publisher, speaker) = sounding(&relay, &broadcast).await?;
    let mut listener = listening(&broadcast).await?;
    let player = Player::join(relay.target(), &broadcast.token(Role::Player)).await?;
    publisher.heard_by(1).await?;
    let forged = steadycast_codec_glue::wire::encode_sound(&Speaker { ..speaker }.packet(7))?;
    player.control.connection.send_datagram(forged)?;
    publisher.send_sound(&speaker.packet(0))?;
    assert_eq!(listener.hear().await?.sequence, 0);
    Ok(())
}

steadycast_tests::over_websocket! {
    a_datagram_that_makes_no_sense_ends_its_publisher_s_session,
    sound_of_another_epoch_ends_its_publisher_s_session,
    what_the_other_role_says_ends_the_session,
    a_format_that_nobody_plays_is_malformed,
    other_datagrams_and_those_of_players_are_passed_over,
    more_than_150_a_second_are_dropped_and_counted,
    sound_of_a_player_goes_to_nobody,
}

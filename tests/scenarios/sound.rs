//! Sound over WebTransport: who hears it, when it begins and ends, and what becomes of it on bad paths.

mod bad_input;
mod paths;

use std::time::Duration;

use anyhow::{Result, bail};
use steadycast_codec_glue::wire::{ClientMessage, RelayMessage, Role};
use steadycast_tests::client::{Control, Player, Publisher};
use steadycast_tests::relay::{TestBroadcast, TestRelay};
use steadycast_tests::sound::{STEREO, Speaker};

/// A publisher with sound, and what it says.
async fn sounding(
    relay: &TestRelay,
    broadcast: &TestBroadcast<'_>,
) -> Result<(Publisher, Speaker)> {
    let mut publisher = broadcast.publisher().await?;
    publisher.sounds_as(Some(STEREO)).await?;
    let speaker = Speaker::new(publisher.epoch(), relay.now_us());
    Ok((publisher, speaker))
}

/// A player that listens.
async fn listening(broadcast: &TestBroadcast<'_>) -> Result<Player> {
    let mut player = broadcast.player().await?;
    player.listen(true).await?;
    Ok(player)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_of_all_shards_hear_every_frame_in_order_at_its_time() -> Result<()> {
    let relay = TestRelay::with(|config| config.relay.shards = 2).await?;
    let broadcast = relay.broadcast().await?;
    let (mut publisher, speaker) = sounding(&relay, &broadcast).await?;
    let mut players = Vec::new();
    for _ in 0..8 {
        let mut player = listening(&broadcast).await?;
        assert_eq!(player.sound().await?, Some(STEREO));
        players.push(player);
    }
    publisher.heard_by(8).await?;
    for sequence in 0..60 {
        let sent = speaker.packet(sequence);
        publisher.send_sound(&sent)?;
        for player in &mut players {
            assert_eq!(player.hear().await?, sent);
        }
    }
    let records = broadcast.records()?;
    let sound = records.sound.unwrap();
    assert_eq!((sound.listeners, sound.packets, sound.lost), (8, 60, 0));
    let totals = records.totals;
    assert_eq!((totals.sound_frames, totals.sound_sent), (60, 480));
    assert_eq!((totals.sound_lost, totals.sound_dropped), (0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_listen_is_sent_none() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (mut publisher, speaker) = sounding(&relay, &broadcast).await?;
    let mut silent = broadcast.player().await?;
    let mut player = listening(&broadcast).await?;
    publisher.heard_by(1).await?;
    for sequence in 0..5 {
        publisher.send_sound(&speaker.packet(sequence))?;
        assert_eq!(player.hear().await?.sequence, sequence);
    }
    player.listen(false).await?;
    publisher.heard_by(0).await?;
    silent.listen(true).await?;
    publisher.heard_by(1).await?;
    publisher.send_sound(&speaker.packet(5))?;
    // It begins at now, and what was before was never sent to it.
    assert_eq!(silent.hear().await?, speaker.packet(5));
    let more = player.hear_within(Duration::from_millis(100)).await?;
    assert_eq!(more, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_joiner_begins_at_now() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (mut publisher, speaker) = sounding(&relay, &broadcast).await?;
    let mut first = listening(&broadcast).await?;
    publisher.heard_by(1).await?;
    for sequence in 0..30 {
        publisher.send_sound(&speaker.packet(sequence))?;
        first.hear().await?;
    }
    let mut second = listening(&broadcast).await?;
    assert_eq!(second.sound().await?, Some(STEREO));
    publisher.heard_by(2).await?;
    publisher.send_sound(&speaker.packet(30))?;
    assert_eq!(second.hear().await?, speaker.packet(30));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_publisher_begins_without_sound_and_players_are_told() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (mut first, speaker) = sounding(&relay, &broadcast).await?;
    let mut player = listening(&broadcast).await?;
    assert_eq!(player.sound().await?, Some(STEREO));
    first.heard_by(1).await?;
    first.send_sound(&speaker.packet(300))?;
    assert_eq!(player.hear().await?.epoch, 1);
    let mut second = broadcast.publisher().await?;
    assert_eq!(player.sound().await?, None);
    second.sounds_as(Some(STEREO)).await?;
    assert_eq!(player.sound().await?, Some(STEREO));
    // Whoever listened still does.
    second.heard_by(1).await?;
    let speaker = Speaker {
        epoch: second.epoch(),
        ..speaker
    };
    second.send_sound(&speaker.packet(0))?;
    let heard = player.hear().await?;
    assert_eq!((heard.epoch, heard.sequence), (2, 0));
    second.crash();
    assert_eq!(player.sound().await?, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_may_change_what_it_sends_and_end_it() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (mut publisher, speaker) = sounding(&relay, &broadcast).await?;
    let mut player = listening(&broadcast).await?;
    assert_eq!(player.sound().await?, Some(STEREO));
    let mono = steadycast_codec_glue::wire::SoundFormat {
        channels: 1,
        ..STEREO
    };
    publisher.sounds_as(Some(mono)).await?;
    assert_eq!(player.sound().await?, Some(mono));
    publisher.sounds_as(None).await?;
    assert_eq!(player.sound().await?, None);
    // A frame that has crossed with that goes nowhere.
    publisher.send_sound(&speaker.packet(0))?;
    let dropped = |records: &_| {
        let records: &steadycast_relay::broadcast::Snapshot = records;
        records.totals.sound_dropped == 1 && records.sound.is_none()
    };
    broadcast.until("the frame to be dropped", dropped).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_goes_on_while_the_picture_is_paused() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (mut publisher, speaker) = sounding(&relay, &broadcast).await?;
    let mut player = listening(&broadcast).await?;
    publisher.keyframe(2_000).await?;
    publisher.heard_by(1).await?;
    publisher.pause(1).await?;
    publisher.control.ping().await?;
    publisher.send_sound(&speaker.packet(0))?;
    assert_eq!(player.hear().await?, speaker.packet(0));
    Ok(())
}

/// Versions before 5 know nothing of sound.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_version_4_are_left_alone() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let old = async |role| {
        let mut control = Control::open(relay.target()).await?;
        control.version = 4;
        let welcome = control.hello(role, &broadcast.token(role), None).await?;
        assert_eq!(welcome.version, 4);
        anyhow::Ok(control)
    };
    let (mut publisher, speaker) = sounding(&relay, &broadcast).await?;
    let mut witness = listening(&broadcast).await?;
    let mut player = old(Role::Player).await?;
    publisher.heard_by(1).await?;
    publisher.send_sound(&speaker.packet(0))?;
    witness.hear().await?;
    is_told_nothing_new(&mut player).await?;
    let heard = tokio::time::timeout(
        Duration::from_millis(100),
        player.connection.receive_datagram(),
    );
    assert!(heard.await.is_err());
    // It takes over; its datagrams mean nothing, whatever is in them.
    let mut publisher = old(Role::Publisher).await?;
    publisher.connection.send_datagram([1, 0xff])?;
    is_told_nothing_new(&mut publisher).await
}

async fn is_told_nothing_new(control: &mut Control) -> Result<()> {
    let ping = ClientMessage::Ping {
        sequence: 1,
        sent_us: 2,
    };
    control.send(&ping).await?;
    loop {
        match control.next().await? {
            RelayMessage::Pong { .. } => return Ok(()),
            message if message.since() > 4 => bail!("{message:?} to a session of version 4"),
            _ => {}
        }
    }
}

steadycast_tests::over_websocket! {
    listeners_of_all_shards_hear_every_frame_in_order_at_its_time,
    who_does_not_listen_is_sent_none,
    a_joiner_begins_at_now,
    another_publisher_begins_without_sound_and_players_are_told,
    a_publisher_may_change_what_it_sends_and_end_it,
    sound_goes_on_while_the_picture_is_paused,
    sessions_of_version_4_are_left_alone,
}

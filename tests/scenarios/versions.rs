//! Clients of several versions at one relay (PROTOCOL 2.11).

use anyhow::{Result, bail};
use steadycast_codec_glue::wire::{
    ClientMessage, Code, GROUP_STREAM, MIN_VERSION, Phase, RelayMessage, Role, VERSION,
    encode_client,
};
use steadycast_tests::client::{Control, soon};
use steadycast_tests::picture::Picture;
use steadycast_tests::relay::TestRelay;

fn hello(version: u16, role: Role, token: String) -> ClientMessage {
    ClientMessage::Hello {
        version,
        role,
        token,
        agent: "scenario".to_owned(),
        resume: None,
    }
}

/// The first answer to a hello of `version`.
async fn greeted(relay: &TestRelay, hello: &ClientMessage) -> Result<(Control, RelayMessage)> {
    let mut control = Control::open(relay.target()).await?;
    control.send(hello).await?;
    let answer = control.next().await?;
    Ok((control, answer))
}

fn spoken(welcome: &RelayMessage) -> Result<u16> {
    match welcome {
        RelayMessage::Welcome { version, .. } => Ok(*version),
        other => bail!("{other:?} instead of a welcome"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_speaks_the_newest_version_that_both_know() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    for role in [Role::Publisher, Role::Player] {
        for (offered, expected) in [
            (1, 1),
            (2, 2),
            (3, 3),
            (4, 4),
            (5, 5),
            (6, 6),
            (u16::MAX, VERSION),
        ] {
            let hello = hello(offered, role, broadcast.token(role));
            let (_control, welcome) = greeted(&relay, &hello).await?;
            assert_eq!(spoken(&welcome)?, expected, "{role:?} of version {offered}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_is_not_spoken_is_refused_in_words() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let hello = hello(MIN_VERSION - 1, Role::Player, broadcast.token(Role::Player));
    let (control, answer) = greeted(&relay, &hello).await?;
    let RelayMessage::Goodbye {
        code,
        message,
        retry_after_ms,
    } = answer
    else {
        bail!("{answer:?} instead of a goodbye");
    };
    assert_eq!(code, Code::UnsupportedVersion.number());
    assert!(message.contains("versions 1 to 6"), "{message}");
    assert_eq!(retry_after_ms, None, "to come again is pointless");
    control.closed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_skipped_costs_a_client_nothing() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut longer = encode_client(&hello(
        VERSION + 1,
        Role::Player,
        broadcast.token(Role::Player),
    ))?;
    longer.extend([1, 2, 3]);
    let length = u16::try_from(longer.len() - 2)?;
    longer[..2].copy_from_slice(&length.to_be_bytes());
    let mut control = Control::open(relay.target()).await?;
    control.send_raw(&longer).await?;
    assert_eq!(spoken(&control.next().await?)?, VERSION);
    control.send_raw(&[0, 4, 64, 1, 2, 3]).await?;
    control.ping().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_of_version_1_is_told_nothing_that_is_newer() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let hello = hello(1, Role::Player, broadcast.token(Role::Player));
    let (mut control, welcome) = greeted(&relay, &hello).await?;
    assert_eq!(spoken(&welcome)?, 1);
    // Waiting, live, held and over: all that a player is told of a broadcast.
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(100).await?;
    control.phase(Phase::Live).await?;
    publisher.crash();
    let mut told = vec![control.next().await?];
    assert!(
        relay
            .site()
            .end(&broadcast.id, Code::BroadcastEnded)
            .await?
    );
    while !matches!(told.last(), Some(RelayMessage::Goodbye { .. })) {
        told.push(control.next().await?);
    }
    assert!(told.len() > 1);
    for message in told {
        assert_eq!(message.since(), 1, "{message:?}");
    }
    Ok(())
}

/// Of a pause it knows nothing; the card reaches it (PROTOCOL 2.14).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_of_version_3_sees_a_card_that_is_held() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    publisher.keyframe(5_000).await?;
    let hello = hello(3, Role::Player, broadcast.token(Role::Player));
    let (mut control, welcome) = greeted(&relay, &hello).await?;
    assert_eq!(spoken(&welcome)?, 3);
    publisher.pause(1).await?;
    control.phase(Phase::Held).await?;
    publisher.control.send(&ClientMessage::Continue).await?;
    control.phase(Phase::Live).await?;
    Ok(())
}

/// A colour is of version 2: players of version 1 would refuse the frame (PROTOCOL 4.2).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_colour_reaches_players_that_know_it_and_no_others() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let plain = Picture::default().encode()?;
    let mut coloured = plain.to_vec();
    // BT.601, of full range (PROTOCOL 4.2).
    (coloured[0], coloured[3]) = (coloured[0] | 0xb0, 0x22);
    let publisher = broadcast.publisher().await?;
    let mut stream = publisher.control.connection.open_uni().await?;
    stream.write_all(&[GROUP_STREAM]).await?;
    stream.write_all(&coloured).await?;
    for (version, expected) in [(1, &plain[..]), (2, &coloured[..])] {
        let hello = hello(version, Role::Player, broadcast.token(Role::Player));
        let (player, _) = greeted(&relay, &hello).await?;
        let mut group = soon("a group", player.connection.accept_uni()).await??;
        let mut got = vec![0; 1 + expected.len()];
        let read = group.read_exact(&mut got);
        soon("its frame", read).await??;
        assert_eq!(got[1..], expected[..], "version {version}");
    }
    Ok(())
}

/// What a later version sets in a frame's header stays with the relay: older players would refuse it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_reach_players_without_what_their_version_does_not_know() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let hello = hello(1, Role::Player, broadcast.token(Role::Player));
    let (player, _) = greeted(&relay, &hello).await?;
    let publisher = broadcast.publisher().await?;
    let picture = Picture::default().encode()?;
    let mut later = picture.to_vec();
    later[0] |= 0xf0;
    later[3] = 0xff;
    let mut stream = publisher.control.connection.open_uni().await?;
    stream.write_all(&[GROUP_STREAM]).await?;
    stream.write_all(&later).await?;
    let mut group = soon("a group", player.connection.accept_uni()).await??;
    let mut got = vec![0; 1 + picture.len()];
    let read = group.read_exact(&mut got);
    soon("its frame", read).await??;
    assert_eq!(got[1..], picture[..]);
    Ok(())
}

steadycast_tests::over_websocket! {
    a_session_speaks_the_newest_version_that_both_know,
    a_version_that_is_not_spoken_is_refused_in_words,
    what_may_be_skipped_costs_a_client_nothing,
    a_player_of_version_1_is_told_nothing_that_is_newer,
    a_player_of_version_3_sees_a_card_that_is_held,
    a_colour_reaches_players_that_know_it_and_no_others,
    frames_reach_players_without_what_their_version_does_not_know,
}

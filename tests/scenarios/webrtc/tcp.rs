//! Clients whose network lets no UDP through come over TCP, to the port of the pages (RFC 6544).

use anyhow::{Result, ensure};
use steadycast_relay::records::Over;
use steadycast_tests::coded::{Kind, coded};
use steadycast_tests::proxy::is_media;
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc::{Connection, Player, Publisher, Rogue};

use super::Host;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_over_tcp_gets_every_frame_as_it_was_sent() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::H264).await?;
    let first = host.keyframe(60_000).await?;
    let endpoint = broadcast.whep().over_tcp();
    let mut player = Player::watch(&endpoint).await?;
    player.expect(&first).await?;
    for number in 1..200usize {
        let sent = match number % 50 {
            0 => host.keyframe(150_000).await?,
            n => host.delta(n * 211 + 1).await?,
        };
        let frame = player.expect(&sent).await?;
        ensure!(frame.contiguous, "frame {number}");
    }
    player.close();
    broadcast.until("nobody", |r| r.players == 0).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn players_over_both_are_on_every_shard_and_none_waits_for_another() -> Result<()> {
    let relay = TestRelay::with(|config| config.relay.shards = 2).await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let first = host.keyframe(5_000).await?;
    let mut players = Vec::new();
    for _ in 0..4 {
        for endpoint in [broadcast.whep().over_tcp(), broadcast.whep()] {
            let mut player = Player::watch(&endpoint).await?;
            player.expect(&first).await?;
            players.push(player);
        }
    }
    for _ in 0..20 {
        let sent = host.delta(4_000).await?;
        for player in &mut players {
            player.expect(&sent).await?;
        }
    }
    // Whoever runs the relay sees who came over what.
    let over = |over| {
        let sessions = relay.site().records.at(&broadcast.id);
        sessions.iter().filter(|seen| seen.over == over).count()
    };
    let told = || over(Some(Over::Tcp)) == 4 && over(Some(Over::Udp)) == 4;
    relay.until("the records to say so", told).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_over_tcp_is_seen() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let publisher = Publisher::join(&broadcast.whip().over_tcp()).await?;
    let mut player = Player::watch(&broadcast.whep().over_tcp()).await?;
    for number in 0..50u32 {
        let frame = coded(Kind::Vp8, number % 25 == 0, number, 9_000);
        publisher.send(&frame, u64::from(number) * 3_000).await?;
        player.expect(&frame).await?;
    }
    Ok(())
}

/// A connection on which the session's check was answered, and the relay checks as well.
async fn checked(relay: &TestRelay, rogue: &Rogue) -> Result<Connection> {
    let mut connection = Connection::open(relay.address()).await?;
    let check = rogue.check_with(&rogue.ufrag, &rogue.password)?;
    connection.send(&check).await?;
    connection.receive(rogue, "an answer", is_answer).await?;
    // Once it has answered the relay's own check there, that is where its media goes.
    let asked = |packet: &[u8]| packet.starts_with(&[0, 1]);
    connection.receive(rogue, "a check", asked).await?;
    Ok(connection)
}

/// An answer to a check.
fn is_answer(packet: &[u8]) -> bool {
    packet.starts_with(&[1, 1])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_is_gone_at_once_and_udp_goes_on() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    host.keyframe(2_000).await?;
    let mut rogue = Rogue::join(&broadcast.whep(), "recvonly").await?;
    rogue.receive_rtp().await?;
    let mut connection = checked(&relay, &rogue).await?;
    host.delta(500).await?;
    connection.receive(&rogue, "media", is_media).await?;
    drop(connection);
    host.delta(500).await?;
    rogue.receive("media over UDP", is_media).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_lost_its_connection_comes_back_by_another() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    host.keyframe(2_000).await?;
    let mut rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
    for _ in 0..2 {
        checked(&relay, &rogue).await?;
    }
    // Whatever became of those before, it gets its keys and its media by this one.
    let mut connection = Connection::open(relay.address()).await?;
    rogue.connect_by(&mut connection).await?;
    connection.receive(&rogue, "media", is_media).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_operator_wants_no_tcp_none_is_offered_and_none_is_taken() -> Result<()> {
    let relay = TestRelay::with(|config| config.webrtc.tcp = false).await?;
    let broadcast = relay.broadcast().await?;
    let (rogue, answer) = Rogue::open_as(&broadcast.whep(), "recvonly", |offer| offer).await?;
    ensure!(
        answer.contains(" udp ") && !answer.contains(" tcp "),
        "{answer}"
    );
    let mut connection = Connection::open(relay.address()).await?;
    let check = rogue.check_with(&rogue.ufrag, &rogue.password)?;
    connection.send(&check).await?;
    let heard = connection.ended().await?;
    ensure!(!heard.iter().any(|packet| is_answer(packet)));
    Ok(())
}

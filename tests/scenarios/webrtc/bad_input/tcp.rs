//! What strangers say on connections that begin as those of WebRTC clients do.

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_tests::client::soon;
use steadycast_tests::http::Request;
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc::{Connection, Player, Rogue, framed};

use super::{Witness, relay};

/// Closed, and nothing was said before.
async fn is_closed_unheard(connection: &mut Connection) -> Result<()> {
    let heard = connection.ended().await?;
    ensure!(heard.is_empty(), "{heard:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_begins_with_no_check_of_a_session_is_closed_unheard() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let waiting = Rogue::open(&broadcast.whep(), "recvonly").await?;
    let connected = Rogue::join(&broadcast.whep(), "recvonly").await?;
    let mut packets = vec![
        Vec::new(),
        vec![0; 20],
        vec![7; 500],
        // A record of DTLS.
        [&[22, 0xfe, 0xfd][..], &[0; 60]].concat(),
        waiting.check_with("nobody", &waiting.password)?,
    ];
    for rogue in [&waiting, &connected] {
        packets.push(rogue.check_with(&rogue.ufrag, "a wrong password")?);
        let mut damaged = rogue.check_with(&rogue.ufrag, &rogue.password)?;
        damaged[30] ^= 1;
        packets.push(damaged);
        let good = rogue.check_with(&rogue.ufrag, &rogue.password)?;
        packets.push(good[..good.len() - 1].to_vec());
    }
    for packet in packets {
        let mut connection = Connection::open(relay.address()).await?;
        connection.send(&packet).await?;
        is_closed_unheard(&mut connection).await?;
    }
    // Longer than any check: it is not waited for.
    let mut connection = Connection::open(relay.address()).await?;
    connection.send_bytes(&[0x02, 0xff, 0]).await?;
    is_closed_unheard(&mut connection).await?;
    witness.is_undisturbed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_follows_a_good_check_and_makes_no_sense_costs_the_connection_alone() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut host_player = Rogue::join(&broadcast.whep(), "recvonly").await?;
    let check = host_player.check_with(&host_player.ufrag, &host_player.password)?;
    let other = Rogue::join(&broadcast.whep(), "recvonly").await?;
    let of_another = other.check_with(&other.ufrag, &other.password)?;
    let answers = |packet: &[u8]| packet.starts_with(&[1, 1]);
    // A length that no packet has, an endless one among them.
    for length in [9_001u16, u16::MAX] {
        let mut connection = Connection::open(relay.address()).await?;
        connection.send(&check).await?;
        connection
            .receive(&host_player, "an answer", answers)
            .await?;
        connection.send_bytes(&length.to_be_bytes()).await?;
        connection.ended().await?;
    }
    // Nonsense between good checks is passed over, and so is another session's check.
    let mut connection = Connection::open(relay.address()).await?;
    connection.send(&check).await?;
    for packet in [&[][..], &[255; 100], &[128; 3], &[22; 9_000], &of_another] {
        connection.send(packet).await?;
    }
    let again = host_player.check_with(&host_player.ufrag, &host_player.password)?;
    connection.send(&again).await?;
    let (first, last) = (check[8..20].to_vec(), again[8..20].to_vec());
    for expected in [first, last] {
        let answer = connection
            .receive(&host_player, "an answer", answers)
            .await?;
        ensure!(
            answer[8..20] == expected,
            "another session's check was answered"
        );
    }
    witness.is_undisturbed().await?;
    host_player.receive_rtp().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_comes_byte_by_byte_is_waited_for_and_not_for_ever() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
    let check = framed(&rogue.check_with(&rogue.ufrag, &rogue.password)?);
    let mut connection = Connection::open(relay.address()).await?;
    for byte in &check {
        connection.send_bytes(&[*byte]).await?;
    }
    let answers = |packet: &[u8]| packet.starts_with(&[1, 1]);
    connection.receive(&rogue, "an answer", answers).await?;
    // As long as a TLS handshake, and no longer.
    let mut half = Connection::open(relay.address()).await?;
    half.send_bytes(&check[..40]).await?;
    let mut silent = Connection::open(relay.address()).await?;
    is_closed_unheard(&mut half).await?;
    is_closed_unheard(&mut silent).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_of_strangers_keep_nobody_out() -> Result<()> {
    const CROWD: usize = 1_000;
    let relay = TestRelay::with(|config| {
        config.relay.shards = 1;
        config.limits.handshakes = 100;
        config.limits.sessions_per_address = 4 * CROWD;
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
    let check = framed(&rogue.check_with(&rogue.ufrag, &rogue.password)?);
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let mut connection = Connection::open(relay.address()).await?;
        connection.send_bytes(&check[..30]).await?;
        crowd.push(connection);
    }
    let mut player = Player::watch(&broadcast.whep().over_tcp()).await?;
    let sent = witness.host.keyframe(2_000).await?;
    player.until(&sent).await?;
    witness.player.until(&sent).await?;
    let health = Request {
        method: "GET",
        path: "/health",
        bearer: "",
        headers: &[],
        body: &[],
    };
    ensure!(health.send(relay.address()).await?.status == 200);
    // Those for whom there was no room were told so at once.
    is_closed_unheard(&mut crowd[0]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_session_there_are_few_connections_and_they_end_with_it() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let rogue = Rogue::join(&broadcast.whep(), "recvonly").await?;
    let answers = |packet: &[u8]| packet.starts_with(&[1, 1]);
    let mut connections = Vec::new();
    for _ in 0..40 {
        let mut connection = Connection::open(relay.address()).await?;
        let check = rogue.check_with(&rogue.ufrag, &rogue.password)?;
        connection.send(&check).await?;
        connection.receive(&rogue, "an answer", answers).await?;
        connections.push(connection);
    }
    // The oldest has made way.
    connections[0].ended().await?;
    rogue.session.delete().await?;
    let rest = async {
        for connection in &mut connections {
            connection.ended().await?;
        }
        Ok(())
    };
    soon("the end of all", rest).await?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_reads_nothing_costs_nobody_else_a_frame() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.relay.shards = 1;
        config.limits.player_stall = Duration::from_secs(2);
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
    let mut connection = Connection::open(relay.address()).await?;
    rogue.connect_by(&mut connection).await?;
    // It reads no more; the relay has the rest in its cache, and in the end gives it up.
    let gone = async {
        let mut number = 0;
        while broadcast.records()?.players > 1 {
            number += 1;
            let sent = match number % 100 {
                0 => witness.host.keyframe(9_000).await?,
                _ => witness.host.delta(3_000).await?,
            };
            witness.player.expect(&sent).await?;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await??;
    witness.is_undisturbed().await
}

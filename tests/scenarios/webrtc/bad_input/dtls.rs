//! DTLS of strangers, and of peers that are none.

use anyhow::{Result, ensure};
use steadycast_tests::coded::Random;
use steadycast_tests::webrtc::{Player, Rogue};

use super::{Witness, relay};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_without_a_check_gets_no_answer_at_all() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
    for datagram in rogue.hello()? {
        for _ in 0..10 {
            rogue.send(&datagram).await?;
        }
    }
    // The first thing that comes is the answer to this.
    rogue
        .send(&rogue.check_with(&rogue.ufrag, &rogue.password)?)
        .await?;
    let first = rogue.receive("an answer", |_| true).await?;
    ensure!(first[..2] == [1, 1], "{first:?}");
    witness.is_undisturbed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_in_a_handshake_does_not_keep_it_from_its_end() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
    rogue.check().await?;
    let mut random = Random::new(2);
    for _ in 0..60 {
        let len = 1 + random.number() as usize % 1_400;
        let mut garbage: Vec<u8> = (0..len).map(|_| random.number() as u8).collect();
        garbage[0] = 20 + garbage[0] % 44;
        rogue.send(&garbage).await?;
    }
    rogue.handshake().await?;
    rogue.receive_rtp().await?;
    witness.is_undisturbed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_anybody_can_write_in_a_peers_name_ends_no_handshake() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let record = |kind: u8, number: u8, body: &[u8]| {
        let length = body.len() as u8;
        let header = [kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 9, number, 0, length];
        [&header[..], body].concat()
    };
    let forged = [
        // A fatal alert, a goodbye, and one of no kind.
        record(21, 1, &[2, 40]),
        record(21, 2, &[1, 0]),
        record(21, 3, &[]),
        // Data before there are keys, a change of nothing, and a handshake of no message.
        record(23, 4, &[1, 2, 3]),
        record(20, 5, &[7]),
        record(22, 6, &[]),
        record(22, 7, &[1; 12]),
        // A fragment of a message that comes much later.
        record(22, 8, &[14, 0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0]),
    ];
    for one in &forged {
        let mut rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
        rogue.check().await?;
        rogue.handshake_among(std::slice::from_ref(one)).await?;
        rogue.receive_rtp().await?;
    }
    let mut rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
    rogue.check().await?;
    rogue.handshake_among(&forged).await?;
    rogue.receive_rtp().await?;
    witness.is_undisturbed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_after_the_handshake_closes_nothing() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut rogue = Rogue::join(&broadcast.whep(), "recvonly").await?;
    rogue.receive_rtp().await?;
    let mut random = Random::new(3);
    for round in 0..20u8 {
        for kind in 20..=63 {
            // A fatal alert in plain text, handshake messages of any kind, and noise.
            let mut record = vec![
                kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, round, kind, 0, 40, 2, 40,
            ];
            record.extend((0..38).map(|_| random.number() as u8));
            rogue.send(&record).await?;
            record[4] = 1;
            rogue.send(&record).await?;
        }
        witness.is_undisturbed().await?;
    }
    // Its session goes on as well.
    let sent = witness.host.delta(400).await?;
    witness.player.expect(&sent).await?;
    while rogue.receive_rtp().await?.len() < 400 {}
    ensure!(rogue.session.exists().await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_certificate_than_was_offered_gets_no_picture() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut player = Player::with(&broadcast.whep(), |offer| {
        let at = offer.find("a=fingerprint:sha-256 ").unwrap_or_default() + 22;
        let digit = if offer[at..].starts_with('0') {
            "1"
        } else {
            "0"
        };
        format!("{}{digit}{}", &offer[..at], &offer[at + 1..])
    })
    .await?;
    player.closed().await?;
    ensure!(player.packets().is_empty());
    // It hears of its end while the relay is about to forget it.
    let forgotten = || relay.site().bridge.sessions() == 1;
    relay.until("its session to be gone", forgotten).await?;
    ensure!(!player.session.exists().await?);
    ensure!(
        broadcast.records()?.totals.players_joined == 1,
        "it never came"
    );
    witness.is_undisturbed().await
}

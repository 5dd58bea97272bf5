//! Checks of strangers.

use anyhow::{Result, ensure};
use steadycast_tests::client::soon;
use steadycast_tests::coded::{Kind, Random};
use steadycast_tests::webrtc::Rogue;
use tokio::net::UdpSocket;

use super::{Host, Witness, relay};

/// A STUN message of these attributes, without a fingerprint.
fn message(kind: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, value) in attributes {
        body.extend(kind.to_be_bytes());
        body.extend((value.len() as u16).to_be_bytes());
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut message = kind.to_be_bytes().to_vec();
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(0x2112_a442u32.to_be_bytes());
    message.extend([7; 12]);
    message.extend(body);
    message
}

const REQUEST: u16 = 0x0001;
const USERNAME: u16 = 0x0006;
const INTEGRITY: u16 = 0x0008;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_that_nobody_vouches_for_get_no_answer() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
    rogue.own_ufrag = String::new();
    let names_one_side = rogue.check_with(&rogue.ufrag, &rogue.password)?;
    rogue.own_ufrag = "rogue".to_owned();
    let name = format!("{}:rogue", rogue.ufrag);
    let name = name.as_bytes();
    let good = rogue.check_with(&rogue.ufrag, &rogue.password)?;
    let mut other_name = good.clone();
    other_name[24] ^= 1;
    let mut other_length = good.clone();
    other_length[3] = 0xff;
    let mut other_cookie = good.clone();
    other_cookie[5] ^= 1;
    let mut attribute_beyond_its_end = good.clone();
    attribute_beyond_its_end[22] = 0xff;
    let trailing = [&good[..], &[0; 400]].concat();
    let many: Vec<(u16, &[u8])> = vec![(0x8000, &[]); 120];
    for packet in [
        rogue.check_with(&rogue.ufrag, "a wrong password")?,
        rogue.check_with(&rogue.ufrag, "")?,
        rogue.check_with("nobody", &rogue.password)?,
        rogue.check_with("", &rogue.password)?,
        names_one_side,
        message(REQUEST, &[]),
        message(REQUEST, &[(USERNAME, name)]),
        message(REQUEST, &[(USERNAME, name), (INTEGRITY, &[])]),
        message(REQUEST, &[(USERNAME, name), (INTEGRITY, &[0; 20])]),
        message(REQUEST, &[(USERNAME, name), (INTEGRITY, &[0; 400])]),
        message(REQUEST, &[(USERNAME, b"no colon")]),
        message(REQUEST, &[(USERNAME, &[0xff; 50])]),
        message(REQUEST, &[(USERNAME, &[b'a'; 500])]),
        message(REQUEST, &many),
        // An indication, a response, and something from another protocol.
        message(0x0011, &[(USERNAME, name)]),
        message(0x0101, &[(USERNAME, name)]),
        message(0x0003, &[(USERNAME, name)]),
        other_name,
        other_length,
        other_cookie,
        attribute_beyond_its_end,
        trailing,
        good[..good.len() - 1].to_vec(),
        good[..20].to_vec(),
        vec![0],
        vec![0; 20],
        vec![1; 1_400],
    ] {
        rogue.send(&packet).await?;
    }
    // What is answered first is answered to the one good check.
    rogue.check().await?;
    witness.is_undisturbed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_checks_for_nobody_disturbs_nobody() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
    let mut random = Random::new(1);
    for _ in 0..50 {
        for _ in 0..200 {
            let name = format!("{:08x}", random.number());
            let packet = rogue.check_with(&name, "a password")?;
            rogue.send(&packet).await?;
        }
        witness.is_undisturbed().await?;
    }
    ensure!(relay.site().bridge.sessions() == 2);
    rogue.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_has_media_sent_to_an_address_that_does_not_answer() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut rogue = Rogue::join(&broadcast.whep(), "recvonly").await?;
    rogue.receive_rtp().await?;
    // As if from somebody else's address, who never asked for anything.
    let victim = UdpSocket::bind("127.0.0.1:0").await?;
    let mut datagram = [0; 2_000];
    let mut bytes = 0;
    for _ in 0..20 {
        let check = rogue.check_with(&rogue.ufrag, &rogue.password)?;
        victim.send_to(&check, relay.address()).await?;
        // The answer to the check itself: it was heard.
        loop {
            let len = soon("an answer", victim.recv(&mut datagram)).await??;
            ensure!(
                datagram[0] == 0 || datagram[0] == 1,
                "something else than STUN"
            );
            bytes += len;
            if datagram[..2] == [1, 1] {
                break;
            }
        }
        witness.is_undisturbed().await?;
        rogue.receive_rtp().await?;
    }
    while let Ok(len) = victim.try_recv(&mut datagram) {
        ensure!(
            datagram[0] == 0 || datagram[0] == 1,
            "something else than STUN"
        );
        bytes += len;
    }
    ensure!(
        bytes < 20 * 500,
        "{bytes} bytes to somebody who only was named"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_answers_no_checks_is_sent_nothing_else() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
    rogue.answers = false;
    rogue.check().await?;
    for datagram in rogue.hello()? {
        rogue.send(&datagram).await?;
    }
    // Whatever came before it has been looked at when this is answered.
    let check = rogue.check_with(&rogue.ufrag, &rogue.password)?;
    rogue.send(&check).await?;
    let next = rogue.receive("anything but a check", |packet| packet[..2] != [0, 1]);
    ensure!(next.await?[..2] == [1, 1], "an answer to the check alone");
    // What was early is taken up as soon as it does.
    rogue.answers = true;
    rogue.check().await?;
    let flight = rogue.receive("a flight", |packet| matches!(packet[0], 20..=63));
    flight.await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_takes_over_an_address_by_naming_it() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    let victim = Rogue::join(&broadcast.whep(), "recvonly").await?;
    let mut victim = victim;
    host.keyframe(2_000).await?;
    victim.receive_rtp().await?;
    // Another session's check, from the victim's own address: it gets through, and is not answered.
    let rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
    victim.answers = false;
    let forged = rogue.check_with(&rogue.ufrag, &rogue.password)?;
    victim.send(&forged).await?;
    victim.answers = true;
    // What the victim says is still heard as its own: it leaves, and only it.
    let goodbye = victim.protect_rtcp(&goodbye(victim.ssrc))?;
    victim.send(&goodbye).await?;
    broadcast
        .until("the victim has left", |r| {
            r.totals.players_left.get("done") == Some(&1)
        })
        .await
}

/// An RTCP BYE after an empty receiver report (RFC 3550, 6.6).
fn goodbye(ssrc: u32) -> Vec<u8> {
    let source = ssrc.to_be_bytes();
    let report = [&[0x80, 201, 0, 1][..], &source].concat();
    [&report[..], &[0x81, 203, 0, 1], &source].concat()
}

//! Checks of strangers.

use anyhow::{Result, ensure};
use steadycast_tests::coded::Random;
use steadycast_tests::webrtc::Rogue;

use super::{Witness, relay};

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
    let rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
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

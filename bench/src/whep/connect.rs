//! From an answer to keys.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::time::timeout;

use super::dtls::{Handshake, Identity};
use super::ice::{self, Credentials, Responder};
use super::keys::Keys;
use super::sdp::Answer;
use super::socket::{Buffers, Socket};

/// How long both may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a check waits for its answer before the next.
const CHECK: Duration = Duration::from_millis(200);

/// What a connected player has.
pub(super) struct Connected {
    pub(super) keys: Keys,
    /// Packets that came right behind the keys.
    pub(super) early: Vec<Vec<u8>>,
    /// The check that keeps the path open; the same bytes serve each time.
    pub(super) check: Vec<u8>,
    /// Answers the relay's.
    pub(super) responder: Responder,
}

/// Has the relay learn the player's address, and agrees on keys with it.
pub(super) async fn connect(
    identity: &Identity,
    socket: &Socket,
    buffers: &RefCell<Buffers>,
    ours: &Credentials,
    answer: &Answer,
) -> Result<Connected> {
    let until = Instant::now() + PATIENCE;
    let crypto = identity.provider().crypto();
    let check = ice::check(ours, &answer.credentials, crypto)?;
    let responder = Responder::new(ours, identity.provider().clone());
    let mut answered = false;
    while !answered {
        if Instant::now() > until {
            bail!("no answer to {} checks", PATIENCE.div_duration_f64(CHECK));
        }
        socket.send(&check);
        let received = socket.receive(buffers, |packet| {
            answered |= ice::is_answer(packet, &answer.credentials, crypto);
            if let Some(reply) = responder.answer(packet) {
                socket.send(&reply);
            }
        });
        if let Ok(received) = timeout(CHECK, received).await {
            received?;
        }
    }
    let mut handshake = Handshake::begin(identity, &answer.fingerprint, Instant::now())?;
    let (mut keys, mut early) = (Ok(None), Vec::new());
    loop {
        while let Some(datagram) = handshake.poll_transmit() {
            socket.send(&datagram);
        }
        if let Some(keys) = keys? {
            return Ok(Connected {
                keys,
                early,
                check,
                responder,
            });
        }
        if Instant::now() > until {
            bail!("the DTLS handshake does not end");
        }
        keys = Ok(None);
        let received = socket.receive(buffers, |packet| match packet.first() {
            Some(20..=63) if matches!(keys, Ok(None)) => {
                keys = handshake.take(packet, Instant::now());
            }
            Some(128..=191) => early.push(packet.to_vec()),
            Some(0..=3) => {
                if let Some(reply) = responder.answer(packet) {
                    socket.send(&reply);
                }
            }
            _ => {}
        });
        if let Ok(received) = timeout(CHECK, received).await {
            received?;
        }
        handshake.pass_time(Instant::now())?;
    }
}

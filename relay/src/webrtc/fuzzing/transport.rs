//! What comes over UDP, from anybody at all.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rtc_stun::message::{BINDING_SUCCESS, Message};

use super::datagrams;
use super::sdp::credentials;
use crate::webrtc::dtls::hello::{Hello, are_records};
use crate::webrtc::dtls::{Association, DtlsError, Fingerprint, Identity, Progress, Setup};
use crate::webrtc::ice::Check;
use crate::webrtc::tcp::Frames;

pub(super) fn identity() -> &'static Arc<Identity> {
    static IDENTITY: OnceLock<Arc<Identity>> = OnceLock::new();
    IDENTITY.get_or_init(|| Arc::new(Identity::generate().unwrap()))
}

/// A packet that may be a check; what is answered says where it came from.
pub fn check(data: &[u8]) {
    let Ok(mut check) = Check::parse(data) else {
        return;
    };
    assert!(data.len() <= 548);
    let crypto = identity().provider().crypto();
    if check.verify(credentials(), crypto).is_err() {
        return;
    }
    let from = "[::ffff:192.0.2.7]:4242".parse().unwrap();
    let answer = check.answer(from, credentials(), crypto).unwrap();
    let mut read = Message::new();
    read.unmarshal_binary(&answer).unwrap();
    assert_eq!(read.typ, BINDING_SUCCESS);
    assert_eq!(read.transaction_id.0[..], data[8..20]);
}

/// What comes by a connection, in pieces as large as its first byte says: the packets are those that are
/// there, and nothing is kept but what is not whole yet.
pub fn frames(data: &[u8]) {
    let Some((size, stream)) = data.split_first() else {
        return;
    };
    let mut expected = datagrams(stream);
    let mut frames = Frames::default();
    for piece in stream.chunks(usize::from(*size).max(1)) {
        frames.push(piece);
        loop {
            match frames.next() {
                Ok(Some(packet)) => assert_eq!(expected.next(), Some(&packet[..])),
                Ok(None) => break,
                // What follows is not looked at.
                Err(_) => return,
            }
        }
    }
}

/// Datagrams of a hello: none is lost, and none is waited for without end.
pub fn hello(data: &[u8]) {
    let mut hello = Hello::default();
    let mut held = Vec::new();
    for datagram in datagrams(data) {
        are_records(datagram);
        held.push(datagram.to_vec());
        if let Some(heard) = hello.push(datagram) {
            assert_eq!(heard.datagrams, held);
            held.clear();
        }
        assert!(held.len() <= 4);
    }
}

/// Datagrams of a handshake: without a certificate there are no keys.
pub fn dtls(data: &[u8]) {
    let expected = Fingerprint::parse(&format!("sha-256 {}", ["AB"; 32].join(":"))).unwrap();
    let setup = match data.len() % 2 {
        0 => Setup::Passive,
        _ => Setup::Active,
    };
    let mut association = Association::new(identity().clone(), expected, setup);
    let now = Instant::now();
    association.begin(now).unwrap();
    for (number, datagram) in datagrams(data).enumerate() {
        match association.take(datagram, now) {
            Ok(Progress::Established(_)) => panic!("keys for a stranger"),
            Ok(Progress::Nothing) => {}
            Ok(Progress::Closed) => return,
            Err(error) => {
                assert!(number >= 100 || !matches!(error, DtlsError::Endless));
                return;
            }
        }
        while let Some(answer) = association.poll_transmit() {
            assert!(answer.len() < 4_096);
        }
    }
}

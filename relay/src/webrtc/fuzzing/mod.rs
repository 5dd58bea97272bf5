//! What every fuzz target asserts of the bytes it is given: all of the bridge that strangers reach.
//!
//! Plain functions, so that the tests run the same assertions over the seeds and what is near them.
#![allow(clippy::unwrap_used, reason = "a target that fails should stop")]

mod media;
mod sdp;
mod seeds;
mod transport;

#[cfg(test)]
pub(in crate::webrtc) use media::keys;
pub use media::{feedback, srtp, upstream};
pub use sdp::{fragment, offer};
pub use seeds::{Seed, seeds};
pub use transport::{check, dtls, frames, hello};

/// A fuzz target: its name and what it does with its bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, by the name of its binary.
pub const TARGETS: [Target; 9] = [
    ("offer", offer),
    ("fragment", fragment),
    ("check", check),
    ("frames", frames),
    ("hello", hello),
    ("dtls", dtls),
    ("feedback", feedback),
    ("srtp", srtp),
    ("upstream", upstream),
];

/// Datagrams, each with its length before it in two bytes.
fn datagrams(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&[high, low], rest) = data.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (datagram, rest) = rest.split_at(length.min(rest.len()));
        data = rest;
        Some(datagram)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn target(name: &str) -> fn(&[u8]) {
        match TARGETS.iter().find(|(target, _)| *target == name) {
            Some((_, run)) => *run,
            None => panic!("a seed of a target that is not known: {name}"),
        }
    }

    #[test]
    fn seeds_hold_what_every_target_asserts() {
        for (name, bytes) in seeds() {
            target(name)(&bytes);
        }
    }

    #[test]
    fn every_target_has_seeds() {
        let seeded: HashSet<_> = seeds().into_iter().map(|(name, _)| name).collect();
        let targets: HashSet<_> = TARGETS.iter().map(|(name, _)| *name).collect();
        assert_eq!(seeded, targets);
    }

    #[test]
    fn seeds_of_media_become_frames() {
        let streams = seeds().into_iter().filter(|(name, _)| *name == "upstream");
        let frames: Vec<_> = streams.map(|(_, bytes)| media::published(&bytes)).collect();
        assert_eq!(frames, [(2, 0), (2, 0), (2, 0), (2, 0), (0, 4)]);
    }

    #[test]
    fn cuts_of_seeds_hold_too() {
        for (name, bytes) in seeds() {
            let run = target(name);
            for end in 0..bytes.len().min(200) {
                run(&bytes[..end]);
            }
        }
    }

    #[test]
    fn damaged_seeds_hold_too() {
        for (name, mut bytes) in seeds() {
            let run = target(name);
            for at in 0..bytes.len().min(96) {
                let good = bytes[at];
                for bit in [1, 4, 7] {
                    bytes[at] = good ^ 1 << bit;
                    run(&bytes);
                }
                bytes[at] = good;
            }
        }
    }
}

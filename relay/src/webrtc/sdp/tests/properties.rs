//! Offers that are nearly right.

use proptest::prelude::*;
use steadycast_codec_glue::wire::Role;

use super::super::offers::{PLAYERS, PUBLISHERS};
use super::{ADDRESSES, Offer, all, answer_at, one, parts};

fn any_offer() -> impl Strategy<Value = (Role, &'static str)> {
    let players = proptest::sample::select(PLAYERS.to_vec());
    let publishers = proptest::sample::select(PUBLISHERS.to_vec());
    prop_oneof![
        players.prop_map(|(_, offer)| (Role::Player, offer)),
        publishers.prop_map(|(_, offer)| (Role::Publisher, offer)),
    ]
}

proptest! {
    #[test]
    fn lines_may_be_missing_twice_or_elsewhere(
        (role, offer) in any_offer(),
        changes in proptest::collection::vec((0usize..200, 0usize..200, 0u8..3), 1..4),
    ) {
        let mut lines: Vec<_> = offer.lines().collect();
        for (at, to, how) in changes {
            let (at, to) = (at % lines.len(), to % lines.len());
            match how {
                0 => drop(lines.remove(at)),
                1 => lines.insert(to, lines[at]),
                _ => lines.swap(at, to),
            }
        }
        let offer = lines.join("\r\n") + "\r\n";
        if let Ok(parsed) = Offer::parse(&offer, role) {
            check_loosely(&answer_at(&parsed, role, &ADDRESSES));
        }
    }

    #[test]
    fn no_characters_break_it(
        (role, offer) in any_offer(),
        at in 0usize..4_000,
        text in ".{0,12}",
        len in 0usize..40,
    ) {
        let mut offer: Vec<char> = offer.chars().collect();
        let at = at % offer.len();
        let end = (at + len).min(offer.len());
        offer.splice(at..end, text.chars());
        let offer: String = offer.into_iter().collect();
        if let Ok(parsed) = Offer::parse(&offer, role) {
            check_loosely(&answer_at(&parsed, role, &ADDRESSES));
        }
    }
}

/// Whatever was taken, the answer is SDP, and its lines are the relay's own.
fn check_loosely(answer: &str) {
    let known = [
        "v=0",
        "o=- ",
        "s=steadycast",
        "t=0 0",
        "m=video ",
        "m=audio ",
        "c=IN IP4 ",
        "a=",
    ];
    for line in answer.split_terminator("\r\n") {
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        assert!(
            known.iter().any(|begin| line.starts_with(begin)),
            "{line:?}"
        );
    }
    let sections = &parts(answer)[1..];
    assert!((1..=2).contains(&sections.len()));
    for lines in sections {
        assert!(["passive", "active"].contains(&one(lines, "a=setup:")));
        one(lines, "a=ice-ufrag:");
        one(lines, "a=fingerprint:");
        assert_eq!(all(lines, "a=candidate:").len(), 2 * ADDRESSES.len());
    }
}

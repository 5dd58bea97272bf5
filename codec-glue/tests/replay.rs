//! The fuzz targets over their seeds and what is near them, on every run of the tests.

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a crate of its own")]
mod fuzz;
#[path = "../examples/corpus/seeds.rs"]
mod seeds;

use std::collections::HashSet;

fn target(name: &str) -> fn(&[u8]) {
    match fuzz::TARGETS.iter().find(|(target, _)| *target == name) {
        Some((_, run)) => *run,
        None => panic!("a seed of a target that is not known: {name}"),
    }
}

#[test]
fn seeds_hold_what_every_target_asserts() {
    for (name, bytes) in seeds::all() {
        target(name)(&bytes);
    }
}

#[test]
fn every_target_has_seeds() {
    let seeded: HashSet<_> = seeds::all().into_iter().map(|(name, _)| name).collect();
    let targets: HashSet<_> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(seeded, targets);
}

#[test]
fn cuts_of_seeds_hold_too() {
    for (name, bytes) in seeds::all() {
        let run = target(name);
        for end in 0..bytes.len().min(256) {
            run(&bytes[..end]);
        }
    }
}

#[test]
fn damaged_seeds_hold_too() {
    for (name, mut bytes) in seeds::all() {
        let run = target(name);
        for at in 0..bytes.len().min(64) {
            let good = bytes[at];
            for bit in 0..8 {
                bytes[at] = good ^ 1 << bit;
                run(&bytes);
            }
            bytes[at] = good;
        }
    }
}

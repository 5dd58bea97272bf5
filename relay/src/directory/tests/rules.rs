use std::time::Duration;

use super::super::{Bid, ClaimError, Event, State};
use super::world::World;
use super::*;

fn world(relays: usize) -> World {
    World::new(relays, at(1_000_000))
}

fn lost(world: &mut World, number: usize) -> usize {
    let events = std::mem::take(&mut world.nodes[number].events);
    let is_loss = |event: &&Event| matches!(event, Event::Lost { .. });
    events.iter().filter(is_loss).count()
}

#[test]
fn everybody_finds_what_one_has_claimed() {
    let mut world = world(3);
    let id = broadcast("a");
    assert_eq!(world.nodes[1].view.find(&id, world.now), None);
    let claim = world.bid(0, &id, &newcomer(1)).unwrap();
    world.settle();
    for node in &world.nodes {
        let found = node.view.find(&id, world.now).unwrap();
        assert_eq!((&found.relay, found.epoch), (&relay("r0"), claim.epoch));
        assert_eq!(found.is_own, *node.view.own() == relay("r0"));
        let lease = found.lease.unwrap();
        assert_eq!(lease.places.links.as_deref(), Some("r0:4434"));
    }
    assert_eq!(world.nodes[1].view.census(world.now).claims, 1);
    assert_eq!(world.nodes[1].view.relays(world.now).len(), 3);
}

#[test]
fn the_newest_publisher_wins_across_relays_and_the_old_one_is_told_once() {
    let mut world = world(2);
    let id = broadcast("a");
    let first = world.bid(0, &id, &newcomer(1)).unwrap();
    // The other has not even heard of the first.
    let second = world.bid(1, &id, &newcomer(2)).unwrap();
    assert!(second.epoch > first.epoch);
    world.settle();
    assert_eq!((lost(&mut world, 0), lost(&mut world, 1)), (1, 0));
    assert_eq!(world.nodes[0].view.held(&id), None);
    // Nor does the old one come back by resuming.
    let refused = world.bid(0, &id, &returning(1));
    assert_eq!(refused, Err(ClaimError::Superseded));
    assert!(world.bid(0, &id, &returning(2)).is_ok(), "the new one may");
    world.settle();
    assert_eq!(lost(&mut world, 1), 1);
}

#[test]
fn what_is_overtaken_before_it_is_known_to_be_written_is_not_held() {
    let mut world = world(2);
    let id = broadcast("a");
    let bid = newcomer(1);
    let prepared = world.nodes[0]
        .view
        .prepare(&id, &bid, None, world.now)
        .unwrap();
    let written = world
        .engine
        .put(&id, Some(prepared.claim.clone()), 0)
        .unwrap();
    world.bid(1, &id, &newcomer(2)).unwrap();
    world.hear(0, usize::MAX);
    let landed = world.nodes[0].view.landed(&id, prepared.claim, written);
    assert_eq!(landed, Err(ClaimError::Superseded));
    world.settle();
    let found = world.nodes[0].view.find(&id, world.now).unwrap();
    assert_eq!(found.relay, relay("r1"));
}

#[test]
fn a_claim_that_was_given_back_is_free_and_another_epoch_gives_nothing_back() {
    let mut world = world(2);
    let id = broadcast("a");
    let first = world.bid(0, &id, &newcomer(1)).unwrap();
    let second = world.bid(0, &id, &newcomer(1)).unwrap();
    world.nodes[0].view.release(&id, first.epoch);
    world.settle();
    assert!(world.nodes[1].view.find(&id, world.now).is_some());
    world.nodes[0].view.release(&id, second.epoch);
    world.settle();
    assert_eq!(world.nodes[1].view.find(&id, world.now), None);
    let freed = Event::Freed(id.clone());
    assert!(world.nodes[1].events.contains(&freed));
    world.pass(1);
    let third = world.bid(1, &id, &Bid::Home).unwrap();
    assert!(
        third.epoch > second.epoch,
        "although nobody knows of it any more"
    );
}

#[test]
fn the_end_of_a_lease_frees_what_its_relay_had_and_nothing_before_it_does() {
    let mut world = world(3);
    let id = broadcast("a");
    world.bid(0, &id, &newcomer(1)).unwrap();
    world.settle();
    // The grace after the beginning.
    world.pass(20);
    world.settle();
    world.cut(0);
    world.pass(14);
    world.settle();
    let taken = Err(ClaimError::Taken(relay("r0")));
    assert_eq!(world.bid(1, &id, &Bid::Home), taken);
    world.pass(2);
    world.settle();
    let found = world.nodes[1].view.find(&id, world.now).unwrap();
    assert_eq!(found.lease, None);
    let went = Event::Went(relay("r0"));
    assert!(world.nodes[2].events.contains(&went));
    world.bid(1, &id, &Bid::Home).unwrap();
    // Whoever was cut off held on to it, and learns of it.
    assert!(world.nodes[0].view.held(&id).is_some());
    world.heal(0);
    world.settle();
    assert_eq!(lost(&mut world, 0), 1);
}

#[test]
fn a_relay_that_was_seen_dead_is_not_waited_for_until_it_lives() {
    let mut world = world(2);
    let id = broadcast("a");
    world.bid(0, &id, &newcomer(1)).unwrap();
    world.settle();
    let now = world.now;
    let event = world.nodes[1].view.report_dead(&relay("r0"), now);
    assert_eq!(event, Some(Event::Went(relay("r0"))));
    assert_eq!(world.nodes[1].view.report_dead(&relay("r0"), now), None);
    assert_eq!(world.nodes[1].view.find(&id, now).unwrap().lease, None);
    world.pass(1);
    world.settle();
    assert!(
        world.nodes[1]
            .view
            .find(&id, world.now)
            .unwrap()
            .lease
            .is_some()
    );
    let taken = Err(ClaimError::Taken(relay("r0")));
    assert_eq!(world.bid(1, &id, &Bid::Home), taken);
    let now = world.now;
    world.nodes[1].view.report_dead(&relay("r0"), now);
    assert_eq!(
        world.bid(1, &id, &Bid::Home),
        taken,
        "it may be the fault of the link that says so"
    );
    world.cut(0);
    world.pass(8);
    assert!(
        world.bid(1, &id, &Bid::Home).is_ok(),
        "before its lease ends"
    );
}

#[test]
fn while_the_engine_is_away_what_was_known_stays_whatever_time_passes() {
    let mut world = world(2);
    let id = broadcast("a");
    world.bid(0, &id, &newcomer(1)).unwrap();
    world.settle();
    world.cut(1);
    let later = world.now + Duration::from_secs(86_400);
    let found = world.nodes[1].view.find(&id, later).unwrap();
    assert!(found.lease.is_some());
    assert_eq!(world.nodes[1].view.relays(later).len(), 2);
}

#[test]
fn after_the_engine_everybody_has_time_to_come_back() {
    let mut world = world(2);
    let id = broadcast("a");
    world.bid(0, &id, &newcomer(1)).unwrap();
    world.settle();
    world.cut(0);
    world.cut(1);
    world.pass(100);
    // Its lease has ended with the engine's return, but that says nothing about it.
    world.heal(1);
    world.settle();
    let taken = Err(ClaimError::Taken(relay("r0")));
    assert_eq!(world.bid(1, &id, &Bid::Home), taken);
    world.heal(0);
    world.settle();
    assert!(
        world.nodes[1]
            .view
            .find(&id, world.now)
            .unwrap()
            .lease
            .is_some()
    );
    world.cut(0);
    world.pass(16);
    world.settle();
    assert!(world.bid(1, &id, &Bid::Home).is_ok());
}

#[test]
fn an_engine_that_has_forgotten_everything_is_told_again() {
    let mut world = world(3);
    let ids = ["a", "b"].map(broadcast);
    world.bid(0, &ids[0], &newcomer(1)).unwrap();
    let old = world.bid(0, &ids[1], &newcomer(2)).unwrap();
    world.settle();
    // While one is cut off, another takes over what it has.
    world.cut(0);
    let new = world.bid(1, &ids[1], &newcomer(3)).unwrap();
    assert!(new.epoch > old.epoch);
    world.settle();
    world.forget();
    world.settle();
    world.heal(0);
    world.settle();
    for node in &world.nodes {
        let at = |id| node.view.find(id, world.now).map(|found| found.relay);
        assert_eq!(at(&ids[0]), Some(relay("r0")));
        assert_eq!(at(&ids[1]), Some(relay("r1")));
    }
    assert_eq!(lost(&mut world, 0), 1);
    assert_eq!(lost(&mut world, 1), 0);
}

#[test]
fn a_bid_whose_answer_was_lost_is_taken_away_whenever_it_is_written() {
    for written in [true, false] {
        let mut world = world(2);
        let id = broadcast("a");
        world.lose_bid(0, &id, &newcomer(1), written);
        world.settle();
        world.cut(0);
        world.heal(0);
        world.settle();
        assert_eq!(world.nodes[1].view.find(&id, world.now), None);
        // Over a newer one it is never written.
        world.lose_bid(0, &id, &newcomer(1), false);
        world.cut(0);
        world.bid(1, &id, &newcomer(2)).unwrap();
        world.heal(0);
        world.settle();
        let found = world.nodes[0].view.find(&id, world.now).unwrap();
        assert_eq!(found.relay, relay("r1"));
    }
}

#[test]
fn claims_of_a_relay_that_stays_dead_are_forgotten_in_the_end() {
    let mut world = world(2);
    let id = broadcast("a");
    world.bid(0, &id, &newcomer(1)).unwrap();
    world.settle();
    world.cut(0);
    world.pass(20);
    world.settle();
    let sweep = |world: &mut World| {
        let now = world.now;
        world.nodes[1].view.sweep(now);
        world.settle();
        world.nodes[1].view.find(&id, now).is_some()
    };
    world.pass(3_000);
    world.settle();
    assert!(sweep(&mut world), "its publisher can resume");
    world.pass(700);
    world.settle();
    assert!(!sweep(&mut world));
    assert!(world.nodes[1].view.relays(world.now).len() == 1);
}

#[test]
fn a_relay_that_has_restarted_gives_back_what_it_had() {
    let mut world = world(2);
    let id = broadcast("a");
    world.bid(0, &id, &newcomer(1)).unwrap();
    world.settle();
    world.cut(0);
    world.nodes[0].view = view("r0");
    world.heal(0);
    world.settle();
    assert_eq!(world.nodes[1].view.find(&id, world.now), None);
}

#[test]
fn every_state_has_a_name_of_its_own() {
    let names: std::collections::HashSet<_> = State::ALL.map(State::name).into();
    assert_eq!(names.len(), State::ALL.len());
}

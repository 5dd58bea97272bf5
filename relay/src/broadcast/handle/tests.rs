//! What is counted, told and made way for.

use std::time::Duration;

use bytes::BufMut as _;
use steadycast_codec_glue::wire::{MediaKind, Phase};

use super::super::frame::tests::{frame, layered_frame};
use super::super::{Frame, Registry};
use super::*;

const SECRET: ResumeSecret = ResumeSecret([1; 16]);

fn at(ms: u64) -> RelayTime {
    RelayTime::from_micros(ms * 1_000)
}

/// A broadcast on air, and who publishes it.
fn on_air() -> (Arc<Broadcast>, PublisherSeat) {
    let registry = Registry::new(Settings::default());
    let id = "a".parse().unwrap();
    let broadcast = registry.create(id, "A game".into(), at(0)).unwrap();
    let seat = broadcast
        .attach_publisher(None, SECRET, Widths::One, at(0))
        .unwrap();
    (broadcast, seat)
}

fn publish(seat: &PublisherSeat, frame: Frame, ms: u64) {
    seat.publish(frame, at(ms)).unwrap();
}

/// Frames sent, left out of higher layers, and skips.
fn counted(broadcast: &Broadcast) -> (u64, u64, u64) {
    let totals = broadcast.snapshot().totals;
    (totals.frames_sent, totals.dropped_frames, totals.skips)
}

#[test]
fn what_one_player_gets_and_misses_is_counted() {
    let (broadcast, seat) = on_air();
    let mut player = broadcast.attach_player().unwrap();
    publish(&seat, frame(1, 0, 0, 10), 0);
    publish(&seat, frame(1, 0, 1, 10), 0);
    assert!(matches!(
        player.step(MediaKind::Video, None, at(0)),
        Step::Open { .. }
    ));
    assert_eq!(counted(&broadcast), (2, 0, 0));
    for index in 2..8 {
        publish(&seat, layered_frame(0, index, (index % 2) as u8), 0);
    }
    assert!(matches!(
        player.step(MediaKind::Video, None, at(300)),
        Step::Continue(_)
    ));
    assert_eq!(counted(&broadcast), (5, 3, 0));
    publish(&seat, layered_frame(0, 8, 1), 300);
    publish(&seat, layered_frame(0, 9, 1), 300);
    assert!(matches!(
        player.step(MediaKind::Video, None, at(600)),
        Step::Continue(_)
    ));
    assert_eq!(counted(&broadcast), (5, 5, 0));
    player.abandon(MediaKind::Video, Need::Lag, at(600));
    publish(&seat, frame(1, 1, 0, 10), 600);
    assert!(matches!(
        player.step(MediaKind::Video, None, at(600)),
        Step::Open { .. }
    ));
    assert_eq!(counted(&broadcast), (6, 5, 1));
}

#[test]
fn what_players_get_together_is_counted_for_each_of_them() {
    let (broadcast, seat) = on_air();
    publish(&seat, frame(1, 0, 0, 10), 0);
    let mut cursor = Cursor::default();
    let mut together = |ms| broadcast.step_together(&mut cursor, 3, at(ms));
    assert!(matches!(together(0), Some(Step::Open { .. })));
    assert!(matches!(together(0), Some(Step::Wait { .. })));
    for index in 1..5 {
        publish(&seat, layered_frame(0, index, (index % 2) as u8), 0);
    }
    assert!(matches!(together(300), Some(Step::Continue(_))));
    assert_eq!(counted(&broadcast), (9, 6, 0));
    for index in 5..7 {
        publish(&seat, layered_frame(0, index, 1), 300);
    }
    assert!(matches!(together(600), Some(Step::Continue(_))));
    assert_eq!(counted(&broadcast), (9, 12, 0));
}

#[test]
fn players_that_would_be_skipped_or_have_to_ask_do_nothing_together() {
    let (broadcast, seat) = on_air();
    publish(&seat, frame(1, 0, 0, 10), 0);
    let mut cursor = Cursor::default();
    broadcast.step_together(&mut cursor, 3, at(0));
    for index in 1..4 {
        publish(&seat, frame(1, 0, index, 10), 100);
    }
    assert_eq!(broadcast.step_together(&mut cursor, 3, at(60_000)), None);
    // As if it had never been asked.
    assert_eq!(counted(&broadcast), (3, 0, 0));
    assert!(matches!(
        broadcast.step_together(&mut cursor, 3, at(100)),
        Some(Step::Continue(frames)) if frames.len() == 3
    ));
    cursor.abandon(Need::Lag, at(200));
    assert_eq!(broadcast.step_together(&mut cursor, 3, at(200)), None);
    publish(&seat, frame(1, 1, 0, 10), 300);
    assert_eq!(broadcast.step_together(&mut cursor, 3, at(300)), None);
}

#[test]
fn a_broadcast_says_what_it_is_called_how_it_does_and_why_it_ended() {
    let (broadcast, seat) = on_air();
    assert_eq!(broadcast.title(), "A game");
    assert_eq!(broadcast.snapshot().title, "A game");
    assert_eq!(broadcast.ended(), None);
    publish(&seat, frame(1, 0, 0, 10), 0);
    assert_eq!(broadcast.status().phase, Phase::Live);
    let mut news = broadcast.news();
    news.mark_unchanged();
    // Silent for so long that it is held, which time alone tells.
    let silent = Settings::default().publisher_silence + Duration::from_millis(1);
    assert_eq!(broadcast.tick(at(0) + silent), None);
    assert_eq!(broadcast.status().phase, Phase::Held);
    assert!(news.has_changed().unwrap());
    broadcast.end(Code::BroadcastEnded);
    assert_eq!(broadcast.ended(), Some(Code::BroadcastEnded));
}

#[test]
fn who_waits_for_frames_is_woken_by_each_and_by_what_changes_their_worth() {
    let (broadcast, seat) = on_air();
    let mut frames = broadcast.frames();
    let mut is_woken = || {
        let woken = frames.has_changed().unwrap();
        frames.mark_unchanged();
        woken
    };
    assert!(!is_woken());
    publish(&seat, frame(1, 0, 0, 10), 0);
    assert!(is_woken());
    broadcast.make_way(0);
    assert!(is_woken());
    broadcast.end(Code::BroadcastEnded);
    assert!(is_woken());
    assert!(!is_woken());
}

#[test]
fn a_broadcast_that_makes_way_lets_go_of_its_pictures_only_where_that_is_what_it_holds() {
    let (broadcast, seat) = on_air();
    let kept = |group| {
        let mut buffer = broadcast.account().buffer(10_000).unwrap();
        let picture = frame(1, group, 0, 9_000);
        buffer.spare().put_slice(picture.bytes());
        publish(
            &seat,
            Frame::new(*picture.header(), buffer.freeze()).unwrap(),
            0,
        );
        broadcast.snapshot()
    };
    kept(0);
    assert_eq!(kept(1).cache.groups, 2);
    // The group before the newest goes in any case, and is enough here.
    broadcast.make_way(15_000);
    assert_eq!(broadcast.snapshot().cache.groups, 1);
    assert_eq!(broadcast.snapshot().totals.caches_shed, 0);
    // What players hold would not come back with it.
    let held = broadcast.account().buffer(30_000).unwrap();
    broadcast.make_way(20_000);
    assert_eq!(broadcast.snapshot().totals.caches_shed, 0);
    broadcast.make_way(15_000);
    assert_eq!(broadcast.snapshot().totals.caches_shed, 1);
    drop(held);
    assert_eq!(broadcast.snapshot().cache.bytes, 0);
}

//! What a player gets, on a virtual clock.

mod bounds;

use super::super::frame::tests::{begun, frame, layered_frame};
use super::*;

fn at(ms: u64) -> RelayTime {
    RelayTime::from_micros(ms * 1000)
}

struct Scene {
    cache: Cache,
    settings: Settings,
    attached: bool,
    keyframe_due: bool,
    /// Bytes per second.
    carries: Option<u64>,
    short: bool,
    now: RelayTime,
}

impl Scene {
    fn new() -> Self {
        Self {
            cache: Cache::default(),
            settings: Settings::default(),
            attached: true,
            keyframe_due: true,
            carries: None,
            short: false,
            now: at(0),
        }
    }

    fn frames(&mut self, group: u32, indices: std::ops::Range<u32>) {
        for index in indices {
            self.cache
                .take(&frame(1, group, index, 100), self.now)
                .unwrap();
        }
    }

    /// A player that has been given what it gets at first.
    fn player(&self) -> Cursor {
        let mut cursor = Cursor::default();
        cursor.step(self.outlook());
        cursor
    }

    fn outlook(&self) -> Outlook<'_> {
        Outlook {
            cache: &self.cache,
            attached: self.attached,
            keyframe_due: self.keyframe_due,
            settings: &self.settings,
            carries: self.carries,
            short: self.short,
            now: self.now,
        }
    }
}

fn opened(step: Step) -> usize {
    match step {
        Step::Open { frames, .. } => frames.len(),
        other => panic!("expected a new stream, got {other:?}"),
    }
}

#[test]
fn a_join_gets_the_whole_group_at_once_and_then_each_frame() {
    let mut scene = Scene::new();
    scene.frames(0, 0..5);
    let mut cursor = Cursor::default();
    assert_eq!(opened(cursor.step(scene.outlook())), 5);
    assert!(matches!(cursor.step(scene.outlook()), Step::Wait { .. }));
    scene.frames(0, 5..6);
    assert!(matches!(cursor.step(scene.outlook()), Step::Continue(f) if f.len() == 1));
}

#[test]
fn a_join_on_a_long_group_waits_for_a_keyframe_but_not_for_ever() {
    let mut scene = Scene::new();
    scene.frames(0, 0..200);
    let mut cursor = Cursor::default();
    assert!(matches!(
        cursor.step(scene.outlook()),
        Step::Wait { ask: Some(Need::Join), until: Some(until) } if until == at(500)
    ));
    scene.now = at(500);
    assert_eq!(opened(cursor.step(scene.outlook())), 200);
}

#[test]
fn a_join_that_is_looked_at_again_waits_no_longer_for_it() {
    let mut scene = Scene::new();
    scene.frames(0, 0..200);
    let mut cursor = Cursor::default();
    for ms in [0, 100, 499] {
        scene.now = at(ms);
        let step = cursor.step(scene.outlook());
        assert!(
            matches!(step, Step::Wait { until: Some(until), .. } if until == at(500)),
            "{step:?} after {ms} ms"
        );
    }
}

#[test]
fn a_join_on_a_held_broadcast_never_waits() {
    let mut scene = Scene::new();
    scene.frames(0, 0..200);
    scene.attached = false;
    assert_eq!(opened(Cursor::default().step(scene.outlook())), 200);
}

#[test]
fn a_player_at_the_end_of_a_group_moves_to_the_next_without_a_skip() {
    let mut scene = Scene::new();
    scene.frames(0, 0..3);
    let mut cursor = scene.player();
    scene.frames(0, 3..5);
    scene.frames(1, 0..1);
    assert!(matches!(cursor.step(scene.outlook()), Step::Continue(f) if f.len() == 2));
    assert!(matches!(
        cursor.step(scene.outlook()),
        Step::Open { before: Before::Finish, frames } if frames.len() == 1
    ));
}

#[test]
fn a_player_far_behind_skips_to_the_newest_keyframe() {
    let mut scene = Scene::new();
    scene.frames(0, 0..3);
    let mut cursor = scene.player();
    scene.frames(0, 3..40);
    scene.frames(1, 0..2);
    assert!(matches!(
        cursor.step(scene.outlook()),
        Step::Open { before: Before::Skip, frames } if frames.len() == 2
    ));
}

#[test]
fn a_delay_never_grows_past_the_bound() {
    let mut scene = Scene::new();
    scene.frames(0, 0..1);
    let mut cursor = scene.player();
    scene.frames(0, 1..10);
    scene.now = at(2500);
    assert_eq!(cursor.step(scene.outlook()), Step::Abandon);
    // It waits for something newer than what it gave up ...
    assert!(matches!(
        cursor.step(scene.outlook()),
        Step::Wait {
            ask: Some(Need::Lag),
            ..
        }
    ));
    // ... or for the publisher to go, when nothing newer can come.
    scene.attached = false;
    assert_eq!(opened(cursor.step(scene.outlook())), 10);
}

#[test]
fn old_pictures_go_on_while_no_keyframe_would_come() {
    let mut scene = Scene::new();
    scene.frames(0, 0..1);
    let mut cursor = scene.player();
    scene.frames(0, 1..10);
    scene.now = at(2500);
    scene.keyframe_due = false;
    assert!(matches!(cursor.step(scene.outlook()), Step::Continue(_)));
    scene.frames(0, 10..20);
    scene.now = at(5000);
    scene.keyframe_due = true;
    assert_eq!(cursor.step(scene.outlook()), Step::Abandon);
}

#[test]
fn a_single_late_frame_is_no_lag() {
    let mut scene = Scene::new();
    scene.frames(0, 0..1);
    let mut cursor = scene.player();
    scene.frames(0, 1..2);
    scene.now = at(60_000);
    assert!(matches!(cursor.step(scene.outlook()), Step::Continue(_)));
}

#[test]
fn a_player_that_lags_a_little_gets_fewer_frames() {
    let mut scene = Scene::new();
    scene.frames(0, 0..1);
    let mut cursor = scene.player();
    for index in 1..9 {
        let layered = layered_frame(0, index, (index % 2) as u8);
        scene.cache.take(&layered, scene.now).unwrap();
    }
    scene.now = at(300);
    assert!(matches!(cursor.step(scene.outlook()), Step::Continue(f) if f.len() == 4));
    assert_eq!(cursor.take_dropped(), 4);
    // In time again, it gets them all.
    scene
        .cache
        .take(&layered_frame(0, 9, 1), scene.now)
        .unwrap();
    assert!(matches!(cursor.step(scene.outlook()), Step::Continue(f) if f.len() == 1));
    assert_eq!(cursor.take_dropped(), 0);
}

#[test]
fn a_pending_write_is_overtaken_by_a_newer_group() {
    let mut scene = Scene::new();
    scene.frames(0, 0..3);
    let mut cursor = scene.player();
    assert!(!cursor.is_overtaken(Backlog::default(), scene.outlook()));
    scene.frames(1, 0..1);
    assert!(cursor.is_overtaken(Backlog::default(), scene.outlook()));
    cursor.abandon(Need::Lag, scene.now);
    assert!(matches!(
        cursor.step(scene.outlook()),
        Step::Open {
            before: Before::Skip,
            ..
        }
    ));
}

#[test]
fn a_keyframe_on_its_way_is_given_up_only_for_one_that_is_complete_sooner() {
    let mut scene = Scene::new();
    scene.frames(0, 0..1);
    let cursor = scene.player();
    scene.frames(1, 0..1);
    let whole = scene.cache.newest().unwrap().keyframe_bytes();
    let left = |keyframe_left| Backlog {
        unsent: 1,
        keyframe_left,
        bytes: keyframe_left,
    };
    assert!(!cursor.is_overtaken(left(whole), scene.outlook()));
    assert!(cursor.is_overtaken(left(whole + 1), scene.outlook()));
}

#[test]
fn the_rest_of_a_group_is_finished_where_that_takes_no_time() {
    let mut scene = Scene::new();
    scene.frames(0, 0..3);
    let mut cursor = scene.player();
    scene.frames(0, 3..5);
    cursor.step(scene.outlook());
    cursor.sent_all_but(2);
    scene.frames(1, 0..1);
    scene.carries = Some(1_000_000);
    assert!(!cursor.is_overtaken(Backlog::default(), scene.outlook()));
    scene.carries = Some(1_000);
    assert!(cursor.is_overtaken(Backlog::default(), scene.outlook()));
}

#[test]
fn a_narrow_path_gets_something_of_each_group_and_a_wide_one_catches_up() {
    let mut scene = Scene::new();
    scene.frames(0, 0..1);
    let mut cursor = scene.player();
    scene.frames(0, 1..100);
    cursor.step(scene.outlook());
    cursor.sent_all_but(99);
    let keyframe = scene.cache.newest().unwrap().keyframe_bytes() as u64;
    // A keyframe takes a second: frames may be a little older than it makes them.
    scene.carries = Some(keyframe);
    scene.now = at(1_200);
    assert!(!cursor.is_overtaken(Backlog::default(), scene.outlook()));
    scene.now = at(1_400);
    assert!(cursor.is_overtaken(Backlog::default(), scene.outlook()));
    // Just as late, but the path has all of it in a moment.
    scene.carries = Some(10_000_000);
    assert!(!cursor.is_overtaken(Backlog::default(), scene.outlook()));
}

#[test]
fn what_was_there_at_a_join_is_as_old_as_it_is() {
    let mut scene = Scene::new();
    scene.frames(0, 0..10);
    scene.now = at(60_000);
    let mut cursor = Cursor::default();
    assert_eq!(opened(cursor.step(scene.outlook())), 10);
    cursor.sent_all_but(9);
    scene.carries = Some(1_000);
    assert!(!cursor.is_overtaken(Backlog::default(), scene.outlook()));
    scene.frames(0, 10..12);
    scene.now = at(63_000);
    assert!(cursor.is_overtaken(Backlog::default(), scene.outlook()));
}

#[test]
fn a_broken_decoder_gets_the_next_keyframe_only() {
    let mut scene = Scene::new();
    scene.frames(0, 0..3);
    let mut cursor = scene.player();
    cursor.abandon(Need::Broken, scene.now);
    assert!(matches!(
        cursor.step(scene.outlook()),
        Step::Wait {
            ask: Some(Need::Broken),
            ..
        }
    ));
    scene.frames(1, 0..1);
    assert_eq!(opened(cursor.step(scene.outlook())), 1);
}

#[test]
fn a_player_that_moves_to_another_track_joins_there_and_ends_what_was_open() {
    let mut scene = Scene::new();
    scene.frames(7, 0..3);
    let mut cursor = scene.player();
    let track = TrackId::from_number(1);
    cursor.follow(track);
    assert_eq!(cursor.track(), track);
    // The other track's groups have numbers of their own.
    scene.cache = Cache::default();
    assert!(matches!(cursor.step(scene.outlook()), Step::Wait { .. }));
    assert!(!cursor.is_placed());
    scene.frames(0, 0..2);
    assert!(matches!(
        cursor.step(scene.outlook()),
        Step::Open { before: Before::Finish, frames } if frames.len() == 2
    ));
    // Told again where it is, it stays.
    cursor.follow(track);
    assert!(cursor.is_placed());
}

#[test]
fn equal_numbers_on_two_tracks_are_two_places() {
    let mut scene = Scene::new();
    scene.frames(0, 0..1);
    let mut one = Cursor::default();
    let mut other = Cursor::on(TrackId::from_number(1).unwrap());
    one.step(scene.outlook());
    other.step(scene.outlook());
    assert!(!one.is_beside(&other));
    assert!(one.is_beside(&one.clone()));
}

#[test]
fn who_holds_a_group_that_nobody_else_needs_lets_go_where_memory_is_short() {
    let mut scene = Scene::new();
    scene.frames(0, 0..1);
    let cursor = scene.player();
    let small = Backlog {
        unsent: 1,
        keyframe_left: 1,
        bytes: 1,
    };
    scene.short = true;
    assert!(
        !cursor.is_overtaken(small, scene.outlook()),
        "others join on it"
    );
    scene.frames(1, 0..1);
    scene.cache.evict_previous();
    assert!(cursor.is_overtaken(small, scene.outlook()));
    scene.short = false;
    assert!(!cursor.is_overtaken(small, scene.outlook()));
    let large = Backlog {
        bytes: scene.settings.player_queue_bytes + 1,
        ..small
    };
    assert!(cursor.is_overtaken(large, scene.outlook()));
}

#[test]
fn after_the_cache_was_emptied_who_has_everything_goes_on_and_the_others_wait() {
    let mut scene = Scene::new();
    scene.frames(0, 0..3);
    let (mut ahead, mut behind, mut late) =
        (Cursor::default(), Cursor::default(), Cursor::default());
    ahead.step(scene.outlook());
    behind.step(scene.outlook());
    scene.frames(0, 3..4);
    ahead.step(scene.outlook());
    scene.cache.shed();
    scene.frames(0, 4..5);
    assert!(matches!(ahead.step(scene.outlook()), Step::Continue(frames) if frames.len() == 1));
    assert_eq!(behind.step(scene.outlook()), Step::Abandon);
    for cursor in [&mut behind, &mut late] {
        assert!(matches!(
            cursor.step(scene.outlook()),
            Step::Wait { ask: Some(_), .. }
        ));
    }
    // Also after any time: what follows is of no use without its keyframe.
    scene.now = scene.now + Duration::from_secs(60);
    assert!(matches!(
        late.step(scene.outlook()),
        Step::Wait { ask: Some(_), .. }
    ));
    scene.frames(1, 0..1);
    for cursor in [&mut behind, &mut late, &mut ahead] {
        assert!(matches!(cursor.step(scene.outlook()), Step::Open { .. }));
    }
}

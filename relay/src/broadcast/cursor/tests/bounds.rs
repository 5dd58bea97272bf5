//! Where the rules of a player's place begin to hold, to the byte, the frame and the millisecond.

use super::*;

/// A player that has everything of a group of one frame, and has been given nine more of which
/// `unsent` wait.
fn behind(scene: &mut Scene, unsent: usize) -> Cursor {
    scene.frames(0, 0..1);
    let mut cursor = scene.player();
    scene.frames(0, 1..10);
    cursor.step(scene.outlook());
    cursor.sent_all_but(unsent);
    cursor
}

fn is_overtaken(cursor: &Cursor, scene: &Scene) -> bool {
    cursor.is_overtaken(Backlog::default(), scene.outlook())
}

fn bytes_from(scene: &Scene, index: usize) -> usize {
    let newest = scene.cache.newest().unwrap();
    newest.from(index).map(Bytes::len).sum()
}

#[test]
fn a_group_is_long_by_its_frames_or_by_its_bytes() {
    let mut scene = Scene::new();
    scene.frames(0, 0..5);
    let bytes = scene.cache.newest().unwrap().bytes();
    for (frames, bytes, waits) in [
        (5, bytes, false),
        (4, bytes, true),
        (5, bytes - 1, true),
        (4, bytes - 1, true),
    ] {
        (scene.settings.join_frames, scene.settings.join_bytes) = (frames, bytes);
        let step = Cursor::default().step(scene.outlook());
        let asked = matches!(
            step,
            Step::Wait {
                ask: Some(Need::Join),
                ..
            }
        );
        assert_eq!(asked, waits, "{frames} frames, {bytes} bytes: {step:?}");
    }
}

#[test]
fn a_whole_picture_is_joined_on_before_a_newer_one_unless_it_is_long() {
    let mut scene = Scene::new();
    scene.frames(0, 0..5);
    let bytes = scene.cache.newest().unwrap().bytes();
    let (first, _) = begun(1, (1, 0), 100, 90);
    scene.cache.take(&first, scene.now).unwrap();
    assert!(scene.cache.newest().unwrap().bytes() < bytes);
    for (frames, bytes, pieces) in [
        (5, bytes, 5),
        // The newer one is short, and on its way.
        (4, bytes, 1),
        (5, bytes - 1, 1),
    ] {
        (scene.settings.join_frames, scene.settings.join_bytes) = (frames, bytes);
        let step = Cursor::default().step(scene.outlook());
        assert_eq!(opened(step), pieces, "{frames} frames, {bytes} bytes");
    }
}

#[test]
fn who_gave_up_a_group_goes_on_with_the_newer_one_that_is_on_its_way() {
    let mut scene = Scene::new();
    scene.frames(0, 0..5);
    let mut cursor = scene.player();
    cursor.abandon(Need::Broken, scene.now);
    let (first, _) = begun(1, (1, 0), 100, 90);
    scene.cache.take(&first, scene.now).unwrap();
    assert!(matches!(
        cursor.step(scene.outlook()),
        Step::Open { before: Before::Skip, frames } if frames == [first.bytes().clone()]
    ));
}

#[test]
fn a_broken_decoder_and_one_that_lags_wait_for_a_keyframe_as_long_as_it_takes() {
    for need in [Need::Broken, Need::Lag] {
        let mut scene = Scene::new();
        scene.frames(0, 0..3);
        let mut cursor = scene.player();
        cursor.abandon(need, scene.now);
        for ms in [0, 400, 500, 60_000] {
            scene.now = at(ms);
            let wait = Step::Wait {
                until: Some(at(ms + 500)),
                ask: Some(need),
            };
            assert_eq!(cursor.step(scene.outlook()), wait);
        }
    }
}

#[test]
fn nobody_is_asked_for_a_keyframe_when_nobody_publishes() {
    let mut scene = Scene::new();
    scene.frames(0, 0..3);
    scene.cache.shed();
    scene.now = at(1_000);
    let mut cursor = Cursor::default();
    let wait = |ask| Step::Wait {
        until: Some(at(1_500)),
        ask,
    };
    assert_eq!(cursor.step(scene.outlook()), wait(Some(Need::Join)));
    scene.attached = false;
    assert_eq!(cursor.step(scene.outlook()), wait(None));
}

#[test]
fn more_unsent_bytes_than_allowed_are_given_up_and_so_many_are_not() {
    let mut scene = Scene::new();
    let mut cursor = behind(&mut scene, 9);
    let queued = bytes_from(&scene, 1);
    scene.settings.player_queue_bytes = queued;
    assert!(!is_overtaken(&cursor, &scene));
    scene.settings.player_queue_bytes = queued - 1;
    assert!(is_overtaken(&cursor, &scene));
    // However fast the path is; but with nobody there to send a newer keyframe they are all there is.
    scene.carries = Some(1_000_000_000);
    assert!(is_overtaken(&cursor, &scene));
    scene.attached = false;
    assert!(!is_overtaken(&cursor, &scene));
    scene.attached = true;
    // What has been sent counts no more.
    cursor.sent_all_but(8);
    assert!(!is_overtaken(&cursor, &scene));
}

#[test]
fn the_newest_frame_alone_is_never_given_up_and_two_may_be() {
    let mut scene = Scene::new();
    let mut cursor = behind(&mut scene, 0);
    scene.settings.player_queue_bytes = 0;
    for (unsent, overtaken) in [(0, false), (1, false), (2, true)] {
        cursor.sent_all_but(unsent);
        assert_eq!(is_overtaken(&cursor, &scene), overtaken, "{unsent}");
    }
}

#[test]
fn what_a_player_holds_of_a_group_that_is_gone_is_bounded_to_the_byte() {
    let mut scene = Scene::new();
    scene.frames(0, 0..1);
    let cursor = scene.player();
    scene.frames(1, 0..1);
    scene.cache.evict_previous();
    let holds = |bytes| Backlog {
        unsent: 1,
        keyframe_left: 1,
        bytes,
    };
    let most = scene.settings.player_queue_bytes;
    assert!(!cursor.is_overtaken(holds(most), scene.outlook()));
    assert!(cursor.is_overtaken(holds(most + 1), scene.outlook()));
}

#[test]
fn a_frame_is_too_old_by_when_the_oldest_that_waits_has_come() {
    let mut scene = Scene::new();
    scene.now = at(1_000);
    scene.frames(0, 0..1);
    let mut cursor = scene.player();
    scene.frames(0, 1..5);
    scene.now = at(2_000);
    scene.frames(0, 5..10);
    cursor.step(scene.outlook());
    // Nothing is known of the path: two seconds.
    for (unsent, ms, overtaken) in [
        (9, 3_000, false),
        (9, 3_001, true),
        (6, 3_001, true),
        (5, 3_001, false),
        (5, 4_000, false),
        (5, 4_001, true),
    ] {
        scene.now = at(ms);
        cursor.sent_all_but(unsent);
        assert_eq!(is_overtaken(&cursor, &scene), overtaken, "{unsent} at {ms}");
    }
}

#[test]
fn patience_is_the_operators_and_more_on_a_narrow_path() {
    let mut scene = Scene::new();
    let cursor = behind(&mut scene, 9);
    let keyframe = scene.cache.newest().unwrap().keyframe_bytes() as u64;
    let queued = bytes_from(&scene, 1) as u64;
    // (lag in ms, what the path carries, milliseconds that a frame may wait)
    for (lag, carries, patience) in [
        (500, None, 2_000),
        (3_000, None, 3_000),
        // A path that carries nothing is one of which nothing is known.
        (500, Some(0), 2_000),
        // Too narrow to catch up in a moment, and a keyframe takes next to no time.
        (500, Some(queued * 3), 500),
        (700, Some(queued * 3), 700),
        // A keyframe takes two seconds.
        (500, Some(keyframe.div_ceil(2)), 2_700),
        (500, Some(1), 60_000),
    ] {
        scene.settings.player_lag = Duration::from_millis(lag);
        scene.carries = carries;
        scene.now = at(patience - 20);
        assert!(!is_overtaken(&cursor, &scene), "{lag} {carries:?}");
        scene.now = at(patience + 1);
        assert!(is_overtaken(&cursor, &scene), "{lag} {carries:?}");
    }
}

#[test]
fn who_has_its_backlog_in_a_moment_catches_up() {
    let mut scene = Scene::new();
    let cursor = behind(&mut scene, 9);
    let queued = bytes_from(&scene, 1) as u64;
    scene.now = at(30_000);
    scene.carries = Some(queued * 1_000 / 300 + 1);
    assert!(!is_overtaken(&cursor, &scene));
    scene.carries = Some(queued * 1_000 / 300 - 1);
    assert!(is_overtaken(&cursor, &scene));
}

#[test]
fn the_rest_of_a_group_is_worth_a_tenth_of_a_second() {
    let mut scene = Scene::new();
    let cursor = behind(&mut scene, 4);
    let rest = bytes_from(&scene, 6) as u64;
    scene.frames(1, 0..1);
    scene.carries = Some(rest * 10);
    assert!(!is_overtaken(&cursor, &scene));
    scene.carries = Some(rest * 10 - 10);
    assert!(is_overtaken(&cursor, &scene));
    scene.carries = None;
    assert!(is_overtaken(&cursor, &scene));
}

#[test]
fn a_keyframe_on_its_way_is_not_given_up_for_one_that_is_not_there() {
    let mut scene = Scene::new();
    scene.frames(0, 0..1);
    let cursor = scene.player();
    let (first, rest) = begun(1, (1, 0), 100, 90);
    scene.cache.take(&first, scene.now).unwrap();
    let left = Backlog {
        unsent: 1,
        keyframe_left: 100_000,
        bytes: 100_000,
    };
    assert!(!cursor.is_overtaken(left, scene.outlook()));
    scene
        .cache
        .extend(GroupKey { epoch: 1, group: 1 }, rest, scene.now);
    assert!(cursor.is_overtaken(left, scene.outlook()));
}

#[test]
fn frames_are_left_out_after_more_than_a_quarter_of_a_second() {
    for (ms, frames) in [(1_250, 8), (1_251, 4)] {
        let mut scene = Scene::new();
        scene.now = at(1_000);
        scene.frames(0, 0..1);
        let mut cursor = scene.player();
        for index in 1..9 {
            let layered = layered_frame(0, index, (index % 2) as u8);
            scene.cache.take(&layered, scene.now).unwrap();
        }
        scene.now = at(ms);
        assert!(matches!(cursor.step(scene.outlook()), Step::Continue(f) if f.len() == frames));
        assert_eq!(cursor.take_dropped(), 8 - frames as u64);
        // It has the group's end: nothing is dropped twice.
        assert!(matches!(cursor.step(scene.outlook()), Step::Wait { .. }));
        assert_eq!(cursor.take_dropped(), 0);
    }
}

#[test]
fn what_was_dropped_before_and_now_is_told_together() {
    let mut scene = Scene::new();
    scene.frames(0, 0..1);
    let mut cursor = scene.player();
    for (ms, index) in [(0, 1), (1_000, 3)] {
        scene.now = at(ms);
        for index in index..index + 2 {
            let layered = layered_frame(0, index, (index % 2) as u8);
            scene.cache.take(&layered, scene.now).unwrap();
        }
        scene.now = at(ms + 300);
        cursor.step(scene.outlook());
    }
    assert_eq!(cursor.take_dropped(), 2);
}

#[test]
fn a_player_eight_frames_behind_gets_them_and_one_nine_behind_skips() {
    for (behind, skips) in [(8, false), (9, true)] {
        let mut scene = Scene::new();
        scene.frames(0, 0..3);
        let mut cursor = scene.player();
        scene.frames(0, 3..3 + behind);
        scene.frames(1, 0..1);
        let step = cursor.step(scene.outlook());
        match step {
            Step::Continue(frames) => assert_eq!((frames.len(), skips), (8, false)),
            Step::Open { before, .. } => assert_eq!((before, skips), (Before::Skip, true)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_rest_of_a_frame_that_never_comes_is_cut_off_once() {
    let mut scene = Scene::new();
    scene.frames(0, 0..2);
    let (first, _) = begun(1, (0, 2), 100, 90);
    scene.cache.take(&first, scene.now).unwrap();
    let mut cursor = Cursor::default();
    assert_eq!(opened(cursor.step(scene.outlook())), 3);
    scene.cache.cut(None);
    assert_eq!(cursor.step(scene.outlook()), Step::Cut);
    assert!(matches!(
        cursor.step(scene.outlook()),
        Step::Wait { ask: None, .. }
    ));
    scene.frames(0, 2..3);
    assert!(matches!(cursor.step(scene.outlook()), Step::Continue(f) if f.len() == 1));
}

#[test]
fn two_players_of_a_group_are_beside_each_other_when_they_have_the_same_of_it() {
    let mut scene = Scene::new();
    let nowhere = Cursor::default();
    assert!(!nowhere.is_beside(&nowhere.clone()));
    scene.frames(0, 0..2);
    let mut one = Cursor::default();
    one.step(scene.outlook());
    scene.frames(0, 2..3);
    let mut other = Cursor::default();
    other.step(scene.outlook());
    assert!(!one.is_beside(&other));
    one.step(scene.outlook());
    assert!(one.is_beside(&other));
}

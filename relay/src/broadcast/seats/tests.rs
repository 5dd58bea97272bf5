//! What a seat does to its broadcast, and what others see of it.

use steadycast_codec_glue::wire::{CodecKind, Phase};

use super::super::frame::tests::{begun, coded_frame, frame, refinement};
use super::super::{
    AttachError, Claim, Clock, Description, Registry, Settings, WarningSnapshot, Widths,
};
use super::*;

const SECRET: ResumeSecret = ResumeSecret([1; 16]);

fn at(ms: u64) -> RelayTime {
    RelayTime::from_micros(1_000_000 + ms * 1_000)
}

/// What a player can decode that knows H.264 alone.
fn h264() -> CodecSet {
    CodecSet::NONE.with(CodecKind::H264)
}

fn broadcast_of(players: u32) -> Arc<Broadcast> {
    let registry = Registry::new(Settings {
        players_per_broadcast: players,
        ..Settings::default()
    });
    let id = "a".parse().unwrap();
    registry.create(id, Description::default(), at(0)).unwrap()
}

/// A broadcast with a picture in AV1, and who publishes it.
fn on_air() -> (Arc<Broadcast>, PublisherSeat) {
    let broadcast = broadcast_of(10);
    let seat = broadcast
        .attach_publisher(None, SECRET, Widths::One, at(0))
        .unwrap();
    let main = coded_frame(TrackId::MAIN, (0, 0), CodecKind::Av1);
    seat.publish(main, at(0)).unwrap();
    (broadcast, seat)
}

fn names(broadcast: &Broadcast) -> Vec<&'static str> {
    let warnings = broadcast.snapshot().warnings;
    warnings.into_iter().map(|warning| warning.name).collect()
}

#[test]
fn any_sign_of_life_ends_a_publisher_s_silence() {
    let (broadcast, seat) = on_air();
    let silence = Settings::default().publisher_silence;
    broadcast.tick(at(0) + silence);
    assert_eq!(
        broadcast.status().phase,
        Phase::Live,
        "not longer than that"
    );
    broadcast.tick(at(1) + silence);
    assert_eq!(broadcast.status().phase, Phase::Held);
    let news = broadcast.news();
    seat.heard(at(2_000));
    assert_eq!(seat.last_heard(), at(2_000));
    assert_eq!(broadcast.status().phase, Phase::Live);
    assert!(news.has_changed().unwrap());
    // So do more bytes of a frame that is coming.
    let (first, rest) = begun(1, (1, 0), 1_000, 400);
    seat.publish(first, at(2_000)).unwrap();
    seat.extend(TrackId::MAIN, 1, rest, at(2_700));
    broadcast.tick(at(2_900));
    assert_eq!(broadcast.status().phase, Phase::Live);
    assert_eq!(seat.last_heard(), at(2_700));
}

#[test]
fn a_publisher_that_leaves_has_been_away_since_then_and_one_that_breaks_off_since_it_was_heard() {
    let (broadcast, seat) = on_air();
    seat.leave(at(700));
    assert_eq!(broadcast.status().since_us, at(700).as_micros());
    let seat = broadcast
        .attach_publisher(None, SECRET, Widths::One, at(800))
        .unwrap();
    seat.publish(frame(2, 0, 0, 10), at(900)).unwrap();
    drop(seat);
    let status = broadcast.status();
    assert_eq!(
        (status.phase, status.since_us),
        (Phase::Held, at(900).as_micros())
    );
    assert_eq!(broadcast.snapshot().totals.publishers_joined, 2);
}

#[test]
fn the_picture_changes_with_frames_of_the_main_track_that_bring_something_new() {
    let (broadcast, seat) = on_air();
    let mut player = broadcast.attach_player().unwrap();
    player.decodes(h264(), at(0));
    let mut content = broadcast.content();
    assert_eq!(content.changed(), Some(at(0)));
    seat.publish(refinement(1, (0, 1)), at(10)).unwrap();
    let rendition = coded_frame(TrackId::of(CodecKind::H264), (0, 0), CodecKind::H264);
    seat.publish(rendition, at(20)).unwrap();
    assert_eq!(content.changed(), Some(at(0)));
    seat.publish(frame(1, 0, 2, 10), at(30)).unwrap();
    assert_eq!(content.changed(), Some(at(30)));
}

#[test]
fn what_was_received_is_counted_whole_and_in_parts() {
    let (broadcast, seat) = on_air();
    let before = broadcast.snapshot();
    let (first, rest) = begun(1, (0, 1), 1_000, 400);
    let bytes = (first.here() + rest.len()) as u64;
    seat.publish(first, at(10)).unwrap();
    seat.extend(TrackId::MAIN, 0, rest, at(20));
    let after = broadcast.snapshot();
    assert_eq!(
        after.totals.frames_received,
        before.totals.frames_received + 1
    );
    assert_eq!(
        after.totals.bytes_received,
        before.totals.bytes_received + bytes
    );
    assert_eq!((after.cache.groups, after.cache.frames), (1, 2));
    seat.reordered();
    seat.reordered();
    assert_eq!(broadcast.snapshot().totals.reordered_frames, 2);
    // An older group's frame comes too late.
    seat.publish(frame(1, 1, 0, 10), at(30)).unwrap();
    assert_eq!(broadcast.snapshot().totals.late_frames, 0);
    seat.publish(frame(1, 0, 2, 10), at(40)).unwrap();
    assert_eq!(broadcast.snapshot().totals.late_frames, 1);
    assert_eq!(broadcast.snapshot().cache.groups, 2);
}

#[test]
fn a_frame_whose_rest_will_not_come_is_taken_back_and_players_are_told() {
    let (broadcast, seat) = on_air();
    let (first, _) = begun(1, (0, 1), 1_000, 400);
    seat.publish(first, at(10)).unwrap();
    assert_eq!(broadcast.snapshot().cache.frames, 2);
    let frames = broadcast.frames();
    seat.cut(TrackId::MAIN, 0);
    assert_eq!(broadcast.snapshot().cache.frames, 1);
    assert!(frames.has_changed().unwrap());
}

#[test]
fn a_publisher_that_another_has_replaced_changes_nothing_any_more() {
    let (broadcast, old) = on_air();
    let _new = broadcast
        .attach_publisher(None, SECRET, Widths::One, at(10))
        .unwrap();
    let before = broadcast.snapshot();
    old.extend(TrackId::MAIN, 0, vec![0; 10].into(), at(20));
    old.warn(Warning::NoKeyframe, at(20));
    old.refuse(TrackId::of(CodecKind::H264));
    let claim = Claim {
        micros: 5,
        clock: Clock::Own(1),
        group: 0,
        keyframe: false,
    };
    let capture = old.capture(TrackId::MAIN, claim, at(20));
    assert_eq!(capture, Capture::like(at(20).as_micros()));
    let after = broadcast.snapshot();
    assert_eq!(
        (after.totals, after.warnings),
        (before.totals, before.warnings)
    );
}

#[test]
fn the_longest_time_between_two_pictures_is_of_one_publisher_and_counts_no_refinement() {
    let (broadcast, seat) = on_air();
    let longest = || broadcast.snapshot().totals.largest_gap_us / 1_000;
    seat.publish(frame(1, 0, 1, 10), at(40)).unwrap();
    seat.publish(frame(1, 0, 2, 10), at(100)).unwrap();
    seat.publish(frame(1, 0, 3, 10), at(130)).unwrap();
    assert_eq!(longest(), 60);
    seat.publish(refinement(1, (0, 4)), at(400)).unwrap();
    assert_eq!(longest(), 60);
    drop(seat);
    let seat = broadcast
        .attach_publisher(None, SECRET, Widths::One, at(5_000))
        .unwrap();
    seat.publish(frame(2, 0, 0, 10), at(9_000)).unwrap();
    assert_eq!(longest(), 60);
}

#[test]
fn a_capture_time_that_cannot_be_true_is_mended_and_the_publisher_warned_of_its_clock() {
    let (broadcast, seat) = on_air();
    let claim = Claim {
        micros: i128::from(at(3_600_000).as_micros()),
        clock: Clock::Relay,
        group: 0,
        keyframe: false,
    };
    let capture = seat.capture(TrackId::MAIN, claim, at(10));
    assert_eq!(capture.micros, at(10).as_micros());
    assert_eq!(names(&broadcast), ["clock"]);
}

#[test]
fn warnings_stand_once_each_until_they_are_taken_back() {
    let (broadcast, seat) = on_air();
    seat.warn(Warning::NoVideo, at(10));
    seat.warn(Warning::Reordered, at(20));
    seat.warn(Warning::NoVideo, at(30));
    let [no_video, b_frames] = broadcast.snapshot().warnings[..] else {
        panic!("two");
    };
    let message = Warning::NoVideo.message();
    let since_us = at(10).as_micros();
    let expected = WarningSnapshot {
        name: "no_video",
        message,
        since_us,
    };
    assert_eq!(no_video, expected);
    assert_eq!(b_frames.name, "b_frames");
    seat.take_back(&Warning::NOTHING_SEEN);
    assert_eq!(names(&broadcast), ["b_frames"]);
    seat.take_back(&Warning::REORDERED);
    assert_eq!(names(&broadcast), [""; 0]);
}

#[test]
fn a_refused_rendition_s_players_are_told_what_they_get_instead() {
    let (broadcast, seat) = on_air();
    let mut player = broadcast.attach_player().unwrap();
    assert!(
        !player.is_to_move(MediaKind::Video),
        "it joins on the main track"
    );
    player.decodes(h264(), at(0));
    assert!(player.is_to_move(MediaKind::Video));
    player.step(MediaKind::Video, None, at(0));
    assert!(!player.is_to_move(MediaKind::Video));
    let news = broadcast.news();
    seat.refuse(TrackId::of(CodecKind::H264));
    assert!(news.has_changed().unwrap());
    assert_eq!(player.serving().sends(), None);
    assert!(player.is_to_move(MediaKind::Video));
    assert!(player.is_overtaken(MediaKind::Video, Backlog::default(), None, at(0)));
}

#[test]
fn players_are_let_in_up_to_the_limit_and_counted_by_how_they_left() {
    let broadcast = broadcast_of(2);
    let [one, two] = [(); 2].map(|()| broadcast.attach_player().unwrap());
    assert_eq!(broadcast.attach_player().unwrap_err(), AttachError::Full);
    assert!(broadcast.expect_player().is_err());
    one.leave(Code::Done);
    drop(two);
    let expected = broadcast.expect_player().unwrap();
    broadcast.attach_player().unwrap().leave(Code::Done);
    // One that was announced and never came has neither joined nor left.
    drop(expected);
    let snapshot = broadcast.snapshot();
    assert_eq!((snapshot.players, snapshot.totals.players_joined), (0, 3));
    let left = snapshot.totals.players_left;
    assert_eq!(left, [("done", 2), ("internal", 1)].into());
}

#[test]
fn what_a_player_may_report_grows_with_the_time_since_it_last_did() {
    let broadcast = broadcast_of(10);
    let mut player = broadcast.attach_player().unwrap();
    let mut black = |black, ms| {
        let progress = Progress {
            black,
            decoder_errors: 0,
        };
        player.report(progress, at(ms));
        broadcast.snapshot().totals.black_frames
    };
    assert_eq!(black(100, 0), 100);
    assert_eq!(black(1_000, 2_000), 100 + 3 * REPORTED);
    assert_eq!(black(1_001, 2_000), 101 + 3 * REPORTED);
}

#[test]
fn what_a_path_carries_and_whether_memory_is_short_decide_what_is_worth_sending() {
    let (broadcast, seat) = on_air();
    let mut player = broadcast.attach_player().unwrap();
    player.step(MediaKind::Video, None, at(0));
    for index in 1..9 {
        seat.publish(frame(1, 0, index, 1_000), at(0)).unwrap();
    }
    player.step(MediaKind::Video, None, at(0));
    let late = at(3_000);
    let mut is_overtaken = |carries| {
        let backlog = Backlog {
            unsent: 8,
            keyframe_left: 0,
            bytes: 8_000,
        };
        player.is_overtaken(MediaKind::Video, backlog, carries, late)
    };
    assert!(is_overtaken(Some(1_000)));
    assert!(!is_overtaken(Some(1_000_000)), "through in a moment");
}

/// A player of a rendition that is to have the main track again, whose group is long by then.
fn to_change() -> (PublisherSeat, PlayerSeat) {
    let (broadcast, seat) = on_air();
    for index in 1..100 {
        seat.publish(frame(1, 0, index, 10), at(0)).unwrap();
    }
    let mut player = broadcast.attach_player().unwrap();
    player.decodes(h264(), at(0));
    let track = TrackId::of(CodecKind::H264);
    let begin = coded_frame(track, (0, 0), CodecKind::H264);
    seat.publish(begin, at(0)).unwrap();
    let step = player.step(MediaKind::Video, None, at(0));
    assert!(matches!(step, Step::Open { .. }));
    player.decodes(h264().with(CodecKind::Av1), at(0));
    assert!(player.is_to_move(MediaKind::Video));
    (seat, player)
}

#[test]
fn a_player_goes_on_with_what_it_has_until_there_is_a_keyframe_of_what_it_is_to_have() {
    let (seat, mut player) = to_change();
    let track = player.cursor(MediaKind::Video).track();
    let step = player.step(MediaKind::Video, None, at(100));
    assert!(matches!(step, Step::Wait { .. }));
    assert!(!player.is_overtaken(MediaKind::Video, Backlog::default(), None, at(100)));
    assert_eq!(player.cursor(MediaKind::Video).track(), track);
    let PublisherNews::Stands {
        keyframe_requests, ..
    } = seat.news(&seat.pulses().borrow().clone())
    else {
        panic!("it is in charge");
    };
    assert_eq!(keyframe_requests[0], 1);
    let next = coded_frame(TrackId::MAIN, (1, 0), CodecKind::Av1);
    seat.publish(next, at(200)).unwrap();
    let step = player.step(MediaKind::Video, None, at(200));
    assert!(matches!(step, Step::Open { frames, .. } if frames.len() == 1));
    assert!(!player.is_to_move(MediaKind::Video));
}

#[test]
fn a_player_changes_after_three_seconds_at_any_rate_and_at_once_where_it_cannot_decode_what_it_has()
{
    let (_seat, mut player) = to_change();
    player.step(MediaKind::Video, None, at(100));
    player.step(MediaKind::Video, None, at(3_099));
    assert!(player.is_to_move(MediaKind::Video));
    player.step(MediaKind::Video, None, at(3_100));
    assert!(!player.is_to_move(MediaKind::Video));
    let (_seat, mut player) = to_change();
    player.decodes(CodecSet::NONE.with(CodecKind::Av1), at(0));
    player.step(MediaKind::Video, None, at(100));
    assert!(!player.is_to_move(MediaKind::Video));
}

//! A broadcast's life, on a virtual clock.

use super::super::frame::tests::{begun, coded_frame, frame};
use super::*;
use std::time::Duration;

use steadycast_codec_glue::wire::{CodecKind, CodecSet};

const FRESH: ResumeSecret = ResumeSecret([1; 16]);
const OTHER: ResumeSecret = ResumeSecret([2; 16]);

fn at(ms: u64) -> RelayTime {
    RelayTime::from_micros(ms * 1000)
}

fn live() -> (State, u32) {
    let mut state = State::new(at(0));
    let (epoch, _) = state
        .attach_publisher(None, FRESH, Widths::One, at(1))
        .unwrap();
    state
        .publish(epoch, &frame(epoch, 0, 0, 10), at(2))
        .unwrap();
    (state, epoch)
}

#[test]
fn a_broadcast_waits_then_lives_then_is_held_and_lives_again() {
    let (mut state, epoch) = live();
    assert_eq!(state.status().phase, Phase::Live);
    assert!(state.detach_publisher(epoch, at(10)));
    assert_eq!(state.status().phase, Phase::Held);
    assert_eq!(state.status().since_us, 10_000);
    assert_eq!(state.cached().frames, 1, "the picture is kept");
    let (second, _) = state
        .attach_publisher(Some(FRESH), OTHER, Widths::One, at(20))
        .unwrap();
    assert_eq!(state.status().phase, Phase::Held, "until a picture comes");
    state
        .publish(second, &frame(second, 0, 0, 10), at(30))
        .unwrap();
    assert_eq!(state.status().phase, Phase::Live);
}

#[test]
fn the_late_close_of_an_older_publisher_changes_nothing() {
    let (mut state, first) = live();
    let (second, _) = state
        .attach_publisher(None, OTHER, Widths::One, at(5))
        .unwrap();
    state
        .publish(second, &frame(second, 0, 0, 10), at(6))
        .unwrap();
    assert!(!state.detach_publisher(first, at(7)));
    assert_eq!(state.status().phase, Phase::Live);
    assert_eq!(
        state.publish(first, &frame(first, 1, 0, 10), at(8)),
        Err(PublishError::Superseded)
    );
    assert_eq!(
        state.publish(second, &frame(first, 1, 0, 10), at(9)),
        Err(PublishError::StaleEpoch(first))
    );
}

#[test]
fn a_frame_that_was_on_its_way_when_the_broadcast_ended_is_nobodys_fault() {
    let (mut state, first) = live();
    state.end(Code::BroadcastEnded);
    let refused = state
        .publish(first, &frame(first, 0, 1, 10), at(8))
        .unwrap_err();
    assert_eq!(refused, PublishError::Ended(Code::BroadcastEnded));
    assert_eq!(refused.code(), Code::BroadcastEnded);
}

#[test]
fn a_superseded_lineage_cannot_resume_but_can_take_over() {
    let (mut state, _) = live();
    state
        .attach_publisher(None, OTHER, Widths::One, at(5))
        .unwrap();
    assert_eq!(
        state.attach_publisher(Some(FRESH), FRESH, Widths::One, at(6)),
        Err(AttachError::Superseded)
    );
    assert!(
        state
            .attach_publisher(None, FRESH, Widths::One, at(7))
            .is_ok()
    );
}

#[test]
fn what_a_publisher_leaves_unfinished_is_finished_by_nobody() {
    let (mut state, epoch) = live();
    let (first, rest) = begun(epoch, (0, 1), 1_000, 400);
    state.publish(epoch, &first, at(3)).unwrap();
    assert_eq!(state.cached().frames, 2);
    state.detach_publisher(epoch, at(4));
    assert_eq!(state.cached().frames, 1);
    state.extend(TrackId::MAIN, GroupKey { epoch, group: 0 }, rest, at(5));
    assert_eq!(state.cached().frames, 1);
}

#[test]
fn what_a_path_carries_decides_whether_a_late_player_goes_on() {
    let (mut state, epoch) = live();
    let settings = Settings::default();
    let mut cursor = Cursor::default();
    state.step(&mut cursor, &settings, None, at(3));
    for index in 1..9 {
        let late = frame(epoch, 0, index, 1_000);
        state.publish(epoch, &late, at(3)).unwrap();
    }
    let next = |carries| {
        let mut cursor = cursor.clone();
        state.step(&mut cursor, &settings, Some(carries), at(3_000))
    };
    assert_eq!(next(1_000), Step::Abandon);
    assert!(matches!(next(1_000_000), Step::Continue(frames) if frames.len() == 8));
    // What nobody else needs goes where memory is short.
    state
        .publish(epoch, &frame(epoch, 1, 0, 10), at(3))
        .unwrap();
    state.evict_previous();
    let backlog = Backlog {
        unsent: 0,
        keyframe_left: 1,
        bytes: 1,
    };
    let is_overtaken =
        |short| state.is_overtaken(&cursor, backlog, &settings, (None, short), at(3));
    assert!(is_overtaken(true) && !is_overtaken(false));
}

#[test]
fn a_silent_publisher_is_away_and_back_at_its_next_byte() {
    let (mut state, epoch) = live();
    let settings = Settings::default();
    assert_eq!(state.tick(&settings, at(802)), Tick::Nothing);
    assert_eq!(state.tick(&settings, at(803)), Tick::Changed);
    assert_eq!(state.status().phase, Phase::Held);
    assert!(state.heard(epoch, at(900)));
    assert_eq!(state.status().phase, Phase::Live);
}

#[test]
fn a_broadcast_held_too_long_ends() {
    let (mut state, epoch) = live();
    let settings = Settings::default();
    state.detach_publisher(epoch, at(10));
    let over = at(11) + settings.held_timeout;
    assert_eq!(state.tick(&settings, over), Tick::HeldTooLong);
    state.end(Code::HeldTooLong);
    assert_eq!(
        state.attach_player(&settings),
        Err(AttachError::Ended(Code::HeldTooLong))
    );
}

#[test]
fn a_waiting_broadcast_never_times_out() {
    let mut state = State::new(at(0));
    let day = at(0) + Duration::from_secs(86_400);
    assert_eq!(state.tick(&Settings::default(), day), Tick::Nothing);
}

#[test]
fn a_group_that_is_passed_over_is_taken_again_at_the_next_keyframe() {
    let (mut state, epoch) = live();
    let key = GroupKey { epoch, group: 0 };
    assert!(state.pass_over(TrackId::MAIN, key) && !state.pass_over(TrackId::MAIN, key));
    state
        .publish(epoch, &frame(epoch, 0, 1, 100), at(3))
        .unwrap();
    assert_eq!(state.cached().frames, 1, "its picture is kept");
    state
        .publish(epoch, &frame(epoch, 1, 0, 100), at(4))
        .unwrap();
    assert_eq!(
        (state.cached().groups, state.totals.groups_passed_over),
        (2, 1)
    );
}

const H264: TrackId = TrackId::of(CodecKind::H264);

fn decodes_h264() -> Means {
    Means {
        codecs: Some(CodecSet::NONE.with(CodecKind::H264)),
        ..Means::default()
    }
}

/// A broadcast in AV1 with a player that decodes H.264 only.
fn with_rendition() -> State {
    let mut state = State::new(at(0));
    state
        .attach_publisher(None, FRESH, Widths::One, at(1))
        .unwrap();
    let main = coded_frame(TrackId::MAIN, (0, 0), CodecKind::Av1);
    state.publish(1, &main, at(2)).unwrap();
    state.attach_player(&Settings::default()).unwrap();
    state.renditions.moved(None, Some(decodes_h264()));
    state
}

fn rendition(group: u32, index: u32) -> Frame {
    coded_frame(H264, (group, index), CodecKind::H264)
}

fn let_go(state: &mut State) {
    let settings = Settings::default();
    state.detach_player(decodes_h264(), Code::Done);
    state.heard(1, at(3_000));
    state.tick(&settings, at(3_000));
    state.heard(1, at(13_000));
    assert_eq!(state.tick(&settings, at(13_000)), Tick::Changed);
}

#[test]
fn a_rendition_has_a_cache_of_its_own() {
    let mut state = with_rendition();
    assert_eq!(state.publish(1, &rendition(0, 0), at(3)), Ok(true));
    assert_eq!(state.publish(1, &rendition(0, 1), at(4)), Ok(false));
    assert_eq!(state.cached().frames, 3);
    let mut cursor = Cursor::on(H264);
    let step = state.step(&mut cursor, &Settings::default(), None, at(5));
    assert!(matches!(step, Step::Open { frames, .. } if frames.len() == 2));
    // Its frames are no sign that the main picture moves.
    assert_eq!(state.totals.largest_gap_us, 0);
    assert_eq!(state.rendition_snapshots()[0].frames_received, 2);
}

#[test]
fn a_rendition_that_nobody_asked_for_is_the_publisher_s_error() {
    let (mut state, epoch) = live();
    let error = state.publish(epoch, &rendition(0, 0), at(3));
    assert_eq!(error, Err(PublishError::Unasked(H264)));
    assert_eq!(PublishError::Unasked(H264).code(), Code::OutOfOrder);
    let mut state = with_rendition();
    let vp8 = coded_frame(H264, (0, 0), CodecKind::Vp8);
    let error = state.publish(1, &vp8, at(3));
    assert_eq!(error, Err(PublishError::OtherCodec(H264)));
    assert_eq!(PublishError::OtherCodec(H264).code(), Code::Malformed);
}

#[test]
fn frames_that_cross_with_a_change_are_dropped_and_counted() {
    let mut state = with_rendition();
    state.publish(1, &rendition(0, 0), at(3)).unwrap();
    let_go(&mut state);
    assert_eq!(state.cached().frames, 1, "its pictures have gone");
    state.publish(1, &rendition(0, 1), at(13_001)).unwrap();
    assert_eq!(state.totals.unwanted_frames, 1);
    // Wanted again before the publisher has stopped: the group's rest is of no use.
    state.renditions.moved(None, Some(decodes_h264()));
    state.publish(1, &rendition(0, 2), at(13_002)).unwrap();
    assert_eq!(state.cached().frames, 1);
    state.publish(1, &rendition(1, 0), at(13_003)).unwrap();
    assert_eq!(state.cached().frames, 2);
}

#[test]
fn a_held_broadcast_keeps_every_track_s_picture_and_a_new_publisher_cuts_all() {
    let mut state = with_rendition();
    state.publish(1, &rendition(0, 0), at(3)).unwrap();
    state.detach_publisher(1, at(4));
    assert_eq!(state.cached().frames, 2);
    state
        .attach_publisher(None, OTHER, Widths::One, at(5))
        .unwrap();
    assert_eq!(state.cached().frames, 2);
    assert_eq!(state.renditions.wanted().list().len(), 1, "it goes on");
    let late = state.publish(1, &rendition(0, 1), at(6));
    assert_eq!(late, Err(PublishError::Superseded));
}

#[test]
fn keyframes_are_asked_for_by_track() {
    let mut state = with_rendition();
    let settings = Settings::default();
    assert!(state.ask(H264, Need::Join, &settings, at(10)));
    assert!(state.ask(TrackId::MAIN, Need::Join, &settings, at(11)));
    assert!(!state.ask(H264, Need::Join, &settings, at(12)));
    assert_eq!(state.track(H264).requests, 1);
    assert_eq!(state.totals.keyframe_requests, 2);
}

#[test]
fn a_refused_rendition_takes_its_pictures_along() {
    let mut state = with_rendition();
    state.publish(1, &rendition(0, 0), at(3)).unwrap();
    assert!(!state.refuse(7, H264), "of another epoch");
    assert!(!state.refuse(1, TrackId::MAIN));
    assert!(state.refuse(1, H264));
    assert_eq!(state.cached().frames, 1);
}

fn main_from(group: u32) -> [TrackGroup; 1] {
    [TrackGroup {
        track: TrackId::MAIN,
        group,
    }]
}

#[test]
fn a_picture_that_is_taken_back_is_gone_and_what_comes_of_it_late_is_not_taken() {
    let (mut state, epoch) = live();
    assert!(state.pause(epoch, &main_from(1), at(5)));
    assert_eq!(state.status().phase, Phase::Paused);
    assert_eq!(state.status().since_us, 5_000);
    assert_eq!(state.cached().frames, 0, "the picture is forgotten");
    // On its way when it was taken back.
    state
        .publish(epoch, &frame(epoch, 0, 1, 10), at(6))
        .unwrap();
    assert_eq!(state.cached().frames, 0);
    // The card.
    state
        .publish(epoch, &frame(epoch, 1, 0, 10), at(7))
        .unwrap();
    assert_eq!(
        (state.cached().frames, state.status().phase),
        (1, Phase::Paused)
    );
    // Said twice it is no news, nor does it begin anew.
    assert!(!state.pause(epoch, &main_from(1), at(8)));
    assert_eq!(state.status().since_us, 5_000);
    assert!(state.go_on(epoch, at(9)) && !state.go_on(epoch, at(10)));
    assert_eq!(
        (state.status().phase, state.status().since_us),
        (Phase::Live, 9_000)
    );
}

#[test]
fn a_card_that_has_come_before_the_word_of_it_stays() {
    let (mut state, epoch) = live();
    state
        .publish(epoch, &frame(epoch, 1, 0, 10), at(4))
        .unwrap();
    state.pause(epoch, &main_from(1), at(5));
    assert_eq!(state.cached().frames, 1);
}

#[test]
fn a_pause_stays_while_its_publisher_is_away_and_another_publisher_ends_it() {
    let (mut state, epoch) = live();
    state.pause(epoch, &main_from(1), at(5));
    state.detach_publisher(epoch, at(6));
    assert_eq!(state.status().phase, Phase::Paused);
    assert_eq!(state.presence(), Presence::AwaySince(at(6)));
    // The one that comes back says so again, before it sends anything.
    let (second, _) = state
        .attach_publisher(Some(FRESH), OTHER, Widths::One, at(7))
        .unwrap();
    assert!(state.pause(second, &main_from(0), at(8)), "relays are told");
    assert!(!state.pause(second, &main_from(0), at(8)));
    assert_eq!(state.status().since_us, 5_000);
    state
        .publish(second, &frame(second, 0, 0, 10), at(9))
        .unwrap();
    assert_eq!(state.status().phase, Phase::Paused);
    assert!(!state.go_on(epoch, at(10)), "it is not in charge any more");
    // Another has a picture of its own.
    let (third, _) = state
        .attach_publisher(None, OTHER, Widths::One, at(11))
        .unwrap();
    assert_eq!(state.status().phase, Phase::Paused);
    state
        .publish(third, &frame(third, 0, 0, 10), at(12))
        .unwrap();
    assert_eq!(state.status().phase, Phase::Live);
}

#[test]
fn a_pause_takes_every_track_back_those_that_it_does_not_name_whole() {
    let mut state = with_rendition();
    state.publish(1, &rendition(0, 0), at(3)).unwrap();
    assert_eq!(state.cached().frames, 2);
    state.pause(1, &main_from(1), at(5));
    assert_eq!(state.cached().frames, 0);
    let first = TrackGroup {
        track: H264,
        group: 1,
    };
    state.pause(1, &[main_from(1)[0], first], at(6));
    state.publish(1, &rendition(0, 1), at(7)).unwrap();
    assert_eq!(state.cached().frames, 0);
    state.publish(1, &rendition(1, 0), at(8)).unwrap();
    assert_eq!(state.cached().frames, 1);
}

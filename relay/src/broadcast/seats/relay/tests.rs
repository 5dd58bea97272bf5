//! What relays do to a broadcast, and what it is where it comes from one.

use std::time::Duration;

use steadycast_codec_glue::wire::{
    Code, FrameHeader, Phase, ResumeSecret, Service, TrackGroup, TrackId,
};

use super::super::super::frame::tests::{coded_frame, frame, layered_frame};
use super::super::super::{
    AttachError, Description, Newest, PublishError, PublisherNews, Registry, Settings, Step, Widths,
};
use super::*;

const SECRET: ResumeSecret = ResumeSecret([1; 16]);

fn at(ms: u64) -> RelayTime {
    RelayTime::from_micros(10_000_000 + ms * 1_000)
}

fn registry() -> Registry {
    Registry::new(Settings {
        players_per_broadcast: 1,
        ..Settings::default()
    })
}

/// A broadcast with a picture in AV1, and who publishes it.
fn on_air() -> (Arc<Broadcast>, PublisherSeat) {
    let id = "a".parse().unwrap();
    let broadcast = registry().create(id, Description::default(), at(0));
    let broadcast = broadcast.unwrap();
    let seat = attach(&broadcast, at(0));
    let main = coded_frame(TrackId::MAIN, (0, 0), CodecKind::Av1);
    seat.publish(main, at(0)).unwrap();
    (broadcast, seat)
}

fn attach(broadcast: &Arc<Broadcast>, now: RelayTime) -> PublisherSeat {
    let seat = broadcast.attach_publisher(None, SECRET, Widths::Any, now);
    seat.unwrap()
}

fn behind(players: u32, listeners: u32) -> Behind {
    Behind { players, listeners }
}

/// The tracks that are wanted, with their codecs and players.
fn wanted(broadcast: &Broadcast) -> Vec<(u8, CodecKind, u32)> {
    let wanted = broadcast.pulses().borrow().wanted.list();
    let told = wanted
        .iter()
        .map(|one| (one.track.number(), one.codec, one.players));
    told.collect()
}

#[test]
fn a_relay_is_no_player_and_counts_as_those_behind_it() {
    let (broadcast, _seat) = on_air();
    let mut relays = [(); 3].map(|()| broadcast.attach_relay().unwrap());
    assert_eq!(broadcast.status().players, 0);
    relays[0].has_behind(behind(70, 5));
    relays[1].has_behind(behind(30, 0));
    let _player = broadcast.attach_player().unwrap();
    assert_eq!(broadcast.status().players, 101);
    assert_eq!(
        broadcast.attach_player().unwrap_err(),
        AttachError::Full,
        "of players there may be one"
    );
    relays[0].has_behind(behind(10, 1));
    assert_eq!(broadcast.status().players, 41);
    drop(relays);
    assert_eq!(broadcast.status().players, 1);
    let totals = broadcast.snapshot().totals;
    assert_eq!(totals.players_joined, 1);
    assert!(totals.players_left.is_empty());
}

#[test]
fn a_publisher_hears_of_those_that_listen_behind_relays() {
    let (broadcast, seat) = on_air();
    let listeners = || match seat.news(&broadcast.pulses().borrow()) {
        PublisherNews::Stands { listeners, .. } => listeners,
        PublisherNews::Over(code) => panic!("{code}"),
    };
    seat.sounds_as(Some(steadycast_codec_glue::wire::SoundFormat {
        codec: steadycast_codec_glue::wire::SoundCodec::Opus,
        channels: 2,
    }));
    let mut relay = broadcast.attach_relay().unwrap();
    relay.listen(true);
    assert_eq!(listeners(), Some(0), "a relay has no ears of its own");
    relay.has_behind(behind(9, 4));
    assert_eq!(listeners(), Some(4));
    drop(relay);
    assert_eq!(listeners(), Some(0));
}

#[test]
fn a_relay_gets_every_layer_however_late() {
    let id = "a".parse().unwrap();
    let broadcast = registry().create(id, Description::default(), at(0));
    let broadcast = broadcast.unwrap();
    let seat = attach(&broadcast, at(0));
    let mut relay = broadcast.attach_relay().unwrap();
    let mut player = broadcast.attach_player().unwrap();
    seat.publish(layered_frame(0, 0, 0), at(0)).unwrap();
    for seat in [&mut relay, &mut player] {
        assert!(matches!(
            seat.step(MediaKind::Video, None, at(0)),
            Step::Open { .. }
        ));
    }
    for index in 1..5 {
        let frame = layered_frame(0, index, (index % 2) as u8);
        seat.publish(frame, at(10)).unwrap();
    }
    let late = at(10) + Duration::from_millis(300);
    let given = |seat: &mut PlayerSeat| match seat.step(MediaKind::Video, Some(1 << 20), late) {
        Step::Continue(frames) => frames.len(),
        step => panic!("{step:?}"),
    };
    assert_eq!((given(&mut relay), given(&mut player)), (4, 2));
}

#[test]
fn a_relay_asks_for_keyframes_as_often_as_those_behind_it_need_them() {
    let (broadcast, seat) = on_air();
    let mut relay = broadcast.attach_relay().unwrap();
    relay.step(MediaKind::Video, None, at(0));
    for second in 1..20 {
        let now = at(second * 1_000);
        relay.request_keyframe(now);
        let group = second as u32;
        let next = coded_frame(TrackId::MAIN, (group, 0), CodecKind::Av1);
        seat.publish(next, now).unwrap();
    }
    assert_eq!(broadcast.pulses().borrow().keyframe_requests[0], 19);
}

#[test]
fn a_relay_that_needs_a_rendition_gets_that_and_nothing_in_its_place() {
    let (broadcast, seat) = on_air();
    let mut relay = broadcast.attach_relay().unwrap();
    relay.needs(CodecKind::H264, None, at(0));
    assert_eq!(wanted(&broadcast), [(1, CodecKind::H264, 1)]);
    relay.has_behind(behind(40, 0));
    assert_eq!(wanted(&broadcast), [(1, CodecKind::H264, 40)]);
    assert_eq!(broadcast.status().players, 0, "they watch the main track's");
    assert_eq!(relay.serving().service, Service::Preparing);
    assert!(matches!(
        relay.step(MediaKind::Video, None, at(0)),
        Step::Wait { .. }
    ));
    let track = TrackId::of(CodecKind::H264);
    seat.publish(coded_frame(track, (0, 0), CodecKind::H264), at(1))
        .unwrap();
    assert_eq!(relay.serving().service, Service::Ready);
    assert!(matches!(
        relay.step(MediaKind::Video, None, at(1)),
        Step::Open { .. }
    ));
    seat.refuse(track);
    assert_eq!(relay.serving().service, Service::Unsupported);
    drop(relay);
}

#[test]
fn a_need_for_a_narrow_path_is_not_met_by_a_wider_picture() {
    let (broadcast, seat) = on_air();
    let mut relay = broadcast.attach_relay().unwrap();
    relay.needs(CodecKind::Vp9, Some(400), at(0));
    let [(track, CodecKind::Vp9, 1)] = wanted(&broadcast)[..] else {
        panic!("{:?}", wanted(&broadcast));
    };
    let most = broadcast.pulses().borrow().wanted.list()[0].max_kbps;
    assert!(
        most.is_some_and(|kbps| (380..=420).contains(&kbps)),
        "{most:?}"
    );
    assert_eq!(relay.serving().service, Service::Preparing);
    // A player of these means would have the main track meanwhile.
    assert!(matches!(
        relay.step(MediaKind::Video, None, at(0)),
        Step::Wait { .. }
    ));
    let track = TrackId::from_number(track).unwrap();
    seat.publish(coded_frame(track, (0, 0), CodecKind::Vp9), at(1))
        .unwrap();
    assert_eq!(relay.serving().service, Service::Ready);
    seat.refuse(track);
    assert_eq!(relay.serving().service, Service::Unsupported);
    assert_eq!(wanted(&broadcast), [], "nor is a wider one made for it");
}

#[test]
fn a_broadcast_of_another_relay_is_as_that_says_since_when_it_says() {
    let registry = registry();
    let broadcast = registry.take_in("a".parse().unwrap(), None, "origin:1".into(), at(0));
    let broadcast = broadcast.unwrap();
    assert_eq!(broadcast.upstream().as_deref(), Some("origin:1"));
    let seat = broadcast.attach_relay_above(1, at(0)).unwrap();
    let word = |phase, ms| Word {
        phase,
        since: at(ms),
    };
    seat.follow(word(Phase::Held, 7), at(1_000));
    assert_eq!(
        broadcast.status().phase,
        Phase::Waiting,
        "without a picture"
    );
    seat.publish(frame(1, 0, 0, 10), at(1_001)).unwrap();
    let stands = || {
        let status = broadcast.status();
        (status.phase, status.since_us)
    };
    assert_eq!(stands(), (Phase::Held, at(7).as_micros()));
    seat.follow(word(Phase::Live, 1_010), at(1_011));
    assert_eq!(stands(), (Phase::Live, at(1_010).as_micros()));
    // Nothing heard: the link is lost, and nobody knows better.
    registry.tick(at(1_011 + 900));
    assert_eq!(stands(), (Phase::Held, at(1_911).as_micros()));
    seat.follow(word(Phase::Live, 1_010), at(2_000));
    assert_eq!(stands(), (Phase::Live, at(1_010).as_micros()));
    // That it waits there, since a restart, takes no picture away here.
    seat.follow(word(Phase::Waiting, 2_100), at(2_100));
    assert_eq!(stands().0, Phase::Held);
    seat.follow(word(Phase::Paused, 2_200), at(2_300));
    let card = TrackGroup {
        track: TrackId::MAIN,
        group: 1,
    };
    seat.pause(&[card], at(2_300));
    assert_eq!(stands(), (Phase::Paused, at(2_200).as_micros()));
    assert_eq!(broadcast.snapshot().cache.frames, 0);
}

#[test]
fn a_broadcast_that_moves_keeps_its_picture_and_supersedes_at_once() {
    let registry = registry();
    let broadcast = registry.create("a".parse().unwrap(), "A".into(), at(0));
    let broadcast = broadcast.unwrap();
    let old = attach(&broadcast, at(0));
    old.publish(frame(1, 0, 0, 10), at(0)).unwrap();
    let (seat, moves) = broadcast.follow_relay("b:1".into(), at(10)).unwrap();
    assert_eq!(
        old.news(&broadcast.pulses().borrow()),
        PublisherNews::Over(Code::Superseded)
    );
    drop(old);
    let stands = || (broadcast.status().phase, broadcast.snapshot().cache.frames);
    assert_eq!(stands(), (Phase::Live, 1), "nothing is seen of it");
    // It is another relay's now: no time ends it here.
    registry.tick(at(10) + Duration::from_secs(365 * 24 * 3_600));
    assert_eq!(broadcast.ended(), None);
    let next = broadcast.attach_relay_above(moves, at(20)).unwrap();
    drop(seat);
    next.publish(frame(next.epoch(), 0, 0, 10), at(21)).unwrap();
    assert_eq!(stands().0, Phase::Live);
    // A publisher comes here: what the link still brings has no effect.
    let own = broadcast
        .attach_claimed(ResumeSecret([9; 16]), Widths::Any, at(30))
        .unwrap();
    assert_eq!(
        (own.lineage(), broadcast.upstream()),
        (ResumeSecret([9; 16]), None)
    );
    assert_eq!(broadcast.moves(), moves + 1);
    let late = next.publish(frame(next.epoch(), 1, 0, 10), at(31));
    assert_eq!(late, Err(PublishError::Superseded));
    let again = broadcast.attach_relay_above(moves, at(32));
    assert_eq!(again.unwrap_err(), AttachError::Superseded);
    own.publish(frame(own.epoch(), 0, 0, 10), at(33)).unwrap();
    assert_eq!(stands().0, Phase::Live);
}

#[test]
fn a_broadcast_whose_relay_is_gone_stays_here_and_is_held() {
    let registry = registry();
    let id: crate::broadcast::BroadcastId = "a".parse().unwrap();
    let broadcast = registry.take_in(id, None, "b:1".into(), at(0));
    let broadcast = broadcast.unwrap();
    let seat = broadcast
        .attach_relay_above(broadcast.moves(), at(0))
        .unwrap();
    seat.publish(frame(1, 0, 0, 10), at(0)).unwrap();
    let moves = broadcast.moves();
    broadcast.stay_here(at(5));
    assert_eq!((broadcast.upstream(), broadcast.moves()), (None, moves + 1));
    assert_eq!(broadcast.status().phase, Phase::Held);
    assert_eq!(broadcast.snapshot().cache.frames, 1);
    drop(seat);
    // From now on time counts, as at any home.
    let ticked = registry.tick(at(5) + Duration::from_secs(24 * 3_600));
    assert_eq!(ticked.ended.len(), 1);
}

#[test]
fn what_was_seen_is_known_by_its_keyframe_and_its_time() {
    let head = |ms: u64, len| FrameHeader {
        capture_us: at(ms).as_micros(),
        payload_len: len,
        ..*frame(1, 0, 0, 10).header()
    };
    let newest = Newest {
        keyframe: head(1_000, 500),
        captured: at(1_200).as_micros(),
    };
    let seen = |ms, len| newest.has_seen(&head(ms, len), at(ms).as_micros());
    assert!(seen(1_000, 500), "the same");
    assert!(seen(1_050, 500), "the same, by another clock");
    assert!(seen(900, 400), "the one before");
    assert!(!seen(1_260, 500), "the next of the same size");
    assert!(!seen(1_000, 400), "the next, by another clock");
}

#[test]
fn a_broadcast_of_another_relay_ends_by_its_word_or_unwatched() {
    let registry = registry();
    let id: crate::broadcast::BroadcastId = "a".parse().unwrap();
    let broadcast = registry
        .take_in(id.clone(), None, "origin:1".into(), at(0))
        .unwrap();
    let seat = broadcast.attach_relay_above(1, at(0)).unwrap();
    seat.publish(frame(1, 0, 0, 10), at(0)).unwrap();
    seat.leave(at(0));
    let years = Duration::from_secs(10 * 365 * 24 * 3_600);
    let ticked = registry.tick(at(0) + years);
    assert!(ticked.ended.is_empty() && ticked.turned.is_empty());
    let relay = broadcast.attach_relay().unwrap();
    assert!(!registry.let_go(&broadcast), "a relay is there");
    drop(relay);
    assert!(registry.let_go(&broadcast));
    assert!(registry.find(&id).is_none());
    let late = broadcast.attach_player().unwrap_err();
    assert_eq!(late, AttachError::Ended(Code::ShuttingDown));
    assert!(
        late.code().retries(),
        "it comes again, and so does the broadcast"
    );
}

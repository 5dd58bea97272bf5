//! What players get, whatever carries it, on virtual time.

mod sound;
mod wire;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use steadycast_codec_glue::wire::{Code, CodecKind, ResumeSecret, TrackId};

use self::wire::{Line, Seen, Whole, Wire};
use super::{Channel, Limits, PathNews};
use crate::broadcast::{
    Broadcast, Description, Moment, PublisherSeat, Registry, RelayTime, Settings, Widths,
    test_frames,
};

const STALL: Duration = Duration::from_secs(10);

/// A broadcast on air, its players on one shard, and a clock.
struct Scene {
    channel: Channel<Wire>,
    broadcast: Arc<Broadcast>,
    publisher: PublisherSeat,
    began: Instant,
    elapsed: Duration,
}

impl Scene {
    fn new() -> Self {
        Self::of(Widths::One)
    }

    /// One whose publisher can send for such paths.
    fn of(widths: Widths) -> Self {
        let registry = Registry::new(Settings::default());
        let now = RelayTime::from_micros(1);
        let broadcast = registry
            .create("scene".parse().unwrap(), Description::default(), now)
            .unwrap();
        let publisher = broadcast
            .attach_publisher(None, ResumeSecret([7; 16]), widths, now)
            .unwrap();
        Self {
            channel: Channel::new(&broadcast, Whole, Limits { stall: STALL }),
            broadcast,
            publisher,
            began: Instant::now(),
            elapsed: Duration::ZERO,
        }
    }

    fn now(&self) -> Moment {
        Moment {
            relay: RelayTime::from_micros(1) + self.elapsed,
            instant: self.began + self.elapsed,
        }
    }

    fn join(&mut self) -> (usize, Rc<RefCell<Line>>) {
        let line = Rc::new(RefCell::new(Line::default()));
        let seat = self.broadcast.attach_player().unwrap();
        let key = self.channel.join(seat, |_| Wire::over(&line));
        self.settle();
        (key, line)
    }

    fn publish(&mut self, group: u32, index: u32) {
        self.publish_unheard(group, index);
        self.channel.wake();
        self.settle();
    }

    /// A frame of which the channel has not been told.
    fn publish_unheard(&mut self, group: u32, index: u32) {
        let frame = test_frames::frame(self.publisher.epoch(), group, index, 100);
        self.publisher.publish(frame, self.now().relay).unwrap();
    }

    /// A keyframe of a track, in this codec.
    fn publish_coded(&mut self, track: TrackId, group: u32, codec: CodecKind) {
        let frame = test_frames::coded_frame(track, (group, 0), codec);
        self.publisher.publish(frame, self.now().relay).unwrap();
        self.channel.wake();
        self.settle();
    }

    /// A player that can decode nothing but these.
    fn join_with(&mut self, codecs: &[CodecKind]) -> Rc<RefCell<Line>> {
        let (key, line) = self.join();
        self.decodes(key, codecs);
        // What it got before it said so.
        line.borrow_mut().seen.clear();
        line
    }

    /// A player says that it can decode nothing but these.
    fn decodes(&mut self, key: usize, codecs: &[CodecKind]) {
        let now = self.now().relay;
        let seat = self.channel.seat(key).unwrap();
        seat.decodes(codecs.iter().copied().collect(), now);
        self.channel.sort(key);
    }

    /// Lets time pass, to each moment at which something is due.
    fn pass(&mut self, time: Duration) {
        let until = self.elapsed + time;
        while let Some(due) = self.channel.deadline().map(|due| due - self.began)
            && due <= until
        {
            self.elapsed = self.elapsed.max(due);
            self.channel.pass_time(self.now());
            self.settle();
        }
        self.elapsed = until;
    }

    fn settle(&mut self) {
        while self.channel.advance(self.now(), 3) {}
    }
}

#[test]
fn players_that_have_everything_get_each_frame_once() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let lines: Vec<_> = (0..10).map(|_| scene.join().1).collect();
    for index in 1..5 {
        scene.publish(0, index);
    }
    scene.publish(1, 0);
    for line in lines {
        let seen = line.borrow().seen.clone();
        let opened = seen.iter().filter(|seen| **seen == Seen::Opened).count();
        assert_eq!((opened, line.borrow_mut().arrived()), (2, 6));
    }
}

#[test]
fn a_player_that_cannot_keep_up_delays_nobody_and_comes_back() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let (_, slow) = scene.join();
    let (_, fast) = scene.join();
    slow.borrow_mut().room = Some(0);
    for index in 1..4 {
        scene.publish(0, index);
    }
    assert_eq!(fast.borrow_mut().arrived(), 4);
    assert_eq!(slow.borrow_mut().arrived(), 1);
    slow.borrow_mut().room = None;
    scene.pass(Duration::from_millis(20));
    assert_eq!(slow.borrow_mut().arrived(), 3);
    scene.publish(0, 4);
    assert_eq!(
        (fast.borrow_mut().arrived(), slow.borrow_mut().arrived()),
        (1, 1)
    );
}

#[test]
fn a_player_that_is_too_late_goes_on_at_the_next_keyframe() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let (_, line) = scene.join();
    line.borrow_mut().arrived();
    line.borrow_mut().room = Some(0);
    for index in 1..200 {
        scene.publish(0, index);
        scene.pass(Duration::from_millis(33));
    }
    assert!(line.borrow().seen.contains(&Seen::Cut));
    line.borrow_mut().room = None;
    scene.publish(1, 0);
    scene.pass(Duration::from_millis(20));
    let opened = line
        .borrow()
        .seen
        .iter()
        .filter(|seen| **seen == Seen::Opened)
        .count();
    assert_eq!((opened, line.borrow_mut().arrived()), (1, 1));
}

#[test]
fn a_player_that_acknowledges_nothing_is_ended_and_nobody_else() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let (deaf, line) = scene.join();
    let (_, other) = scene.join();
    line.borrow_mut().room = Some(0);
    scene.publish(0, 1);
    scene.pass(STALL - Duration::from_millis(50));
    assert_eq!(scene.channel.take_over(), []);
    scene.pass(Duration::from_millis(100));
    assert_eq!(scene.channel.take_over(), [(deaf, Code::TooSlow)]);
    scene.channel.leave(deaf);
    scene.publish(0, 2);
    assert_eq!(other.borrow_mut().arrived(), 3);
}

#[test]
fn a_player_that_is_gone_is_told_of_once() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let (gone, line) = scene.join();
    let (_, other) = scene.join();
    line.borrow_mut().gone = true;
    scene.publish(0, 1);
    scene.publish(0, 2);
    assert_eq!(scene.channel.take_over(), [(gone, Code::Done)]);
    assert_eq!(scene.channel.take_over(), []);
    assert!(scene.channel.leave(gone).is_some());
    assert_eq!(other.borrow_mut().arrived(), 3);
}

#[test]
fn one_that_leaves_is_not_told_of_any_more_and_the_others_are() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let ends = [(); 2].map(|()| {
        let (key, line) = scene.join();
        line.borrow_mut().gone = true;
        key
    });
    scene.publish(0, 1);
    scene.channel.leave(ends[0]);
    assert_eq!(scene.channel.take_over(), [(ends[1], Code::Done)]);
}

#[test]
fn a_join_that_waits_for_a_keyframe_gets_what_there_is_when_none_comes() {
    let mut scene = Scene::new();
    for index in 0..200 {
        scene.publish(0, index);
    }
    let (_, line) = scene.join();
    assert_eq!(line.borrow_mut().arrived(), 0);
    scene.pass(Duration::from_millis(499));
    assert_eq!(line.borrow_mut().arrived(), 0);
    scene.pass(Duration::from_millis(10));
    assert_eq!(line.borrow_mut().arrived(), 200);
}

#[test]
fn a_narrow_path_shows_frames_that_are_never_older_than_its_keyframes_make_them() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let (_, line) = scene.join();
    // A piece in 50 ms where one comes in 33.
    line.borrow_mut().carries = Some(20 * 130);
    let (mut group, mut index, mut asked) = (0, 1, 0);
    let requests = |scene: &Scene| scene.broadcast.snapshot().totals.keyframe_requests;
    let (mut sent, mut shown, mut oldest) = (HashMap::new(), 0, Duration::ZERO);
    for tick in 0..3_000u32 {
        scene.pass(Duration::from_millis(10));
        if tick % 5 == 0 {
            line.borrow_mut().room = Some(1);
            for frame in line.borrow_mut().frames() {
                shown += 1;
                let age = sent.get(&frame).map(|at| scene.elapsed - *at);
                oldest = oldest.max(age.unwrap_or_default());
            }
        } else {
            line.borrow_mut().room.get_or_insert(0);
        }
        if tick % 3 == 0 {
            if requests(&scene) > asked {
                asked = requests(&scene);
                (group, index) = (group + 1, 0);
            }
            sent.insert((group, index), scene.elapsed);
            scene.publish(group, index);
            index += 1;
        }
    }
    // Something of each group, and most of what the path carries (600 pieces in 30 s).
    assert!(asked >= 5, "{asked} keyframes");
    assert!(shown >= 300, "{shown} frames");
    assert!(oldest < Duration::from_millis(1_200), "{oldest:?}");
}

#[test]
fn a_decoder_that_lost_its_footing_begins_again_at_a_keyframe_and_the_others_go_on() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let (broken, line) = scene.join();
    let (_, other) = scene.join();
    scene.publish(0, 1);
    assert_eq!(line.borrow_mut().arrived(), 2);
    scene.channel.restart(broken, scene.now());
    scene.settle();
    scene.publish(0, 2);
    assert_eq!(line.borrow().seen[..2], [Seen::Cut, Seen::Opened]);
    // The whole group, once more.
    assert_eq!(line.borrow_mut().arrived(), 3);
    assert_eq!(other.borrow_mut().arrived(), 3);
}

#[test]
fn a_path_is_told_of_while_frames_were_left_out_of_late() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let (key, line) = scene.join();
    line.borrow_mut().carries = Some(1_000);
    let told = |scene: &Scene, after: Duration| {
        let news = scene.channel.path(key, scene.now().instant + after);
        news.unwrap()
    };
    let (wide, narrow) = (PathNews::of(None), PathNews::of(Some(1_000)));
    assert_eq!(told(&scene, Duration::ZERO), wide);
    line.borrow_mut().room = Some(0);
    for index in 1.. {
        if line.borrow().seen.contains(&Seen::Cut) {
            break;
        }
        assert!(index < 200, "it is never skipped");
        scene.publish(0, index);
        scene.pass(Duration::from_millis(33));
    }
    assert_eq!(told(&scene, Duration::ZERO), narrow);
    assert_eq!(told(&scene, Duration::from_millis(9_900)), narrow);
    assert_eq!(told(&scene, Duration::from_secs(10)), wide);
}

#[test]
fn a_channel_is_empty_when_the_last_has_left_and_gives_back_what_it_had() {
    let mut scene = Scene::new();
    assert!(scene.channel.is_empty());
    let keys = [scene.join().0, scene.join().0];
    assert!(Arc::ptr_eq(scene.channel.broadcast(), &scene.broadcast));
    for key in keys {
        assert!(!scene.channel.is_empty());
        assert!(scene.channel.seat(key).is_some());
        assert!(scene.channel.carrier(key).is_some());
        assert!(scene.channel.leave(key).is_some());
        assert!(scene.channel.seat(key).is_none());
        assert!(scene.channel.carrier(key).is_none());
        assert!(scene.channel.leave(key).is_none());
        assert!(!scene.channel.ready(key));
    }
    assert!(scene.channel.is_empty());
}

#[test]
fn who_moves_with_others_has_its_turn_with_them() {
    let mut scene = Scene::new();
    let (key, line) = scene.join();
    assert!(scene.channel.ready(key));
    scene.publish(0, 0);
    assert!(!scene.channel.ready(key));
    line.borrow_mut().room = Some(0);
    scene.publish(0, 1);
    assert!(scene.channel.ready(key));
}

/// To how many of these something has come.
fn served(lines: &[Rc<RefCell<Line>>]) -> usize {
    let has = |line: &&Rc<RefCell<Line>>| !line.borrow().seen.is_empty();
    lines.iter().filter(has).count()
}

#[test]
fn no_more_players_are_served_at_once_than_was_asked() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let lines: Vec<_> = (0..5).map(|_| scene.join().1).collect();
    for line in &lines {
        line.borrow_mut().seen.clear();
    }
    scene.publish_unheard(0, 1);
    scene.channel.wake();
    let now = scene.now();
    assert!(scene.channel.advance(now, 2));
    assert_eq!(served(&lines), 2);
    assert!(scene.channel.advance(now, 2));
    assert_eq!(served(&lines), 4);
    assert!(!scene.channel.advance(now, 2));
    assert_eq!(served(&lines), 5);
}

#[test]
fn neither_are_more_that_go_by_themselves() {
    let mut scene = Scene::new();
    let lines: Vec<_> = (0..5).map(|_| scene.join().1).collect();
    scene.publish_unheard(0, 0);
    scene.channel.wake();
    let now = scene.now();
    let steps = [0; 3].map(|_| (scene.channel.advance(now, 2), served(&lines)));
    assert_eq!(steps, [(true, 2), (true, 4), (false, 5)]);
}

#[test]
fn what_a_path_carried_before_it_fell_silent_is_no_reason_to_wait_for_it() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let (_, line) = scene.join();
    line.borrow_mut().room = Some(0);
    line.borrow_mut().carries = Some(10_000_000);
    for index in 1..100 {
        scene.publish(0, index);
        scene.pass(Duration::from_millis(33));
    }
    assert!(line.borrow().seen.contains(&Seen::Cut));
}

#[test]
fn who_moved_with_others_on_a_rendition_goes_on_where_there_is_another_and_they_alone() {
    use CodecKind::{Av1, H264, Vp8};
    let mut scene = Scene::new();
    let [h264, vp8] = [H264, Vp8].map(TrackId::of);
    scene.publish_coded(TrackId::MAIN, 0, Av1);
    let main = scene.join_with(&[Av1]);
    let moved = [(); 2].map(|()| scene.join_with(&[H264, Vp8]));
    scene.publish_coded(h264, 0, H264);
    let of_h264 = moved.each_ref().map(|line| line.borrow_mut().arrived());
    assert_eq!((of_h264, main.borrow().seen.len()), ([1, 1], 0));
    // The publisher cannot encode H.264 any more.
    scene.publisher.refuse(h264);
    scene.channel.wake();
    scene.settle();
    scene.publish_coded(vp8, 0, Vp8);
    let of_vp8 = moved.each_ref().map(|line| line.borrow_mut().arrived());
    assert_eq!((of_vp8, main.borrow().seen.len()), ([1, 1], 0));
}

#[test]
fn a_join_that_waits_for_a_keyframe_is_looked_at_when_it_has_waited_and_not_before() {
    let mut scene = Scene::new();
    for index in 0..200 {
        scene.publish(0, index);
    }
    scene.join();
    let wait = Settings::default().keyframe_wait;
    assert_eq!(scene.channel.deadline(), Some(scene.began + wait));
}

#[test]
fn a_player_that_acknowledges_nothing_is_looked_at_when_that_has_lasted_and_not_before() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let (_, line) = scene.join();
    line.borrow_mut().room = Some(0);
    line.borrow_mut().mute = true;
    scene.publish(0, 1);
    assert_eq!(scene.channel.deadline(), Some(scene.began + STALL));
}

#[test]
fn whose_turn_it_is_does_not_lose_it_because_another_leaves() {
    let mut scene = Scene::new();
    let (leaving, _) = scene.join();
    let (_, line) = scene.join();
    scene.publish_unheard(0, 0);
    scene.channel.wake();
    scene.channel.leave(leaving);
    scene.settle();
    assert_eq!(line.borrow_mut().arrived(), 1);
}

#[test]
fn who_has_what_the_others_have_moves_with_them() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    for _ in 0..3 {
        let (key, _) = scene.join();
        assert!(!scene.channel.ready(key));
    }
}

#[test]
fn players_that_several_groups_have_passed_go_on_with_the_newest() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let lines = [scene.join().1, scene.join().1];
    for (group, index) in [(0, 1), (1, 0), (1, 1), (2, 0), (3, 0)] {
        scene.publish_unheard(group, index);
    }
    scene.channel.wake();
    scene.settle();
    scene.publish(3, 1);
    for line in lines {
        let frames = line.borrow_mut().frames();
        assert_eq!(frames[frames.len() - 2..], [(3, 0), (3, 1)], "{frames:?}");
    }
}

#[test]
fn who_leaves_the_others_while_they_are_served_has_the_frame_once() {
    let mut scene = Scene::new();
    scene.publish(0, 0);
    let players: Vec<_> = (0..3).map(|_| scene.join()).collect();
    for (_, line) in &players {
        line.borrow_mut().seen.clear();
    }
    scene.publish_unheard(0, 1);
    scene.channel.wake();
    let now = scene.now();
    assert!(scene.channel.advance(now, 1));
    for (key, _) in &players {
        scene.decodes(*key, &[CodecKind::H264]);
    }
    scene.settle();
    for (_, line) in players {
        assert_eq!(line.borrow_mut().frames(), [(0, 1)]);
    }
}

#[test]
fn who_cannot_decode_what_the_others_get_gets_no_more_of_it() {
    let mut scene = Scene::new();
    scene.publish_coded(TrackId::MAIN, 0, CodecKind::Av1);
    let line = scene.join_with(&[CodecKind::Vp8]);
    scene.publish_coded(TrackId::MAIN, 1, CodecKind::Av1);
    assert_eq!(line.borrow_mut().arrived(), 0);
}

#[test]
fn who_says_what_it_can_decode_is_served_what_is_there_for_others_already() {
    use CodecKind::{Av1, H264};
    let mut scene = Scene::new();
    scene.publish_coded(TrackId::MAIN, 0, Av1);
    scene.join_with(&[H264]);
    scene.publish_coded(TrackId::of(H264), 0, H264);
    // One that said nothing of itself moves with those on the main track.
    scene.join();
    let line = scene.join_with(&[H264]);
    scene.settle();
    assert_eq!(line.borrow_mut().arrived(), 1);
}

#[test]
fn a_path_that_is_given_less_is_filled_up_a_little_until_it_has_shown_that_it_carries_more() {
    let mut scene = Scene::of(Widths::Any);
    scene.publish(0, 0);
    let (key, line) = scene.join();
    scene.channel.seat(key).unwrap().takes_any_width();
    let mut frame = 0;
    let mut film = |scene: &mut Scene, seconds: u32| {
        for _ in 0..seconds * 30 {
            frame += 1;
            scene.publish(frame / 60, frame % 60);
            scene.pass(Duration::from_millis(33));
        }
    };
    line.borrow_mut().carries = Some(1_000);
    film(&mut scene, 3);
    assert_eq!(line.borrow().filled, 0, "it carries what it is given");
    line.borrow_mut().room = Some(0);
    film(&mut scene, 5);
    line.borrow_mut().room = None;
    line.borrow_mut().filled = 0;
    film(&mut scene, 10);
    let filled = line.borrow().filled;
    assert!((800..=1_000).contains(&filled), "{filled} in ten seconds");
    let told = |scene: &Scene| {
        let later = scene.now().instant + Duration::from_secs(10);
        scene.channel.path(key, later).unwrap()
    };
    assert!(told(&scene).narrow, "it has less than the publisher chose");
    line.borrow_mut().carries = Some(1_000_000);
    film(&mut scene, 1);
    line.borrow_mut().filled = 0;
    film(&mut scene, 20);
    assert_eq!(line.borrow().filled, 0, "it has shown what it carries");
    assert!(!told(&scene).narrow);
}

//! Sound, whatever carries it.

use steadycast_codec_glue::wire::{SoundCodec, SoundFormat, SoundPacket};

use super::*;

impl Scene {
    fn sounding() -> Self {
        let scene = Self::new();
        scene.publisher.sounds_as(Some(SoundFormat {
            codec: SoundCodec::Opus,
            channels: 2,
        }));
        scene
    }

    fn listen(&mut self) -> (usize, Rc<RefCell<Line>>) {
        let (key, line) = self.join();
        self.channel.listen(key, true);
        (key, line)
    }

    /// A frame of which the channel has not been told.
    fn sound_unheard(&mut self, sequence: u32) {
        let packet = SoundPacket {
            begins: false,
            sealed: false,
            epoch: self.publisher.epoch(),
            sequence,
            capture_us: self.now().relay.as_micros(),
            repeats: Vec::new(),
            frame: vec![31 << 3, 1, 2].into(),
        };
        let now = self.now().relay;
        self.publisher.publish_sound(packet, now).unwrap();
    }

    fn sound(&mut self, sequence: u32) {
        self.sound_unheard(sequence);
        self.settle();
    }
}

fn heard(line: &RefCell<Line>) -> Vec<u32> {
    std::mem::take(&mut line.borrow_mut().heard)
}

#[test]
fn those_that_listen_hear_each_frame_once_from_when_they_began() {
    let mut scene = Scene::sounding();
    let lines: Vec<_> = (0..7).map(|_| scene.listen().1).collect();
    let (key, silent) = scene.join();
    scene.sound(1);
    scene.channel.listen(key, true);
    scene.channel.listen(key, true);
    scene.sound(2);
    scene.sound(3);
    for line in lines {
        assert_eq!(heard(&line), [1, 2, 3]);
    }
    assert_eq!(heard(&silent), [2, 3]);
    scene.channel.listen(key, false);
    scene.sound(4);
    assert!(heard(&silent).is_empty());
    assert_eq!(scene.broadcast.snapshot().sound.unwrap().listeners, 7);
}

#[test]
fn who_has_no_room_misses_what_there_is_and_delays_nobody() {
    let mut scene = Scene::sounding();
    let (_, one) = scene.listen();
    let (_, other) = scene.listen();
    one.borrow_mut().deaf = true;
    scene.sound(1);
    one.borrow_mut().deaf = false;
    scene.sound(2);
    assert_eq!((heard(&one), heard(&other)), (vec![2], vec![1, 2]));
    let totals = scene.broadcast.snapshot().totals;
    assert_eq!((totals.sound_sent, totals.sound_dropped), (3, 1));
}

#[test]
fn a_shard_that_is_behind_goes_on_with_what_is_new() {
    let mut scene = Scene::sounding();
    let (_, line) = scene.listen();
    (0..100).for_each(|sequence| scene.sound_unheard(sequence));
    scene.settle();
    assert_eq!(heard(&line), (84..100).collect::<Vec<_>>());
    assert_eq!(scene.broadcast.snapshot().totals.sound_dropped, 84);
}

/// A round of pictures is under way when the sound comes.
#[test]
fn sound_goes_before_pictures() {
    let mut scene = Scene::sounding();
    scene.publish(0, 0);
    let lines: Vec<_> = (0..9).map(|_| scene.listen().1).collect();
    lines.iter().for_each(|line| {
        line.borrow_mut().arrived();
    });
    scene.publish_unheard(0, 1);
    scene.channel.wake();
    assert!(scene.channel.advance(scene.now(), 3));
    scene.sound_unheard(1);
    for _ in 0..3 {
        assert!(scene.channel.advance(scene.now(), 3));
    }
    assert!(lines.iter().all(|line| heard(line) == [1]));
    let pictures: usize = lines.iter().map(|line| line.borrow_mut().arrived()).sum();
    assert_eq!(pictures, 3);
    scene.settle();
    let pictures: usize = lines.iter().map(|line| line.borrow_mut().arrived()).sum();
    assert_eq!(pictures, 6);
}

#[test]
fn who_leaves_is_counted_no_more() {
    let mut scene = Scene::sounding();
    let (one, _) = scene.listen();
    let (_, other) = scene.listen();
    scene.channel.leave(one);
    scene.sound(1);
    assert_eq!(heard(&other), [1]);
    assert_eq!(scene.broadcast.snapshot().sound.unwrap().listeners, 1);
}

#[test]
fn where_very_many_listen_a_frame_waits_for_the_next_one_but_not_for_long() {
    let mut scene = Scene::sounding();
    let lines: Vec<_> = (0..256).map(|_| scene.listen().1).collect();
    // How many there are is known once they have been handed something.
    scene.sound(1);
    let at = scene.now().instant;
    assert_eq!(scene.channel.deadline(), None);
    scene.sound(2);
    let due = scene.channel.deadline();
    assert!(due.is_some_and(|due| due > at && due < at + Duration::from_millis(50)));
    scene.sound(3);
    assert_eq!(scene.channel.deadline(), None);
    scene.sound(4);
    scene.pass(Duration::from_millis(50));
    assert_eq!(scene.channel.deadline(), None);
    assert!(lines.iter().all(|line| heard(line) == [1, 2, 3, 4]));
    assert_eq!(scene.broadcast.snapshot().totals.sound_sent, 4 * 256);
}

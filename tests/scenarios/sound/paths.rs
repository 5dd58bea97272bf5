//! Sound on paths that lose, and on such as a keyframe fills.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Result;
use steadycast_codec_glue::wire::{Role, SoundPacket};
use steadycast_tests::client::{Player, Publisher, soon};
use steadycast_tests::coded::Random;
use steadycast_tests::proxy::{Fate, Fates, Proxy, faultless, queued};
use steadycast_tests::relay::TestRelay;
use steadycast_tests::sound::{STEREO, Speaker, hear};
use tokio::time::interval;

use super::{listening, sounding};

/// From one frame to the next: faster than sound is, so that the scenario is shorter.
const PACE: Duration = Duration::from_millis(8);

/// Of so many of a hundred packets each is lost.
fn lossy(percent: u32) -> Fates {
    let mut random = Random::new(7);
    Box::new(move |_| match random.percent(percent) {
        true => Fate::Lost,
        false => Fate::Passes,
    })
}

/// Which frames a player has of those from `from` on, and which it has without repeats.
fn frames(heard: &[SoundPacket], from: u32) -> [usize; 2] {
    let newest = heard.iter().map(|packet| packet.sequence);
    let with_repeats = heard.iter().flat_map(|packet| {
        let repeats = packet.repeats.len() as u32;
        packet.sequence - repeats..=packet.sequence
    });
    [
        with_repeats
            .filter(|frame| *frame >= from)
            .collect::<HashSet<_>>()
            .len(),
        newest
            .filter(|frame| *frame >= from)
            .collect::<HashSet<_>>()
            .len(),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_path_that_loses_frames_are_repeated_and_few_are_missed() -> Result<()> {
    const FRAMES: u32 = 750;
    /// By then the path is known.
    const KNOWN: u32 = 350;
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (mut publisher, speaker) = sounding(&relay, &broadcast).await?;
    let proxy = Proxy::with(relay.target(), faultless(), lossy(6)).await?;
    let mut player = Player::join(proxy.target(), &broadcast.token(Role::Player)).await?;
    player.listen(true).await?;
    publisher.heard_by(1).await?;
    let ear = player.control.connection.clone();
    let hearing = tokio::spawn(async move {
        let mut heard = Vec::new();
        loop {
            let packet: SoundPacket = hear(&ear).await?;
            let last = packet.sequence >= FRAMES - 10;
            heard.push(packet);
            if last {
                return anyhow::Ok(heard);
            }
        }
    });
    let mut pace = interval(PACE);
    for sequence in 0..FRAMES {
        pace.tick().await;
        publisher.send_sound(&speaker.packet(sequence))?;
    }
    let heard = soon("the last frames", hearing).await???;
    let last = heard.last().map_or(0, |packet| packet.sequence);
    let sent = (last + 1 - KNOWN) as f64;
    let [whole, bare] = frames(&heard, KNOWN).map(|frames| 1.0 - frames as f64 / sent);
    assert!(bare > 0.02, "the path lost {bare}");
    assert!(whole < 0.01, "{whole} missed, {bare} without repeats");
    assert!(
        heard
            .windows(2)
            .all(|two| two[0].sequence < two[1].sequence)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_on_a_path_that_loses_is_asked_to_repeat() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let proxy = Proxy::with(relay.target(), lossy(6), faultless()).await?;
    let token = broadcast.token(Role::Publisher);
    let mut publisher = Publisher::join(proxy.target(), &token, None).await?;
    publisher.sounds_as(Some(STEREO)).await?;
    let _player = listening(&broadcast).await?;
    publisher.heard_by(1).await?;
    let mut speaker = Speaker::new(publisher.epoch(), relay.now_us());
    let mut pace = interval(PACE);
    let mut sequence = 0;
    let connection = publisher.control.connection.clone();
    let asked = async {
        loop {
            tokio::select! {
                listeners = publisher.listeners() => match listeners? {
                    (_, 0) => {}
                    (_, repeat) => return anyhow::Ok(repeat),
                },
                _ = pace.tick() => {
                    let packet = speaker.packet(sequence);
                    connection.send_datagram(steadycast_codec_glue::wire::encode_sound(&packet)?)?;
                    sequence += 1;
                }
            }
        }
    };
    speaker.repeat = soon("a word to repeat", asked).await??;
    let before = broadcast.records()?.totals;
    for sequence in sequence..sequence + 300 {
        pace.tick().await;
        publisher.send_sound(&speaker.packet(sequence))?;
    }
    publisher.control.ping().await?;
    let after = broadcast.records()?.totals;
    let lost = after.sound_lost - before.sound_lost;
    let taken = after.sound_frames - before.sound_frames;
    assert!(before.sound_lost > 0);
    assert!(
        taken > 250 && lost * 100 <= taken * 2,
        "{lost} lost, {taken} taken"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyframe_does_not_delay_sound() -> Result<()> {
    const KEYFRAME: usize = 300_000;
    /// The keyframe takes 0.6 s of it.
    const CARRIES: f64 = 500_000.0;
    /// Far more than it takes, and less than the keyframe does.
    const LATEST: Duration = Duration::from_millis(350);
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (mut publisher, speaker) = sounding(&relay, &broadcast).await?;
    let proxy = Proxy::with(relay.target(), faultless(), queued(CARRIES)).await?;
    let mut player = Player::join(proxy.target(), &broadcast.token(Role::Player)).await?;
    player.listen(true).await?;
    publisher.heard_by(1).await?;
    publisher.keyframe(KEYFRAME).await?;
    let ear = player.control.connection.clone();
    let began = Instant::now();
    let picture = async {
        player.frame().await?;
        anyhow::Ok(began.elapsed())
    };
    let sound = async {
        let mut latest = Duration::ZERO;
        let mut pace = interval(Duration::from_millis(20));
        for sequence in 0..20 {
            pace.tick().await;
            let sent = Instant::now();
            publisher.send_sound(&speaker.packet(sequence))?;
            hear(&ear).await?;
            latest = latest.max(sent.elapsed());
        }
        anyhow::Ok(latest)
    };
    let (picture, sound) = tokio::join!(picture, soon("sound beside the picture", sound));
    let (picture, sound) = (picture?, sound??);
    assert!(picture > Duration::from_millis(500), "{picture:?}");
    assert!(sound < LATEST, "{sound:?} beside a keyframe of {picture:?}");
    Ok(())
}

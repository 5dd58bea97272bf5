//! Sound over WebRTC, to players and from publishers.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use steadycast_codec_glue::wire::SoundPacket;
use steadycast_tests::client::{self, Publisher as Host};
use steadycast_tests::coded::{Kind, Random, coded};
use steadycast_tests::proxy::{Fate, Fates, Proxy, faultless, is_media};
use steadycast_tests::relay::{TestBroadcast, TestRelay};
use steadycast_tests::sound::{LASTS, STEREO, Speaker, frame};
use steadycast_tests::webrtc::{OPUS, Player, Publisher, RED, Rogue, SoundOffer, rtcp, rtp};
use tokio::time::{Instant, sleep_until};

use super::later;

/// What a frame takes, as RTP counts it.
const FRAME: i32 = 960;

/// A host with sound that one player is to hear, at least.
async fn sounding(relay: &TestRelay, broadcast: &TestBroadcast<'_>) -> Result<(Host, Speaker)> {
    let mut host = broadcast.publisher().await?;
    host.sounds_as(Some(STEREO)).await?;
    host.heard_by(1).await?;
    let speaker = Speaker::new(host.epoch(), relay.now_us());
    Ok((host, speaker))
}

/// A frame's capture time as RTP counts it.
fn rtp_time(packet: &SoundPacket) -> u32 {
    (u128::from(packet.capture_us) * 48 / 1_000) as u32
}

/// Sends so many frames, each when it is due.
async fn speak(host: &Host, speaker: &Speaker, count: u32) -> Result<()> {
    let begin = Instant::now();
    for sequence in 0..count {
        sleep_until(begin + LASTS * sequence).await;
        host.send_sound(&speaker.packet(sequence))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_hears_every_frame_at_its_time() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let endpoint = broadcast.whep().with_sound(SoundOffer::default());
    let mut player = Player::watch(&endpoint).await?;
    let (host, speaker) = sounding(&relay, &broadcast).await?;
    let mut before = None;
    for sequence in 0..60 {
        let sent = speaker.packet(sequence);
        host.send_sound(&sent)?;
        let heard = player.sound().await?;
        ensure!(heard.frame == frame(sequence), "{sequence}");
        ensure!(later(heard.time, rtp_time(&sent)).abs() <= 1, "{sequence}");
        ensure!(heard.begins == (sequence == 0));
        let last = before.replace((heard.sequence, heard.time));
        if let Some((number, time)) = last {
            ensure!(heard.sequence == number + 1);
            ensure!(later(heard.time, time) == FRAME);
        }
    }
    let packets = player.packets_of_sound();
    ensure!(packets.iter().all(|packet| packet.payload_type == OPUS));
    ensure!(packets.iter().all(|packet| packet.ssrc == packets[0].ssrc));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_tell_players_how_picture_and_sound_go_together() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let endpoint = broadcast.whep().with_sound(SoundOffer::default());
    let mut player = Player::watch(&endpoint).await?;
    let (host, speaker) = sounding(&relay, &broadcast).await?;
    let mut sequence = 0;
    let (at, time, sent) = loop {
        let sent = speaker.packet(sequence);
        host.send_sound(&sent)?;
        let heard = player.sound().await?;
        if let Some((at, time)) = heard.clock {
            break (at, later(heard.time, time), sent);
        }
        sequence += 1;
    };
    let since = at.duration_since(std::time::UNIX_EPOCH)?;
    let captured = since.as_micros() as i64 + i64::from(time) * 1_000 / 48;
    let off = captured - sent.capture_us as i64;
    ensure!(off.abs() < 1_000, "{off} us from its capture time");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_offers_no_sound_sees_the_picture_and_is_no_listener() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    // What it offers is none that the relay knows.
    let endpoint = broadcast.whep().with_sound(SoundOffer::default());
    let other = |offer: String| offer.replace("opus/48000", "L16/48000");
    let mut deaf = Player::with(&endpoint, other).await?;
    deaf.connected().await?;
    let mut mute = Player::watch(&broadcast.whep()).await?;
    let mut host = broadcast.publisher().await?;
    host.sounds_as(Some(STEREO)).await?;
    ensure!(host.listeners().await?.0 == 0);
    let speaker = Speaker::new(host.epoch(), relay.now_us());
    host.send_sound(&speaker.packet(0))?;
    let sent = coded(Kind::Vp8, true, 0, 4_000);
    host.send_coded(&sent, relay.now_us()).await?;
    for player in [&mut deaf, &mut mute] {
        player.expect(&sent).await?;
        ensure!(player.packets_of_sound().is_empty());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_goes_on_from_the_same_source_with_another_publisher() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let endpoint = broadcast.whep().with_sound(SoundOffer::default());
    let mut player = Player::watch(&endpoint).await?;
    let mut before = None;
    for _ in 0..3 {
        let (host, speaker) = sounding(&relay, &broadcast).await?;
        for sequence in 0..5 {
            host.send_sound(&speaker.packet(sequence))?;
            let heard = player.sound().await?;
            ensure!(heard.frame == frame(sequence) && heard.begins == (sequence == 0));
            if let Some((number, time)) = before.replace((heard.sequence, heard.time)) {
                ensure!(heard.sequence == number + 1);
                ensure!(later(heard.time, time) >= FRAME);
            }
        }
    }
    let packets = player.packets_of_sound();
    ensure!(packets.iter().all(|packet| packet.ssrc == packets[0].ssrc));
    Ok(())
}

/// What becomes of packets of sound, told by their numbers; all others arrive.
fn of_sound(mut fate: impl FnMut(u16) -> Fate + Send + 'static) -> Fates {
    Box::new(move |packet| {
        let sound = is_media(packet) && [OPUS, RED].contains(&(packet[1] & 0x7f));
        match sound {
            true => fate(u16::from_be_bytes([packet[2], packet[3]])),
            false => Fate::Passes,
        }
    })
}

/// The offer of a client that is told what to say, with a section of sound.
fn with_sound(offer: String, direction: &str) -> String {
    let head = ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:"];
    let own = offer
        .lines()
        .filter(|line| head.iter().any(|begin| line.starts_with(begin)));
    let own: String = own.map(|line| format!("{line}\r\n")).collect();
    let section = format!(
        "m=audio 9 UDP/TLS/RTP/SAVPF {OPUS}\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n{own}\
         a={direction}\r\na=rtcp-mux\r\na=rtpmap:{OPUS} opus/48000/2\r\na=rtcp-fb:{OPUS} nack\r\n"
    );
    offer.replace("BUNDLE 0", "BUNDLE 0 1") + &section
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_player_asks_for_is_sent_again_as_it_was() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let change = |offer| with_sound(offer, "recvonly");
    let (mut player, answer) = Rogue::open_as(&broadcast.whep(), "recvonly", change).await?;
    player.connect().await?;
    let (_, audio) = answer.split_once("m=audio").context("no sound")?;
    let source = audio.lines().find_map(|line| line.strip_prefix("a=ssrc:"));
    let source = source
        .and_then(|line| line.split(' ').next())
        .context("no source")?;
    let source: u32 = source.parse()?;
    let (host, speaker) = sounding(&relay, &broadcast).await?;
    host.send_sound(&speaker.packet(0))?;
    let sent = player.receive("sound", is_media).await?;
    ensure!(sent[8..12] == source.to_be_bytes());
    let number = u16::from_be_bytes([sent[2], sent[3]]);
    let nack = player.protect_rtcp(&rtcp::nack(1, source, &[(number, 0)]))?;
    player.send(&nack).await?;
    ensure!(player.receive("it again", is_media).await? == sent);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_publisher_has_lost_is_asked_for() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = listening(&broadcast).await?;
    let change = |offer| with_sound(offer, "sendonly");
    let (mut publisher, _) = Rogue::open_as(&broadcast.whip(), "sendonly", change).await?;
    publisher.connect().await?;
    let packet = |sequence: u32| {
        let (number, time) = (100 + sequence as u16, sequence * FRAME.unsigned_abs());
        rtp::packet(OPUS, number, time, false, 77, &frame(sequence))
    };
    for sequence in [0, 2, 3] {
        publisher.send_rtp(&packet(sequence)).await?;
    }
    ensure!(player.hear().await?.sequence == 0);
    loop {
        let control = publisher.receive_rtcp().await?;
        // Of this source, packet 101 and none behind it.
        let wanted = rtcp::nack(0, 77, &[(101, 0)]);
        if control.len() == wanted.len() && control[8..] == wanted[8..] {
            break;
        }
    }
    publisher.send_rtp(&packet(1)).await?;
    for sequence in 1..4 {
        ensure!(player.hear().await?.sequence == sequence);
    }
    ensure!(broadcast.records()?.totals.sound_lost == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_loses_hears_nearly_all_where_it_takes_redundant_frames() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut random = Random::new(7);
    let network = of_sound(move |_| match random.percent(10) {
        true => Fate::Lost,
        false => Fate::Passes,
    });
    let proxy = Proxy::with(relay.target(), faultless(), network).await?;
    let offer = SoundOffer {
        nack: false,
        red: true,
    };
    let endpoint = broadcast.whep().via(&proxy).with_sound(offer);
    let mut player = Player::watch(&endpoint).await?;
    let (host, speaker) = sounding(&relay, &broadcast).await?;
    speak(&host, &speaker, 500).await?;
    host.send_sound(&speaker.packet(500))?;
    // When the player has been found to lose, which its first reports tell.
    let packets = player.packets_of_sound();
    let first = packets.iter().position(|packet| packet.payload_type == RED);
    let first = first.context("nothing redundant has come")?;
    let time = packets[first].timestamp;
    let came = packets.len() - first;
    let begun = speaker.packet(0);
    let from = later(time, rtp_time(&begun)) / FRAME;
    let after = (500 - from) as usize;
    ensure!(came < after, "nothing was lost");
    let mut heard = 0;
    while let Some(sound) = player.sound_within(Duration::from_millis(500)).await? {
        heard += usize::from(later(sound.time, time) >= 0);
    }
    let (missing, lost) = (after.saturating_sub(heard), after - came);
    ensure!(
        missing * 4 < lost,
        "{missing} of {lost} that were lost are missing"
    );
    Ok(())
}

/// A player on WebTransport that listens.
async fn listening(broadcast: &TestBroadcast<'_>) -> Result<client::Player> {
    let mut player = broadcast.player().await?;
    player.listen(true).await?;
    Ok(player)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_publisher_over_whip_says_is_heard_by_players_of_both_kinds() -> Result<()> {
    for offer in [
        SoundOffer::default(),
        SoundOffer {
            red: true,
            nack: true,
        },
    ] {
        let relay = TestRelay::start().await?;
        let broadcast = relay.broadcast().await?;
        let mut player = listening(&broadcast).await?;
        let endpoint = broadcast.whep().with_sound(SoundOffer::default());
        let mut other = Player::watch(&endpoint).await?;
        let publisher = Publisher::join(&broadcast.whip().with_sound(offer)).await?;
        let (begin, mut earliest_us) = (Instant::now(), relay.now_us());
        for sequence in 0..50 {
            sleep_until(begin + LASTS * sequence).await;
            let time = 48_000 + u64::from(sequence) * u64::from(FRAME.unsigned_abs());
            publisher.send_sound(&frame(sequence), time).await?;
            let heard = player.hear().await?;
            ensure!((heard.sequence, heard.begins) == (sequence, sequence == 0));
            ensure!((earliest_us..=relay.now_us()).contains(&heard.capture_us));
            earliest_us = heard.capture_us + 1;
            ensure!(other.sound().await?.frame == frame(sequence));
        }
        ensure!(player.sound().await? == Some(STEREO));
        drop(publisher);
        ensure!(player.sound().await?.is_none());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_publisher_loses_of_its_sound_comes_with_the_next_packet() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = listening(&broadcast).await?;
    let mut count = 0;
    let network = of_sound(move |_| {
        count += 1;
        if count % 5 == 4 {
            Fate::Lost
        } else {
            Fate::Passes
        }
    });
    let proxy = Proxy::with(relay.target(), network, faultless()).await?;
    let offer = SoundOffer {
        red: true,
        nack: false,
    };
    let endpoint = broadcast.whip().via(&proxy).with_sound(offer);
    let publisher = Publisher::join(&endpoint).await?;
    let begin = Instant::now();
    for sequence in 0..50u32 {
        sleep_until(begin + LASTS * sequence).await;
        let time = u64::from(sequence) * u64::from(FRAME.unsigned_abs());
        publisher.send_sound(&frame(sequence), time).await?;
    }
    for sequence in 0..48 {
        let heard = player.hear().await?;
        ensure!(heard.sequence == sequence, "{sequence} is missing");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_whose_sound_is_not_opus_is_told_so() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let offer = with_sound(Rogue::offer("sendonly"), "sendonly");
    let other = offer.replace("opus/48000/2", "L16/48000/2");
    let reply = broadcast.whip().post(other.as_bytes()).await?;
    ensure!(
        reply.status == 422 && reply.body.contains("Opus"),
        "{}",
        reply.body
    );
    ensure!(broadcast.whip().post(offer.as_bytes()).await?.status == 201);
    Ok(())
}

//! A player that cannot decode what is on offer gets a version that it can (PROTOCOL 2.10).

use std::time::Duration;

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::CodecKind::{self, Av1, H264, Vp8, Vp9};
use steadycast_codec_glue::wire::{Code, Role, Service, Serving, TrackId};
use steadycast_tests::client::{Player, Publisher, Received};
use steadycast_tests::relay::{TestBroadcast, TestRelay};

const ON_H264: TrackId = TrackId::of(H264);
const ON_VP8: TrackId = TrackId::of(Vp8);

/// A publisher of AV1 that has sent a picture.
async fn av1(broadcast: &TestBroadcast<'_>) -> Result<Publisher> {
    let mut publisher = broadcast.publisher().await?;
    publisher.codec = Av1;
    publisher.keyframe(2_000).await?;
    Ok(publisher)
}

/// A player that decodes `codecs` and nothing else.
async fn player(broadcast: &TestBroadcast<'_>, codecs: &[CodecKind]) -> Result<Player> {
    let mut player = broadcast.player().await?;
    player.decodes(codecs).await?;
    Ok(player)
}

fn on(service: Service, codec: CodecKind) -> Serving {
    Serving {
        service,
        track: TrackId::of(codec),
        codec: Some(codec),
    }
}

/// The next frame of `track`; what was on its way of another does not count.
async fn next_of(player: &mut Player, track: TrackId) -> Result<(u32, u32)> {
    loop {
        let frame = player.frame().await?;
        ensure!(frame.is_intact());
        if frame.header.track == track {
            return Ok((frame.header.group, frame.header.index));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_without_av1_causes_a_rendition_and_a_second_one_shares_it() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = av1(&broadcast).await?;
    let mut other = player(&broadcast, &CodecKind::ALL).await?;
    next_of(&mut other, TrackId::MAIN).await?;

    let mut first = player(&broadcast, &[H264]).await?;
    assert_eq!(publisher.control.renditions().await?, [(H264, 1)]);
    let preparing = on(Service::Preparing, H264);
    assert_eq!(first.control.serving().await?, preparing);
    publisher.keyframe_on(ON_H264, 3_000).await?;
    assert_eq!(first.control.serving().await?, on(Service::Ready, H264));
    assert_eq!(next_of(&mut first, ON_H264).await?, (0, 0));
    publisher.delta_on(ON_H264, 500).await?;
    assert_eq!(next_of(&mut first, ON_H264).await?, (0, 1));

    let mut second = player(&broadcast, &[H264, Vp8]).await?;
    assert_eq!(publisher.control.renditions().await?, [(H264, 2)]);
    assert_eq!(second.control.serving().await?, on(Service::Ready, H264));
    assert_eq!(next_of(&mut second, ON_H264).await?, (0, 0));
    assert_eq!(next_of(&mut second, ON_H264).await?, (0, 1));
    for index in 2..20 {
        publisher.delta_on(ON_H264, 500).await?;
        assert_eq!(next_of(&mut first, ON_H264).await?, (0, index));
        assert_eq!(next_of(&mut second, ON_H264).await?, (0, index));
    }

    // The others have the main track only, and all of it.
    publisher.delta(700).await?;
    let frame = other.frame().await?;
    assert_eq!(frame.track_place(), (TrackId::MAIN, 0, 1));
    let records = broadcast.records()?;
    assert_eq!(records.renditions.len(), 1);
    assert_eq!(records.renditions[0].players, 2);
    assert_eq!(records.renditions[0].codec, "h264");
    assert_eq!(records.totals.keyframe_requests, 0, "joined from the cache");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rendition_is_let_go_when_its_last_player_has_gone() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.broadcast.rendition_linger = Duration::from_millis(300);
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = av1(&broadcast).await?;
    let mut first = player(&broadcast, &[H264]).await?;
    let second = player(&broadcast, &[H264]).await?;
    publisher.control.renditions().await?;
    publisher.keyframe_on(ON_H264, 3_000).await?;
    next_of(&mut first, ON_H264).await?;
    drop((first, second));
    // It lingers for those that come back, which the publisher is told, and then it is over.
    loop {
        match publisher.control.renditions().await?.as_slice() {
            [(H264, _)] => {}
            [] => break,
            other => anyhow::bail!("{other:?}"),
        }
    }
    // What was on its way meanwhile is dropped.
    publisher.delta_on(ON_H264, 500).await?;
    publisher.control.ping().await?;
    broadcast
        .until("the dropped frame", |records| {
            records.totals.unwanted_frames == 1 && records.renditions.is_empty()
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_codec_in_mid_stream_moves_the_players_it_concerns() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = av1(&broadcast).await?;
    let mut modern = player(&broadcast, &[Av1]).await?;
    let mut plain = player(&broadcast, &[H264, Vp8]).await?;
    publisher.control.renditions().await?;
    publisher.keyframe_on(ON_H264, 3_000).await?;
    next_of(&mut plain, ON_H264).await?;
    next_of(&mut modern, TrackId::MAIN).await?;
    publisher.codec = H264;
    publisher.keyframe(2_000).await?;
    // Both change places: who had the rendition has the main track, and the other a rendition.
    assert_eq!(publisher.control.renditions().await?, [(Av1, 1)]);
    next_of(&mut plain, TrackId::MAIN).await?;
    assert_eq!(modern.control.serving().await?, on(Service::Preparing, Av1));
    publisher.keyframe_on(TrackId::of(Av1), 3_000).await?;
    assert_eq!(next_of(&mut modern, TrackId::of(Av1)).await?, (0, 0));
    publisher.delta(100).await?;
    assert_eq!(next_of(&mut plain, TrackId::MAIN).await?, (1, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_publisher_is_told_what_is_wanted_and_the_picture_is_held() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = av1(&broadcast).await?;
    let mut first = player(&broadcast, &[H264]).await?;
    publisher.control.renditions().await?;
    publisher.keyframe_on(ON_H264, 3_000).await?;
    next_of(&mut first, ON_H264).await?;
    let resume = publisher.welcome.resume;
    publisher.crash();
    // Who comes while nobody publishes sees the picture that is held.
    let mut late = player(&broadcast, &[H264]).await?;
    assert_eq!(next_of(&mut late, ON_H264).await?, (0, 0));
    let token = broadcast.token(Role::Publisher);
    let mut publisher = Publisher::join(relay.target(), &token, resume).await?;
    publisher.codec = Av1;
    assert_eq!(publisher.control.renditions().await?, [(H264, 2)]);
    publisher.keyframe(2_000).await?;
    publisher.keyframe_on(ON_H264, 3_000).await?;
    let frame = first.frame().await?;
    assert_eq!(frame.place(), (2, 0, 0));
    assert_eq!(frame.header.track, ON_H264);
    assert_eq!(next_of(&mut late, ON_H264).await?, (0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_rendition_falls_to_the_next_codec_and_at_last_to_plain_words() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = av1(&broadcast).await?;
    let mut player = player(&broadcast, &[H264, Vp8]).await?;
    assert_eq!(publisher.control.renditions().await?, [(H264, 1)]);
    player.control.serving().await?;
    publisher.refuse(H264).await?;
    assert_eq!(publisher.control.renditions().await?, [(Vp8, 1)]);
    assert_eq!(player.control.serving().await?, on(Service::Preparing, Vp8));
    publisher.keyframe_on(ON_VP8, 3_000).await?;
    assert_eq!(player.control.serving().await?, on(Service::Ready, Vp8));
    assert_eq!(next_of(&mut player, ON_VP8).await?, (0, 0));
    publisher.refuse(Vp8).await?;
    let unsupported = Serving {
        service: Service::Unsupported,
        track: TrackId::MAIN,
        codec: Some(Av1),
    };
    assert_eq!(player.control.serving().await?, unsupported);
    // Nothing is sent that it could not show.
    publisher.keyframe(2_000).await?;
    publisher.control.ping().await?;
    player.decodes(&[Av1]).await?;
    assert_eq!(player.control.serving().await?, Serving::DEFAULT);
    assert_eq!(next_of(&mut player, TrackId::MAIN).await?, (1, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decoder_that_fails_moves_its_player_and_nobody_else() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = av1(&broadcast).await?;
    let mut steady = player(&broadcast, &CodecKind::ALL).await?;
    let mut failing = player(&broadcast, &CodecKind::ALL).await?;
    next_of(&mut steady, TrackId::MAIN).await?;
    next_of(&mut failing, TrackId::MAIN).await?;
    failing.decodes(&[H264, Vp9, Vp8]).await?;
    assert_eq!(publisher.control.renditions().await?, [(H264, 1)]);
    publisher.keyframe_on(ON_H264, 3_000).await?;
    assert_eq!(next_of(&mut failing, ON_H264).await?, (0, 0));
    for index in 1..30 {
        publisher.delta(400).await?;
        publisher.delta_on(ON_H264, 400).await?;
        let frame = steady.frame().await?;
        assert_eq!(frame.track_place(), (TrackId::MAIN, 0, index));
        assert_eq!(next_of(&mut failing, ON_H264).await?, (0, index));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_player_of_a_rendition_delays_nobody() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = av1(&broadcast).await?;
    let mut lively = player(&broadcast, &[H264]).await?;
    let mut modern = player(&broadcast, &[Av1]).await?;
    let _stalled = player(&broadcast, &[H264]).await?;
    next_of(&mut modern, TrackId::MAIN).await?;
    publisher.control.renditions().await?;
    // Far more than the windows of the stalled player hold.
    for group in 0..20 {
        publisher.keyframe_on(ON_H264, 200_000).await?;
        publisher.delta(500).await?;
        assert_eq!(next_of(&mut lively, ON_H264).await?, (group, 0));
        assert_eq!(next_of(&mut modern, TrackId::MAIN).await?, (0, group + 1));
        for index in 1..8 {
            publisher.delta_on(ON_H264, 50_000).await?;
            assert_eq!(next_of(&mut lively, ON_H264).await?, (group, index));
        }
    }
    let records = broadcast.records()?;
    assert!(records.totals.players_left.is_empty(), "no session closed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rendition_that_nobody_asked_for_costs_the_publisher_its_session() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = av1(&broadcast).await?;
    let mut player = broadcast.player().await?;
    publisher.keyframe_on(ON_H264, 100).await?;
    assert_eq!(
        publisher.control.goodbye().await?,
        (Code::OutOfOrder, false)
    );
    assert_eq!(next_of(&mut player, TrackId::MAIN).await?, (0, 0));
    player.control.ping().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_changes_its_mind_again_and_again_gets_whole_groups() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = av1(&broadcast).await?;
    let mut steady = player(&broadcast, &[H264]).await?;
    let mut fickle = player(&broadcast, &[H264]).await?;
    publisher.control.renditions().await?;
    publisher.keyframe_on(ON_H264, 3_000).await?;
    let mut last: Option<Received> = None;
    for turn in 1..150 {
        if turn % 3 == 0 {
            let codec = if turn % 2 == 0 { Av1 } else { H264 };
            fickle.decodes(&[codec]).await?;
        }
        publisher.delta(400).await?;
        publisher.delta_on(ON_H264, 400).await?;
        for _ in 0..turn % 3 {
            let frame = fickle.frame().await?;
            ensure!(follows(&frame, last.as_ref()), "{frame:?} after {last:?}");
            last = Some(frame);
        }
    }
    while next_of(&mut steady, ON_H264).await? != (0, 149) {}
    fickle.decodes(&[H264]).await?;
    while next_of(&mut fickle, ON_H264).await? != (0, 149) {}
    assert!(broadcast.records()?.totals.players_left.is_empty());
    Ok(())
}

/// Whether a frame begins a group or continues the one before it.
fn follows(frame: &Received, last: Option<&Received>) -> bool {
    let (track, group, index) = frame.track_place();
    let next = |last: &Received| last.track_place() == (track, group, index.wrapping_sub(1));
    frame.is_intact() && (index == 0 || last.is_some_and(next))
}

steadycast_tests::over_websocket! {
    a_player_without_av1_causes_a_rendition_and_a_second_one_shares_it,
    a_rendition_is_let_go_when_its_last_player_has_gone,
    another_codec_in_mid_stream_moves_the_players_it_concerns,
    a_new_publisher_is_told_what_is_wanted_and_the_picture_is_held,
    a_refused_rendition_falls_to_the_next_codec_and_at_last_to_plain_words,
    a_decoder_that_fails_moves_its_player_and_nobody_else,
    a_stalled_player_of_a_rendition_delays_nobody,
    a_rendition_that_nobody_asked_for_costs_the_publisher_its_session,
    a_player_that_changes_its_mind_again_and_again_gets_whole_groups,
}

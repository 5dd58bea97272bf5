//! Who gets what, on a virtual clock.

use super::super::frame::tests::coded_frame;
use super::*;
use CodecKind::{Av1, H264, Vp8, Vp9};

const LINGER: Duration = Duration::from_secs(10);

fn at(ms: u64) -> RelayTime {
    RelayTime::from_micros(ms * 1000)
}

fn set(codecs: &[CodecKind]) -> CodecSet {
    codecs.iter().copied().collect()
}

/// A broadcast in AV1.
fn av1() -> Renditions {
    let mut renditions = Renditions::default();
    renditions.main_is(Some(Av1));
    renditions
}

fn means(codecs: &[CodecKind]) -> Means {
    on_path(codecs, Width::Wide)
}

fn on_path(codecs: &[CodecKind], width: Width) -> Means {
    Means {
        codecs: Some(set(codecs)),
        width,
        exact: false,
    }
}

fn joined(renditions: &mut Renditions, codecs: &[CodecKind]) {
    renditions.moved(None, Some(means(codecs)));
}

fn left(renditions: &mut Renditions, codecs: &[CodecKind]) {
    renditions.moved(Some(means(codecs)), None);
}

fn served(renditions: &Renditions, codecs: &[CodecKind]) -> Serving {
    renditions.servings().of(means(codecs))
}

fn on(renditions: &Renditions, codecs: &[CodecKind]) -> Option<CodecKind> {
    served(renditions, codecs).sends()?.codec()
}

fn wanted(renditions: &Renditions) -> Vec<(CodecKind, u32)> {
    let wanted = renditions.wanted().list();
    wanted.iter().map(|r| (r.codec, r.players)).collect()
}

/// Tracks with their codecs and players.
fn tracks(renditions: &Renditions) -> Vec<(u8, CodecKind, u32)> {
    let wanted = renditions.wanted().list();
    let told = wanted
        .iter()
        .map(|r| (r.track.number(), r.codec, r.players));
    told.collect()
}

fn admission(renditions: &Renditions, track: u8, codec: CodecKind) -> Admission {
    let track = TrackId::from_number(track).unwrap();
    renditions.admission(&coded_frame(track, (0, 0), codec))
}

fn admission_of(renditions: &Renditions, codec: CodecKind) -> Admission {
    admission(renditions, TrackId::of(codec).number(), codec)
}

#[test]
fn who_can_decode_the_main_track_has_it_and_costs_nothing() {
    let mut renditions = av1();
    joined(&mut renditions, &[Av1]);
    joined(&mut renditions, &CodecKind::ALL);
    assert_eq!(served(&renditions, &[Av1]), Serving::DEFAULT);
    assert_eq!(renditions.servings().of(Means::default()), Serving::DEFAULT);
    assert_eq!(wanted(&renditions), []);
}

#[test]
fn who_cannot_shares_one_rendition() {
    let mut renditions = av1();
    joined(&mut renditions, &[H264, Vp9, Vp8]);
    joined(&mut renditions, &[H264, Vp9, Vp8]);
    joined(&mut renditions, &[H264]);
    assert_eq!(wanted(&renditions), [(H264, 3)]);
    let serving = served(&renditions, &[H264]);
    assert_eq!(serving.service, Service::Preparing);
    assert_eq!(serving.codec, Some(H264));
    assert!(renditions.began(TrackId::of(H264)));
    assert!(
        !renditions.began(TrackId::of(H264)),
        "only the first is news"
    );
    assert_eq!(served(&renditions, &[H264]).service, Service::Ready);
}

#[test]
fn h264_comes_first_then_vp8_but_what_runs_comes_before_both() {
    let mut renditions = av1();
    joined(&mut renditions, &[Vp9, Vp8]);
    assert_eq!(wanted(&renditions), [(Vp8, 1)]);
    joined(&mut renditions, &[H264, Vp9, Vp8]);
    assert_eq!(wanted(&renditions), [(Vp8, 2)]);
    // Nobody is moved for a newcomer who can have nothing else.
    joined(&mut renditions, &[H264]);
    assert_eq!(wanted(&renditions), [(H264, 1), (Vp8, 2)]);
}

#[test]
fn who_has_little_choice_is_served_first_and_the_others_share() {
    let mut renditions = Renditions::default();
    joined(&mut renditions, &[H264, Vp8]);
    joined(&mut renditions, &[Vp8]);
    assert_eq!(
        wanted(&renditions),
        [],
        "nothing is known of the main track"
    );
    renditions.main_is(Some(Av1));
    assert_eq!(wanted(&renditions), [(Vp8, 2)]);
}

#[test]
fn a_rendition_lingers_and_is_then_let_go() {
    let mut renditions = av1();
    joined(&mut renditions, &[H264]);
    renditions.began(TrackId::of(H264));
    left(&mut renditions, &[H264]);
    assert_eq!(wanted(&renditions), [(H264, 0)]);
    assert!(!renditions.tick(true, LINGER, at(1_000)));
    assert!(!renditions.tick(true, LINGER, at(10_900)));
    // Somebody came and went: the time begins anew.
    joined(&mut renditions, &[H264]);
    renditions.tick(true, LINGER, at(10_950));
    left(&mut renditions, &[H264]);
    assert!(!renditions.tick(true, LINGER, at(11_000)));
    assert!(!renditions.tick(true, LINGER, at(20_900)));
    assert!(renditions.tick(true, LINGER, at(21_000)));
    assert_eq!(wanted(&renditions), []);
    assert_eq!(admission_of(&renditions, H264), Admission::Crossed);
    assert_eq!(admission_of(&renditions, Vp8), Admission::Unasked);
}

#[test]
fn another_main_codec_sorts_everybody_anew() {
    let mut renditions = av1();
    joined(&mut renditions, &[H264, Vp8]);
    joined(&mut renditions, &[Av1, Vp8]);
    renditions.began(TrackId::of(H264));
    assert!(renditions.main_is(Some(H264)));
    assert_eq!(on(&renditions, &[H264, Vp8]), None);
    assert_eq!(served(&renditions, &[H264, Vp8]), Serving::DEFAULT);
    assert_eq!(wanted(&renditions), [(Vp8, 1)], "H.264 is there for all");
    assert_eq!(on(&renditions, &[Av1, Vp8]), Some(Vp8));
    assert!(!renditions.main_is(Some(H264)));
}

#[test]
fn a_refusal_falls_to_the_next_codec_and_then_to_none() {
    let mut renditions = av1();
    joined(&mut renditions, &[H264, Vp8]);
    assert!(renditions.refuse(TrackId::of(H264)));
    assert_eq!(wanted(&renditions), [(Vp8, 1)]);
    assert!(!renditions.refuse(TrackId::of(H264)), "once is enough");
    assert!(!renditions.refuse(TrackId::of(Vp9)), "nobody asked");
    assert!(renditions.refuse(TrackId::of(Vp8)));
    let serving = served(&renditions, &[H264, Vp8]);
    assert_eq!(serving.service, Service::Unsupported);
    assert_eq!(serving.codec, Some(Av1), "what is on offer");
    assert_eq!(serving.sends(), None);
    assert_eq!(wanted(&renditions), []);
    // Another publisher may be able to.
    renditions.reset(Widths::One);
    assert_eq!(wanted(&renditions), [(H264, 1)]);
}

#[test]
fn a_player_that_can_decode_nothing_is_told_so() {
    let mut renditions = av1();
    joined(&mut renditions, &[]);
    assert_eq!(served(&renditions, &[]).service, Service::Unsupported);
    assert_eq!(wanted(&renditions), []);
}

#[test]
fn a_publisher_that_does_not_answer_counts_as_one_that_refuses() {
    let mut renditions = av1();
    joined(&mut renditions, &[H264, Vp8]);
    assert!(!renditions.tick(true, LINGER, at(0)));
    assert!(!renditions.tick(false, LINGER, at(5_000)), "away");
    assert!(!renditions.tick(true, LINGER, at(60_000)));
    assert!(!renditions.tick(true, LINGER, at(69_000)));
    assert!(renditions.tick(true, LINGER, at(70_000)));
    assert_eq!(wanted(&renditions), [(Vp8, 1)]);
    renditions.began(TrackId::of(Vp8));
    assert!(!renditions.tick(true, LINGER, at(500_000)));
    // The next publisher has to begin it as well, whatever is there.
    renditions.reset(Widths::One);
    assert!(!renditions.tick(true, LINGER, at(500_000)));
    assert!(renditions.tick(true, LINGER, at(510_000)));
}

#[test]
fn a_new_publisher_finds_what_is_wanted_and_nothing_that_was() {
    let mut renditions = av1();
    joined(&mut renditions, &[H264]);
    joined(&mut renditions, &[Vp8]);
    renditions.began(TrackId::of(H264));
    left(&mut renditions, &[Vp8]);
    renditions.tick(true, LINGER, at(0));
    renditions.tick(true, LINGER, at(10_000));
    renditions.reset(Widths::One);
    assert_eq!(wanted(&renditions), [(H264, 1)]);
    assert_eq!(served(&renditions, &[H264]).service, Service::Ready);
    assert_eq!(admission_of(&renditions, H264), Admission::Wanted);
    assert_eq!(admission_of(&renditions, Vp8), Admission::Unasked);
}

#[test]
fn a_publisher_may_be_asked_for_only_so_many() {
    let mut renditions = av1();
    assert!(!renditions.bound(Some(1)), "there are none");
    joined(&mut renditions, &[H264]);
    joined(&mut renditions, &[Vp8]);
    assert_eq!(wanted(&renditions), [(H264, 1)]);
    let without = served(&renditions, &[Vp8]).service;
    assert_eq!(without, Service::Unsupported);
    assert!(renditions.bound(Some(0)));
    assert_eq!(wanted(&renditions), []);
    assert_eq!(served(&renditions, &[H264]).service, Service::Unsupported);
    // The bound goes with the publisher.
    renditions.reset(Widths::One);
    assert_eq!(wanted(&renditions), [(H264, 1), (Vp8, 1)]);
    assert!(renditions.bound(Some(1)));
    assert_eq!(wanted(&renditions), [(H264, 1)]);
}

#[test]
fn a_decoder_that_fails_moves_its_player() {
    let mut renditions = av1();
    joined(&mut renditions, &[H264, Vp8]);
    renditions.moved(Some(means(&[H264, Vp8])), Some(means(&[Vp8])));
    assert_eq!(wanted(&renditions), [(H264, 0), (Vp8, 1)]);
    assert_eq!(on(&renditions, &[Vp8]), Some(Vp8));
}

#[test]
fn more_players_of_a_rendition_are_no_other_renditions() {
    let mut renditions = av1();
    let none = renditions.wanted();
    joined(&mut renditions, &[H264]);
    let one = renditions.wanted();
    joined(&mut renditions, &[H264]);
    let two = renditions.wanted();
    assert!(one.is_same_but_for_players(&two) && one != two);
    assert!(!one.is_same_but_for_players(&none));
    // A player that says again what it has said is no more players.
    renditions.moved(Some(means(&[H264])), Some(means(&[H264])));
    assert_eq!(renditions.wanted(), two);
    left(&mut renditions, &[H264]);
    assert_eq!(renditions.wanted(), one);
}

#[test]
fn a_codec_without_a_name_is_left_to_the_players() {
    let mut renditions = av1();
    joined(&mut renditions, &[H264]);
    renditions.main_is(None);
    assert_eq!(served(&renditions, &[H264]), Serving::DEFAULT);
}

/// A broadcast in AV1 whose publisher can send for any path.
fn any_width() -> Renditions {
    let mut renditions = av1();
    renditions.reset(Widths::Any);
    renditions
}

const NARROW: u8 = TrackId::COUNT_V2 as u8;

fn track(number: u8) -> TrackId {
    TrackId::from_number(number).unwrap()
}

#[test]
fn players_on_narrow_paths_share_one_rendition_and_the_others_notice_nothing() {
    let mut renditions = any_width();
    let narrow = on_path(&[Av1, H264], Width::Narrow);
    let said_nothing = Means {
        codecs: None,
        ..narrow
    };
    joined(&mut renditions, &[Av1, H264]);
    assert_eq!(tracks(&renditions), []);
    renditions.moved(None, Some(narrow));
    renditions.moved(None, Some(said_nothing));
    assert_eq!(tracks(&renditions), [(NARROW, Av1, 2)]);
    // Until it is there they have what there is.
    for means in [narrow, said_nothing] {
        assert_eq!(renditions.servings().of(means), Serving::DEFAULT);
    }
    assert!(renditions.began(track(NARROW)));
    for means in [narrow, said_nothing] {
        let serving = renditions.servings().of(means);
        assert_eq!(serving.sends(), Some(track(NARROW)));
        assert_eq!(
            (serving.service, serving.codec),
            (Service::Ready, Some(Av1))
        );
    }
    assert_eq!(served(&renditions, &[Av1, H264]), Serving::DEFAULT);
    // A path that is wide again, and one whose player leaves.
    renditions.moved(Some(narrow), Some(on_path(&[Av1, H264], Width::Wide)));
    renditions.moved(Some(said_nothing), None);
    assert_eq!(tracks(&renditions), [(NARROW, Av1, 0)]);
    renditions.tick(true, LINGER, at(0));
    assert!(renditions.tick(true, LINGER, at(10_000)));
    assert_eq!(tracks(&renditions), []);
}

#[test]
fn a_player_that_cannot_decode_the_main_track_has_a_narrow_one_that_it_can() {
    let mut renditions = any_width();
    joined(&mut renditions, &[H264]);
    renditions.began(TrackId::of(H264));
    let narrow = on_path(&[H264], Width::Narrow);
    renditions.moved(None, Some(narrow));
    assert_eq!(tracks(&renditions), [(1, H264, 1), (NARROW, H264, 1)]);
    assert_eq!(
        renditions.servings().of(narrow).sends(),
        Some(TrackId::of(H264))
    );
    renditions.began(track(NARROW));
    assert_eq!(
        renditions.servings().of(narrow).sends(),
        Some(track(NARROW))
    );
    // With nothing else to decode it waits for that.
    let mut renditions = any_width();
    renditions.moved(None, Some(narrow));
    let serving = renditions.servings().of(narrow);
    assert_eq!(
        (serving.service, serving.sends()),
        (Service::Preparing, Some(track(NARROW)))
    );
}

#[test]
fn each_width_has_a_track_and_a_limit_of_its_own() {
    let mut renditions = any_width();
    renditions.moved(None, Some(on_path(&[Av1], Width::Narrow)));
    renditions.moved(None, Some(on_path(&[Av1], Width::Narrower)));
    assert_eq!(
        tracks(&renditions),
        [(NARROW, Av1, 1), (NARROW + 1, Av1, 1)]
    );
    assert!(renditions.limit(Width::Narrow, Some(800)));
    assert!(!renditions.limit(Width::Narrow, Some(800)));
    assert!(renditions.limit(Width::Narrower, Some(300)));
    let limits = renditions.wanted().list().into_iter().map(|r| r.max_kbps);
    assert!(limits.eq([Some(800), Some(300)]));
    // The narrower one cannot be had: what is too wide is better than nothing.
    renditions.began(track(NARROW));
    assert!(renditions.refuse(track(NARROW + 1)));
    assert_eq!(tracks(&renditions), [(NARROW, Av1, 2)]);
    let narrower = on_path(&[Av1], Width::Narrower);
    assert_eq!(
        renditions.servings().of(narrower).sends(),
        Some(track(NARROW))
    );
    assert!(renditions.refuse(track(NARROW)));
    assert_eq!(renditions.servings().of(narrower), Serving::DEFAULT);
}

#[test]
fn a_publisher_that_sends_what_it_chose_alone_is_asked_for_nothing_narrow() {
    let mut renditions = any_width();
    let narrow = on_path(&[Av1], Width::Narrow);
    renditions.moved(None, Some(narrow));
    renditions.began(track(NARROW));
    renditions.reset(Widths::One);
    assert_eq!(tracks(&renditions), []);
    assert_eq!(renditions.servings().of(narrow), Serving::DEFAULT);
    assert_eq!(admission(&renditions, NARROW, Av1), Admission::Unasked);
    // The next one can again.
    renditions.reset(Widths::Any);
    assert_eq!(tracks(&renditions), [(NARROW, Av1, 1)]);
}

#[test]
fn a_host_that_comes_back_leaves_players_on_narrow_paths_what_they_have() {
    let mut renditions = any_width();
    let narrow = on_path(&[Av1], Width::Narrow);
    renditions.moved(None, Some(narrow));
    renditions.began(track(NARROW));
    renditions.reset(Widths::Any);
    assert_eq!(
        renditions.servings().of(narrow).sends(),
        Some(track(NARROW))
    );
    assert_eq!(admission(&renditions, NARROW, Av1), Admission::Wanted);
}

#[test]
fn a_number_that_another_codec_had_admits_the_new_one_alone() {
    let mut renditions = any_width();
    let (av1, h264) = (
        on_path(&[Av1], Width::Narrow),
        on_path(&[H264], Width::Narrow),
    );
    renditions.moved(None, Some(av1));
    assert_eq!(admission(&renditions, NARROW, Av1), Admission::Wanted);
    assert_eq!(admission(&renditions, NARROW, H264), Admission::OtherCodec);
    assert_eq!(admission(&renditions, NARROW + 1, Av1), Admission::Unasked);
    renditions.moved(Some(av1), None);
    renditions.tick(true, LINGER, at(0));
    renditions.tick(true, LINGER, at(10_000));
    assert_eq!(admission(&renditions, NARROW, Av1), Admission::Crossed);
    renditions.moved(None, Some(h264));
    assert_eq!(
        tracks(&renditions),
        [(NARROW + 1, H264, 1)],
        "a number that nobody had"
    );
}

#[test]
fn a_narrow_path_has_the_codec_that_is_sharpest_in_few_bits() {
    let mut renditions = Renditions::default();
    renditions.main_is(Some(H264));
    renditions.reset(Widths::Any);
    let all = on_path(&[H264, Vp8, Vp9, Av1], Width::Narrow);
    renditions.moved(None, Some(all));
    assert_eq!(tracks(&renditions), [(NARROW, Av1, 1)]);
    // Where the host cannot encode that, the next one.
    renditions.refuse(track(NARROW));
    let asked = tracks(&renditions);
    assert_eq!(
        asked.iter().map(|(_, codec, _)| *codec).collect::<Vec<_>>(),
        [Vp9]
    );
    // Who has no choice is joined by those who have.
    let old = on_path(&[H264], Width::Narrow);
    renditions.moved(Some(all), None);
    renditions.tick(true, LINGER, at(0));
    renditions.tick(true, LINGER, at(10_000));
    renditions.moved(None, Some(old));
    renditions.moved(None, Some(all));
    let asked = tracks(&renditions);
    assert_eq!(
        asked
            .iter()
            .map(|(_, codec, players)| (*codec, *players))
            .collect::<Vec<_>>(),
        [(H264, 2)]
    );
}

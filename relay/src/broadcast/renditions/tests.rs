//! Who gets what, on a virtual clock.

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

fn joined(renditions: &mut Renditions, codecs: &[CodecKind]) {
    renditions.said(None, Some(set(codecs)));
}

fn left(renditions: &mut Renditions, codecs: &[CodecKind]) {
    renditions.said(Some(set(codecs)), None);
}

fn served(renditions: &Renditions, codecs: &[CodecKind]) -> Serving {
    renditions.servings().of(Some(set(codecs)))
}

fn on(renditions: &Renditions, codecs: &[CodecKind]) -> Option<CodecKind> {
    served(renditions, codecs).sends()?.codec()
}

fn wanted(renditions: &Renditions) -> Vec<(CodecKind, u32)> {
    let wanted = renditions.wanted().list();
    wanted.iter().map(|r| (r.codec, r.players)).collect()
}

#[test]
fn who_can_decode_the_main_track_has_it_and_costs_nothing() {
    let mut renditions = av1();
    joined(&mut renditions, &[Av1]);
    joined(&mut renditions, &CodecKind::ALL);
    assert_eq!(served(&renditions, &[Av1]), Serving::DEFAULT);
    assert_eq!(renditions.servings().of(None), Serving::DEFAULT);
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
    assert!(renditions.began(H264));
    assert!(!renditions.began(H264), "only the first is news");
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
    renditions.began(H264);
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
    assert_eq!(renditions.admission(H264), Admission::Crossed);
    assert_eq!(renditions.admission(Vp8), Admission::Unasked);
}

#[test]
fn another_main_codec_sorts_everybody_anew() {
    let mut renditions = av1();
    joined(&mut renditions, &[H264, Vp8]);
    joined(&mut renditions, &[Av1, Vp8]);
    renditions.began(H264);
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
    assert!(renditions.refuse(H264));
    assert_eq!(wanted(&renditions), [(Vp8, 1)]);
    assert!(!renditions.refuse(H264), "once is enough");
    assert!(!renditions.refuse(Vp9), "nobody asked");
    assert!(renditions.refuse(Vp8));
    let serving = served(&renditions, &[H264, Vp8]);
    assert_eq!(serving.service, Service::Unsupported);
    assert_eq!(serving.codec, Some(Av1), "what is on offer");
    assert_eq!(serving.sends(), None);
    assert_eq!(wanted(&renditions), []);
    // Another publisher may be able to.
    renditions.reset();
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
    renditions.began(Vp8);
    assert!(!renditions.tick(true, LINGER, at(500_000)));
    // The next publisher has to begin it as well, whatever is there.
    renditions.reset();
    assert!(!renditions.tick(true, LINGER, at(500_000)));
    assert!(renditions.tick(true, LINGER, at(510_000)));
}

#[test]
fn a_new_publisher_finds_what_is_wanted_and_nothing_that_was() {
    let mut renditions = av1();
    joined(&mut renditions, &[H264]);
    joined(&mut renditions, &[Vp8]);
    renditions.began(H264);
    left(&mut renditions, &[Vp8]);
    renditions.tick(true, LINGER, at(0));
    renditions.tick(true, LINGER, at(10_000));
    renditions.reset();
    assert_eq!(wanted(&renditions), [(H264, 1)]);
    assert_eq!(served(&renditions, &[H264]).service, Service::Ready);
    assert_eq!(renditions.admission(H264), Admission::Wanted);
    assert_eq!(renditions.admission(Vp8), Admission::Unasked);
}

#[test]
fn a_decoder_that_fails_moves_its_player() {
    let mut renditions = av1();
    joined(&mut renditions, &[H264, Vp8]);
    renditions.said(Some(set(&[H264, Vp8])), Some(set(&[Vp8])));
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
    assert!(one.same_tracks(&two) && one != two);
    assert!(!one.same_tracks(&none));
    // A player that says again what it has said is no more players.
    renditions.said(Some(set(&[H264])), Some(set(&[H264])));
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

//! What is documented and drawn is what there is.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use steadycast_codec_glue::wire::{Code, Role};
use time::OffsetDateTime;

use super::counted::{Answered, Asked, Handshake, Metrics};
use super::totals::Moment;
use crate::auth::{Gate, TokenSigner, Transport};
use crate::broadcast::{Registry, Settings};
use crate::directory::{Alone, test_lease};
use crate::shard::RelayClock;

const DOCUMENT: &str = include_str!("../../../docs/METRICS.md");
const DASHBOARD: &str = include_str!("../../../docs/grafana/steadycast.json");

/// Everything, with something of each.
fn figures() -> String {
    let metrics = Metrics::new().unwrap();
    metrics.handshake(Handshake::Begun);
    metrics.refused(Code::TooMany);
    metrics.ended(Transport::WebRtc, Role::Player, Code::Done);
    metrics.asked(Asked::Silent);
    metrics.answered(Answered::Answered);
    metrics.shown_after(Duration::from_millis(50));
    metrics.relayed_after(Transport::WebRtc, Duration::from_millis(2));
    metrics.joined_after(Transport::WebTransport, Duration::from_millis(50));
    let broadcasts = Registry::new(Settings::default());
    let key = "a-key-of-the-tests".parse().unwrap();
    let gate = Gate::new(TokenSigner::new(&[0; 32]), key, None);
    let directory = Alone::new(test_lease("a"), RelayClock::start());
    let moment = Moment {
        broadcasts: &broadcasts,
        gate: &gate,
        directory: &directory,
        known: 0,
        busy: vec![Duration::from_secs(1)],
        certificate: Some(OffsetDateTime::UNIX_EPOCH),
    };
    metrics.render(&moment).unwrap()
}

/// The names of the relay's own figures in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    text.split(|letter| !is_name(letter))
        .filter(|word| word.starts_with("steadycast_"))
        .collect()
}

/// Those that Prometheus knows: a histogram's parts besides.
fn known(text: &str) -> BTreeSet<String> {
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    kinds
        .filter_map(|line| line.split_once(' '))
        .flat_map(|(name, kind)| {
            let parts = ["_bucket", "_sum", "_count"].map(|part| format!("{name}{part}"));
            let parts = parts.into_iter().filter(move |_| kind == "histogram");
            std::iter::once(name.to_owned()).chain(parts)
        })
        .collect()
}

#[test]
fn every_figure_is_documented_and_nothing_else_is() {
    let text = figures();
    let there: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE steadycast_"))
        .filter_map(|line| line.split(' ').next())
        .map(|name| format!("steadycast_{name}"))
        .collect();
    let documented: BTreeSet<_> = names(DOCUMENT).into_iter().map(str::to_owned).collect();
    assert_eq!(documented, there);
}

#[test]
fn the_dashboard_draws_what_there_is() {
    let known = known(&figures());
    for name in names(DASHBOARD) {
        assert!(known.contains(name), "{name}");
    }
    let board: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = board["panels"].as_array().unwrap();
    for panel in panels {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{}", panel["title"]);
        assert!(targets.iter().all(|target| target["expr"].is_string()));
    }
}

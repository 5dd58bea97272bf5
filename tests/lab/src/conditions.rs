//! The networks that Steadycast is measured on, by name.
//!
//! Loss, jitter and rates are those of the way down, from the relay to a player, unless the
//! condition says "both ways"; a path's delay is shared evenly by the two ways.

use std::time::Duration;

use crate::loss::Loss;
use crate::path::Ways;
use crate::shape::{Course, Rate, Shape};

/// A path, and what is done on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// As the command line and reports call it.
    pub name: &'static str,
    /// In words.
    pub title: &'static str,
    /// The condition with the same path without trouble, to compare with.
    pub base: &'static str,
    /// How long to measure.
    pub duration: Duration,
    /// Whose path it is: everybody else's is without trouble.
    pub of: Of,
    /// What the path does.
    pub ways: Ways,
    /// Who else is there.
    pub beside: Beside,
    /// When the player comes.
    pub join: Join,
}

/// Whose path a condition is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Of {
    /// The player's that is measured.
    #[default]
    Player,
    /// The publisher's, who sends by its way up.
    Publisher,
}

/// Who is there beside the player that is measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Beside {
    /// Nobody.
    #[default]
    Nobody,
    /// A TCP download from the relay's side over the same path, for all the time.
    Download,
    /// Other players: some behind a path like this each, some on paths without trouble. The
    /// latter are measured as well.
    Players {
        /// Behind such a path, the first of them included.
        behind: usize,
        /// On paths without trouble.
        free: usize,
    },
}

/// When the player comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Join {
    /// Soon after the publisher's first keyframe.
    #[default]
    Early,
    /// When the newest group has grown to so many bytes.
    Group {
        /// Of the group.
        bytes: usize,
    },
}

const MINUTE: Duration = Duration::from_secs(60);

/// All of them that are players' paths, those to compare with first.
pub fn all() -> Vec<Condition> {
    let mut all = clean();
    all.extend(lossy());
    all.extend(narrow());
    all.extend(crowded());
    all
}

/// All of them that are publishers' paths.
pub fn uplinks() -> Vec<Condition> {
    let uplink = |name, title, base, ways| Condition {
        of: Of::Publisher,
        ..Condition::new(name, title, base, ways)
    };
    let far = Shape::delay_ms(50);
    let (wide, down) = behind(3_000, 200);
    let (tight, _) = behind(700, 200);
    let there_and_back = Course::from(wide).then(20, tight).then(40, wide);
    vec![
        uplink(
            "uplink-loss-2",
            "the publisher loses 2 % on its way up, 100 ms",
            "clean-100",
            Ways::of(far, far.lossy(Loss::random(0.02))),
        ),
        uplink(
            "uplink-dip",
            "the publisher has 3, 0.7, 3 Mbit/s for 20 s each, 200 ms queue, 40 ms",
            "clean-40",
            Ways::of(down, there_and_back),
        ),
        uplink(
            "uplink-300-kbit",
            "the publisher has 300 kbit/s, 200 ms queue, 40 ms",
            "clean-40",
            Ways::of(down, behind(300, 200).0),
        ),
    ]
}

/// All of them, whoever's path it is.
pub fn every() -> Vec<Condition> {
    let mut every = all();
    every.extend(uplinks());
    every
}

/// The condition of this name.
pub fn named(name: &str) -> Option<Condition> {
    every().into_iter().find(|condition| condition.name == name)
}

impl Condition {
    fn new(name: &'static str, title: &'static str, base: &'static str, ways: Ways) -> Self {
        Self {
            name,
            title,
            base,
            duration: MINUTE,
            of: Of::Player,
            ways,
            beside: Beside::Nobody,
            join: Join::Early,
        }
    }

    /// Whether others are compared with it.
    pub fn is_base(&self) -> bool {
        self.base == self.name
    }
}

fn clean() -> Vec<Condition> {
    let clean = |name, title, delay| {
        let ways = Ways::alike(Shape::delay_ms(delay));
        Condition::new(name, title, name, ways)
    };
    vec![
        clean("clean-100", "100 ms round trip, clean", 50),
        clean("clean-60", "60 ms round trip, clean", 30),
        clean("clean-40", "40 ms round trip, clean", 20),
    ]
}

fn lossy() -> Vec<Condition> {
    let far = Shape::delay_ms(50);
    let lossy = |name, title, loss| {
        Condition::new(name, title, "clean-100", Ways::of(far.lossy(loss), far))
    };
    let both = Ways::alike(far.lossy(Loss::random(0.05)));
    let jitter = Shape::delay_ms(30).jitter_ms(60, true);
    vec![
        lossy("loss-1", "1 % loss, 100 ms", Loss::random(0.01)),
        lossy("loss-2", "2 % loss, 100 ms", Loss::random(0.02)),
        Condition::new("loss-5", "5 % loss both ways, 100 ms", "clean-100", both),
        lossy(
            "bursts",
            "2 % lost in trains of 8, 100 ms",
            Loss::trains(0.02, 8),
        ),
        Condition::new(
            "jitter",
            "60 ms, jitter 0-60 ms with reordering",
            "clean-60",
            Ways::of(jitter, Shape::delay_ms(30)),
        ),
    ]
}

/// A way down of this rate behind a queue; the way up has nothing to wait for.
fn behind(kbit: u64, queue_ms: u64) -> (Shape, Shape) {
    let near = Shape::delay_ms(20);
    (near.narrow(Rate::kbit(kbit), queue_ms), near)
}

fn narrow() -> Vec<Condition> {
    let narrow = |name, title, kbit, queue_ms| {
        let (down, up) = behind(kbit, queue_ms);
        Condition::new(name, title, "clean-40", Ways::of(down, up))
    };
    let (wide, up) = behind(5_000, 200);
    let (tight, _) = behind(1_000, 200);
    let there_and_back = Course::from(wide).then(20, tight).then(40, wide);
    vec![
        narrow("1-mbit", "1 Mbit/s, 200 ms queue, 40 ms", 1_000, 200),
        narrow("400-kbit", "400 kbit/s, 200 ms queue, 40 ms", 400, 200),
        Condition::new(
            "5-1-5-mbit",
            "5, 1, 5 Mbit/s for 20 s each, 200 ms queue, 40 ms",
            "clean-40",
            Ways::of(there_and_back, up),
        ),
        Condition {
            join: Join::Group { bytes: 530_000 },
            duration: Duration::from_secs(20),
            ..narrow(
                "join",
                "join of a 530 kB group over 4 Mbit/s, 100 ms queue, 40 ms",
                4_000,
                100,
            )
        },
    ]
}

fn crowded() -> Vec<Condition> {
    let crowded = |name, title, kbit, beside| {
        let (down, up) = behind(kbit, 200);
        Condition {
            beside,
            ..Condition::new(name, title, "clean-40", Ways::of(down, up))
        }
    };
    let players = Beside::Players {
        behind: 10,
        free: 10,
    };
    vec![
        crowded(
            "tcp",
            "beside a TCP download on 5 Mbit/s, 200 ms queue, 40 ms",
            5_000,
            Beside::Download,
        ),
        crowded(
            "players-20",
            "20 players, 10 of them behind 1 Mbit/s, 200 ms queue, 40 ms",
            1_000,
            players,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_bases_are_there() {
        let all = every();
        let names: BTreeSet<_> = all.iter().map(|condition| condition.name).collect();
        assert_eq!(names.len(), all.len());
        for condition in &all {
            let base = named(condition.base).unwrap();
            assert!(base.is_base(), "{}", condition.name);
            let delay = |condition: &Condition| {
                condition.ways.down.start.delay + condition.ways.up.start.delay
            };
            assert_eq!(delay(&base), delay(condition), "{}", condition.name);
        }
        assert!(named("nowhere").is_none());
    }

    #[test]
    fn changes_are_in_order_and_within_the_time() {
        for condition in every() {
            for way in [&condition.ways.down, &condition.ways.up] {
                assert!(way.changes.is_sorted_by_key(|change| change.at));
                assert!(
                    way.changes
                        .iter()
                        .all(|change| change.at < condition.duration)
                );
            }
        }
    }
}

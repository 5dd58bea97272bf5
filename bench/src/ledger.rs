//! What a publisher has sent, so that every player's frame can be checked against it.

use std::collections::VecDeque;

/// A frame's place in its broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The publisher's tenure.
    pub epoch: u32,
    /// The group.
    pub group: u32,
    /// The index in the group; 0 is the keyframe.
    pub index: u32,
}

/// What was sent in one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The capture time in the header: rising, and so the entry's key.
    pub capture_us: u64,
    /// The frame's place.
    pub place: Place,
    /// Of the payload.
    pub crc: u32,
}

/// Frames kept, twenty minutes at 30 per second: what waits in a slow player's windows is younger.
const KEPT: usize = 36_000;

/// The newest frames of one publisher, and the number of all.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: VecDeque<Entry>,
    total: u64,
}

impl Ledger {
    /// Records a frame; its capture time must be above the last one's.
    pub fn record(&mut self, entry: Entry) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.total += 1;
    }

    /// Frames recorded so far, the forgotten included.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The frame before the one captured at this time.
    pub fn before(&self, capture_us: u64) -> Option<&Entry> {
        let at = self
            .entries
            .partition_point(|entry| entry.capture_us < capture_us);
        self.entries.get(at.checked_sub(1)?)
    }

    /// The frame captured at this time.
    pub fn find(&self, capture_us: u64) -> Option<&Entry> {
        // Nearly always the newest.
        let newest = self.entries.back()?;
        if newest.capture_us == capture_us {
            return Some(newest);
        }
        let at = self
            .entries
            .binary_search_by_key(&capture_us, |entry| entry.capture_us)
            .ok()?;
        self.entries.get(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(capture_us: u64) -> Entry {
        let place = Place {
            epoch: 1,
            group: 1,
            index: capture_us as u32,
        };
        Entry {
            capture_us,
            place,
            crc: 0,
        }
    }

    #[test]
    fn frames_are_found_by_their_capture_time_and_forgotten_in_the_end() {
        let mut ledger = Ledger::default();
        for time in 1..=KEPT as u64 + 10 {
            ledger.record(entry(time * 2));
        }
        assert_eq!(ledger.find(2), None);
        assert_eq!(ledger.find(101), None);
        assert_eq!(ledger.find(1_000), Some(&entry(1_000)));
        assert_eq!(ledger.before(1_000), Some(&entry(998)));
        assert_eq!(ledger.total(), KEPT as u64 + 10);
    }
}

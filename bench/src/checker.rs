//! What a player makes of each whole frame, however it came.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use steadycast_relay::shard::RelayClock;

use crate::ledger::{Ledger, Place};
use crate::load::Appetite;
use crate::tally::{Fault, Tally};
use crate::transport::Way;

/// What a player works with.
#[derive(Clone)]
pub struct Watch {
    /// What its publisher sent; where that is not known, only order and keyframes are checked.
    pub ledger: Option<Rc<RefCell<Ledger>>>,
    /// Where it counts.
    pub tally: Rc<RefCell<Tally>>,
    /// The clock of capture times: the publisher's, or one that is synchronised with it.
    pub clock: RelayClock,
    /// How it reads.
    pub appetite: Appetite,
    /// Whether it listens besides.
    pub listens: bool,
}

/// A frame to its last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When it was captured, as it says.
    pub capture_us: u64,
    /// Its place, where it says that.
    pub place: Option<Place>,
    /// It says that it is a keyframe.
    pub keyframe: bool,
    /// Of its payload.
    pub crc: u32,
    /// Bytes of it that were delivered.
    pub bytes: usize,
}

/// Checks one player's frames against what was sent, and counts them.
pub struct Checker {
    watch: Watch,
    way: Way,
    /// When the session was opened, until there is a picture.
    opened: Option<Instant>,
    last: Option<Place>,
}

impl Checker {
    /// A checker of a player that has been coming since `opened`.
    pub fn new(watch: Watch, way: Way, opened: Instant) -> Self {
        Self {
            watch,
            way,
            opened: Some(opened),
            last: None,
        }
    }

    /// How the player reads.
    pub fn appetite(&self) -> Appetite {
        self.watch.appetite
    }

    /// Whether the player has had a picture.
    pub fn has_picture(&self) -> bool {
        self.opened.is_none()
    }

    /// Where the player counts.
    pub fn tally(&self) -> &RefCell<Tally> {
        &self.watch.tally
    }

    /// What comes next need not follow what came.
    pub fn begin(&mut self) {
        self.last = None;
    }

    /// Takes a frame.
    ///
    /// # Errors
    /// With what is wrong about it; nothing is counted then.
    pub fn take(&mut self, seen: &Seen) -> Result<(), Fault> {
        let place = self.known(seen)?;
        if let Some(place) = place {
            follows(self.last, place, seen.keyframe)?;
        }
        self.last = place;
        let mut tally = self.watch.tally.borrow_mut();
        if let Some(opened) = self.opened.take() {
            tally.joined(opened.elapsed());
        }
        let now = self.watch.clock.now().as_micros();
        match self.watch.appetite {
            Appetite::Healthy => tally.frame(seen, now, self.way),
            Appetite::Narrow(_) => tally.narrow_frame(seen, now),
            Appetite::Stalled | Appetite::Slow(_) => {}
        }
        Ok(())
    }

    /// Takes a keyframe that begins a new group after others, on the same stream: what comes
    /// later, and whether anything was left out between the two.
    ///
    /// # Errors
    /// When it is older than what came.
    pub fn next_group(&mut self, capture_us: u64) -> Result<(), Fault> {
        let (Some(last), Some(ledger)) = (self.last.take(), &self.watch.ledger) else {
            return Ok(());
        };
        let ledger = ledger.borrow();
        let place = ledger.find(capture_us).ok_or(Fault::Unknown)?.place;
        if (place.epoch, place.group) <= (last.epoch, last.group) {
            return Err(Fault::OutOfOrder);
        }
        let whole = ledger
            .before(capture_us)
            .is_none_or(|before| before.place == last);
        if !whole {
            self.skipped();
        }
        Ok(())
    }

    /// A group was cut off.
    pub fn skipped(&self) {
        if self.watch.appetite == Appetite::Healthy {
            self.watch.tally.borrow_mut().skips += 1;
        }
    }

    /// The frame's place, if its publisher has sent it, with this payload.
    fn known(&self, seen: &Seen) -> Result<Option<Place>, Fault> {
        let Some(ledger) = &self.watch.ledger else {
            return Ok(seen.place);
        };
        let ledger = ledger.borrow();
        let entry = ledger.find(seen.capture_us).ok_or(Fault::Unknown)?;
        if seen.place.is_some_and(|place| place != entry.place) {
            return Err(Fault::Unknown);
        }
        if entry.crc != seen.crc {
            return Err(Fault::Corrupt);
        }
        Ok(Some(entry.place))
    }
}

/// Whether a frame may come after `last`, the one before it on its stream.
fn follows(last: Option<Place>, place: Place, keyframe: bool) -> Result<(), Fault> {
    match last {
        None if place.index == 0 && keyframe => Ok(()),
        None => Err(Fault::NoKeyframe),
        Some(last) if last.epoch == place.epoch && last.group == place.group => {
            // The bench publishes one layer, so that nothing may be left out.
            if place.index == last.index + 1 {
                Ok(())
            } else {
                Err(Fault::OutOfOrder)
            }
        }
        Some(_) => Err(Fault::OutOfOrder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Entry;

    fn at(group: u32, index: u32) -> Place {
        Place {
            epoch: 1,
            group,
            index,
        }
    }

    #[test]
    fn a_stream_begins_with_its_keyframe_and_leaves_nothing_out() {
        assert_eq!(follows(None, at(4, 0), true), Ok(()));
        assert_eq!(follows(None, at(4, 1), false), Err(Fault::NoKeyframe));
        assert_eq!(follows(Some(at(4, 0)), at(4, 1), false), Ok(()));
        assert_eq!(
            follows(Some(at(4, 0)), at(4, 2), false),
            Err(Fault::OutOfOrder)
        );
        assert_eq!(
            follows(Some(at(4, 0)), at(5, 1), false),
            Err(Fault::OutOfOrder)
        );
    }

    /// A player of a publisher that has sent three groups of two frames.
    fn player() -> Checker {
        let ledger = Rc::new(RefCell::new(Ledger::default()));
        for number in 0..6 {
            ledger.borrow_mut().record(Entry {
                capture_us: number,
                place: at(number as u32 / 2, number as u32 % 2),
                crc: number as u32,
            });
        }
        let watch = Watch {
            ledger: Some(ledger),
            tally: Rc::default(),
            clock: RelayClock::start(),
            appetite: Appetite::Healthy,
            listens: false,
        };
        Checker::new(watch, Way::WebRtc, Instant::now())
    }

    fn frame(number: u64) -> Seen {
        Seen {
            capture_us: number,
            place: None,
            keyframe: number.is_multiple_of(2),
            crc: number as u32,
            bytes: 10,
        }
    }

    #[test]
    fn what_was_never_sent_or_is_another_is_found() {
        let mut player = player();
        assert_eq!(player.take(&frame(6)), Err(Fault::Unknown));
        let corrupt = Seen { crc: 9, ..frame(0) };
        assert_eq!(player.take(&corrupt), Err(Fault::Corrupt));
        assert!(!player.has_picture());
        assert_eq!(player.take(&frame(0)), Ok(()));
        assert!(player.has_picture());
    }

    #[test]
    fn a_group_that_was_left_before_its_end_is_a_skip() {
        let mut player = player();
        player.take(&frame(0)).unwrap();
        player.take(&frame(1)).unwrap();
        player.next_group(2).unwrap();
        assert_eq!(player.tally().borrow().skips, 0);
        player.take(&frame(2)).unwrap();
        player.next_group(4).unwrap();
        assert_eq!(player.tally().borrow().skips, 1);
        player.take(&frame(4)).unwrap();
        assert_eq!(player.next_group(2), Err(Fault::OutOfOrder));
    }
}

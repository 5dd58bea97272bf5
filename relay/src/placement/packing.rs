//! At which of many relays those who watch one broadcast are to be, so that few have to get it from one another.
//!
//! Each broadcast has an order of its own of all relays. Its players go to the first of their region that has room, and to
//! the next when that one is full; nobody has to be asked for that.

use std::cmp::Reverse;

use crate::directory::{Load, Mark};

/// A relay of which so many of 100 sessions are there is passed over: the rest is for those whose relay dies.
const FULL: u64 = 80;
/// One that was passed over is not until it has fewer than so many, or it would be told of again and again.
const ROOM_AGAIN: u64 = 70;
/// Of those who leave a relay at once so many at most go to one other.
const AT_ONCE: u64 = 1_000;
/// Those who leave a relay at once are shared out among so many at most.
const SHARED_AMONG: usize = 8;

/// A relay to which players may be sent.
#[derive(Debug, Clone, Copy)]
pub struct Taker {
    /// Its name.
    pub mark: Mark,
    /// Whether it is in the region of those who are sent.
    pub near: bool,
    /// What it has to do.
    pub load: Load,
    /// Whether it is passed over.
    pub full: bool,
}

impl Taker {
    /// One with this load; `was_full`: whether it has been passed over until now.
    pub fn new(mark: Mark, near: bool, load: Load, was_full: bool) -> Self {
        let bound = if was_full { ROOM_AGAIN } else { FULL };
        Self {
            mark,
            near,
            load,
            full: load.is_full(bound),
        }
    }

    /// In which order they are tried, the least first: those with room, near ones among them, by the broadcast's own order.
    fn turn(&self, broadcast: Mark) -> (bool, bool, Reverse<u64>) {
        let by = match self.full {
            false => broadcast.weight(self.mark),
            // There is no better reason to choose one.
            true => self.load.room(100),
        };
        (self.full, !self.near, Reverse(by))
    }
}

/// Those who leave a relay, or come to one, and watch the same.
#[derive(Debug, Clone, Copy)]
pub struct Leaver {
    /// How many may leave at once, this one among them.
    pub of: u64,
    /// Its place among them, from 0 to 1.
    pub turn: f64,
}

/// So many of these relays, by their places, in the order in which somebody who watches a broadcast is to try them.
pub fn pack(broadcast: Mark, takers: &[Taker], leaver: Leaver, most: usize) -> Vec<usize> {
    let first = most.max(SHARED_AMONG);
    let mut order: Vec<_> = (0..takers.len()).collect();
    let turn = |at: &usize| (takers[*at].turn(broadcast), *at);
    if order.len() > first {
        order.select_nth_unstable_by_key(first - 1, turn);
        order.truncate(first);
    }
    order.sort_by_key(turn);
    let own = share_out(takers, &order, leaver);
    if let Some(before) = order.get_mut(..=own) {
        before.rotate_right(1);
    }
    order.truncate(most);
    order
}

/// Which of these comes first for one of those who leave at once: the first takes as many as it has room for, then the next.
fn share_out(takers: &[Taker], order: &[usize], leaver: Leaver) -> usize {
    let open = order.iter().map(|at| &takers[*at]);
    let open = open.take(SHARED_AMONG).take_while(|taker| !taker.full);
    let near = order.first().is_some_and(|at| takers[*at].near);
    let open = open.take_while(|taker| taker.near == near);
    let takes: Vec<_> = open
        .map(|taker| taker.load.room(FULL).clamp(1, AT_ONCE))
        .collect();
    let all: u64 = takes.iter().sum();
    let mut place = (leaver.turn * leaver.of.min(all) as f64) as u64;
    for (at, takes) in takes.iter().enumerate() {
        if place < *takes {
            return at;
        }
        place -= takes;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::BroadcastId;
    use crate::directory::RelayId;

    const ALONE: Leaver = Leaver { of: 1, turn: 0.5 };

    fn broadcast(number: usize) -> Mark {
        let id: BroadcastId = format!("b{number}").parse().unwrap();
        Mark::of_broadcast(&id)
    }

    /// Relays that take a thousand sessions each and have so many.
    fn takers(taken: &[u64]) -> Vec<Taker> {
        let taker = |(number, taken): (usize, &u64)| {
            let relay: RelayId = format!("r{number}").parse().unwrap();
            let load = Load {
                taken: *taken,
                most: 1_000,
                ..Load::default()
            };
            Taker::new(Mark::of_relay(&relay), true, load, false)
        };
        taken.iter().enumerate().map(taker).collect()
    }

    #[test]
    fn those_of_a_broadcast_go_to_the_same_and_broadcasts_to_different_ones() {
        let takers = takers(&[0; 10]);
        let mut first = [0; 10];
        for number in 0..1_000 {
            let order = pack(broadcast(number), &takers, ALONE, 4);
            assert_eq!(order.len(), 4);
            first[order[0]] += 1;
            // What one has to do changes nothing while there is room.
            let mut busier = takers.clone();
            busier[order[0]].load.taken = 700;
            assert_eq!(pack(broadcast(number), &busier, ALONE, 4), order);
        }
        assert!(
            first.iter().all(|count| (60..140).contains(count)),
            "{first:?}"
        );
    }

    #[test]
    fn one_that_is_full_is_passed_over_until_it_has_some_room() {
        let about = broadcast(1);
        let order = pack(about, &takers(&[0; 5]), ALONE, 5);
        let with = |taken, was_full| {
            let mut all = takers(&[0; 5]);
            let first = &mut all[order[0]];
            let load = Load {
                taken,
                ..first.load
            };
            *first = Taker::new(first.mark, true, load, was_full);
            pack(about, &all, ALONE, 5)
        };
        assert_eq!(with(799, false), order);
        let mut passed_over = order.clone();
        passed_over.rotate_left(1);
        assert_eq!(with(800, false), passed_over, "it is the last one to try");
        assert_eq!(with(750, true), passed_over);
        assert_eq!(with(699, true), order);
    }

    #[test]
    fn far_ones_come_after_near_ones_and_before_full_ones() {
        let mut all = takers(&[0, 0, 0, 0, 950, 900]);
        (all[0].near, all[1].near, all[4].near) = (false, false, false);
        for number in 0..50 {
            let order = pack(broadcast(number), &all, ALONE, 6);
            let mut groups: Vec<_> = order.chunks(2).map(<[_]>::to_vec).collect();
            groups[..2]
                .iter_mut()
                .for_each(|group| group.sort_unstable());
            assert_eq!(groups, [vec![2, 3], vec![0, 1], vec![5, 4]]);
        }
    }

    #[test]
    fn who_leaves_at_once_is_shared_out_by_the_room_there_is() {
        let all = takers(&[500; 5]);
        let about = broadcast(3);
        let order = pack(about, &all, ALONE, 5);
        let mut went = [0; 5];
        for place in 0..600 {
            let turn = f64::from(place) / 600.0;
            let own = pack(about, &all, Leaver { of: 600, turn }, 4);
            went[own[0]] += 1;
            let mut sorted = own.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), 4, "{own:?}");
        }
        assert_eq!((went[order[0]], went[order[1]]), (300, 300), "{went:?}");
        // However many they are, nobody is left out.
        let more = (0..5_000).map(|place| Leaver {
            of: 5_000,
            turn: f64::from(place) / 5_000.0,
        });
        let mut went = [0; 5];
        more.for_each(|leaver| went[pack(about, &all, leaver, 4)[0]] += 1);
        assert!(
            went.iter().all(|count| (950..=1_050).contains(count)),
            "{went:?}"
        );
    }

    #[test]
    fn where_there_is_nobody_nobody_is_told_of() {
        assert!(pack(broadcast(1), &[], ALONE, 4).is_empty());
    }
}

//! Strangers of whom nothing is known yet, and others of whom there may be so many: which of them makes
//! way when there are too many.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::addresses::network;

/// A number of strangers, each with what it is known by. Where there is no room, the one that has
/// waited longest makes way in the network that has most of them: so nobody keeps others out,
/// however often it comes, and a newcomer is never refused.
#[derive(Debug)]
pub(crate) struct Crowd<K> {
    networks: HashMap<IpAddr, BTreeMap<u64, K>>,
    /// The same networks by how many of them there are.
    sizes: BTreeSet<(usize, IpAddr)>,
    count: usize,
    /// How many have come so far.
    numbers: u64,
}

/// One stranger's place in a crowd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ticket {
    network: IpAddr,
    number: u64,
}

impl<K> Default for Crowd<K> {
    fn default() -> Self {
        Self {
            networks: HashMap::new(),
            sizes: BTreeSet::new(),
            count: 0,
            numbers: 0,
        }
    }
}

impl<K> Crowd<K> {
    /// One more comes from this address, where there is room for `most`: gives its place, and who
    /// makes way for it.
    pub(crate) fn enter(&mut self, from: IpAddr, key: K, most: usize) -> (Ticket, Option<K>) {
        let network = neighbourhood(from);
        self.numbers += 1;
        let number = self.numbers;
        self.change(network, |waiting| waiting.insert(number, key));
        self.count += 1;
        let ticket = Ticket { network, number };
        match self.count > most {
            true => (ticket, self.make_way()),
            false => (ticket, None),
        }
    }

    /// Whether one more from this address can have a place that no other of its network has: there is
    /// room for `most`, or another network has more of them.
    pub(crate) fn admits(&self, from: IpAddr, most: usize) -> bool {
        let own = self
            .networks
            .get(&neighbourhood(from))
            .map_or(0, BTreeMap::len);
        let largest = self.sizes.last().map_or(0, |(size, _)| *size);
        self.count < most || own < largest
    }

    /// One is no stranger any more, or has gone; none where it had made way.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> Option<K> {
        let left = self.change(ticket.network, |waiting| waiting.remove(&ticket.number))?;
        self.count -= 1;
        Some(left)
    }

    /// What one of them is known by.
    pub(crate) fn get_mut(&mut self, ticket: Ticket) -> Option<&mut K> {
        let waiting = self.networks.get_mut(&ticket.network)?;
        waiting.get_mut(&ticket.number)
    }

    /// All of them.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &K> {
        self.networks.values().flat_map(BTreeMap::values)
    }

    fn make_way(&mut self) -> Option<K> {
        let (_, crowded) = *self.sizes.last()?;
        let oldest = self.change(crowded, BTreeMap::pop_first)?;
        self.count -= 1;
        Some(oldest.1)
    }

    fn change<T>(&mut self, network: IpAddr, change: impl FnOnce(&mut BTreeMap<u64, K>) -> T) -> T {
        let waiting = self.networks.entry(network).or_default();
        self.sizes.remove(&(waiting.len(), network));
        let changed = change(waiting);
        match waiting.len() {
            0 => {
                self.networks.remove(&network);
            }
            size => {
                self.sizes.insert((size, network));
            }
        }
        changed
    }
}

/// A crowd that is shared: each of it has a [`Place`], and is told when it is to make way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gathering(Arc<Mutex<Crowd<CancellationToken>>>);

impl Gathering {
    /// A place for one more from this address, where there is room for `most`. `makes_way` is cancelled
    /// when it is to make way itself; the one that does so now is told.
    pub(crate) fn enter(&self, from: IpAddr, makes_way: CancellationToken, most: usize) -> Place {
        self.place_in(&mut self.0.lock(), from, makes_way, most)
    }

    /// The same, but nobody of the newcomer's own network makes way for it: `None`, it is refused.
    pub(crate) fn admit(
        &self,
        from: IpAddr,
        makes_way: CancellationToken,
        most: usize,
    ) -> Option<Place> {
        let mut crowd = self.0.lock();
        let admits = crowd.admits(from, most);
        admits.then(|| self.place_in(&mut crowd, from, makes_way, most))
    }

    fn place_in(
        &self,
        crowd: &mut Crowd<CancellationToken>,
        from: IpAddr,
        makes_way: CancellationToken,
        most: usize,
    ) -> Place {
        let (ticket, crowding) = crowd.enter(from, makes_way, most);
        if let Some(crowding) = crowding {
            crowding.cancel();
        }
        Place {
            gathering: self.clone(),
            ticket,
        }
    }
}

/// A place in a gathering; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Place {
    gathering: Gathering,
    ticket: Ticket,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gathering.0.lock().leave(self.ticket);
    }
}

/// An IPv4 /24, or the /56 that an IPv6 customer usually gets.
pub(crate) fn neighbourhood(address: IpAddr) -> IpAddr {
    match network(address) {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        v6 => v6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_most_crowded_network_makes_way_the_oldest_first() {
        let mut crowd = Crowd::default();
        for number in 0..4 {
            let address = format!("192.0.2.{number}");
            assert_eq!(crowd.enter(from(&address), number, 4).1, None);
        }
        let (guest, gone) = crowd.enter(from("198.51.100.1"), 100, 4);
        assert_eq!(gone, Some(0));
        assert_eq!(crowd.enter(from("2001:db8::1"), 101, 4).1, Some(1));
        // It is no more crowded than the others are.
        assert_eq!(crowd.enter(from("::ffff:192.0.2.9"), 4, 4).1, Some(2));
        assert_eq!(crowd.leave(guest), Some(100));
        assert_eq!(crowd.leave(guest), None);
        assert_eq!(crowd.enter(from("198.51.100.1"), 102, 4).1, None);
        let mut there: Vec<_> = crowd.iter().copied().collect();
        there.sort_unstable();
        assert_eq!(there, [3, 4, 101, 102]);
    }

    #[test]
    fn nobody_displaces_one_of_its_own_network_where_that_is_asked_for() {
        let gathering = Gathering::default();
        let comes = |address: &str| {
            let makes_way = CancellationToken::new();
            let place = gathering.admit(from(address), makes_way.clone(), 3);
            place.map(|place| (place, makes_way))
        };
        let [first, second, third] =
            ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|address| comes(address).unwrap());
        assert!(comes("192.0.2.4").is_none());
        let guest = comes("198.51.100.1").unwrap();
        assert!(first.1.is_cancelled() && !second.1.is_cancelled());
        assert!(
            comes("192.0.2.5").is_none(),
            "its network has most of them still"
        );
        // As many from here as from there: first come, first served.
        drop(third);
        let other = comes("198.51.100.2").unwrap();
        assert!(comes("198.51.100.3").is_none());
        assert!(!guest.1.is_cancelled() && !other.1.is_cancelled() && !second.1.is_cancelled());
        drop((first, second));
        assert!(comes("192.0.2.6").is_some(), "places are given back");
    }

    #[test]
    fn a_network_that_keeps_coming_displaces_itself() {
        let mut crowd = Crowd::default();
        let (guest, _) = crowd.enter(from("198.51.100.1"), 0, 8);
        for number in 1..10_000 {
            let gone = crowd.enter(from("192.0.2.1"), number, 8).1;
            assert_ne!(gone, Some(0));
        }
        assert_eq!(crowd.leave(guest), Some(0));
        assert_eq!(crowd.iter().count(), 7);
        assert_eq!(crowd.sizes.len(), crowd.networks.len());
    }
}

//! How many sessions, or HTTP connections, each network has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// Sessions by network: an IPv4 address, or the /56 that an IPv6 customer usually gets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses {
    sessions: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Addresses {
    /// A place for one more session from `address`, unless its network has `limit` already.
    pub(crate) fn admit(&self, address: IpAddr, limit: usize) -> Option<AddressShare> {
        let network = network(address);
        let mut sessions = self.sessions.lock();
        let count = sessions.entry(network).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(AddressShare {
            addresses: self.clone(),
            network,
        })
    }
}

/// One session's place; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct AddressShare {
    addresses: Addresses,
    network: IpAddr,
}

impl AddressShare {
    /// Whose it is.
    pub(crate) fn network(&self) -> IpAddr {
        self.network
    }
}

impl Drop for AddressShare {
    fn drop(&mut self) {
        let mut sessions = self.addresses.sessions.lock();
        if let Some(count) = sessions.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                sessions.remove(&self.network);
            }
        }
    }
}

/// Where an address belongs to: itself (IPv4), or its /56.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d & 0xff00, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_so_many_places_and_gets_them_back() {
        let addresses = Addresses::default();
        let one: IpAddr = "2001:db8:0:100::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8:0:1ff::2".parse().unwrap();
        let other: IpAddr = "2001:db8:0:200::1".parse().unwrap();
        let first = addresses.admit(one, 1);
        assert!(first.is_some());
        assert!(addresses.admit(neighbour, 1).is_none());
        assert!(addresses.admit(other, 1).is_some());
        drop(first);
        assert!(addresses.admit(neighbour, 1).is_some());
        assert!(addresses.sessions.lock().is_empty());
    }

    #[test]
    fn an_ipv4_address_counts_once_however_it_is_written() {
        let addresses = Addresses::default();
        let _first = addresses.admit("192.0.2.1".parse().unwrap(), 1);
        assert!(
            addresses
                .admit("::ffff:192.0.2.1".parse().unwrap(), 1)
                .is_none()
        );
    }
}

//! Where clients reach the relay: the candidates in its answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::tls::interface_addresses;

/// Candidates in an answer at most: each costs a client checks.
const MOST: usize = 16;

/// Where clients reach the relay.
#[derive(Debug, Clone)]
pub enum Reach {
    /// There and nowhere else, the best first.
    At(Vec<SocketAddr>),
    /// At whatever addresses the host has when somebody asks: it may be given others while it runs.
    Host {
        /// The port of all of them.
        port: u16,
        /// Whether IPv6 is listened on.
        ipv6: bool,
    },
}

impl Reach {
    /// The addresses now, for a client whose request came to `came_to`: that one first, since a way to
    /// it is known.
    pub(super) fn addresses(&self, came_to: Option<IpAddr>) -> Vec<SocketAddr> {
        match self {
            Self::At(addresses) => addresses.clone(),
            Self::Host { port, ipv6 } => of_host(came_to, interface_addresses(), *port, *ipv6),
        }
    }
}

fn of_host(
    came_to: Option<IpAddr>,
    interfaces: Vec<IpAddr>,
    port: u16,
    ipv6: bool,
) -> Vec<SocketAddr> {
    let came_to = came_to.map(|ip| ip.to_canonical());
    // Who came to another address cannot be here, unless by that one too. Who came to loopback may be a
    // proxy of this host, before somebody who is anywhere.
    let loopback: &[IpAddr] = match came_to.is_some_and(|ip| !ip.is_loopback()) {
        true => &[],
        false => &[
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ],
    };
    let mut all: Vec<IpAddr> = Vec::new();
    for ip in came_to.into_iter().chain(in_turns(interfaces)) {
        let usable = ip.is_ipv4() || ipv6;
        if usable && !all.contains(&ip) && all.len() < MOST - loopback.len() {
            all.push(ip);
        }
    }
    let others = loopback.iter().filter(|ip| Some(**ip) != came_to);
    all.extend(others.filter(|ip| ip.is_ipv4() || ipv6));
    all.into_iter().map(|ip| (ip, port).into()).collect()
}

/// Families in turns, so that where there are too many of one (a bridge for each container) there is
/// room for the other.
fn in_turns(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let (v4, v6): (Vec<_>, Vec<_>) = addresses.into_iter().partition(IpAddr::is_ipv4);
    let turns = v4.len().max(v6.len());
    (0..turns)
        .flat_map(|turn| [v4.get(turn), v6.get(turn)])
        .flatten()
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn offered(came_to: Option<&str>, interfaces: &[&str], ipv6: bool) -> Vec<String> {
        let came_to = came_to.map(|text| text.parse().unwrap());
        let all = of_host(came_to, ips(interfaces), 4433, ipv6);
        assert!(all.iter().all(|address| address.port() == 4433));
        all.iter().map(|address| address.ip().to_string()).collect()
    }

    #[test]
    fn the_address_that_the_client_came_to_is_first_and_all_others_follow() {
        // A VPN has the default route; the viewer is on the local network.
        let all = offered(Some("192.168.1.7"), &["10.8.0.2", "192.168.1.7"], true);
        assert_eq!(all, ["192.168.1.7", "10.8.0.2"]);
        let mapped = offered(Some("::ffff:192.168.1.7"), &["192.168.1.7"], false);
        assert_eq!(mapped, ["192.168.1.7"]);
    }

    #[test]
    fn through_a_proxy_on_the_same_host_everything_is_still_offered() {
        let all = offered(Some("127.0.0.1"), &["192.0.2.1"], true);
        assert_eq!(all, ["127.0.0.1", "192.0.2.1", "::1"]);
    }

    #[test]
    fn a_host_with_many_interfaces_offers_a_bounded_number() {
        let many: Vec<_> = (0..200).map(|at| format!("10.0.0.{at}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let all = offered(Some("192.0.2.1"), &many, true);
        assert_eq!((all.len(), all[0].as_str()), (MOST, "192.0.2.1"));
        let both: Vec<_> = many.iter().copied().chain(["fd00::1", "fd00::2"]).collect();
        let all = offered(Some("192.0.2.1"), &both, true);
        assert!(all.contains(&"fd00::1".to_owned()) && all.contains(&"fd00::2".to_owned()));
        assert!(!offered(Some("192.0.2.1"), &both, false).contains(&"fd00::1".to_owned()));
    }

    #[test]
    fn without_a_default_route_the_hosts_addresses_are_offered() {
        assert_eq!(
            offered(None, &["10.1.2.3"], false),
            ["10.1.2.3", "127.0.0.1"]
        );
    }
}

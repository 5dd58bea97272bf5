//! What this host is called, without asking anybody outside.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs, UdpSocket};

use getifaddrs::InterfaceFlags;
use rcgen::SanType;

/// The names of a development certificate: this machine's own, and those that its network knows it by.
pub(super) fn all() -> Vec<SanType> {
    let loopback = [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::from(Ipv6Addr::LOCALHOST),
    ];
    let names = ["localhost".to_owned()].into_iter().chain(host_name());
    let names = names.filter_map(|name| name.try_into().ok().map(SanType::DnsName));
    let addresses = loopback.into_iter().chain(host_addresses());
    names.chain(addresses.map(SanType::IpAddress)).collect()
}

/// The addresses at which other machines may reach this one, as far as it knows them itself: first
/// those that it would use toward the outside, then those of its other interfaces.
pub fn host_addresses() -> Vec<IpAddr> {
    let named = host_name()
        .and_then(|name| (name.as_str(), 0).to_socket_addrs().ok())
        .into_iter()
        .flatten()
        .map(|address| address.ip());
    first_of(outward().chain(interfaces()).chain(named))
}

/// The same, at once: without asking what the host's name stands for, which may take time.
pub fn interface_addresses() -> Vec<IpAddr> {
    first_of(outward().chain(interfaces()))
}

/// Those that can be reached, each once.
fn first_of(addresses: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    let mut all = Vec::new();
    for address in addresses.filter(is_reachable) {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

/// The addresses of the interfaces that are up.
fn interfaces() -> impl Iterator<Item = IpAddr> {
    // A system that does not say is one that is asked in the other ways alone.
    let all = getifaddrs::getifaddrs().into_iter().flatten();
    all.filter(|interface| interface.flags.contains(InterfaceFlags::UP))
        .filter_map(|interface| interface.address.ip_addr())
}

/// The addresses that this host would use toward the outside. Connecting a UDP socket sends nothing.
fn outward() -> impl Iterator<Item = IpAddr> {
    // Documentation addresses (RFC 5737, RFC 3849): routed like any other, in use by nobody.
    [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")]
        .into_iter()
        .filter_map(|(from, to)| {
            let socket = UdpSocket::bind(from).ok()?;
            socket.connect(to).ok()?;
            socket.local_addr().ok().map(|address| address.ip())
        })
}

/// Link-local IPv6 addresses need a zone, which no link can carry.
fn is_reachable(address: &IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !address.is_loopback() && !address.is_unspecified() && !link_local
}

fn host_name() -> Option<String> {
    let from_file = |path| fs::read_to_string(path).ok();
    let name = from_file("/proc/sys/kernel/hostname")
        .or_else(|| from_file("/etc/hostname"))
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())?;
    let name = name.trim().to_ascii_lowercase();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (!name.is_empty() && name.bytes().all(allowed)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_itself_is_always_among_the_names() {
        let names = all();
        assert!(names.contains(&SanType::DnsName("localhost".try_into().unwrap())));
        assert!(names.contains(&SanType::IpAddress(Ipv4Addr::LOCALHOST.into())));
        assert!(names.contains(&SanType::IpAddress(Ipv6Addr::LOCALHOST.into())));
    }

    #[test]
    fn only_addresses_that_a_link_can_carry_are_reachable() {
        let reachable = |text: &str| is_reachable(&text.parse().unwrap());
        assert!(reachable("192.168.1.7") && reachable("fd00::7"));
        assert!(!reachable("127.0.0.2") && !reachable("fe80::1") && !reachable("::"));
    }
}

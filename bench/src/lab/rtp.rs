//! What can be told of IP packets from outside: which are TCP, and which carry media again.

use std::collections::HashSet;
use std::net::Ipv4Addr;

const TCP: u8 = 6;
const UDP: u8 = 17;
const UDP_HEADER: usize = 8;

/// An IPv4 packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    bytes: &'a [u8],
    header: usize,
}

impl<'a> Packet<'a> {
    /// Reads a packet; none if it is not IPv4 (RFC 791, 3.1).
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let header = usize::from(first & 0x0f) * 4;
        let sound = first >> 4 == 4 && header >= 20 && bytes.len() >= header;
        sound.then_some(Self { bytes, header })
    }

    /// Whom it is for.
    pub(super) fn to(self) -> Ipv4Addr {
        let at: [u8; 4] = self.bytes[16..20].try_into().unwrap_or_default();
        at.into()
    }

    /// Whether it is part of a TCP connection.
    pub(super) fn is_tcp(self) -> bool {
        self.bytes[9] == TCP
    }

    /// Its RTP header's source and number, where it looks like RTP (RFC 3550, 5.1; RFC 9443, 3).
    /// A QUIC packet looks the same now and then: ask for those of WebRTC alone.
    fn rtp(self) -> Option<(u32, u16)> {
        let rtp = self.bytes.get(self.header + UDP_HEADER..)?;
        let is_rtp = self.bytes[9] == UDP
            && rtp.len() >= 12
            && (128..=191).contains(&rtp[0])
            && !(192..=223).contains(&rtp[1]);
        let sequence = u16::from_be_bytes([rtp[2], rtp[3]]);
        let source = u32::from_be_bytes([rtp[8], rtp[9], rtp[10], rtp[11]]);
        is_rtp.then_some((source, sequence))
    }
}

/// Numbers after which one may come anew.
const MEMORY: u16 = 1 << 14;

/// Tells media that is sent again: with its old number, or as a second source, which is how
/// retransmissions travel (RFC 4588). A session's first packets are new ones.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// The first source, for each player address and port.
    sources: Vec<(u64, u32)>,
    seen: HashSet<(u32, u16)>,
}

impl Repeats {
    /// Whether this is media that went before.
    pub(super) fn is_again(&mut self, packet: Packet<'_>) -> bool {
        let Some((source, sequence)) = packet.rtp() else {
            return false;
        };
        let flow = packet.flow();
        let known = self.sources.iter().find(|(known, _)| *known == flow);
        let media = known.map_or(source, |(_, media)| *media);
        if known.is_none() {
            self.sources.push((flow, source));
        }
        self.seen.remove(&(source, sequence.wrapping_add(MEMORY)));
        source != media || !self.seen.insert((source, sequence))
    }
}

impl Packet<'_> {
    /// Whom it is for, to the port.
    fn flow(self) -> u64 {
        let port = self.bytes.get(self.header + 2..self.header + 4);
        let port = port.map_or(0, |port| u64::from(port[0]) << 8 | u64::from(port[1]));
        u64::from(self.to().to_bits()) << 16 | port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtp(port: u8, source: u8, sequence: u8) -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, UDP, 0, 0];
        bytes.extend([198, 18, 0, 1, 198, 18, 7, 2]);
        bytes.extend([1, 1, 2, port, 0, 20, 0, 0]);
        bytes.extend([128, 96, 0, sequence, 0, 0, 0, 0, 0, 0, 0, source]);
        bytes
    }

    #[test]
    fn a_packet_says_whom_it_is_for() {
        let bytes = rtp(1, 1, 1);
        let packet = Packet::of(&bytes).unwrap();
        assert_eq!(packet.to(), Ipv4Addr::new(198, 18, 7, 2));
        assert!(!packet.is_tcp());
        assert!(Packet::of(&[0x60; 40]).is_none(), "IPv6");
        assert!(Packet::of(&bytes[..19]).is_none());
    }

    #[test]
    fn what_is_sent_again_is_told_by_its_source_or_its_number() {
        let mut repeats = Repeats::default();
        let mut again = |port, source, sequence| {
            repeats.is_again(Packet::of(&rtp(port, source, sequence)).unwrap())
        };
        assert!(!again(1, 5, 1));
        assert!(!again(1, 5, 2));
        assert!(again(1, 6, 1), "as a source of its own");
        assert!(again(1, 5, 2), "the same packet");
        assert!(!again(2, 6, 9), "another session");
    }
}

//! Packets of media as bytes (RFC 3550, 5.1).

/// A packet without extensions.
pub fn packet(
    kind: u8,
    sequence: u16,
    timestamp: u32,
    marker: bool,
    source: u32,
    payload: &[u8],
) -> Vec<u8> {
    let mut packet = vec![0x80, kind | u8::from(marker) << 7];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(source.to_be_bytes());
    packet.extend(payload);
    packet
}

//! Control packets as bytes (RFC 3550, RFC 4585).

fn packet(count: u8, kind: u8, body: &[u8]) -> Vec<u8> {
    let words = (body.len() / 4) as u16;
    let mut packet = vec![0x80 | count, kind];
    packet.extend(words.to_be_bytes());
    packet.extend(body);
    packet
}

fn feedback(count: u8, kind: u8, sender: u32, media: u32, body: &[u8]) -> Vec<u8> {
    let head = [sender.to_be_bytes(), media.to_be_bytes()].concat();
    packet(count, kind, &[&head, body].concat())
}

/// Packets that did not come: a number, and the sixteen after it as bits.
pub fn nack(sender: u32, media: u32, lost: &[(u16, u16)]) -> Vec<u8> {
    let pairs = lost.iter().flat_map(|(first, others)| {
        let [a, b] = first.to_be_bytes();
        let [c, d] = others.to_be_bytes();
        [a, b, c, d]
    });
    feedback(1, 205, sender, media, &pairs.collect::<Vec<_>>())
}

/// A keyframe is needed.
pub fn pli(sender: u32, media: u32) -> Vec<u8> {
    feedback(1, 206, sender, media, &[])
}

/// Nothing to report.
pub fn receiver_report(sender: u32) -> Vec<u8> {
    packet(0, 201, &sender.to_be_bytes())
}

/// So much of 256 packets did not come.
pub fn loss_report(sender: u32, media: u32, lost: u8) -> Vec<u8> {
    let mut body = [sender.to_be_bytes(), media.to_be_bytes()].concat();
    body.push(lost);
    body.resize(4 + 24, 0);
    packet(1, 201, &body)
}

/// The sender leaves.
pub fn goodbye(sender: u32) -> Vec<u8> {
    packet(1, 203, &sender.to_be_bytes())
}

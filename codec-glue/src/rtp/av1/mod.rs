//! AV1 (RTP Payload Format For AV1, version 1.0).

mod receive;
mod send;

pub(super) use receive::Obus;
pub(super) use send::packetize;

/// Z of the aggregation header (4.4): the first element goes on from the last payload.
const CONTINUES: u8 = 0x80;
/// Y: the last element goes on in the next payload.
const CONTINUED: u8 = 0x40;
/// N: here a coded video sequence begins.
const SEQUENCE: u8 = 0x08;
/// W has room for so many elements; with more it is 0.
const COUNTED: usize = 3;

/// `obu_has_size_field` in the first byte of an OBU (AV1 5.3.2).
const HAS_SIZE: u8 = 0b010;

/// Bytes of the shortest `leb128()` of a value (AV1 4.10.5).
fn leb128_len(value: usize) -> usize {
    let bits = usize::BITS - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// A `leb128()` of so many bytes, which may be more than it needs (AV1 4.10.5).
fn leb128_bytes(value: usize, len: usize) -> impl Iterator<Item = u8> {
    (0..len).map(move |at| {
        let more = if at + 1 < len { 0x80 } else { 0 };
        (value >> (7 * at)) as u8 & 0x7f | more
    })
}

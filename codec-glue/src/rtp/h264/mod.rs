//! H.264 (RFC 6184), packetization mode 1: single NAL units, STAP-A and FU-A.

mod receive;
mod send;
mod sets;

pub(super) use receive::Units;
pub(super) use send::packetize;

/// Types that no decoder needs: access unit delimiter and filler data (ITU-T H.264 Table 7-1).
const AUD: u8 = 9;
const FILLER: u8 = 12;

const STAP_A: u8 = 24;
const FU_A: u8 = 28;
/// S and E of the FU header (RFC 6184 5.8).
const START: u8 = 0x80;
const END: u8 = 0x40;
/// NRI and type in the first byte of a unit.
const REFERENCE: u8 = 0x60;
const TYPE: u8 = 0x1f;

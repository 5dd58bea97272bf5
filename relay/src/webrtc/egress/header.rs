//! RTP headers with their extensions, of packets of every kind (RFC 3550, 5.1; RFC 8285, 4.2).

use rtc_rtp::header::EXTENSION_PROFILE_ONE_BYTE;

use crate::broadcast::RelayTime;

/// The numbers of the extensions that a player takes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extensions {
    pub(super) abs_send_time: Option<u8>,
    pub(super) playout_delay: Option<u8>,
    pub(super) transport_wide: Option<u8>,
}

/// What stands in one packet's header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) marker: bool,
    pub(super) kind: u8,
    pub(super) sequence: u16,
    pub(super) time: u32,
    pub(super) ssrc: u32,
    /// When it is sent ([`abs_send_time`]).
    pub(super) sent: u32,
    /// Whether it says how long it may be held back.
    pub(super) delayed: bool,
    /// Its transport-wide number.
    pub(super) wide: u16,
}

/// Pictures are shown as soon as they are there, unless the page asks for a longer wait: at least 0,
/// at most 500 ms, in twelve bits of 10 ms each.
const PLAYOUT_DELAY: [u8; 3] = [0, 0, 50];

impl Header {
    /// Appends it to `out`.
    pub(super) fn write(&self, extensions: &Extensions, out: &mut Vec<u8>) {
        let extended = extensions.abs_send_time.is_some()
            || extensions.transport_wide.is_some()
            || (self.delayed && extensions.playout_delay.is_some());
        let flag = if extended { 0x10 } else { 0 };
        let marker = if self.marker { 0x80 } else { 0 };
        out.extend_from_slice(&[0x80 | flag, marker | self.kind]);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.time.to_be_bytes());
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        if extended {
            self.extensions(extensions, out);
        }
    }

    fn extensions(&self, extensions: &Extensions, out: &mut Vec<u8>) {
        out.extend_from_slice(&EXTENSION_PROFILE_ONE_BYTE.to_be_bytes());
        let words = out.len();
        out.extend_from_slice(&[0, 0]);
        let begin = out.len();
        let [_, time @ ..] = self.sent.to_be_bytes();
        let delay = extensions.playout_delay.filter(|_| self.delayed);
        for (id, value) in [
            (extensions.abs_send_time, &time[..]),
            (delay, &PLAYOUT_DELAY),
            (extensions.transport_wide, &self.wide.to_be_bytes()),
        ] {
            if let Some(id) = id {
                out.push(id << 4 | (value.len() - 1) as u8);
                out.extend_from_slice(value);
            }
        }
        let padded = (out.len() - begin).next_multiple_of(4);
        out.resize(begin + padded, 0);
        out[words..begin].copy_from_slice(&((padded / 4) as u16).to_be_bytes());
    }
}

/// The time of sending in 1/2^18 s, 24 bits of it.
pub(super) fn abs_send_time(now: RelayTime) -> u32 {
    let micros = u128::from(now.as_micros());
    ((micros << 18) / 1_000_000) as u32 & 0x00ff_ffff
}

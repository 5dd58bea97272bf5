//! From publishers (WHIP) to the cache: packets in order, put together as frames, with capture times.

mod arrivals;
mod choice;
mod clocks;
mod control;
mod counted;
mod place;
mod sound;
mod sound_times;
mod source;
mod sources;
pub(in crate::webrtc) mod upstream;
mod voice;
mod watch;

/// The number of a packet that has this sequence number, without wraps: the nearest to the newest so far.
/// The first is well above zero, so that none before it is negative.
fn unwrapped(newest: Option<u64>, sequence: u16) -> u64 {
    let newest = newest.unwrap_or((1 << 16) + u64::from(sequence));
    let distance = sequence.wrapping_sub(newest as u16) as i16;
    newest.saturating_add_signed(i64::from(distance))
}

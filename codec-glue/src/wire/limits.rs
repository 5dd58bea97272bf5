//! Sizes that no peer may exceed. Checked before anything is allocated.

/// The longest control message, in bytes, without its length prefix (PROTOCOL 2.1).
pub const CONTROL_MESSAGE: usize = 16 * 1024;
/// The largest integer, of whatever width: a browser's numbers hold it exactly.
pub const INTEGER: u64 = (1 << 53) - 1;
/// The longest token, in bytes (PROTOCOL 2.2, `Hello`).
pub const TOKEN: usize = 4096;
/// The longest agent name, in bytes (PROTOCOL 2.2, `Hello`).
pub const AGENT: usize = 128;
/// The longest text of a goodbye, in bytes (PROTOCOL 2.2).
pub const GOODBYE_TEXT: usize = 256;
/// The longest text of a refused rendition, in bytes (PROTOCOL 2.2).
pub const REFUSAL_TEXT: usize = 256;
/// The longest payload of one frame, in bytes (PROTOCOL 4.2).
pub const PAYLOAD: u32 = 4 * 1024 * 1024;
/// The shortest decoder config, in bytes (PROTOCOL 4.2).
pub const CONFIG_MIN: u16 = 8;
/// The longest decoder config, in bytes (PROTOCOL 4.2).
pub const CONFIG_MAX: u16 = 4096;
/// The largest picture width or height, in pixels (PROTOCOL 4.3).
pub const PICTURE: u16 = 8192;
/// The highest temporal layer (PROTOCOL 4.2).
pub const LAYER: u8 = 7;
/// The most frames in one group (PROTOCOL 4.7).
pub const GROUP_FRAMES: u32 = 20_000;
/// The most frames in one group that receivers of version 1 take (PROTOCOL 4.7).
pub const GROUP_FRAMES_V1: u32 = 600;
/// The most bytes in one group, headers included (PROTOCOL 4.7).
pub const GROUP_BYTES: usize = 32 * 1024 * 1024;
/// The longest frame of sound, in bytes (PROTOCOL 9.3).
pub const SOUND_FRAME: usize = 1_000;
/// The longest datagram with sound, in bytes, without what HTTP puts before it (PROTOCOL 9.3).
pub const SOUND_DATAGRAM: usize = 1_150;
/// The most earlier frames that a datagram with sound repeats (PROTOCOL 9.3).
pub const SOUND_REPEATS: u8 = 2;
/// The longest name of a broadcast, in bytes (PROTOCOL 11.2).
pub const BROADCAST: usize = 64;
/// The most relays that a broadcast passes through, the one that its publisher is at included (PROTOCOL 11.3).
pub const RELAYS: usize = 4;
/// The most other relays that a session is told of (PROTOCOL 2.15).
pub const PLACES: usize = 4;
/// The longest address of one, in bytes (PROTOCOL 2.15).
pub const PLACE: usize = 256;
/// The longest word for a relay's region, in bytes (PROTOCOL 11.10).
pub const REGION: usize = 32;
/// The most channels of sound (PROTOCOL 9.1).
pub const SOUND_CHANNELS: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_the_protocol() {
        assert_eq!(CONTROL_MESSAGE, 16_384);
        assert_eq!(INTEGER, 9_007_199_254_740_991);
        assert_eq!(PAYLOAD, 4_194_304);
        assert_eq!(GROUP_BYTES, 33_554_432);
    }
}

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $retry:literal;)*) => {
        /// Why a session, a stream or a request ended (PROTOCOL 5): one number space for all.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Code {
            $($(#[$doc])* $variant = $number,)*
        }

        impl Code {
            /// Every code, in order of number.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The code with this number, if this version knows it.
            pub fn from_number(number: u16) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name used in HTTP problems, records and logs.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Whether a client that is told this reconnects by itself.
            pub fn retries(self) -> bool {
                match self {
                    $(Self::$variant => $retry,)*
                }
            }
        }
    };
}

codes! {
    /// The client is leaving; nothing is wrong.
    Done = 0, "done", false;
    /// The relay restarts or stops.
    ShuttingDown = 1, "shutting_down", true;
    /// The admin, or the operator, ended the broadcast.
    BroadcastEnded = 2, "broadcast_ended", false;
    /// No publisher came back in time; the broadcast has ended.
    HeldTooLong = 3, "held_too_long", false;
    /// A newer publisher took over.
    Superseded = 4, "superseded", false;
    /// A stream was reset because newer frames replace these.
    Skipped = 5, "skipped", false;
    /// A player made no progress for too long.
    TooSlow = 6, "too_slow", true;
    /// Nothing was heard from the peer for too long.
    Silent = 7, "silent", true;
    /// Bytes that do not parse.
    Malformed = 16, "malformed", false;
    /// A message, frame or group beyond its limit.
    TooLarge = 17, "too_large", false;
    /// A message variant that this version does not know.
    UnknownMessage = 18, "unknown_message", false;
    /// A message or frame at a place where it may not be.
    OutOfOrder = 19, "out_of_order", false;
    /// A frame of another epoch.
    StaleEpoch = 20, "stale_epoch", false;
    /// This role may not do that.
    WrongRole = 21, "wrong_role", false;
    /// A protocol version that is not spoken here.
    UnsupportedVersion = 22, "unsupported_version", false;
    /// The token is missing, forged, or not for this.
    Unauthorized = 23, "unauthorized", false;
    /// The token was good once.
    TokenExpired = 24, "token_expired", false;
    /// No such broadcast.
    UnknownBroadcast = 25, "unknown_broadcast", false;
    /// No `Hello` in time.
    HelloTimeout = 26, "hello_timeout", true;
    /// A stream that this role may not open.
    UnexpectedStream = 27, "unexpected_stream", false;
    /// A limit on sessions is reached.
    TooMany = 28, "too_many", true;
    /// The relay is at fault.
    Internal = 29, "internal", true;
    /// The token was taken back.
    Revoked = 30, "revoked", false;
    /// Whoever runs the broadcast has ended this session.
    Kicked = 31, "kicked", false;
    /// Something of this name is there already.
    Exists = 32, "exists", false;
    /// The broadcast's publisher belongs to another relay.
    Elsewhere = 33, "elsewhere", false;
    /// The broadcast would pass through too many relays, or twice through one.
    TooFar = 34, "too_far", false;
    /// It is not known which relay the broadcast is at.
    Unclaimed = 35, "unclaimed", true;
    /// A private broadcast is only for what is sealed, and for who can open that.
    Private = 36, "private", false;
}

/// First HTTP/3 code that WebTransport application codes map to.
const H3_BASE: u64 = 0x52e4_a40f_a8db;

impl Code {
    /// The number on the wire.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The HTTP/3 code for a WebTransport stream reset or stop (PROTOCOL 5.1).
    pub fn to_h3(self) -> u64 {
        let n = u64::from(self.number());
        H3_BASE + n + n / 0x1e
    }

    /// The code in an HTTP/3 reset or stop, if it is one of ours (PROTOCOL 5.1).
    pub fn from_h3(h3: u64) -> Option<Self> {
        let shifted = h3.checked_sub(H3_BASE)?;
        // Every 31st HTTP/3 code is reserved and maps to nothing.
        if shifted % 0x1f == 0x1e {
            return None;
        }
        let n = shifted - shifted / 0x1f;
        Self::from_number(u16::try_from(n).ok()?)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_wire_and_http3() {
        for &code in Code::ALL {
            assert_eq!(Code::from_number(code.number()), Some(code));
            assert_eq!(Code::from_h3(code.to_h3()), Some(code));
        }
    }

    #[test]
    fn reserved_and_foreign_http3_codes_are_nobodys() {
        assert_eq!(Code::from_h3(H3_BASE + 0x1e), None);
        assert_eq!(Code::from_h3(0x100), None);
        assert_eq!(Code::from_h3(u64::MAX), None);
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::HashSet<_> = Code::ALL.iter().map(|c| c.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn clients_come_back_by_themselves_where_it_can_help() {
        let retries: Vec<_> = Code::ALL.iter().filter(|code| code.retries()).collect();
        assert_eq!(
            retries,
            [
                &Code::ShuttingDown,
                &Code::TooSlow,
                &Code::Silent,
                &Code::HelloTimeout,
                &Code::TooMany,
                &Code::Internal,
                &Code::Unclaimed
            ]
        );
    }

    #[test]
    fn http3_codes_of_webtransport_begin_at_their_base() {
        assert_eq!(Code::Done.to_h3(), 0x52e4_a40f_a8db);
        assert_eq!(Code::Internal.to_h3(), 0x52e4_a40f_a8f8);
        assert_eq!(Code::from_h3(H3_BASE - 1), None);
    }
}

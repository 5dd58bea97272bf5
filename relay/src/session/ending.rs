//! Why a session ends, and how its client is told.

use std::time::Duration;

use steadycast_codec_glue::wire::{self, Code, RelayMessage};
use tokio::time::timeout;

use super::control::ControlWriter;
use super::framed::ReadError;
use super::link::Link;
use crate::auth::Withdrawal;

/// Why a session ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ending {
    /// The reason.
    pub(super) code: Code,
    /// What the client is told; `None` when it has left already.
    pub(super) tell: Option<String>,
}

impl Ending {
    /// The relay ends it and says why.
    pub(super) fn because(code: Code, why: impl ToString) -> Self {
        Self {
            code,
            tell: Some(why.to_string()),
        }
    }

    /// The client has left, or cannot be reached.
    pub(super) fn left(code: Code) -> Self {
        Self { code, tell: None }
    }

    /// The connection has ended by itself.
    pub(super) fn of(link: &impl Link) -> Self {
        Self::left(link.ended().unwrap_or(Code::Done))
    }

    /// What reading the control stream ended with.
    pub(super) fn from_read(error: ReadError, link: &impl Link) -> Self {
        match error {
            ReadError::Ended => Self::of(link),
            ReadError::Wire(error) => Self::because(error.code(), error),
        }
    }

    /// A second bidirectional stream (PROTOCOL 1.2).
    pub(super) fn second_control_stream() -> Self {
        Self::because(Code::UnexpectedStream, "there is one control stream")
    }

    /// The broadcast is over for this client.
    pub(super) fn over(code: Code) -> Self {
        let why = match code {
            Code::Superseded => "another publisher has taken over",
            Code::HeldTooLong => "no publisher came back in time",
            _ => "the broadcast has ended",
        };
        Self::because(code, why)
    }

    /// The client may no longer be here.
    pub(super) fn withdrawn(why: Withdrawal) -> Self {
        Self::because(why.code(), why)
    }

    /// The relay stops soon, and takes nobody any more.
    pub(super) fn leaving() -> Self {
        Self::because(Code::ShuttingDown, "the relay is about to stop")
    }

    /// The relay stops, or restarts.
    pub(super) fn shutting_down() -> Self {
        Self::because(Code::ShuttingDown, "the relay is stopping")
    }
}

/// How long a client has to close after it was told goodbye (PROTOCOL 2.8).
const PARTING: Duration = Duration::from_millis(500);

/// Says goodbye as `ending` wants and closes.
pub(super) async fn part<L: Link>(
    ending: &Ending,
    writer: &mut ControlWriter<L::Output>,
    link: &L,
    number: u64,
) {
    if let Some(why) = &ending.tell {
        let goodbye = RelayMessage::Goodbye {
            code: ending.code.number(),
            message: shortened(why),
            retry_after_ms: retry_after(ending.code, number),
        };
        let told = timeout(PARTING, writer.send(&goodbye)).await;
        writer.finish();
        if matches!(told, Ok(Ok(()))) {
            let _ = timeout(PARTING, link.closed()).await;
        }
    }
    link.close(ending.code);
}

/// Spread over a second by session, so that not all come back at once.
fn retry_after(code: Code, number: u64) -> Option<u32> {
    let spread = (number % 8) as u32 * 100;
    match code {
        Code::TooMany => Some(5000 + spread),
        code if code.retries() => Some(200 + spread),
        _ => None,
    }
}

/// Cuts `why` to what a goodbye may carry, at a character's boundary.
fn shortened(why: &str) -> String {
    why[..why.floor_char_boundary(wire::limits::GOODBYE_TEXT)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_goodbye_is_cut_between_characters() {
        assert!(shortened(&"ä".repeat(200)).len() <= wire::limits::GOODBYE_TEXT);
    }

    #[test]
    fn only_some_goodbyes_invite_back() {
        assert!(retry_after(Code::ShuttingDown, 3).is_some());
        assert!(retry_after(Code::Superseded, 3).is_none());
    }
}

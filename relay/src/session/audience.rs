//! What a publisher is told of those who hear it (PROTOCOL 9.4).

use std::time::Duration;

use steadycast_codec_glue::wire::RelayMessage;
use tokio::time::Instant;

/// How often it is told at most.
const INTERVAL: Duration = Duration::from_millis(250);

/// What it has been told, so that it is told what is new.
#[derive(Debug, Default)]
pub(super) struct Audience {
    /// Players, and frames to repeat; none since it said of none what its sound is.
    told: Option<(u32, u8)>,
    at: Option<Instant>,
}

impl Audience {
    /// When the publisher is to learn of so many listeners; `None` when it knows, or has no sound.
    pub(super) fn due(&mut self, listeners: Option<u32>, repeat: u8) -> Option<Instant> {
        let Some(players) = listeners else {
            self.told = None;
            return None;
        };
        if self.told == Some((players, repeat)) {
            return None;
        }
        Some(self.at.map_or_else(Instant::now, |at| at + INTERVAL))
    }

    /// Tells it.
    pub(super) fn tell(&mut self, listeners: Option<u32>, repeat: u8) -> Option<RelayMessage> {
        let players = listeners?;
        self.told = Some((players, repeat));
        self.at = Some(Instant::now());
        Some(RelayMessage::Listeners { players, repeat })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_publisher_is_told_at_once_and_then_four_times_a_second() {
        let mut audience = Audience::default();
        assert_eq!(audience.due(None, 0), None);
        assert_eq!(audience.due(Some(0), 0), Some(Instant::now()));
        audience.tell(Some(0), 0);
        assert_eq!(audience.due(Some(0), 0), None);
        let later = Instant::now() + INTERVAL;
        assert_eq!(audience.due(Some(9), 0), Some(later));
        assert_eq!(audience.due(Some(0), 1), Some(later));
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_anew_what_it_sends_is_told_anew() {
        let mut audience = Audience::default();
        audience.tell(Some(3), 1);
        assert_eq!(audience.due(None, 1), None);
        assert!(audience.due(Some(3), 1).is_some());
    }
}

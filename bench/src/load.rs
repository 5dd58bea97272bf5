//! What a load is made of.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::stamp;
use crate::transport::{Choice, Transport};

/// Pictures a second of a rendition for narrow paths.
const NARROW_FPS: u32 = 10;
/// Of what a rendition may take its frames take this share, and a keyframe so many seconds of it.
const DELTAS: f64 = 0.8;
const KEYFRAME_S: f64 = 0.3;
/// The longest run, in seconds.
const WEEK_S: usize = 7 * 86_400;

/// How many watch, and what they are sent.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Load {
    /// Players that watch, all broadcasts together
    #[arg(long, default_value_t = 200)]
    pub players: usize,
    /// Broadcasts with a publisher each; players are spread over them
    #[arg(long, default_value_t = 1)]
    pub publishers: usize,
    /// How long to measure, in seconds
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Players that join per second
    #[arg(long, default_value_t = 200)]
    pub ramp: usize,
    /// Of the players, so many stop reading after their first picture
    #[arg(long, default_value_t = 0)]
    pub stall: usize,
    /// Of the players, so many read no faster than --slow-kbit
    #[arg(long, default_value_t = 0)]
    pub slow: usize,
    /// What a slow player reads, in kbit/s
    #[arg(long, default_value_t = 300)]
    pub slow_kbit: u64,
    /// Of the players, so many are behind a path of --narrow-kbit each
    #[arg(long, default_value_t = 0)]
    pub narrow: usize,
    /// What a narrow path carries, in kbit/s
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(50..))]
    pub narrow_kbit: u64,
    /// Publishers send sound besides, of 64 kbit/s or so many, and players listen
    #[arg(long, value_name = "KBIT", num_args = 0..=1, require_equals = true, default_missing_value = "64", value_parser = clap::value_parser!(u64).range(8..=400))]
    pub sound: Option<u64>,
    /// By what players watch.
    #[command(flatten)]
    #[serde(flatten)]
    pub transport: Transport,
    /// What publishers send.
    #[command(flatten)]
    #[serde(flatten)]
    pub picture: Picture,
}

/// What a publisher sends.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Picture {
    /// Frames per second of each publisher
    #[arg(long, default_value_t = 30)]
    pub fps: u32,
    /// Payload of a frame that is no keyframe, in bytes
    #[arg(long, default_value_t = 8_000)]
    pub delta_bytes: usize,
    /// Payload of a keyframe, in bytes
    #[arg(long, default_value_t = 100_000)]
    pub key_bytes: usize,
    /// Frames from one keyframe to the next
    #[arg(long, default_value_t = 60)]
    pub group: usize,
    /// Publish this recording (IVF, or H.264 Annex B as .h264) instead of made-up frames
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
}

/// How a player takes what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appetite {
    /// As fast as it comes; only these count in the figures.
    Healthy,
    /// Nothing after the first picture.
    Stalled,
    /// So many bits per second.
    Slow(u64),
    /// What comes through the narrow path of this number; counted apart.
    Narrow(usize),
}

impl Load {
    /// How the player of this number takes its frames; the unhealthy ones come first.
    pub fn appetite(&self, player: usize) -> Appetite {
        let slow = self.stall + self.slow;
        if player < self.stall {
            Appetite::Stalled
        } else if player < slow {
            Appetite::Slow(self.slow_kbit * 1_000)
        } else if player < slow + self.narrow {
            Appetite::Narrow(player - slow)
        } else {
            Appetite::Healthy
        }
    }

    /// Players whose figures count.
    pub fn healthy(&self) -> usize {
        self.players
            .saturating_sub(self.stall + self.slow + self.narrow)
    }

    /// Complaints about figures that make no load.
    ///
    /// # Errors
    /// With the option that is wrong and what it takes.
    pub fn check(&self) -> Result<(), String> {
        whole("players", self.players, 100_000)?;
        whole("publishers", self.publishers, 10_000)?;
        whole("seconds", self.seconds as usize, WEEK_S)?;
        whole("ramp", self.ramp, 100_000)?;
        self.picture.check()?;
        self.picture.check_for(&self.transport)?;
        if self.healthy() == 0 {
            return Err("--stall, --slow and --narrow leave no player to measure".to_owned());
        }
        if self.narrow > 0 && self.transport.transport != Choice::Webtransport {
            return Err("--narrow is for players by WebTransport".to_owned());
        }
        Ok(())
    }
}

impl Picture {
    /// The same for a path of so many kbit/s: fewer pictures, and smaller ones.
    #[must_use]
    pub fn within(&self, kbps: u32) -> Self {
        let fps = self.fps.min(NARROW_FPS);
        let bytes = kbps as f64 * 1_000.0 / 8.0;
        let delta = (bytes * DELTAS / f64::from(fps)) as usize;
        let key = (bytes * KEYFRAME_S) as usize;
        Self {
            fps,
            delta_bytes: delta.clamp(stamp::LEN, self.delta_bytes),
            key_bytes: key.clamp(stamp::LEN, self.key_bytes),
            group: self.group,
            input: None,
        }
    }

    /// The payload of the frame at this place in its group, in bytes.
    pub fn payload_len(&self, index: usize) -> usize {
        match index {
            0 => self.key_bytes,
            _ => self.delta_bytes,
        }
    }

    /// Complaints about figures that make no picture.
    ///
    /// # Errors
    /// With the option that is wrong and what it takes.
    pub fn check(&self) -> Result<(), String> {
        whole("fps", self.fps as usize, 240)?;
        for (name, bytes) in [("delta", self.delta_bytes), ("key", self.key_bytes)] {
            if !(stamp::LEN..=4 << 20).contains(&bytes) {
                let least = stamp::LEN;
                return Err(format!("--{name}-bytes must be from {least} to 4194304"));
            }
        }
        whole("group", self.group, 500)
    }

    /// Complaints about pictures that players by this transport could not tell.
    ///
    /// # Errors
    /// With the options that do not go together.
    pub fn check_for(&self, transport: &Transport) -> Result<(), String> {
        match &self.input {
            Some(_) if transport.has_webrtc() => {
                Err("--input has no stamps for WebRTC players to check: leave it out".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Complains unless `value` is at least 1 and at most `most`.
fn whole(name: &str, value: usize, most: usize) -> Result<(), String> {
    match value {
        0 => Err(format!("--{name} must be at least 1")),
        _ if value > most => Err(format!("--{name} must be at most {most}")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        load: Load,
    }

    fn load(args: &[&str]) -> Load {
        Line::parse_from([&["bench"], args].concat()).load
    }

    #[test]
    fn unhealthy_players_do_not_count() {
        let load = load(&["--players", "10", "--stall", "1", "--slow", "2"]);
        assert_eq!(load.healthy(), 7);
        assert_eq!(load.appetite(0), Appetite::Stalled);
        assert_eq!(load.appetite(2), Appetite::Slow(300_000));
        assert_eq!(load.appetite(3), Appetite::Healthy);
    }

    #[test]
    fn each_narrow_path_has_one_player() {
        let load = load(&["--players", "10", "--slow", "2", "--narrow", "3"]);
        assert_eq!(load.healthy(), 5);
        assert_eq!(load.appetite(2), Appetite::Narrow(0));
        assert_eq!(load.appetite(4), Appetite::Narrow(2));
        assert_eq!(load.appetite(5), Appetite::Healthy);
    }

    #[test]
    fn a_load_that_is_none_is_named() {
        assert!(load(&["--fps", "0"]).check().unwrap_err().contains("--fps"));
        assert!(load(&["--players", "3", "--stall", "3"]).check().is_err());
        assert!(
            load(&["--narrow", "1", "--transport", "both"])
                .check()
                .is_err()
        );
        assert!(load(&["--delta-bytes", "17"]).check().is_err());
        let recorded = ["--transport", "both", "--input", "film.ivf"];
        assert!(load(&recorded).check().is_err());
        assert_eq!(load(&["--sound"]).sound, Some(64));
        assert_eq!(load(&["--sound=96"]).sound, Some(96));
        assert!(load(&[]).check().is_ok());
    }
}

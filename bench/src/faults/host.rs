//! A publisher that goes to another relay with its lineage when its own is dead or silent, as capture hosts do.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use parking_lot::Mutex;
use steadycast_codec_glue::wire::{ClientMessage, Code, RelayMessage, ResumeSecret};
use steadycast_tests::client::Publisher;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::ground::Ground;

const HEARTBEAT: Duration = Duration::from_millis(250);
const SILENCE: Duration = Duration::from_secs(1);
const JOINING: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(100);
/// One picture, a second's worth of which is a group, and its bytes.
const PICTURE: Duration = Duration::from_millis(100);
const GROUP: u64 = 10;
const LEN: usize = 1_200;

/// What a picture shows: which publisher has captured it, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) host: u32,
    pub(super) captured: u64,
}

impl Shown {
    fn write(self) -> Vec<u8> {
        let mut payload = vec![0; LEN];
        payload[..4].copy_from_slice(&self.host.to_be_bytes());
        payload[4..12].copy_from_slice(&self.captured.to_be_bytes());
        payload
    }

    /// Reads it; `None`: it is no picture of ours.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let whole = payload.len() == LEN && payload[12..].iter().all(|byte| *byte == 0);
        let host = payload.first_chunk()?;
        let captured = payload.get(4..)?.first_chunk()?;
        whole.then_some(Self {
            host: u32::from_be_bytes(*host),
            captured: u64::from_be_bytes(*captured),
        })
    }
}

/// The time, in microseconds since the Unix epoch.
pub(super) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as u64)
}

/// What has become of a publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is let in nowhere.
    Away,
    /// It is at this relay.
    At(usize),
    /// Another has taken the broadcast over, which it was told then.
    Superseded(Instant),
}

/// A publisher. Dropping it ends it without a word.
pub(super) struct Host {
    standing: Arc<Mutex<Standing>>,
    task: AbortHandle,
}

impl Host {
    /// One that begins at a relay.
    pub(super) fn begin(ground: Arc<Ground>, relay: usize, token: String) -> Self {
        let standing = Arc::new(Mutex::new(Standing::Away));
        let publishing = publish(ground, standing.clone(), relay, token);
        let task = tokio::spawn(publishing).abort_handle();
        Self { standing, task }
    }

    pub(super) fn standing(&self) -> Standing {
        *self.standing.lock()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn publish(
    ground: Arc<Ground>,
    standing: Arc<Mutex<Standing>>,
    mut relay: usize,
    token: String,
) {
    let mut resume = None;
    while !ground.is_over() {
        let ended = session(&ground, &standing, relay, (&token, &mut resume)).await;
        if matches!(ended, Ok(Over::Superseded)) {
            *standing.lock() = Standing::Superseded(Instant::now());
            return;
        }
        *standing.lock() = Standing::Away;
        relay = (relay + 1) % ground.relays();
        sleep(PAUSE).await;
    }
}

enum Over {
    Superseded,
}

async fn session(
    ground: &Ground,
    standing: &Mutex<Standing>,
    relay: usize,
    (token, resume): (&str, &mut Option<ResumeSecret>),
) -> Result<Over> {
    let number = ground.number();
    let joining = Publisher::join(&ground.targets[relay], token, *resume);
    let joined = timeout(JOINING, joining).await.context("no answer")?;
    let mut publisher = match joined {
        Ok(publisher) => publisher,
        Err(error) if is_superseded(&error) => return Ok(Over::Superseded),
        Err(error) => return Err(error),
    };
    *resume = publisher.welcome.resume.or(*resume);
    ground.begins(number);
    *standing.lock() = Standing::At(relay);
    let mut pictures = interval(PICTURE);
    pictures.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beats = interval(HEARTBEAT);
    let (mut heard, mut count, mut wanted) = (Instant::now(), 0, true);
    loop {
        tokio::select! {
            _ = pictures.tick() => {
                let shown = Shown { host: number, captured: now_us() };
                let keyframe = std::mem::take(&mut wanted) || count % GROUP == 0;
                count += 1;
                let payload = shown.write();
                let showing = publisher.show(keyframe, &payload);
                timeout(SILENCE, showing).await.context("it takes nothing")??;
            }
            _ = beats.tick() => {
                let ping = ClientMessage::Ping { sequence: 0, sent_us: 0 };
                timeout(SILENCE, publisher.control.send(&ping)).await.context("it takes nothing")??;
                if heard.elapsed() > SILENCE {
                    bail!("nothing heard");
                }
            }
            message = publisher.control.next() => {
                heard = Instant::now();
                match message? {
                    RelayMessage::KeyframeRequest { .. } => wanted = true,
                    RelayMessage::Goodbye { code, .. } if code == Code::Superseded.number() => {
                        return Ok(Over::Superseded);
                    }
                    RelayMessage::Goodbye { message, .. } => bail!("goodbye: {message}"),
                    _ => {}
                }
            }
        }
    }
}

fn is_superseded(error: &anyhow::Error) -> bool {
    format!("{error:#}").contains(&Code::Superseded.to_string())
}

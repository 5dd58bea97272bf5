//! A publisher that goes to another relay with its lineage when its own is dead or silent, as capture hosts do.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use parking_lot::Mutex;
use steadycast_codec_glue::wire::{ClientMessage, Code, RelayMessage, ResumeSecret};
use steadycast_tests::client::Publisher;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::aired::Aired;
use super::journey::Journey;

/// As pages have it.
const HEARTBEAT: Duration = Duration::from_millis(250);
const SILENCE: Duration = Duration::from_millis(1_500);
const JOINING: Duration = Duration::from_millis(1_500);
const PAUSE: Duration = Duration::from_millis(100);
/// One picture, a second's worth of which is a group, and its bytes.
const PICTURE: Duration = Duration::from_millis(100);
const GROUP: u32 = 10;
const LEN: usize = 1_200;

/// What a picture shows: which publisher has captured it, as which of its pictures, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) host: u32,
    pub(super) number: u32,
    pub(super) captured: u64,
}

impl Shown {
    fn write(self) -> Vec<u8> {
        let mut payload = vec![0; LEN];
        payload[..4].copy_from_slice(&self.host.to_be_bytes());
        payload[4..8].copy_from_slice(&self.number.to_be_bytes());
        payload[8..16].copy_from_slice(&self.captured.to_be_bytes());
        payload
    }

    /// Reads it; `None`: it is no picture of ours.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let whole = payload.len() == LEN && payload[16..].iter().all(|byte| *byte == 0);
        let host = payload.first_chunk()?;
        let number = payload.get(4..)?.first_chunk()?;
        let captured = payload.get(8..)?.first_chunk()?;
        whole.then_some(Self {
            host: u32::from_be_bytes(*host),
            number: u32::from_be_bytes(*number),
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
    left: Arc<Left>,
    task: AbortHandle,
}

impl Host {
    /// One that begins at a relay.
    pub(super) fn begin(aired: Arc<Aired>, relay: usize) -> Self {
        let standing = Arc::new(Mutex::new(Standing::Away));
        let left = Arc::new(Left::default());
        let publishing = publish(aired, standing.clone(), left.clone(), relay);
        let task = tokio::spawn(publishing).abort_handle();
        Self {
            standing,
            left,
            task,
        }
    }

    /// The sessions that it has left at relays that said nothing.
    pub(super) fn left(&self) -> &Left {
        &self.left
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
    aired: Arc<Aired>,
    standing: Arc<Mutex<Standing>>,
    left: Arc<Left>,
    mut relay: usize,
) {
    let mut resume = None;
    let mut journey = Journey::new(aired.ground.relays(), relay);
    while !aired.ground.is_over() {
        match session(&aired, &standing, relay, (&mut journey, &mut resume)).await {
            Ok(Over::Superseded) => {
                *standing.lock() = Standing::Superseded(Instant::now());
                return;
            }
            Ok(Over::Silent(session)) => left.goes_on(session),
            Err(error) => left.hears(format!("the publisher at relay {}: {error:#}", relay + 1)),
        }
        if *standing.lock() == Standing::At(relay) {
            journey.rests();
        } else {
            sleep(PAUSE).await;
        }
        *standing.lock() = Standing::Away;
        // Where there is no other to go to, the same may be there again.
        relay = journey.next(relay).unwrap_or(relay);
    }
}

enum Over {
    Superseded,
    /// Nothing is heard of the relay.
    Silent(Box<Session>),
}

async fn session(
    aired: &Aired,
    standing: &Mutex<Standing>,
    relay: usize,
    (journey, resume): (&mut Journey, &mut Option<ResumeSecret>),
) -> Result<Over> {
    let ground = &aired.ground;
    let host = ground.number();
    let joining = Publisher::join(ground.target(relay), &aired.tokens.publish_token, *resume);
    let joined = timeout(JOINING, joining).await.context("no answer")?;
    let publisher = match joined {
        Ok(publisher) => publisher,
        Err(error) if is_superseded(&error) => return Ok(Over::Superseded),
        Err(error) => return Err(error),
    };
    *resume = publisher.welcome.resume.or(*resume);
    aired.begins(host);
    *standing.lock() = Standing::At(relay);
    let mut session = Session {
        publisher,
        host,
        number: 0,
        wanted: true,
    };
    let mut pictures = interval(PICTURE);
    pictures.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beats = interval(HEARTBEAT);
    let mut heard = Instant::now();
    loop {
        if ground.refuses(relay) {
            bail!("nobody listens there");
        }
        tokio::select! {
            _ = pictures.tick() => if !session.show().await? {
                return Ok(Over::Silent(Box::new(session)));
            },
            _ = beats.tick() => {
                session.beat().await?;
                if heard.elapsed() > SILENCE {
                    return Ok(Over::Silent(Box::new(session)));
                }
            }
            message = session.publisher.control.next() => {
                heard = Instant::now();
                match message? {
                    RelayMessage::KeyframeRequest { .. } => session.wanted = true,
                    RelayMessage::Relays { relays } => journey.knows(&relays, ground),
                    RelayMessage::Move { .. } => bail!("it leaves"),
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

/// A session that a relay has let in.
struct Session {
    publisher: Publisher,
    host: u32,
    /// The next picture.
    number: u32,
    /// It is to be a keyframe.
    wanted: bool,
}

impl Session {
    /// Shows a picture; false: the relay takes none. Nothing can be shown any more then.
    async fn show(&mut self) -> Result<bool> {
        let shown = Shown {
            host: self.host,
            number: self.number,
            captured: now_us(),
        };
        let keyframe = std::mem::take(&mut self.wanted) || self.number.is_multiple_of(GROUP);
        self.number += 1;
        let payload = shown.write();
        match timeout(SILENCE, self.publisher.show(keyframe, &payload)).await {
            Ok(shown) => shown.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    async fn beat(&mut self) -> Result<()> {
        let ping = ClientMessage::Ping {
            sequence: 0,
            sent_us: 0,
        };
        let sending = self.publisher.control.send(&ping);
        timeout(SILENCE, sending)
            .await
            .context("it takes nothing")?
    }

    /// Goes on as if it had noticed nothing, until it is told that it is over.
    async fn told(mut self) -> Result<()> {
        let mut pictures = interval(PICTURE);
        pictures.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut takes = true;
        loop {
            tokio::select! {
                _ = pictures.tick(), if takes => takes = self.show().await?,
                message = self.publisher.control.next() => {
                    if let RelayMessage::Goodbye { .. } = message? {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// Sessions that a publisher has left at relays that said nothing. They go on there: the relay may only have stood still,
/// and then it has to end them.
#[derive(Default)]
pub(super) struct Left(Mutex<Going>);

#[derive(Default)]
struct Going {
    sessions: JoinSet<()>,
    over: Option<Instant>,
    /// Why other sessions have ended, or have not begun.
    why: Vec<String>,
}

impl Left {
    fn hears(&self, why: String) {
        self.0.lock().why.push(why);
    }

    /// What relays said instead of letting it in, and why sessions have ended, since this was asked last.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().why)
    }

    fn goes_on(&self, session: Box<Session>) {
        let told = async move { drop(session.told().await) };
        self.0.lock().sessions.spawn(told);
    }

    /// Whether all are over, and since when.
    pub(super) fn over(&self) -> Option<Instant> {
        let mut going = self.0.lock();
        while going.sessions.try_join_next().is_some() {
            going.over = Some(Instant::now());
        }
        let over = going.over.or_else(|| Some(Instant::now()));
        over.filter(|_| going.sessions.is_empty())
    }
}

fn is_superseded(error: &anyhow::Error) -> bool {
    format!("{error:#}").contains(&Code::Superseded.to_string())
}

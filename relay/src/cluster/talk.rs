//! The control stream of a session at another relay.

use std::time::Duration;

use steadycast_codec_glue::wire::{
    ClientMessage, Code, Hop, RELAYS, RelayMessage, Status, VERSION, decode_relay, encode_client,
};
use tokio::time::{Instant, timeout};
use wtransport::{Connection, RecvStream, SendStream, VarInt};

use super::clock::Offsets;
use crate::broadcast::{BroadcastId, RelayTime};
use crate::excerpt::excerpt;
use crate::session::{About, Framed, Output, ReadError};
use crate::shard::RelayClock;

/// How often the other relay is asked for a sign of life.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(250);
/// One that gives none for so long is gone.
pub const SILENCE: Duration = Duration::from_secs(3);
/// How long it has for its first word: it may have to get the broadcast itself.
const FIRST_WORD: Duration = Duration::from_secs(5);

/// Why a session at another relay has ended, or did not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// It is not reached, or not any more.
    #[error("{0}")]
    Unreached(String),
    /// Another one is to be asked instead, at this place.
    #[error("to be got from the relay at {0}")]
    SentOn(String),
    /// One that this relay was sent to did not take it.
    #[error("sent on in vain: {0}")]
    InVain(String),
    /// It has said goodbye.
    #[error("{code}: {why}")]
    Goodbye {
        /// Why.
        code: Code,
        /// The same for people.
        why: String,
    },
}

impl Failure {
    pub(super) fn unreached(why: impl ToString) -> Self {
        Self::Unreached(why.to_string())
    }

    /// What it has said, if it has said anything.
    pub(super) fn code(&self) -> Option<Code> {
        match self {
            Self::Unreached(_) | Self::SentOn(_) | Self::InVain(_) => None,
            Self::Goodbye { code, .. } => Some(*code),
        }
    }

    /// Whether there is no room for this relay with those that are behind it.
    pub(super) fn is_for_want_of_room(&self) -> bool {
        matches!(self.code(), Some(Code::TooMany | Code::TooFar))
    }

    /// Whether it may be otherwise in a moment, where somebody waits for that.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::InVain(_)) || self.code() == Some(Code::TooMany)
    }
}

/// What a relay is asked for.
pub(super) struct Request<'a> {
    pub(super) broadcast: &'a BroadcastId,
    /// On behalf of these relays, this one first.
    pub(super) relays: &'a [Hop],
    /// What this one says of itself; `None`: the other knows.
    pub(super) about: Option<About>,
}

/// A session at another relay.
pub(super) struct Talk {
    pub(super) connection: Connection,
    writer: SendStream,
    reader: Framed<RecvStream>,
    clock: RelayClock,
    offsets: Offsets,
    pings: u32,
    heard: Instant,
}

impl Talk {
    /// Asks for a broadcast on a connection. Gives how the broadcast is doing as well, and through which relays it comes.
    pub(super) async fn begin(
        connection: Connection,
        request: Request<'_>,
        clock: RelayClock,
    ) -> Result<(Self, Status, Vec<Hop>), Failure> {
        let opening = async {
            let (writer, reader) = connection.open_bi().await?.await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((writer, reader))
        };
        let opened = timeout(FIRST_WORD, opening).await;
        let (writer, reader) = opened
            .map_err(Failure::unreached)?
            .map_err(Failure::unreached)?;
        let mut talk = Self {
            connection,
            writer,
            reader: Framed::new(reader),
            clock,
            offsets: Offsets::default(),
            pings: 0,
            heard: Instant::now(),
        };
        // What the other's clock shows is known better by a question that it answers at once.
        talk.ping().await?;
        if let Some(about) = request.about {
            let About {
                place,
                region,
                vain,
                branch,
            } = about;
            talk.say(&ClientMessage::Branch {
                place,
                region,
                vain,
                branch,
            })
            .await?;
        }
        talk.say(&ClientMessage::Pull {
            version: VERSION,
            broadcast: request.broadcast.to_string(),
            relays: request.relays.to_vec(),
        })
        .await?;
        let answered = async {
            let status = talk.welcome().await?;
            Ok((status, talk.through().await?))
        };
        let answered = timeout(FIRST_WORD, answered).await;
        let (status, through) = answered.map_err(|_| Failure::unreached("no answer in time"))??;
        Ok((talk, status, through))
    }

    /// The way that the broadcast comes, which is told next.
    async fn through(&mut self) -> Result<Vec<Hop>, Failure> {
        loop {
            match self.next().await? {
                RelayMessage::Pong { .. } => {}
                RelayMessage::Through { relays } => return Ok(relays),
                other => {
                    return Err(Failure::Unreached(format!(
                        "{other:?} instead of the way that it comes"
                    )));
                }
            }
        }
    }

    async fn welcome(&mut self) -> Result<Status, Failure> {
        loop {
            match self.next().await? {
                RelayMessage::Pong { .. } => {}
                RelayMessage::Ask { relay } => return Err(Failure::SentOn(excerpt(&relay))),
                RelayMessage::Welcome {
                    version, status, ..
                } if version >= RELAYS => return Ok(status),
                other => {
                    return Err(Failure::Unreached(format!(
                        "{other:?} instead of a welcome"
                    )));
                }
            }
        }
    }

    /// Sends a message.
    pub(super) async fn say(&mut self, message: &ClientMessage) -> Result<(), Failure> {
        let bytes = encode_client(message).map_err(Failure::unreached)?;
        match timeout(SILENCE, Output::write(&mut self.writer, bytes.into())).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Failure::unreached("it takes no messages")),
        }
    }

    /// How long ago the last sign of life came.
    pub(super) fn silence(&self) -> Duration {
        self.heard.elapsed()
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// When there has been none for too long.
    pub(super) async fn ping(&mut self) -> Result<(), Failure> {
        if self.silence() > SILENCE {
            return Err(Failure::unreached("nothing heard"));
        }
        self.pings = self.pings.wrapping_add(1);
        let ping = ClientMessage::Ping {
            sequence: self.pings,
            sent_us: self.clock.now().as_micros(),
        };
        self.say(&ping).await
    }

    /// The next message, after which the other's clock may be known better. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<RelayMessage, Failure> {
        let message = match self.reader.next(decode_relay).await {
            Ok(message) => message,
            Err(ReadError::Ended) => return Err(Failure::unreached("the session has ended")),
            Err(ReadError::Wire(error)) => return Err(Failure::unreached(error)),
        };
        self.heard = Instant::now();
        match message {
            RelayMessage::Pong {
                sent_us, relay_us, ..
            } => {
                let sent = RelayTime::from_micros(sent_us);
                self.offsets.see(sent, self.clock.now(), relay_us);
                Ok(message)
            }
            RelayMessage::Goodbye { code, message, .. } => Err(Failure::Goodbye {
                // One of a later version says nothing that could be told to others.
                code: Code::from_number(code).unwrap_or(Code::Internal),
                why: excerpt(&message),
            }),
            message => Ok(message),
        }
    }

    /// How many microseconds the other's clock is ahead.
    pub(super) fn offset(&self) -> i64 {
        self.offsets.best()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.connection.close(VarInt::from_u32(0), b"");
    }
}

//! From a connection's control stream to its goodbye.

use std::sync::Arc;

use steadycast_codec_glue::wire::{self, ClientMessage, Code, RelayMessage, ResumeSecret, Role};
use tokio::time::{Instant, timeout_at};

use super::control::{ControlReader, ControlWriter};
use super::elsewhere::About;
use super::ending::{Ending, part};
use super::framed::ReadError;
use super::greeted::Session;
use super::link::{Input, Link, Output};
use super::local::Local;
use super::shared::{Port, Shared};
use super::{player, publisher, relay};
use crate::auth::{Power, Visit};
use crate::broadcast::{Broadcast, BroadcastId};
use crate::events::SessionFacts;
use crate::excerpt::excerpt;
use crate::records::Record;
use crate::telemetry::traces::BroadcastTrace;

/// Reads the hello, and serves what it asks for or says why not.
pub(super) async fn greet<L: Link>(
    link: L,
    named: Option<&BroadcastId>,
    number: u64,
    local: &Arc<Local<L>>,
) {
    let shared = &local.shared;
    let deadline = Instant::now() + shared.settings.hello_timeout;
    let Ok(Some((send, recv))) = timeout_at(deadline, link.accept_control()).await else {
        tracing::debug!("no control stream in time");
        link.close(Code::HelloTimeout);
        return;
    };
    let mut reader = ControlReader::new(recv);
    let mut writer = ControlWriter::new(send, shared.settings.player_stall);
    let mut about = About::default();
    let first = first((&mut reader, &mut writer), &mut about, shared);
    let hello = match timeout_at(deadline, first).await {
        Ok(hello) => hello.map_err(|error| Ending::from_read(error, &link)),
        Err(_) => Err(Ending::because(Code::HelloTimeout, "no Hello in time")),
    };
    let hello = match (hello, shared.port) {
        (Ok(ClientMessage::Pull { .. }), Port::Clients) => {
            let why = "relays have a port of their own";
            Err(Ending::because(Code::WrongRole, why))
        }
        (Ok(pull @ ClientMessage::Pull { .. }), Port::Relays) => {
            let visitor = relay::Visitor {
                number,
                link,
                reader,
                writer,
                about,
            };
            return relay::serve(visitor, pull, local).await;
        }
        (Ok(ClientMessage::Hello { .. }), Port::Relays) => {
            let why = "this port is for relays";
            Err(Ending::because(Code::WrongRole, why))
        }
        (hello, _) => hello,
    };
    let visit = Visit {
        number,
        transport: L::TRANSPORT,
        from: link.address(),
        since: shared.clock.now(),
    };
    let role = match &hello {
        Ok(ClientMessage::Hello { role, .. }) => Some(*role),
        _ => None,
    };
    let admitted = match hello {
        Ok(_) if shared.placement.is_leaving() => Err(Ending::leaving()),
        Ok(hello) => authorize(hello, named, visit, shared).await,
        Err(ending) => Err(ending),
    };
    let refused = |code| {
        let publishes = role == Some(Role::Publisher);
        let facts = publishes.then(|| stranger(&visit));
        shared.records.refused(code, facts);
    };
    let ending = match admitted {
        Err(ending) => {
            tracing::info!(code = %ending.code, why = ending.tell, "session refused");
            refused(ending.code);
            part(&ending, &mut writer, &link, number).await;
            return;
        }
        Ok(admitted) => {
            writer.speaks(admitted.version);
            let session = Session {
                number,
                link,
                reader,
                writer,
                broadcast: admitted.broadcast,
                resume: admitted.resume,
                version: admitted.version,
            };
            let ending = run(session, &admitted.record, local).await;
            admitted.record.end(ending.code);
            if !admitted.record.has_begun() {
                refused(ending.code);
            }
            ending
        }
    };
    tracing::info!(code = %ending.code, why = ending.tell, "session ended");
}

/// The first message; a relay may ask for the time before it, and say what it is (PROTOCOL 11.2).
async fn first<I: Input, O: Output>(
    (reader, writer): (&mut ControlReader<I>, &mut ControlWriter<O>),
    about: &mut About,
    shared: &Shared,
) -> Result<ClientMessage, ReadError> {
    loop {
        match reader.next().await? {
            ClientMessage::Ping { sequence, sent_us } if shared.port == Port::Relays => {
                let pong = RelayMessage::Pong {
                    sequence,
                    sent_us,
                    relay_us: shared.clock.now().as_micros(),
                };
                let sent = writer.send(&pong).await;
                sent.map_err(|_| ReadError::Ended)?;
            }
            ClientMessage::Branch {
                place,
                region,
                vain,
                branch,
            } if shared.port == Port::Relays => {
                *about = About {
                    place,
                    region,
                    vain,
                    branch,
                };
            }
            message => return Ok(message),
        }
    }
}

/// Who said hello, and what it wants.
struct Admitted {
    version: u16,
    record: Record,
    broadcast: Arc<Broadcast>,
    resume: Option<ResumeSecret>,
}

/// Checks a hello against PROTOCOL 1.4, 2.4, 2.11 and 6.
async fn authorize(
    hello: ClientMessage,
    named: Option<&BroadcastId>,
    visit: Visit,
    shared: &Shared,
) -> Result<Admitted, Ending> {
    let ClientMessage::Hello {
        version: newest,
        role,
        token,
        agent,
        resume,
    } = hello
    else {
        return Err(Ending::because(Code::OutOfOrder, "Hello comes first"));
    };
    let version = wire::agree(newest).ok_or_else(|| unspoken(newest))?;
    shared.begun().await;
    let pass = shared
        .gate
        .admit(&token, role, named, visit)
        .await
        .map_err(|refusal| Ending::because(refusal.code(), refusal))?;
    let broadcast = shared
        .find(pass.broadcast(), role)
        .await
        .map_err(|why| Ending::because(why.code(), why))?;
    if broadcast.is_private() && version < wire::SEALS {
        let why =
            "this broadcast is private, which a page of an older version cannot show: load it anew";
        return Err(Ending::because(Code::Private, why));
    }
    let agent = excerpt(&agent);
    let trace = BroadcastTrace::of(pass.broadcast());
    tracing::info!(broadcast = %pass.broadcast(), ?role, agent, version, %trace, "session");
    Ok(Admitted {
        version,
        record: shared.records.open(pass),
        broadcast,
        resume,
    })
}

/// Somebody of whom nothing is known but that they wanted to publish.
fn stranger(visit: &Visit) -> SessionFacts {
    SessionFacts {
        number: Some(visit.number),
        role: Power::Publish,
        transport: visit.transport.name(),
        address: visit.from,
        subject: None,
        name: None,
        token_id: None,
    }
}

pub(super) fn unspoken(version: u16) -> Ending {
    let (oldest, newest) = (wire::MIN_VERSION, wire::VERSION);
    let why = format!("this relay speaks versions {oldest} to {newest}, not {version}");
    Ending::because(Code::UnsupportedVersion, why)
}

async fn run<L: Link>(session: Session<L>, record: &Record, local: &Arc<Local<L>>) -> Ending {
    match record.pass().role() {
        Role::Publisher => publisher::run(session, record, &local.shared).await,
        Role::Player => player::run(session, record, local).await,
    }
}

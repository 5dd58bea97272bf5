//! The connection to the engine, which comes back by itself.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use rustls::crypto::ring::default_provider;
use tokio::sync::watch;
use tokio::time::timeout;

use super::super::Settings;

/// How long the engine has for an answer.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// How often a server that says nothing is asked for a sign of life; it is left at the third that it does not answer.
const ASKED_EVERY: Duration = Duration::from_secs(2);
/// The longest pause between two tries to reach a server.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked whether a connection is there that was not.
const LOOKED_EVERY: Duration = Duration::from_millis(100);

/// The engine cannot be used as the settings say.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The file with the credentials cannot be read.
    #[error("cluster.nats_credentials: {}: {source}", path.display())]
    Credentials {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file with the authorities cannot be read.
    #[error("cluster.nats_authority: {}: {source}", path.display())]
    Authority {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A server's name makes no sense.
    #[error("cluster.nats: {0}")]
    Server(io::Error),
}

/// How the engine is connected to.
#[derive(Debug)]
pub(crate) struct Plan {
    options: ConnectOptions,
    servers: Vec<ServerAddr>,
}

impl Plan {
    /// As these settings have it, under this name.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub(crate) fn new(settings: &Settings, name: &str) -> Result<Self, ConnectError> {
        let servers = settings.servers.iter();
        let servers = servers.map(|url| url.as_str().parse().map_err(ConnectError::Server));
        let mut options = ConnectOptions::new()
            .name(name)
            .retry_on_initial_connect()
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            .ping_interval(ASKED_EVERY)
            .reconnect_delay_callback(pause);
        if let Some(path) = &settings.credentials {
            let broken = |source| ConnectError::Credentials {
                path: path.clone(),
                source,
            };
            let text = fs::read_to_string(path).map_err(broken)?;
            options = options.credentials(&text).map_err(broken)?;
        }
        if let Some(path) = &settings.authority {
            // It is read with each connection; that it cannot be is better said now.
            fs::metadata(path).map_err(|source| ConnectError::Authority {
                path: path.clone(),
                source,
            })?;
            options = options.add_root_certificates(path.clone());
        }
        Ok(Self {
            options,
            servers: servers.collect::<Result<_, _>>()?,
        })
    }

    /// Begins to connect, and goes on trying.
    ///
    /// # Errors
    /// When that cannot even begin.
    pub(crate) async fn connect(self) -> Result<Connection, async_nats::ConnectError> {
        // Others may have installed it before.
        let _ = default_provider().install_default();
        let (turns, turned) = watch::channel(Losses::default());
        let options = self.options.event_callback(move |event| {
            heard(&event);
            turns.send_modify(|losses| losses.0 += u64::from(event == Event::Disconnected));
            std::future::ready(())
        });
        let client = options.connect(self.servers).await?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(PATIENCE);
        Ok(Connection {
            client,
            context,
            turned,
        })
    }
}

fn heard(event: &Event) {
    match event {
        Event::SlowConsumer(_) => tracing::warn!(%event, "the engine says more than can be taken"),
        _ => tracing::debug!(%event, "engine"),
    }
}

/// How long before the next try. Relays that have lost one server together do not come to another together.
fn pause(attempts: usize) -> Duration {
    let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
    let pause = Duration::from_millis(50).saturating_mul(attempts.saturating_sub(1));
    pause.min(LONGEST_PAUSE).mul_f64(jitter())
}

/// Around one, another each time.
pub(super) fn jitter() -> f64 {
    // Without randomness everybody is on time.
    let random = crate::auth::random::<1>().map_or(128, |[byte]| byte);
    0.9 + 0.2 * f64::from(random) / 256.0
}

/// How often the connection was lost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Losses(u64);

/// A connection to the engine, perhaps not there at the moment.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    client: Client,
    context: Context,
    turned: watch::Receiver<Losses>,
}

impl Connection {
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// What is beside the buckets, goes over this.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn is_there(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Waits until it is there; says by what it is known when it was lost since. Cancel-safe.
    pub(crate) async fn there(&mut self) -> Losses {
        loop {
            let losses = *self.turned.borrow_and_update();
            if self.is_there() {
                return losses;
            }
            // It is told of a turn before it can be seen, or after.
            let _ = timeout(LOOKED_EVERY, self.turned.changed()).await;
        }
    }

    /// By what it is known when it was lost since.
    pub(crate) fn losses(&self) -> Losses {
        *self.turned.borrow()
    }

    /// Once it is there, does that until it is lost: `None` then.
    pub(crate) async fn once_there<T, F: Future<Output = T>>(
        &mut self,
        act: impl FnOnce(Self) -> F,
    ) -> Option<T> {
        let losses = self.there().await;
        let done = act(self.clone());
        tokio::select! {
            done = done => Some(done),
            () = self.lost_since(losses) => None,
        }
    }

    /// Waits until it was lost once more. Cancel-safe.
    pub(crate) async fn lost_since(&mut self, losses: Losses) {
        // When nobody tells any more the client has ended.
        let _ = self.turned.wait_for(|now| *now != losses).await;
    }

    /// Leaves the server for another: it takes nothing, whatever else it answers.
    pub(super) async fn leave_server(&self) {
        // Where that fails there is no connection.
        let _ = self.client.force_reconnect().await;
    }
}

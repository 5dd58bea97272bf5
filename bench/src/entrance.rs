//! Where players come in, by any transport.

use anyhow::{Context, Result};
use steadycast_tests::client::Carrier;

use crate::checker::Watch;
use crate::client::Client;
use crate::load::Appetite;
use crate::narrow::NarrowPath;
use crate::player;
use crate::target::{Broadcast, Target};
use crate::transport::{Choice, Transport, Way};
use crate::whep;

/// Lets players in. Held by all of them.
pub struct Entrance {
    transport: Transport,
    sessions: Client,
    /// For players that take little.
    small: Client,
    whep: Option<whep::Client>,
    narrow: Vec<NarrowPath>,
}

impl Entrance {
    /// For about `players` players, of whom so many take little. Call it within a runtime.
    ///
    /// # Errors
    /// When a socket or a certificate cannot be made.
    pub fn new(
        target: &Target,
        transport: Transport,
        players: usize,
        unhealthy: usize,
    ) -> Result<Self> {
        let webrtc = transport.has_webrtc();
        let carrier = match transport.transport {
            Choice::Websocket => Carrier::WebSocket,
            _ => Carrier::WebTransport,
        };
        Ok(Self {
            transport,
            sessions: Client::over(target, players, carrier)?,
            small: Client::small(target, unhealthy, carrier)?,
            whep: webrtc
                .then(|| whep::Client::new(target, transport.srtp))
                .transpose()?,
            narrow: Vec::new(),
        })
    }

    /// With so many paths of so many kbit/s each, for the players behind them.
    ///
    /// # Errors
    /// When one cannot be made.
    pub async fn with_narrow(mut self, target: &Target, paths: usize, kbit: u64) -> Result<Self> {
        for seed in 0..paths as u64 {
            self.narrow
                .push(NarrowPath::open(target, kbit, seed).await?);
        }
        Ok(self)
    }

    /// Has a player watch until its session ends; counts an end that nobody asked for.
    pub async fn admit(&self, number: usize, broadcast: &Broadcast, watch: Watch) {
        let (tally, appetite) = (watch.tally.clone(), watch.appetite);
        let ended = self.watch(number, broadcast, watch).await;
        // The relay may close a player that takes nothing.
        if let (Err(error), Appetite::Healthy | Appetite::Narrow(_)) = (ended, appetite) {
            tally.borrow_mut().closed(&error);
        }
    }

    async fn watch(&self, number: usize, broadcast: &Broadcast, watch: Watch) -> Result<()> {
        match self.transport.way(number) {
            way @ (Way::WebTransport | Way::WebSocket) => {
                let client = match watch.appetite {
                    Appetite::Healthy => &self.sessions,
                    Appetite::Stalled | Appetite::Slow(_) => &self.small,
                    Appetite::Narrow(path) => {
                        &self.narrow.get(path).context("no such path")?.client
                    }
                };
                player::watch(client, number, &broadcast.play_token, (way, watch)).await
            }
            Way::WebRtc => {
                let client = self.whep.as_ref().context("no WebRTC client")?;
                whep::watch(client, broadcast, watch).await
            }
        }
    }
}

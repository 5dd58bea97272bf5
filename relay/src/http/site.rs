use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use parking_lot::RwLock;
use tokio_util::sync::CancellationToken;

use serde::Serialize;
use utoipa::ToSchema;

use super::forwarded::Proxies;
use super::viewers::ViewersTokens;
use crate::auth::{Embedder, Gate, Origins, PublicUrl};
use crate::broadcast::Registry;
use crate::config::{Config, IceServer};
use crate::directory::Directory;
use crate::homes::Homes;
use crate::peers::Peers;
use crate::placement::Placement;
use crate::records::Records;
use crate::shard::RelayClock;
use crate::store::{Ledger, Outbox, StateDir, TokenKeys};
use crate::tls::Identities;
use crate::webrtc::Bridge;
use crate::websocket::Entrance;

/// What the pages and the API work with.
#[derive(Debug)]
pub struct Site {
    /// The broadcasts.
    pub registry: Arc<Registry>,
    /// Those of them that survive a restart.
    pub ledger: Arc<Ledger>,
    /// Says who somebody is and what they may do.
    pub gate: Arc<Gate>,
    /// What becomes of sessions.
    pub records: Arc<Records>,
    /// Where the admin key is.
    pub state: StateDir,
    /// The keys to tokens.
    pub token_keys: Arc<TokenKeys>,
    /// Whether what is to be kept could be written, the last time.
    pub keeps: AtomicBool,
    /// Held while links to a broadcast are ended, or keys are changed.
    pub turns: tokio::sync::Mutex<()>,
    /// Held while somebody's broadcasts are counted.
    pub makers: tokio::sync::Mutex<()>,
    /// Whose word is taken on where clients come from.
    pub proxies: Proxies,
    /// Whose pages may read the API's answers.
    pub origins: Origins,
    /// Whose pages may show the player's page in a frame.
    pub embedders: RwLock<Vec<Embedder>>,
    /// Where browsers reach the relay; `None`: as the request says.
    pub public_url: Option<PublicUrl>,
    /// The address that it is bound to.
    pub listens: SocketAddr,
    /// What viewers come with, as whoever asks for a broadcast is told.
    pub viewers: ViewersTokens,
    /// The current certificate, whose hash pages are told.
    pub identities: Identities,
    /// What may change while the relay runs.
    pub rules: RwLock<Rules>,
    /// The relay's clock.
    pub clock: RelayClock,
    /// The WebRTC sessions.
    pub bridge: Arc<Bridge>,
    /// Where sessions over WebSocket come in.
    pub(crate) entrance: Arc<Entrance>,
    /// Servers that WebRTC clients are told of.
    pub ice_servers: Vec<IceServer>,
    /// Where WebRTC clients are sent when the relay is full.
    pub overflow: Option<PublicUrl>,
    /// Which relay has which broadcast.
    pub directory: Arc<dyn Directory>,
    /// How broadcasts that several relays know come to be here; `None`: there is no engine.
    pub homes: Option<Arc<Homes>>,
    /// The other relays.
    pub(crate) peers: Peers,
    /// What was taken back here and is to be so elsewhere; `None`: there is no elsewhere.
    pub outbox: Option<Arc<Outbox>>,
    /// Where clients may go instead.
    pub placement: Arc<Placement>,
    /// Cancelled once the relay stops: it answers, but takes nothing new on.
    pub draining: CancellationToken,
}

/// Rules of the API's that may change while the relay runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long a publish token is valid.
    pub publish_token_ttl: Duration,
    /// How long a play token is valid.
    pub play_token_ttl: Duration,
    /// How many broadcasts whom a token is about may have.
    pub max_per_maker: usize,
    /// Whether broadcasts of which nothing else is said are private.
    pub private: bool,
    /// Whether the admin key is one of the settings', and not a file's.
    pub admin_key_is_set: bool,
}

impl From<&Config> for Rules {
    fn from(config: &Config) -> Self {
        let broadcast = &config.broadcast;
        Self {
            publish_token_ttl: broadcast.publish_token_ttl,
            play_token_ttl: broadcast.play_token_ttl,
            max_per_maker: broadcast.max_per_maker,
            private: broadcast.private,
            admin_key_is_set: config.server.admin_key.is_some(),
        }
    }
}

impl Rules {
    /// How long a link lives at most.
    pub fn longest_life(&self) -> Duration {
        self.publish_token_ttl.max(self.play_token_ttl)
    }
}

/// Something that a relay lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Missing {
    /// The engine that it has with other relays is not reached, or says nothing that it can read: broadcasts are where
    /// they were as far as it knows, none is made, moved or ended, and of other relays nothing is heard.
    Engine,
}

impl Site {
    /// The rules that hold now.
    pub fn rules(&self) -> Rules {
        *self.rules.read()
    }

    /// Hands everybody over to other relays, for so long at most, and takes nobody any more; at once, and without any of
    /// that, where there are no others.
    pub async fn leave(&self, takes: Duration) {
        let sessions = || self.gate.sessions() + self.relays_behind();
        self.placement
            .leave(&*self.directory, takes, sessions)
            .await;
    }

    /// Sessions of relays that get here what they could get where it is.
    fn relays_behind(&self) -> usize {
        let broadcasts = self.registry.list().into_iter();
        let from_others = broadcasts.filter(|broadcast| broadcast.upstream().is_some());
        from_others
            .map(|broadcast| broadcast.snapshot().relays as usize)
            .sum()
    }

    /// Whether the relay stops, or is about to.
    pub(super) fn stops(&self) -> bool {
        self.draining.is_cancelled() || self.placement.is_leaving()
    }

    /// Whether it is known which broadcasts there are and where, as it is from the beginning where there is one relay.
    pub(super) fn has_begun(&self) -> bool {
        self.homes.as_ref().is_none_or(|homes| homes.has_begun())
    }

    /// What is lacking of what there should be.
    pub(super) fn missing(&self) -> Vec<Missing> {
        let engine = self.homes.as_ref().filter(|homes| !homes.knows_all());
        engine.map(|_| Missing::Engine).into_iter().collect()
    }

    /// What comes before the relay's own paths where a proxy strips it; usually nothing.
    pub(super) fn prefix(&self) -> &str {
        self.public_url.as_ref().map_or("", PublicUrl::prefix)
    }
}

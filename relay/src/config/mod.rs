//! The operator's settings: one table of keys, four places to set them, one typed tree.
//!
//! [`KEYS`] lists every key once. [`Config::load`] reads default, file, environment
//! and flags in this order, refuses what no key takes, and says about every mistake
//! which key it is, where it was set and what would be allowed.

mod cluster;
mod duration;
mod keys;
mod kind;
mod layers;
mod mistake;
mod suggest;
mod template;
mod webrtc;

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;
use toml::Value;

pub use cluster::{Cluster, ClusterFiles, Peer, SecretError};

pub use crate::asking::{SafeUrl, SafeUrlError};
pub use keys::{Change, KEYS, Key, Names, SECTIONS, named};
pub use kind::Kind;
pub use layers::{ENV_CONFIG, Sources};
pub use mistake::{ConfigError, Mistake, Origin as ValueOrigin};
pub use template::template;
pub use webrtc::{IceServer, Reachable, WebRtc};

use crate::auth::{
    AdminKey, Authority, AuthorityError, Embedder, IssuerRules, Issuers, KeySource, Origin,
    Origins, PublicUrl,
};
use crate::broadcast::Settings;
use crate::events::{HookSecret, HookSettings};
use crate::http::Proxies;
use crate::records::{AccessLogSettings, Addresses};
use crate::tls::{AcmeSettings, Binding, BindingKey};

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Development: plain HTTP as well as HTTPS, a certificate of our own, a first broadcast.
    #[serde(skip)]
    pub dev: bool,
    /// What it was read from, and as what.
    #[serde(skip)]
    given: Given,
    /// `[server]`.
    pub server: Server,
    /// `[acme]`.
    pub acme: Acme,
    /// `[relay]`.
    pub relay: RelayShare,
    /// `[webrtc]`.
    pub webrtc: WebRtc,
    /// `[broadcast]`.
    pub broadcast: Broadcast,
    /// `[cluster]`.
    pub cluster: Cluster,
    /// `[metrics]`.
    pub metrics: Metrics,
    /// `[hooks]`.
    pub hooks: Hooks,
    /// `[auth]`.
    pub auth: Auth,
    /// `[limits]`.
    pub limits: Limits,
    /// `[log]`.
    pub log: Log,
}

/// What was given, and where. Some of it is secret.
#[derive(Clone, Default)]
struct Given {
    sources: Sources,
    values: HashMap<(&'static str, &'static str), Value>,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given(..)")
    }
}

/// Where the relay listens, who it is, and where it keeps its state.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The address of the pages (TCP) and of the sessions (UDP).
    pub listen: SocketAddr,
    /// Where browsers reach the relay; `None`: as the request's Host header says.
    #[serde(deserialize_with = "nothing::or_value")]
    pub public_url: Option<PublicUrl>,
    /// Networks of proxies whose word is taken on where clients come from.
    pub trusted_proxies: Vec<IpNet>,
    /// Further origins whose pages may open sessions and use the API.
    pub origins: Vec<Origin>,
    /// Origins whose pages may show the player's page in a frame.
    pub embed_origins: Vec<Embedder>,
    /// Whether sessions over WebSocket may share a browser's connection for pages.
    pub websockets_over_http2: bool,
    /// PEM file with the certificate chain.
    #[serde(deserialize_with = "nothing::or_value")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's key.
    #[serde(deserialize_with = "nothing::or_value")]
    pub tls_key: Option<PathBuf>,
    /// The directory for keys and the list of broadcasts.
    pub state_dir: PathBuf,
    /// The admin key; `None`: the one in the state directory.
    #[serde(deserialize_with = "nothing::or_value")]
    pub admin_key: Option<AdminKey>,
}

/// A certificate that the relay gets itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// The names that it is for; none: it gets none.
    pub domains: Vec<String>,
    /// An e-mail address that the authority may write to.
    #[serde(deserialize_with = "nothing::or_value")]
    pub contact: Option<String>,
    /// The authority's directory.
    #[serde(deserialize_with = "nothing::or_value")]
    pub directory: Option<SafeUrl>,
    /// The account with the authority, where it wants one.
    #[serde(deserialize_with = "nothing::or_value")]
    pub account: Option<String>,
    /// The key of that account.
    #[serde(deserialize_with = "nothing::or_value")]
    pub account_key: Option<BindingKey>,
}

impl Acme {
    /// Whom to ask and for what, if anybody.
    pub fn settings(&self) -> Option<AcmeSettings> {
        let directory = self.directory.clone()?;
        let binding = self.account.clone().zip(self.account_key.clone());
        (!self.domains.is_empty()).then(|| AcmeSettings {
            names: self.domains.clone(),
            contact: self.contact.clone(),
            directory,
            binding: binding.map(|(id, key)| Binding { id, key }),
        })
    }
}

/// How the relay uses its machine.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayShare {
    /// Threads that serve sessions; 0: one per core.
    pub shards: usize,
}

impl RelayShare {
    /// Threads that serve sessions, at least one.
    pub fn shards(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        match self.shards {
            0 => cores().min(MOST_SHARDS),
            shards => shards,
        }
    }
}

/// As many as a byte of a connection id can tell apart well.
const MOST_SHARDS: usize = 128;

/// What a broadcast does for those who watch it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broadcast {
    /// A broadcast held for this long ends.
    #[serde(rename = "held_timeout_s", deserialize_with = "duration::seconds")]
    pub held_timeout: Duration,
    /// A broadcast that waits for its first publisher for this long ends.
    #[serde(rename = "waiting_timeout_h", deserialize_with = "duration::hours")]
    pub waiting_timeout: Duration,
    /// A publisher silent for this long counts as away.
    #[serde(rename = "publisher_silence_ms", deserialize_with = "duration::millis")]
    pub publisher_silence: Duration,
    /// The least time between two keyframe requests.
    #[serde(rename = "keyframe_interval_ms", deserialize_with = "duration::millis")]
    pub keyframe_interval: Duration,
    /// How long a join waits for a requested keyframe.
    #[serde(rename = "keyframe_wait_ms", deserialize_with = "duration::millis")]
    pub keyframe_wait: Duration,
    /// How long a rendition goes on after its last player.
    #[serde(rename = "rendition_linger_ms", deserialize_with = "duration::millis")]
    pub rendition_linger: Duration,
    /// The most frames of a group that a player joins on.
    pub join_frames: usize,
    /// The most bytes of a group that a player joins on.
    pub join_bytes: usize,
    /// Broadcasts that may exist at once.
    pub max_broadcasts: usize,
    /// How many of them made with tokens about one subject.
    pub max_per_maker: usize,
    /// Whether broadcasts of which nothing else is said are private.
    pub private: bool,
    /// How long a publish token is valid.
    #[serde(rename = "publish_token_ttl_h", deserialize_with = "duration::hours")]
    pub publish_token_ttl: Duration,
    /// How long a play token is valid.
    #[serde(rename = "play_token_ttl_h", deserialize_with = "duration::hours")]
    pub play_token_ttl: Duration,
}

/// Figures for Prometheus.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// The address of `GET /metrics`; `None`: none.
    #[serde(deserialize_with = "nothing::or_value")]
    pub listen: Option<SocketAddr>,
}

/// Where events are posted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hooks {
    /// Where to; `None`: nowhere.
    #[serde(deserialize_with = "nothing::or_value")]
    pub url: Option<SafeUrl>,
    /// What they are signed with.
    #[serde(deserialize_with = "nothing::or_value")]
    pub secret: Option<HookSecret>,
    /// How long one is tried.
    #[serde(rename = "retry_s", deserialize_with = "duration::seconds")]
    pub retry: Duration,
}

impl Hooks {
    /// Where to and how, if anywhere.
    pub fn settings(&self) -> Option<HookSettings> {
        Some(HookSettings {
            url: self.url.clone()?,
            secret: self.secret.clone()?,
            gives_up_after: self.retry,
        })
    }
}

/// Others who may issue tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Where their keys are; `None`: only the relay itself issues tokens.
    #[serde(deserialize_with = "nothing::or_value")]
    pub jwks: Option<KeySource>,
    /// The issuer that their tokens have to name.
    #[serde(deserialize_with = "nothing::or_value")]
    pub issuer: Option<String>,
    /// The audience that their tokens have to be for.
    pub audience: String,
    /// How far their clocks may be off.
    #[serde(rename = "leeway_s", deserialize_with = "duration::seconds")]
    pub leeway: Duration,
    /// How often their keys are read again.
    #[serde(rename = "refresh_s", deserialize_with = "duration::seconds")]
    pub refresh: Duration,
    /// The outside authority; `None`: tokens are looked at.
    #[serde(deserialize_with = "nothing::or_value")]
    pub hook: Option<SafeUrl>,
    /// How long it has for an answer.
    #[serde(rename = "hook_timeout_ms", deserialize_with = "duration::millis")]
    pub hook_timeout: Duration,
    /// How long an answer is good.
    #[serde(rename = "hook_cache_s", deserialize_with = "duration::seconds")]
    pub hook_cache: Duration,
}

impl Auth {
    /// The outside authority, if there is one.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub fn authority(&self) -> Result<Option<Authority>, AuthorityError> {
        let hook = self.hook.clone();
        hook.map(|url| Authority::new(url, self.hook_timeout, self.hook_cache))
            .transpose()
    }

    /// Those who may issue tokens, if there are any, without their keys.
    pub fn issuers(&self) -> Option<Issuers> {
        self.jwks.as_ref()?;
        Some(Issuers::new(IssuerRules {
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            leeway: self.leeway.as_secs(),
        }))
    }
}

/// What strangers and slow players may cost.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Sessions at once; as many HTTP connections again.
    pub sessions: usize,
    /// The same for one client address.
    pub sessions_per_address: usize,
    /// Players that may watch one broadcast at once.
    pub players_per_broadcast: u32,
    /// Handshakes under way at once.
    pub handshakes: usize,
    /// Handshakes under way above which a client must prove its address.
    pub retry_above: usize,
    /// From the first packet to the session request.
    #[serde(rename = "connect_timeout_ms", deserialize_with = "duration::millis")]
    pub connect_timeout: Duration,
    /// From the session's start to `Hello`.
    #[serde(rename = "hello_timeout_ms", deserialize_with = "duration::millis")]
    pub hello_timeout: Duration,
    /// A session not heard from for this long is closed.
    #[serde(rename = "idle_timeout_s", deserialize_with = "duration::seconds")]
    pub idle_timeout: Duration,
    /// A player that takes nothing for this long is closed.
    #[serde(rename = "player_stall_s", deserialize_with = "duration::seconds")]
    pub player_stall: Duration,
    /// Bytes on their way to one player.
    pub player_send_window: u64,
    /// A player with more bytes than this to be sent is skipped.
    pub player_queue_bytes: usize,
    /// Bytes that all caches together may hold.
    pub cache_bytes: usize,
    /// What a broadcast may have of them in any case.
    pub broadcast_bytes: usize,
}

/// What the relay says about itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Filter directives of `tracing`.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
    /// The collector that traces are for; `None`: none.
    #[serde(deserialize_with = "nothing::or_value")]
    pub traces: Option<SafeUrl>,
    /// The access log; `None`: none.
    #[serde(deserialize_with = "nothing::or_value")]
    pub access_file: Option<PathBuf>,
    /// What it says of addresses.
    pub access_addresses: Addresses,
    /// How large it may become, in MB.
    #[serde(rename = "access_size_mb")]
    pub access_size: u64,
    /// How many of those before are kept.
    pub access_older: usize,
}

impl Log {
    /// The access log, if there is to be one.
    pub fn access(&self) -> Option<AccessLogSettings> {
        Some(AccessLogSettings {
            path: self.access_file.clone()?,
            size: self.access_size * 1_000_000,
            older: self.access_older,
        })
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

impl Config {
    /// Whose pages may open sessions and use the API: `server.origins` and `server.public_url`.
    pub fn origins(&self) -> Origins {
        let public = self.server.public_url.as_ref().map(PublicUrl::origin);
        let listed = self.server.origins.iter().chain(public);
        Origins::new(listed.cloned().collect(), self.dev)
    }

    /// Whose word is taken on where clients come from.
    pub fn proxies(&self) -> Proxies {
        Proxies::new(self.server.trusted_proxies.clone())
    }

    /// Reads all sources.
    ///
    /// # Errors
    /// [`ConfigError`] with every mistake that there is, not only the first.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut layers = layers::Layers::gather(sources);
        let mut mistakes = std::mem::take(&mut layers.mistakes);
        if !mistakes.is_empty() {
            return Err(ConfigError(mistakes));
        }
        let values = layers.values.clone();
        let mut config = Self::from_checked(layers);
        config.dev = sources.dev;
        config.given = Given {
            sources: sources.clone(),
            values,
        };
        config.check_together(&mut mistakes);
        if mistakes.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError(mistakes))
        }
    }

    /// Reads the same sources again.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn again(&self) -> Result<Self, ConfigError> {
        Self::load(&self.given.sources)
    }

    /// The keys whose values are others than in `other`.
    pub fn differences(&self, other: &Self) -> Vec<&'static Key> {
        let value =
            |config: &Self, key: &Key| config.given.values.get(&(key.section, key.name)).cloned();
        let differs = |key: &&Key| value(self, key) != value(other, key);
        KEYS.iter().filter(differs).collect()
    }

    /// These settings, to be compared with others as if those `keys` were as in `old`.
    #[must_use]
    pub fn with_old(mut self, keys: &[&Key], old: &Self) -> Self {
        for key in keys {
            let place = (key.section, key.name);
            if let Some(value) = old.given.values.get(&place) {
                self.given.values.insert(place, value.clone());
            }
        }
        self
    }

    /// The defaults, as `--dev` has them if `dev`.
    pub fn defaults(dev: bool) -> Self {
        let mut config = Self::from_checked(layers::Layers::defaults(dev));
        config.dev = dev;
        config
    }

    #[expect(clippy::expect_used, reason = "a test holds table and tree together")]
    fn from_checked(layers: layers::Layers) -> Self {
        layers
            .into_table()
            .try_into()
            .expect("every key of the table has its place in the tree")
    }

    fn check_together(&self, mistakes: &mut Vec<Mistake>) {
        let mut mistake = |wrong: bool, keys, why| {
            if wrong {
                mistakes.push(Mistake::Together { keys, why });
            }
        };
        let (cert, key) = (&self.server.tls_cert, &self.server.tls_key);
        mistake(
            cert.is_some() != key.is_some(),
            "server.tls_cert and server.tls_key",
            "one is set and the other is not; a certificate needs both",
        );
        mistake(
            cert.is_none() && key.is_none() && self.acme.domains.is_empty() && !self.dev,
            "server.tls_cert and server.tls_key",
            "not set; set both to PEM files, or acme.domains to have the relay get a certificate, or use --dev for \
             one of its own",
        );
        mistake(
            cert.is_some() && !self.acme.domains.is_empty(),
            "server.tls_cert and acme.domains",
            "both are set; a certificate comes from files or from an authority",
        );
        mistake(
            self.acme.directory.is_none() && !self.acme.domains.is_empty(),
            "acme.directory",
            "not set; the relay has to know which authority to ask",
        );
        mistake(
            self.acme.account.is_some() != self.acme.account_key.is_some(),
            "acme.account and acme.account_key",
            "one is set and the other is not; an account needs its key",
        );
        let public = self.server.public_url.as_ref();
        mistake(
            !self.dev && public.is_some_and(|url| !url.origin().is_secure()),
            "server.public_url",
            "not https; browsers neither capture nor open sessions on pages without it",
        );
        mistake(
            self.auth.jwks.is_some() && self.auth.hook.is_some(),
            "auth.jwks and auth.hook",
            "both are set; where an authority is asked, no token is looked at",
        );
        mistake(
            !self.cluster.nats.is_empty() && self.cluster.prefix.is_empty(),
            "cluster.prefix",
            "not set; the buckets of the engine need names",
        );
        mistake(
            !self.cluster.nats.is_empty()
                && self.cluster.secret.is_some() == self.cluster.secret_file.is_some(),
            "cluster.secret and cluster.secret_file",
            "one of them has to be set, and not both: relays of one cluster share keys, which are sealed with it",
        );
        mistake(
            self.hooks.url.is_some() != self.hooks.secret.is_some(),
            "hooks.url and hooks.secret",
            "one is set and the other is not; the receiver has to know from whom events come",
        );
        mistake(
            self.auth.jwks.is_some() && self.auth.audience.is_empty(),
            "auth.audience",
            "not set; tokens of others have to be for somebody, or those for other services would be good here",
        );
        mistake(
            self.cluster.is_used() && self.cluster.files().is_none(),
            "cluster.authority, cluster.certificate and cluster.key",
            "not all are set; relays know one another by them",
        );
        mistake(
            self.limits.retry_above > self.limits.handshakes,
            "limits.retry_above",
            "above limits.handshakes it would never take effect; make it smaller",
        );
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::defaults(false)
    }
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let (broadcast, limits) = (&config.broadcast, &config.limits);
        Self {
            held_timeout: broadcast.held_timeout,
            waiting_timeout: broadcast.waiting_timeout,
            publisher_silence: broadcast.publisher_silence,
            keyframe_interval: broadcast.keyframe_interval,
            keyframe_wait: broadcast.keyframe_wait,
            rendition_linger: broadcast.rendition_linger,
            join_frames: broadcast.join_frames,
            join_bytes: broadcast.join_bytes,
            player_queue_bytes: limits.player_queue_bytes,
            max_broadcasts: broadcast.max_broadcasts,
            players_per_broadcast: limits.players_per_broadcast,
            cache_bytes: limits.cache_bytes,
            broadcast_bytes: limits.broadcast_bytes,
            ..Self::default()
        }
    }
}

/// Empty texts that mean "not set".
mod nothing {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn or_value<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: FromStr<Err: Display>,
    {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;

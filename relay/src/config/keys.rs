//! The table of keys. Flags, environment, validation and the default file are all made from it.

use std::sync::LazyLock;

use super::kind::Kind;

/// One thing that an operator can set.
#[derive(Debug)]
pub struct Key {
    /// The table in the file, one of [`SECTIONS`].
    pub section: &'static str,
    /// The name in that table.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// The default, written as a flag's value would be.
    pub default: &'static str,
    /// The default with `--dev`, where it differs.
    pub dev_default: Option<&'static str>,
    /// What it does, in one or two sentences.
    pub doc: &'static str,
    /// What becomes of a change while the relay runs.
    pub change: Change,
}

/// When a change takes effect that a running relay is told of (SIGHUP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// With the next start.
    Start,
    /// At once.
    Now,
    /// For broadcasts that are made from then on.
    NewBroadcasts,
}

impl Key {
    const fn now(self) -> Self {
        Self {
            change: Change::Now,
            ..self
        }
    }

    const fn new_broadcasts(self) -> Self {
        Self {
            change: Change::NewBroadcasts,
            ..self
        }
    }
}

/// The sections in the order of the default file, with what they are about.
pub const SECTIONS: &[(&str, &str)] = &[
    (
        "server",
        "Where the relay listens, who it is, and where it keeps its state.",
    ),
    (
        "acme",
        "A certificate that the relay gets itself, and renews, from an authority such as Let's Encrypt.",
    ),
    ("relay", "How the relay uses this machine."),
    (
        "webrtc",
        "Browsers without WebTransport, and standard tools: WHIP and WHEP, on the same port.",
    ),
    ("broadcast", "What a broadcast does for those who watch it."),
    (
        "metrics",
        "Figures for Prometheus, at an address of their own.",
    ),
    (
        "hooks",
        "A URL of yours that learns what happens: broadcasts, publishers, players.",
    ),
    (
        "auth",
        "Others who say who may do what: issuers of tokens besides the relay itself, or an authority that is asked.",
    ),
    (
        "cluster",
        "Other relays: a broadcast that is at one of them is watched here as well. Certificates say who belongs together.",
    ),
    ("limits", "What strangers and slow players may cost."),
    ("log", "What the relay says about itself, on stderr."),
];

const fn key(
    section: &'static str,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    doc: &'static str,
) -> Key {
    Key {
        section,
        name,
        kind,
        default,
        dev_default: None,
        doc,
        change: Change::Start,
    }
}

const fn whole(min: u64, max: u64, unit: &'static str) -> Kind {
    Kind::Whole { min, max, unit }
}

const HOURS: Kind = whole(1, 87_600, "hours");
const MANY: u64 = 1_000_000;
const MIB: u64 = 1 << 20;

/// Every key, in the order of the default file.
pub const KEYS: &[Key] = &[
    key(
        "server",
        "listen",
        Kind::Address,
        "[::]:4433",
        "Address of the pages (TCP) and of the sessions (UDP, the same port). \
         [::] means every address of the host, IPv4 too.",
    ),
    key(
        "server",
        "public_url",
        Kind::Url,
        "",
        "Where browsers reach the relay, with the path under which a proxy has it (and strips it) if there is \
         one; used in links. Empty: as the request's Host header says.",
    ),
    key(
        "server",
        "trusted_proxies",
        Kind::Networks,
        "",
        "Networks of proxies, as 10.0.0.0/8: of requests from there the client's address is what X-Forwarded-For \
         says, not the proxy's. Make sure that they set it.",
    ),
    key(
        "server",
        "origins",
        Kind::Urls,
        "",
        "Further web origins whose pages may open sessions and use the API. \
         The relay's own pages always may.",
    )
    .now(),
    key(
        "server",
        "embed_origins",
        Kind::Embedders,
        "",
        "Web origins whose pages may show the player's page in a frame; nobody else's pages may, and no other page \
         of the relay's is ever in one.",
    )
    .now(),
    key(
        "server",
        "websockets_over_http2",
        Kind::Switch,
        "false",
        "Whether sessions over WebSocket may share a browser's connection for pages (RFC 8441). They open a little \
         sooner then; where the way to a viewer dies without a word, the browser needs half a minute to notice.",
    ),
    key(
        "server",
        "tls_cert",
        Kind::Path,
        "",
        "PEM file with the certificate chain. Read again when it changes. \
         Needed unless [acme] gets a certificate, or --dev makes one.",
    ),
    key(
        "server",
        "tls_key",
        Kind::Path,
        "",
        "PEM file with the certificate's private key.",
    ),
    Key {
        dev_default: Some("certs"),
        ..key(
            "server",
            "state_dir",
            Kind::Directory,
            "state",
            "Directory for keys and the list of broadcasts. Never holds a picture.",
        )
    },
    key(
        "server",
        "admin_key",
        Kind::Secret { min: 16 },
        "",
        "Who knows it may create, list and end broadcasts. \
         Empty: made at random and kept in state_dir/admin.key.",
    )
    .now(),
    key(
        "acme",
        "domains",
        Kind::DomainNames,
        "",
        "Names for which the relay gets a certificate, in place of server.tls_cert. The authority looks whether they \
         lead here (TLS-ALPN-01): it has to reach the relay at TCP port 443 of each. Setting them agrees to the \
         authority's terms.",
    ),
    key(
        "acme",
        "contact",
        Kind::Text,
        "",
        "An e-mail address that the authority may write to.",
    ),
    key(
        "acme",
        "directory",
        Kind::Hook,
        "https://acme-v02.api.letsencrypt.org/directory",
        "The authority's directory. One with a certificate of its own is trusted with SSL_CERT_FILE in the environment.",
    ),
    key(
        "acme",
        "account",
        Kind::Text,
        "",
        "An account that the authority wants named (external account binding): its key's id. Empty: none.",
    ),
    key(
        "acme",
        "account_key",
        Kind::AccountKey,
        "",
        "The key of that account, in base64url as the authority gives it.",
    ),
    key(
        "relay",
        "shards",
        whole(0, 128, "threads"),
        "0",
        "Threads that serve sessions, each with a socket and a share of the players. \
         0: one per core.",
    ),
    key(
        "webrtc",
        "addresses",
        Kind::Places,
        "",
        "IP addresses at which clients reach the relay, the best first; with a port where that \
         is another than the one listened on. Needed behind a NAT. Empty: the host's own.",
    ),
    key(
        "webrtc",
        "tcp",
        Kind::Switch,
        "true",
        "Whether clients whose networks let no UDP through may come over TCP, to the same addresses and ports.",
    ),
    key(
        "webrtc",
        "ice_servers",
        Kind::IceServers,
        "",
        "STUN and TURN servers that clients are told of: \
         \"stun:stun.example:3478\", \"turn:turn.example:3478 USER PASSWORD\".",
    ),
    key(
        "webrtc",
        "overflow",
        Kind::Url,
        "",
        "Another relay with the same broadcasts: where WHIP and WHEP requests are sent \
         when this one is full. Empty: they are refused, and may come again.",
    ),
    key(
        "broadcast",
        "held_timeout_s",
        whole(1, 604_800, "seconds"),
        "1800",
        "A broadcast whose publisher has been away for this long ends.",
    )
    .new_broadcasts(),
    key(
        "broadcast",
        "waiting_timeout_h",
        HOURS,
        "168",
        "A broadcast that nobody has published to for this long since it was created ends.",
    )
    .new_broadcasts(),
    key(
        "broadcast",
        "publisher_silence_ms",
        whole(300, 60_000, "milliseconds"),
        "800",
        "A publisher that has been silent for this long counts as away. It speaks every 250 ms.",
    )
    .new_broadcasts(),
    key(
        "broadcast",
        "keyframe_interval_ms",
        whole(50, 60_000, "milliseconds"),
        "500",
        "The least time between two keyframe requests to a publisher.",
    )
    .new_broadcasts(),
    key(
        "broadcast",
        "keyframe_wait_ms",
        whole(0, 10_000, "milliseconds"),
        "500",
        "A joining player waits this long for a requested keyframe \
         before it gets the long group that is there.",
    )
    .new_broadcasts(),
    key(
        "broadcast",
        "rendition_linger_ms",
        whole(0, 600_000, "milliseconds"),
        "10000",
        "A version for players that cannot decode the main one, or whose networks are too slow for it, \
         goes on for this long after the last of them has gone.",
    )
    .new_broadcasts(),
    key(
        "broadcast",
        "join_frames",
        whole(1, 600, "frames"),
        "150",
        "A player joins on a group of at most this many frames; for a longer one \
         a keyframe is requested.",
    )
    .new_broadcasts(),
    key(
        "broadcast",
        "join_bytes",
        whole(64 << 10, 32 * MIB, "bytes"),
        "2097152",
        "The same in bytes.",
    )
    .new_broadcasts(),
    key(
        "broadcast",
        "max_broadcasts",
        whole(1, MANY, "broadcasts"),
        "1000",
        "Broadcasts that may exist at once.",
    )
    .now(),
    key(
        "broadcast",
        "max_per_maker",
        whole(1, MANY, "broadcasts"),
        "100",
        "Of these, how many that were made with tokens about one subject (`sub`).",
    )
    .now(),
    key(
        "broadcast",
        "private",
        Kind::Switch,
        "false",
        "Broadcasts are private where whoever makes one does not say: only people with the link can see them.",
    )
    .now(),
    key(
        "broadcast",
        "publish_token_ttl_h",
        HOURS,
        "720",
        "How long the admin's link works.",
    )
    .now(),
    key(
        "broadcast",
        "play_token_ttl_h",
        HOURS,
        "168",
        "How long a player's link works.",
    )
    .now(),
    key(
        "metrics",
        "listen",
        Kind::Listen,
        "",
        "Address of GET /metrics, such as 127.0.0.1:9090: for this host or a network of yours, for nobody is asked for a \
         key there. Empty: none.",
    ),
    key(
        "hooks",
        "url",
        Kind::Hook,
        "",
        "https URL that each event is posted to, as JSON, signed as Standard Webhooks has it. Empty: none.",
    ),
    key(
        "hooks",
        "secret",
        Kind::HookSecret,
        "",
        "What events are signed with; the receiver has it as well. One that begins with whsec_ is in base64 behind \
         that, as Standard Webhooks has it.",
    ),
    key(
        "hooks",
        "retry_s",
        whole(1, 86_400, "seconds"),
        "600",
        "An event that could not be delivered for this long is given up, and the log says so. Later ones wait for it.",
    ),
    key(
        "auth",
        "jwks",
        Kind::Keys,
        "",
        "File or https URL with the public keys (a JSON Web Key Set) of others who may issue tokens, signed with \
         EdDSA, ES256 or RS256. Empty: only the relay itself issues any.",
    ),
    key(
        "auth",
        "issuer",
        Kind::Text,
        "",
        "The issuer (iss) that tokens of others have to name. Empty: any.",
    ),
    key(
        "auth",
        "audience",
        Kind::Text,
        "steadycast",
        "The audience (aud) that tokens of others have to be for.",
    ),
    key(
        "auth",
        "leeway_s",
        whole(0, 3_600, "seconds"),
        "30",
        "How far the clocks of others may be off.",
    ),
    key(
        "auth",
        "refresh_s",
        whole(10, 86_400, "seconds"),
        "300",
        "How often the keys of others are read again. When a token names one that is not known, they are read \
         at once, but no more than every second.",
    ),
    key(
        "auth",
        "hook",
        Kind::Hook,
        "",
        "https URL of an authority that is asked who may publish, watch, create and end, instead of looking at tokens: \
         HTTP POST with the fields that MediaMTX sends. While it does not answer everybody is refused. Empty: none.",
    ),
    key(
        "auth",
        "hook_timeout_ms",
        whole(50, 60_000, "milliseconds"),
        "2000",
        "How long the authority has for an answer.",
    ),
    key(
        "auth",
        "hook_cache_s",
        whole(0, 3_600, "seconds"),
        "10",
        "How long an answer of the authority is good for the same question.",
    ),
    key(
        "cluster",
        "listen",
        Kind::Listen,
        "",
        "Address (UDP) at which other relays get the broadcasts that this one has, such as [::]:4434. Empty: none do.",
    ),
    key(
        "cluster",
        "origin",
        Kind::Peer,
        "",
        "The relay that has what is not here, as HOST:PORT of its cluster.listen: players watch its broadcasts here as \
         well, each of which is got once. Empty: only what is here is watched here.",
    ),
    key(
        "cluster",
        "authority",
        Kind::Path,
        "",
        "PEM file with the certificate of the authority that has signed those of all relays; others are no relays.",
    ),
    key(
        "cluster",
        "certificate",
        Kind::Path,
        "",
        "PEM file with this relay's certificate, with those between it and the authority's. What name is in it does \
         not matter.",
    ),
    key(
        "cluster",
        "key",
        Kind::Path,
        "",
        "PEM file with the key of that certificate.",
    ),
    key(
        "cluster",
        "linger_s",
        whole(1, 3_600, "seconds"),
        "10",
        "How long a broadcast of another relay is kept here after its last player has gone.",
    ),
    key(
        "cluster",
        "id",
        Kind::Name,
        "",
        "The relay's name among others, which no other has. Empty: made at random and kept in state_dir/relay.id.",
    ),
    key(
        "cluster",
        "advertise",
        Kind::Peer,
        "",
        "Where other relays reach this one's cluster.listen, as they are told by cluster.nats. Empty: at cluster.listen, \
         unless that is every address of the host.",
    ),
    key(
        "cluster",
        "region",
        Kind::Name,
        "",
        "Where the relay is, in a word that those near it have as well, such as eu-west: relays get broadcasts from those \
         of their own region where they can, and send clients there first. Empty: it does not say.",
    ),
    key(
        "cluster",
        "children",
        whole(1, 1_000, "relays"),
        "16",
        "How many relays get one broadcast from this one: further ones are sent on to those that have it already, where \
         cluster.nats knows them.",
    ),
    key(
        "cluster",
        "nats",
        Kind::Engines,
        "",
        "Servers of the engine, NATS from 2.12.6 on with JetStream, which know one another: \
         \"nats://10.0.0.1:4222\", or tls:// with TLS. Empty: this relay is by itself.",
    ),
    key(
        "cluster",
        "nats_credentials",
        Kind::Path,
        "",
        "File with the credentials (JWT and seed) that the engine asks for. Empty: it asks for none.",
    ),
    key(
        "cluster",
        "nats_authority",
        Kind::Path,
        "",
        "PEM file with the certificate of the authority that has signed those of the engine's servers. Empty: what the \
         system trusts.",
    ),
    key(
        "cluster",
        "secret",
        Kind::Secret { min: 32 },
        "",
        "What all relays of the cluster know and nobody else, at least 32 characters, for cluster.nats: the keys to \
         links are the same at all of them, and lie in the engine sealed with it. `openssl rand -hex 32` makes one.",
    ),
    key(
        "cluster",
        "secret_file",
        Kind::Path,
        "",
        "File with it, in place of cluster.secret.",
    ),
    key(
        "cluster",
        "prefix",
        Kind::Name,
        "steadycast",
        "What the names of the engine's buckets begin with: relays of one prefix are one cluster.",
    ),
    key(
        "cluster",
        "replicas",
        whole(1, 5, "servers"),
        "1",
        "How many of the engine's servers keep what is kept there: with three of them 3, so that any one may fail.",
    ),
    key(
        "cluster",
        "lease_s",
        whole(2, 300, "seconds"),
        "15",
        "A relay that has not been heard of by the engine for so long is dead to the others. The engine may take no \
         writes for 8 seconds when the server that leads it fails, so less than 10 is for tests.",
    ),
    key(
        "cluster",
        "drain_s",
        whole(0, 600, "seconds"),
        "10",
        "How long a relay that is told to stop takes to hand its sessions over to others, where cluster.nats knows some \
         that have a server.public_url. 0: it stops at once.",
    ),
    key(
        "limits",
        "sessions",
        whole(1, MANY, "sessions"),
        "20000",
        "Sessions at once, over WebTransport and WebSocket together, and over WebRTC; the same number again for HTTP \
         connections.",
    ),
    key(
        "limits",
        "sessions_per_address",
        whole(1, MANY, "sessions"),
        "2000",
        "The same for one client address. Everybody behind one NAT shares an address.",
    ),
    key(
        "limits",
        "players_per_broadcast",
        whole(1, MANY, "players"),
        "10000",
        "Players that may watch one broadcast at once.",
    )
    .new_broadcasts(),
    key(
        "limits",
        "handshakes",
        whole(1, 65_536, "handshakes"),
        "1024",
        "QUIC connections that wait to be looked at; also TCP connections that have not made a whole request yet, \
         and WebRTC sessions that wait for their clients.",
    ),
    key(
        "limits",
        "retry_above",
        whole(0, 65_536, "handshakes"),
        "256",
        "With more QUIC handshakes under way than this, a client must first prove its address \
         (one more round trip).",
    ),
    key(
        "limits",
        "connect_timeout_ms",
        whole(100, 60_000, "milliseconds"),
        "5000",
        "From a connection's first packet to its session request.",
    ),
    key(
        "limits",
        "hello_timeout_ms",
        whole(100, 60_000, "milliseconds"),
        "2000",
        "From the session's start to the client's Hello.",
    ),
    key(
        "limits",
        "idle_timeout_s",
        whole(4, 600, "seconds"),
        "15",
        "A session not heard from for this long is closed. Clients speak at least every second.",
    ),
    key(
        "limits",
        "player_stall_s",
        whole(1, 600, "seconds"),
        "10",
        "A player that takes nothing of what waits for it for this long is closed.",
    ),
    key(
        "limits",
        "player_send_window",
        whole(64 << 10, 16 * MIB, "bytes"),
        "1048576",
        "Bytes on their way to one player.",
    ),
    key(
        "limits",
        "player_queue_bytes",
        whole(64 << 10, 32 * MIB, "bytes"),
        "4194304",
        "A player with more than this still to be sent is skipped to the newest keyframe; so much \
         may it hold of pictures that nobody else needs any more.",
    )
    .new_broadcasts(),
    key(
        "limits",
        "cache_bytes",
        whole(MIB, 1 << 40, "bytes"),
        "268435456",
        "Pictures in memory, all broadcasts together: coming in, kept for joining players, and on \
         their way to players.",
    ),
    key(
        "limits",
        "broadcast_bytes",
        whole(64 << 10, 1 << 40, "bytes"),
        "8388608",
        "What a broadcast may have of cache_bytes in any case. Where memory is short, those who have \
         more make way: their players wait for a new keyframe. Where this is more than an equal \
         part, the equal part counts.",
    ),
    key(
        "log",
        "traces",
        Kind::Hook,
        "",
        "An OpenTelemetry collector that learns of each session and each request how long it took: its URL for OTLP \
         over HTTP, such as http://127.0.0.1:4318. Empty: none.",
    ),
    key(
        "log",
        "access_file",
        Kind::Path,
        "",
        "File for a line of JSON about each session that has ended: who, where, since when, why it ended, what it had. \
         Empty: none.",
    ),
    key(
        "log",
        "access_addresses",
        Kind::Choice(&["full", "network", "none"]),
        "full",
        "What that says of a client's address: all of it, its network (an IPv4 /24, an IPv6 /56), or nothing.",
    ),
    key(
        "log",
        "access_size_mb",
        whole(1, 100_000, "MB"),
        "100",
        "How large that file may become before another begins.",
    ),
    key(
        "log",
        "access_older",
        whole(0, 1_000, "files"),
        "9",
        "How many of the files before are kept.",
    ),
    key(
        "log",
        "level",
        Kind::Filter,
        "info",
        "error, warn, info, debug or trace, also per module: \
         \"info,steadycast_relay::quic=debug\".",
    )
    .now(),
    key(
        "log",
        "format",
        Kind::Choice(&["text", "json"]),
        "text",
        "text for people, json for machines: one object per line.",
    ),
];

/// A key's names outside the file.
#[derive(Debug)]
pub struct Names {
    /// The flag without its dashes: `server-public-url`.
    pub flag: String,
    /// The environment variable: `STEADYCAST_SERVER_PUBLIC_URL`.
    pub env: String,
}

/// What every environment variable of the relay begins with.
pub(super) const ENV_PREFIX: &str = "STEADYCAST_";

static NAMES: LazyLock<Vec<Names>> = LazyLock::new(|| {
    let names = |key: &Key| Names {
        flag: format!("{}-{}", key.section, key.name).replace('_', "-"),
        env: format!("{ENV_PREFIX}{}_{}", key.section, key.name).to_uppercase(),
    };
    KEYS.iter().map(names).collect()
});

/// Every key with its names.
pub fn named() -> impl Iterator<Item = (&'static Key, &'static Names)> {
    KEYS.iter().zip(NAMES.iter())
}

/// The key of this section and name.
pub(super) fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter()
        .find(|key| key.section == section && key.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_in_a_known_section() {
        let flags: HashSet<_> = named().map(|(_, names)| &names.flag).collect();
        let env: HashSet<_> = named().map(|(_, names)| &names.env).collect();
        assert_eq!((flags.len(), env.len()), (KEYS.len(), KEYS.len()));
        for key in KEYS {
            assert!(SECTIONS.iter().any(|(name, _)| *name == key.section));
        }
    }

    #[test]
    fn every_default_is_allowed() {
        for key in KEYS {
            for default in [Some(key.default), key.dev_default].into_iter().flatten() {
                key.kind
                    .read(default)
                    .unwrap_or_else(|why| panic!("{}.{}: {why}", key.section, key.name));
            }
        }
    }

    #[test]
    fn a_key_has_one_name_per_place() {
        let (_, names) = named().find(|(key, _)| key.name == "public_url").unwrap();
        assert_eq!(names.flag, "server-public-url");
        assert_eq!(names.env, "STEADYCAST_SERVER_PUBLIC_URL");
    }
}

//! The HTTP side as a client sees it.

mod access;
mod api;
mod coding;
mod document;
mod network;
mod pages;
mod viewers;
mod webrtc;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use parking_lot::RwLock;
use serde_json::Value;
use steadycast_codec_glue::wire::Role;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use document::documented;

use super::forwarded::Proxies;
use super::listener::Peer;
use super::pages::{File, Pages};
use super::routes::with_pages;
use super::site::{Rules, Site};
use super::viewers::ViewersTokens;
use crate::auth::{Gate, Order, Origins};
use crate::broadcast::{BroadcastId, Registry, Settings};
use crate::config::Config;
use crate::directory::{Alone, Directory, test_lease};
use crate::events::Events;
use crate::metrics::Metrics;
use crate::peers::Peers;
use crate::placement::Placement;
use crate::records::Records;
use crate::session::{Parts, Shared};
use crate::shard::RelayClock;
use crate::store::temp::{Fragile, TempDir};
use crate::store::{Access, Ledger, TokenKeys};
use crate::tls::{Keeper, Source};
use crate::webrtc::{Bridge, Reach, Settings as BridgeSettings};
use crate::websocket::Entrance;

const ADMIN: &str = "the-admin-key-of-the-tests";
const APP: &str = "https://app.example";

/// A relay's HTTP side with an empty registry and a development certificate.
struct Relay {
    site: Arc<Site>,
    router: Router,
    /// What it keeps.
    store: Arc<Fragile>,
    _dir: TempDir,
}

fn bridge_settings() -> BridgeSettings {
    BridgeSettings {
        reach: Reach::At(vec!["192.0.2.1:4433".parse().unwrap()]),
        tcp: true,
        sessions: 100,
        per_address: 50,
        handshakes: 10,
        connect_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(15),
        player_stall: Duration::from_secs(10),
    }
}

/// An answer, read to its end.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Relay {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Site)) -> Self {
        Self::over(Arc::default(), change)
    }

    /// One that goes on with what another kept.
    fn over(store: Arc<Fragile>, change: impl FnOnce(&mut Site)) -> Self {
        let dir = TempDir::new();
        let keys = dir.clone();
        let source = Source::Development(dir.clone());
        let key = ADMIN.parse().unwrap();
        let clock = RelayClock::start();
        let usual = Duration::from_secs(7200);
        // The same for all, so that one goes on with the tokens of another.
        let known = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
        dir.write("token.key", known.as_bytes(), Access::Private)
            .unwrap();
        let token_keys = TokenKeys::open(&dir, usual, clock.now()).unwrap();
        let gate = Gate::new(token_keys.signer(), key, None);
        let (ledger, revocations) = Ledger::open(store.clone()).unwrap();
        for revocation in revocations {
            gate.remember(revocation);
        }
        let (_, identities) = Keeper::start(source, OffsetDateTime::now_utc()).unwrap();
        let settings = Settings {
            max_broadcasts: 3,
            ..Settings::default()
        };
        let registry = Arc::new(Registry::new(settings));
        let gate = Arc::new(gate);
        let metrics = Arc::new(Metrics::new().unwrap());
        let events = Arc::new(Events::new(clock, None));
        let directory: Arc<dyn Directory> = Arc::new(Alone::new(test_lease("a"), clock));
        let peers = Peers::new(directory.clone(), metrics.clone());
        let records = Arc::new(Records::new(clock, metrics, events, None));
        let origins = Origins::new(vec![APP.parse().unwrap()], false);
        let draining = CancellationToken::new();
        let placement = Arc::new(Placement::default());
        let parts = Parts {
            settings: (&Config::defaults(true).limits).into(),
            clock,
            registry: registry.clone(),
            gate: gate.clone(),
            records: records.clone(),
            origins: origins.clone(),
            placement: placement.clone(),
            shutdown: draining.clone(),
            elsewhere: None,
            port: crate::session::Port::Clients,
        };
        let shared = Shared::new(parts.clone());
        let mut site = Site {
            registry,
            ledger: Arc::new(ledger),
            gate,
            state: keys.clone(),
            token_keys: Arc::new(token_keys),
            keeps: true.into(),
            turns: tokio::sync::Mutex::default(),
            makers: tokio::sync::Mutex::default(),
            records,
            entrance: Arc::new(Entrance::new(Arc::new(shared))),
            proxies: Proxies::new(vec!["198.51.100.0/24".parse().unwrap()]),
            origins,
            embedders: RwLock::default(),
            public_url: None,
            listens: "127.0.0.1:4433".parse().unwrap(),
            viewers: ViewersTokens::default(),
            identities,
            rules: RwLock::new(Rules {
                publish_token_ttl: usual,
                play_token_ttl: Duration::from_secs(3600),
                max_per_maker: 2,
                private: false,
                admin_key_is_set: false,
            }),
            clock,
            bridge: Arc::new(Bridge::new(bridge_settings()).unwrap()),
            ice_servers: Vec::new(),
            overflow: None,
            directory,
            homes: None,
            peers,
            outbox: None,
            placement,
            draining,
        };
        change(&mut site);
        // Sessions come for the broadcasts that there are now.
        let shared = Shared::new(Parts {
            registry: site.registry.clone(),
            ..parts
        });
        site.entrance = Arc::new(Entrance::new(Arc::new(shared)));
        let site = Arc::new(site);
        Self {
            router: with_pages(site.clone(), Pages::from(page)),
            site,
            store,
            _dir: dir,
        }
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        self.send_from("192.0.2.7", request).await
    }

    async fn send_from(&self, address: &str, request: Request<Body>) -> Reply {
        let asked = (request.method().clone(), request.uri().path().to_owned());
        let reply = self.unread_from(address, request).await;
        documented(&asked.0, &asked.1, &reply);
        reply
    }

    /// An answer that is no text as it comes.
    async fn unread(&self, request: Request<Body>) -> Reply {
        self.unread_from("192.0.2.7", request).await
    }

    async fn unread_from(&self, address: &str, mut request: Request<Body>) -> Reply {
        let address = SocketAddr::new(address.parse().unwrap(), 50_000);
        let peer = Peer {
            address,
            came_to: None,
            tls: false,
        };
        request.extensions_mut().insert(peer);
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        Reply {
            status: head.status,
            headers: head.headers,
            body: to_bytes(body, 1 << 20).await.unwrap(),
        }
    }

    async fn get(&self, path: &str, bearer: &str) -> Reply {
        self.send(request(Method::GET, path, bearer, "")).await
    }

    async fn post(&self, path: &str, bearer: &str, body: &str) -> Reply {
        self.send(request(Method::POST, path, bearer, body)).await
    }

    async fn delete(&self, path: &str, bearer: &str) -> Reply {
        self.send(request(Method::DELETE, path, bearer, "")).await
    }

    /// Creates a broadcast as an admin does.
    async fn create(&self, title: &str) -> Value {
        let body = serde_json::json!({ "title": title }).to_string();
        let reply = self.post("/api/broadcasts", ADMIN, &body).await;
        assert_eq!(reply.status, StatusCode::CREATED);
        reply.json()
    }

    /// A token of an admin of these broadcasts.
    async fn admin(&self, broadcasts: &str, subject: &str) -> String {
        let wish = serde_json::json!({
            "broadcast": broadcasts,
            "roles": ["admin"],
            "subject": subject,
        });
        let reply = self.post("/api/tokens", ADMIN, &wish.to_string()).await;
        reply.json()["token"].as_str().unwrap().to_owned()
    }

    fn token(&self, id: &str, role: Role) -> String {
        let (ttl, now) = (Duration::from_secs(60), self.site.clock.now());
        let order = Order::link(&broadcast_id(id), role.into(), ttl, 0);
        let minted = self.site.gate.mint(&order, now).unwrap();
        minted.token.as_str().to_owned()
    }
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The code of a well-formed problem with this status.
    fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let json = self.json();
        assert_eq!(json["type"], "about:blank");
        assert_eq!(json["status"], status);
        assert!(json["title"].is_string() && json["detail"].is_string());
        json["code"].as_str().unwrap().to_owned()
    }
}

fn request(method: Method, path: &str, bearer: &str, body: &str) -> Request<Body> {
    let json = [("content-type", "application/json")];
    let headers = if body.is_empty() { &json[..0] } else { &json };
    ask(method, path, bearer, headers, body.to_owned())
}

fn ask(
    method: Method,
    path: &str,
    bearer: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "relay.test:4433");
    if !bearer.is_empty() {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

fn broadcast_id(text: &str) -> BroadcastId {
    text.parse().unwrap()
}

fn page(name: &str) -> Option<File> {
    let bytes: &[u8] = match name {
        "admin.html" => b"<h1>admin</h1>",
        "play.html" => {
            b"<style>p{margin:0}</style><script>a()</script><h1>play</h1><script>b()</script><script type=\"module\">c()</script>"
        },
        "play.html.br" => b"play in br",
        "play.html.gz" => b"play in gzip",
        "assets/app-1a2b.js" => b"export {};",
        "assets/large-1a2b.js" => b"plain",
        "assets/large-1a2b.js.br" => b"br",
        "assets/large-1a2b.js.gz" => b"gzip",
        "icon.svg" => b"<svg/>",
        _ => return None,
    };
    Some(File {
        bytes: Bytes::from_static(bytes),
        sha256: [name.bytes().fold(0, u8::wrapping_add); 32],
    })
}

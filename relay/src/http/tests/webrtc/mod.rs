//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) as clients see them.

mod events;
mod ice;
mod open;
mod refused;
mod report;
mod sessions;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request};

use super::{Relay, Reply, ask};
use crate::webrtc::offers;

const SDP: &str = "application/sdp";

/// A relay with a broadcast.
struct Cast {
    relay: Relay,
    id: String,
    publish: String,
    play: String,
}

impl Cast {
    async fn new() -> Self {
        Self::at(Relay::new()).await
    }

    async fn at(relay: Relay) -> Self {
        let made = relay.create("x").await;
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        Self {
            id: text("id"),
            publish: text("publishToken"),
            play: text("playToken"),
            relay,
        }
    }

    /// Where clients post, `whip` or `whep`.
    fn endpoint(&self, kind: &str) -> String {
        format!("/{}/{kind}", self.id)
    }

    async fn offer(&self, kind: &str, bearer: &str, offer: &str) -> Reply {
        self.relay.send(self.request(kind, bearer, offer)).await
    }

    fn request(&self, kind: &str, bearer: &str, offer: &str) -> Request<Body> {
        let headers = [("content-type", SDP)];
        let path = self.endpoint(kind);
        ask(Method::POST, &path, bearer, &headers, offer.to_owned())
    }

    /// Asks for a session for a player at this address.
    async fn watch_from(&self, address: &str) -> Reply {
        let request = self.request("whep", &self.play, offers::of("chromium-player"));
        self.relay.send_from(address, request).await
    }

    /// Opens a session for a player.
    async fn watch(&self) -> Opened {
        let offer = offers::of("chromium-player");
        Opened::from(&self.offer("whep", &self.play, offer).await)
    }

    /// Opens a session for a publisher.
    async fn publish(&self) -> Opened {
        let offer = offers::of("obs-publisher");
        Opened::from(&self.offer("whip", &self.publish, offer).await)
    }
}

/// A session, as its client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Opened {
    location: String,
    etag: String,
}

impl From<&Reply> for Opened {
    fn from(reply: &Reply) -> Self {
        assert_eq!(reply.status.as_u16(), 201, "{}", reply.text());
        Self {
            location: reply.header("location").to_owned(),
            etag: reply.header("etag").to_owned(),
        }
    }
}

/// The broadcast that a cast is about, as those see it who are at it.
fn broadcast(cast: &Cast) -> Arc<crate::broadcast::Broadcast> {
    let id = cast.id.parse().unwrap();
    cast.relay.site.registry.find(&id).unwrap()
}

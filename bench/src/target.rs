//! The relay under load: where it is, and what it tells about itself.

use std::net::{SocketAddr, ToSocketAddrs};

use anyhow::{Context, Result};
use base64::Engine as _;
use serde_json::Value;
use steadycast_tests::client::{Carrier, Target as Pinned};
use wtransport::tls::Sha256Digest;

/// A relay that can be reached.
#[derive(Debug, Clone)]
pub struct Target {
    origin: String,
    admin_key: String,
    /// The URL of its sessions.
    pub session_url: String,
    /// SHA-256 of its certificates; empty when they are publicly trusted.
    pub certificates: Vec<Sha256Digest>,
    /// The newest version of the protocol that it speaks (PROTOCOL 2.11).
    pub version: u16,
}

/// A broadcast made for a run; [`Target::end`] ends it.
#[derive(Debug, Clone)]
pub struct Broadcast {
    /// Its id.
    pub id: String,
    /// For its publisher.
    pub publish_token: String,
    /// For its players.
    pub play_token: String,
}

impl Target {
    /// Asks the relay at `origin` for its endpoint (PROTOCOL 7.1). Blocks.
    ///
    /// # Errors
    /// When it does not answer as a relay does.
    pub fn find(origin: &str, admin_key: &str) -> Result<Self> {
        let origin = origin.trim_end_matches('/').to_owned();
        let relay = answer(ureq::get(format!("{origin}/api/relay")).call())?;
        let path = text(&relay, "session")?;
        let authority = origin
            .split_once("://")
            .map_or(origin.as_str(), |(_, rest)| rest);
        let hashes = relay["certificateHashes"].as_array();
        let version = relay["protocol"].as_u64().and_then(|v| v.try_into().ok());
        Ok(Self {
            version: version.context("the relay says no protocol")?,
            session_url: format!("https://{authority}{path}"),
            certificates: hashes
                .into_iter()
                .flatten()
                .map(digest)
                .collect::<Result<_>>()?,
            admin_key: admin_key.to_owned(),
            origin,
        })
    }

    /// Where its sessions are opened; port 443 where nothing else is said.
    ///
    /// # Errors
    /// When its name has no address.
    pub fn address(&self) -> Result<SocketAddr> {
        let authority = self.authority();
        let found = authority
            .to_socket_addrs()
            .or_else(|_| (authority, 443).to_socket_addrs());
        found
            .with_context(|| format!("looking for {authority}"))?
            .next()
            .with_context(|| format!("{authority} has no address"))
    }

    /// The same relay, of which sessions are opened at another address.
    #[must_use]
    pub fn by_way_of(&self, address: SocketAddr) -> Self {
        let at = "https://".len() + self.authority().len();
        Self {
            session_url: format!("https://{address}{}", &self.session_url[at..]),
            ..self.clone()
        }
    }

    /// The path of its sessions.
    pub fn session_path(&self) -> &str {
        &self.session_url["https://".len() + self.authority().len()..]
    }

    /// The relay as clients of TCP find it, by its address and the certificate that it has now.
    ///
    /// # Errors
    /// When its name has no address, or its certificate is publicly trusted.
    pub fn pinned(&self) -> Result<Pinned> {
        let certificate = self.certificates.first();
        Ok(Pinned {
            address: self.address()?,
            certificate: *certificate
                .context("the relay's certificate is publicly trusted: this client knows pinned ones only")?
                .as_ref(),
            carrier: Carrier::WebSocket,
        })
    }

    fn authority(&self) -> &str {
        let rest = self.session_url.trim_start_matches("https://");
        rest.split('/').next().unwrap_or(rest)
    }

    /// Where WHEP players of a broadcast come (PROTOCOL 8).
    pub fn whep(&self, id: &str) -> String {
        format!("{}/{id}/whep", self.origin)
    }

    /// Creates a broadcast. Blocks.
    ///
    /// # Errors
    /// When the relay refuses.
    pub fn create(&self, title: &str) -> Result<Broadcast> {
        let request = ureq::post(format!("{}/api/broadcasts", self.origin))
            .header("Authorization", self.bearer())
            .send_json(serde_json::json!({ "title": title }));
        let made = answer(request).context("creating a broadcast (is --admin-key right?)")?;
        Ok(Broadcast {
            id: text(&made, "id")?,
            publish_token: text(&made, "publishToken")?,
            play_token: text(&made, "playToken")?,
        })
    }

    /// What the relay records of a broadcast (PROTOCOL 7.2). Blocks.
    ///
    /// # Errors
    /// When the relay does not answer.
    pub fn records(&self, id: &str) -> Result<Value> {
        let request = ureq::get(format!("{}/api/broadcasts/{id}", self.origin));
        answer(request.header("Authorization", self.bearer()).call())
    }

    /// Ends a broadcast. Blocks.
    ///
    /// # Errors
    /// When the relay refuses.
    pub fn end(&self, broadcast: &Broadcast) -> Result<()> {
        ureq::delete(format!("{}/api/broadcasts/{}", self.origin, broadcast.id))
            .header("Authorization", self.bearer())
            .call()?;
        Ok(())
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.admin_key)
    }
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value> {
    Ok(response?.body_mut().read_json()?)
}

fn text(value: &Value, key: &str) -> Result<String> {
    let text = value[key].as_str();
    text.map(str::to_owned)
        .with_context(|| format!("the relay's answer has no {key}"))
}

fn digest(hash: &Value) -> Result<Sha256Digest> {
    let text = hash
        .as_str()
        .context("a certificate hash that is no text")?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text)?;
    let bytes: [u8; 32] = bytes
        .try_into()
        .ok()
        .context("a certificate hash of another length")?;
    Ok(Sha256Digest::new(bytes))
}

//! A session as its client knows it over HTTP (RFC 9725, draft-ietf-wish-whep).

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};

use crate::coded::Kind;
use crate::http::{Events, Reply, Request};

/// Where a client posts, and what it can do.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The relay's HTTP side.
    pub http: SocketAddr,
    /// The path of the endpoint.
    pub path: String,
    /// What is shown there.
    pub token: String,
    /// Where media goes instead of the relay's own address.
    pub via: Option<SocketAddr>,
    /// The codecs that are offered.
    pub codecs: Vec<Kind>,
    /// Whether the client leaves it to the relay to open DTLS, as FFmpeg does.
    pub passive: bool,
    /// What sound is offered; none at all without it.
    pub sound: Option<SoundOffer>,
    /// Whether media goes over TCP, to the same address, and UDP goes nowhere.
    pub over_tcp: bool,
}

/// What a client does about sound that is lost.
#[derive(Debug, Clone, Copy, Default)]
pub struct SoundOffer {
    /// Earlier frames may be beside others (RFC 2198).
    pub red: bool,
    /// What is missing is asked for.
    pub nack: bool,
}

impl Endpoint {
    /// For a client that knows all codecs.
    pub fn new(http: SocketAddr, path: String, token: String) -> Self {
        Self {
            http,
            path,
            token,
            via: None,
            codecs: Kind::ALL.to_vec(),
            passive: false,
            sound: None,
            over_tcp: false,
        }
    }

    /// For a client whose network lets no UDP through.
    #[must_use]
    pub fn over_tcp(mut self) -> Self {
        self.over_tcp = true;
        self
    }

    /// With media by way of a proxy.
    #[must_use]
    pub fn via(mut self, proxy: &crate::proxy::Proxy) -> Self {
        self.via = Some(proxy.target().address);
        self
    }

    /// For a client that leaves it to the relay to open DTLS.
    #[must_use]
    pub fn passive(mut self) -> Self {
        self.passive = true;
        self
    }

    /// For a client that offers sound besides.
    #[must_use]
    pub fn with_sound(mut self, sound: SoundOffer) -> Self {
        self.sound = Some(sound);
        self
    }

    /// For a client that knows only these codecs.
    #[must_use]
    pub fn only(mut self, codecs: &[Kind]) -> Self {
        self.codecs = codecs.to_vec();
        self
    }

    /// Posts an offer.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, offer: &[u8]) -> Result<Reply> {
        let request = Request {
            method: "POST",
            path: &self.path,
            bearer: &self.token,
            headers: &[("content-type", "application/sdp")],
            body: offer,
        };
        request.send(self.http).await
    }

    /// Opens a session; gives the answer as well.
    ///
    /// # Errors
    /// With the code, when the relay refuses.
    pub async fn open(&self, offer: &str) -> Result<(Session, String)> {
        let reply = self.post(offer.as_bytes()).await?;
        if reply.status != 201 {
            bail!("{}", reply.problem()?);
        }
        let text = |name: &str| {
            let value = reply.header(name).map(str::to_owned);
            value.with_context(|| format!("no {name}"))
        };
        let session = Session {
            http: self.http,
            token: self.token.clone(),
            location: text("location")?,
            etag: text("etag")?,
        };
        let mut answer = reply.body.clone();
        if let Some(via) = self.via {
            let own = format!(" {} {} typ host", self.http.ip(), self.http.port());
            ensure!(answer.contains(&own), "the relay is elsewhere: {answer}");
            let proxy = format!(" {} {} typ host", via.ip(), via.port());
            answer = answer.replace(&own, &proxy);
        }
        Ok((session, answer))
    }
}

/// A session that was opened.
#[derive(Debug, Clone)]
pub struct Session {
    http: SocketAddr,
    token: String,
    /// Its path.
    pub location: String,
    /// Of its ICE session.
    pub etag: String,
}

impl Session {
    /// Ends it; gives the status.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn delete(&self) -> Result<u16> {
        Ok(self.ask("DELETE", &[], "").await?.status)
    }

    /// Whether the relay knows it.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn exists(&self) -> Result<bool> {
        Ok(self.ask("GET", &[], "").await?.status == 204)
    }

    /// Asks for a keyframe, as pages do that open frames themselves; gives the status.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn plead(&self) -> Result<u16> {
        let request = Request {
            method: "POST",
            path: &format!("{}/keyframe", self.location),
            bearer: "",
            headers: &[],
            body: b"",
        };
        Ok(request.send(self.http).await?.status)
    }

    /// Restarts ICE with these credentials of the client; gives the relay's own.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn restart(&mut self, ufrag: &str, password: &str) -> Result<(String, String)> {
        let headers = [
            ("content-type", "application/trickle-ice-sdpfrag"),
            ("if-match", "*"),
        ];
        let fragment = format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n");
        let reply = self.ask("PATCH", &headers, &fragment).await?;
        ensure!(reply.status == 200, "{}", reply.body);
        self.etag = reply.header("etag").context("no etag")?.to_owned();
        let find = |begin| {
            let value = reply.body.lines().find_map(|line| line.strip_prefix(begin));
            value.map(str::to_owned).context("half of the credentials")
        };
        Ok((find("a=ice-ufrag:")?, find("a=ice-pwd:")?))
    }

    /// Listens to what becomes of it.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn events(&self) -> Result<Events> {
        Events::open(self.http, &format!("{}/sse", self.location)).await
    }

    async fn ask(&self, method: &str, headers: &[(&str, &str)], body: &str) -> Result<Reply> {
        let request = Request {
            method,
            path: &self.location,
            bearer: &self.token,
            headers,
            body: body.as_bytes(),
        };
        request.send(self.http).await
    }
}

//! Opens WHEP sessions with one relay.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::spawn_blocking;

use super::connect::{Connected, connect};
use super::dtls::Identity;
use super::ice::Credentials;
use super::sdp::{Answer, offer};
use super::socket::{Buffers, Socket};
use crate::target::{Broadcast, Target};
use crate::transport::Srtp;

/// How long the relay may take to answer an offer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all players of a process share.
pub struct Client {
    target: Target,
    http: ureq::Agent,
    identity: Identity,
    pub(super) buffers: RefCell<Buffers>,
}

impl Client {
    /// A client that offers this protection.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub fn new(target: &Target, srtp: Srtp) -> Result<Self> {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false);
        Ok(Self {
            target: target.clone(),
            http: config.build().into(),
            identity: Identity::generate(srtp)?,
            buffers: RefCell::default(),
        })
    }

    /// Opens a session and connects it.
    pub(super) async fn open(&self, broadcast: &Broadcast, listens: bool) -> Result<Session> {
        let credentials = Credentials::fresh(self.identity.provider().as_ref())?;
        let offer = offer(&credentials, self.identity.fingerprint(), listens);
        let url = self.target.whep(&broadcast.id);
        let (http, token) = (self.http.clone(), broadcast.play_token.clone());
        let answer = spawn_blocking(move || post(&http, &url, &token, &offer)).await??;
        let answer = Answer::parse(&answer).context("the relay's answer")?;
        let socket = Socket::connect(answer.address)?;
        let connected = connect(
            &self.identity,
            &socket,
            &self.buffers,
            &credentials,
            &answer,
        );
        let connected = connected.await.context("connecting by WebRTC")?;
        Ok(Session {
            socket,
            answer,
            connected,
        })
    }
}

/// A session with keys.
pub(super) struct Session {
    pub(super) socket: Socket,
    pub(super) answer: Answer,
    pub(super) connected: Connected,
}

fn post(http: &ureq::Agent, url: &str, token: &str, offer: &str) -> Result<String> {
    let mut response = http
        .post(url)
        .header("Content-Type", "application/sdp")
        .header("Authorization", format!("Bearer {token}"))
        .send(offer)
        .context("offering a WHEP session")?;
    let status = response.status();
    let body = response.body_mut().read_to_string()?;
    anyhow::ensure!(status == 201, "the relay answers {status}: {}", body.trim());
    Ok(body)
}

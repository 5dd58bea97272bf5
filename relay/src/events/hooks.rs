//! Hooks: each event is posted to a URL of the operator's, signed (PROTOCOL 7.5).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};
use ring::hmac;
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use super::event::Happened;
use super::hub::{Listener, Lost};
use crate::asking::{SafeUrl, client};
use crate::telemetry::traces;

/// How long the receiver has for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries: from this on twice as long each time, up to that.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// What both ends know, and events are signed with.
#[derive(Clone)]
pub struct HookSecret(hmac::Key);

/// A text is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret is at least 16 printable characters without spaces; behind whsec_ it is in base64"
)]
pub struct HookSecretError;

impl FromStr for HookSecret {
    type Err = HookSecretError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() < 16 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HookSecretError);
        }
        // As Standard Webhooks has it; any other text is itself the secret.
        let secret = match text.strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| HookSecretError)?,
            None => text.as_bytes().to_vec(),
        };
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookSecret(..)")
    }
}

/// Where to, signed with what, and for how long it is tried.
#[derive(Debug, Clone)]
pub struct HookSettings {
    /// Where to.
    pub url: SafeUrl,
    /// What it is signed with.
    pub secret: HookSecret,
    /// An event that could not be delivered for this long is given up.
    pub gives_up_after: Duration,
}

/// No event can be posted at all.
#[derive(Debug, thiserror::Error)]
#[error("hooks.url: {0}")]
pub struct HooksError(#[source] reqwest::Error);

/// Why an event has not arrived.
#[derive(Debug, thiserror::Error)]
enum NotDelivered {
    #[error("{0}")]
    Http(reqwest::Error),
    #[error("the receiver answers {0}")]
    Status(StatusCode),
}

/// Posts what happens, one event after the other.
pub struct Hooks {
    settings: HookSettings,
    client: Client,
    listener: Listener,
}

impl Hooks {
    /// Posts what `listener` hears.
    ///
    /// # Errors
    /// [`HooksError`], when the system's trusted certificates cannot be read.
    pub fn new(settings: HookSettings, listener: Listener) -> Result<Self, HooksError> {
        let client = client(PATIENCE).map_err(HooksError)?;
        Ok(Self {
            settings,
            client,
            listener,
        })
    }

    /// Posts until there is nothing more to hear. While the receiver does not answer, later events wait.
    pub async fn run(mut self) {
        while let Some(next) = self.listener.next().await {
            match next {
                Ok(happened) => self.deliver(&happened).await,
                Err(Lost(count)) => {
                    tracing::error!(
                        events = count,
                        "the receiver of hooks was away for too long: events are lost"
                    );
                }
            }
        }
    }

    async fn deliver(&self, happened: &Arc<Happened>) {
        let begun = Instant::now();
        let mut pause = FIRST;
        loop {
            let Err(error) = self.post(happened).await else {
                return;
            };
            if begun.elapsed() + pause > self.settings.gives_up_after {
                let event = happened.event;
                tracing::error!(event, id = happened.id, %error, "an event could not be delivered, and is given up");
                return;
            }
            tracing::warn!(%error, "an event could not be delivered, and will be again");
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST);
        }
    }

    async fn post(&self, happened: &Happened) -> Result<(), NotDelivered> {
        let body = serde_json::to_string(happened).unwrap_or_default();
        let id = happened.unique();
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let signature = signature(&self.settings.secret, &id, now, &body);
        let SafeUrl(url) = &self.settings.url;
        let request = self.client.post(url.clone());
        let (span, request) = match &happened.broadcast {
            Some(broadcast) => {
                let span = traces::asking_of("hook", broadcast);
                let request = traces::carry_of(&span, broadcast, request);
                (span, request)
            }
            None => {
                let span = traces::asking("hook");
                let request = traces::carry(&span, request);
                (span, request)
            }
        };
        let answer = request
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", now.to_string())
            .header("webhook-signature", signature)
            .body(body)
            .send()
            .instrument(span)
            .await
            .map_err(|error| NotDelivered::Http(error.without_url()))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            // Another address is not what is configured.
            status => Err(NotDelivered::Status(status)),
        }
    }
}

/// The signature by Standard Webhooks 1.0: HMAC-SHA-256 of id, time and body.
fn signature(HookSecret(key): &HookSecret, id: &str, time: i64, body: &str) -> String {
    let tag = hmac::sign(key, format!("{id}.{time}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_others_make_of_the_same() {
        let secret: HookSecret = "0123456789abcdef".parse().unwrap();
        // printf 'm1.1700000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef -binary | base64
        let made = signature(&secret, "m1", 1_700_000_000, "{}");
        assert_eq!(made, "v1,H26+mUxj37ggS1yklVH56j58+es9vUn/D+2H+xAxB9Q=");
    }

    #[test]
    fn secrets_are_long_and_are_not_printed() {
        assert!("short".parse::<HookSecret>().is_err());
        assert!("whsec_not-base64-at-all".parse::<HookSecret>().is_err());
        let encoded: HookSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZg==".parse().unwrap();
        let plain: HookSecret = "0123456789abcdef".parse().unwrap();
        assert_eq!(
            signature(&encoded, "m", 1, ""),
            signature(&plain, "m", 1, "")
        );
        let secret: HookSecret = "0123456789abcdef".parse().unwrap();
        assert_eq!(format!("{secret:?}"), "HookSecret(..)");
    }
}

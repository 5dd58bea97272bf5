//! Tokens that others issue, whose keys are at a URL.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use steadycast_codec_glue::wire::Role;
use steadycast_tests::authority::Authority;
use steadycast_tests::client::Player;
use steadycast_tests::relay::TestRelay;

/// Somebody who issues tokens.
struct Issuer {
    name: &'static str,
    key: Ed25519KeyPair,
}

impl Issuer {
    fn new(name: &'static str) -> Result<Self> {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .ok()
            .context("no key")?;
        let key = Ed25519KeyPair::from_pkcs8(key.as_ref())
            .ok()
            .context("no key")?;
        Ok(Self { name, key })
    }

    fn keys(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.key.public_key().as_ref());
        let key =
            json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": self.name, "x": x });
        json!({ "keys": [key] }).to_string()
    }

    fn token(&self, relay: &TestRelay, broadcast: &str) -> String {
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let now = relay.now_us() / 1_000_000;
        let claims = json!({
            "iss": "https://id.example", "aud": "steadycast", "iat": now, "exp": now + 600, "sub": "ada",
            "steadycast": { "broadcast": broadcast, "roles": ["play"] },
        });
        let head = json!({ "alg": "EdDSA", "kid": self.name });
        let message = format!("{}.{}", part(head), part(claims));
        let signature = self.key.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

async fn may_play(relay: &TestRelay, token: &str) -> Result<bool> {
    match Player::join(relay.target(), token).await {
        Ok(_) => Ok(true),
        Err(error) if error.to_string() == "unauthorized" => Ok(false),
        Err(error) => Err(error),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_fetched_rotated_and_kept_while_nothing_better_comes() -> Result<()> {
    let (first, second) = (Issuer::new("first")?, Issuer::new("second")?);
    let keys = first.keys();
    let server = Authority::start(move |_| Some((200, keys.clone()))).await?;
    let url = server.url();
    let relay = TestRelay::with(move |config| {
        config.auth.jwks = url.parse().ok();
        config.auth.issuer = Some("https://id.example".to_owned());
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let id = broadcast.id.as_str();
    relay
        .until("the keys", || !server.asked().is_empty())
        .await?;
    let good = first.token(&relay, id);
    let known = tokio::time::timeout(Duration::from_secs(10), async {
        while !may_play(&relay, &good).await? {}
        anyhow::Ok(())
    });
    known.await.context("the first key")??;
    // The relay's own links are as good.
    ensure!(may_play(&relay, &broadcast.token(Role::Player)).await?);
    // Another key takes over: the first token that names it has it fetched, and is good.
    let keys = second.keys();
    server.judges(move |_| Some((200, keys.clone())));
    let rotated = second.token(&relay, id);
    ensure!(may_play(&relay, &rotated).await?);
    ensure!(!may_play(&relay, &good).await?, "the first key has gone");
    // What the server says when it is ill changes nothing.
    let asked = server.asked().len();
    server.judges(|_| Some((500, String::new())));
    let third = Issuer::new("third")?.token(&relay, id);
    ensure!(!may_play(&relay, &third).await?);
    let again = || server.asked().len() > asked;
    relay.until("it to be asked again", again).await?;
    ensure!(may_play(&relay, &rotated).await?);
    Ok(())
}

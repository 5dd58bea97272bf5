//! An outside authority that is asked who may do what.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use steadycast_codec_glue::wire::{Code, Role};
use steadycast_tests::authority::{Answer, Authority};
use steadycast_tests::client::{Control, Player, Publisher, connect};
use steadycast_tests::http::Request;
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc;
use steadycast_tests::webrtc::Endpoint;

/// Allows what somebody with the token `may-ACTION` asks for.
fn by_token(question: &Value) -> Answer {
    let allowed = format!("may-{}", question["action"].as_str().unwrap_or_default());
    let status = if question["token"] == allowed {
        200
    } else {
        401
    };
    Some((status, String::new()))
}

async fn relay(authority: &Authority) -> Result<TestRelay> {
    let url = authority.url();
    TestRelay::with(move |config| {
        config.auth.hook = url.parse().ok();
        config.auth.hook_timeout = Duration::from_millis(500);
    })
    .await
}

/// A player, or the code that it was refused with.
async fn play(relay: &TestRelay, id: &str, token: &str) -> Result<Player, String> {
    let open = async {
        let connection = connect(relay.target(), &format!("/session/{id}"), None).await?;
        Player::greet(Control::on(connection).await?, token).await
    };
    open.await.map_err(|error| error.to_string())
}

async fn ask(relay: &TestRelay, method: &str, path: &str, bearer: &str, body: &str) -> Result<u16> {
    let request = Request {
        method,
        path,
        bearer,
        headers: &[("content-type", "application/json")],
        body: body.as_bytes(),
    };
    Ok(request.send(relay.address()).await?.status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_asked_about_everything_on_every_transport() -> Result<()> {
    let authority = Authority::start(by_token).await?;
    let relay = relay(&authority).await?;
    // Somebody may create, and nobody else.
    ensure!(
        ask(
            &relay,
            "POST",
            "/api/broadcasts",
            "may-read",
            r#"{"id":"main"}"#
        )
        .await?
            == 403
    );
    ensure!(
        ask(
            &relay,
            "POST",
            "/api/broadcasts",
            "may-create",
            r#"{"id":"main"}"#
        )
        .await?
            == 201
    );
    let mut player = play(&relay, "main", "may-read")
        .await
        .map_err(anyhow::Error::msg)?;
    ensure!(play(&relay, "main", "may-publish").await.err().as_deref() == Some("unauthorized"));
    let connection = connect(relay.target(), "/session/main", None).await?;
    let mut publisher = Control::on(connection).await?;
    publisher
        .hello(Role::Publisher, "may-publish", None)
        .await?;
    let endpoint = |kind: &str, token: &str| {
        Endpoint::new(relay.address(), format!("/main/{kind}"), token.to_owned())
    };
    webrtc::Player::watch(&endpoint("whep", "may-read")).await?;
    ensure!(
        webrtc::Player::join(&endpoint("whep", "may-publish"))
            .await
            .is_err()
    );
    webrtc::Publisher::join(&endpoint("whip", "may-publish")).await?;
    // The relay's own links count for nothing: they are asked about as well.
    let links = relay.site().mint_both(&"main".parse()?)?;
    ensure!(
        Player::join(relay.target(), links.play.as_str())
            .await
            .is_err()
    );
    let asked = authority.asked();
    let first = |action: &str, protocol: &str| {
        asked.iter().any(|question| {
            question["action"] == action
                && question["protocol"] == protocol
                && question["path"] == "main"
                && question["ip"] == "127.0.0.1"
                && question["user"] == ""
                && question["id"].is_string()
        })
    };
    ensure!(
        first("create", "http") && first("read", "webtransport"),
        "{asked:?}"
    );
    ensure!(
        first("read", "webrtc") && first("publish", "webrtc"),
        "{asked:?}"
    );
    // The publisher may see how it does; ending is another matter; the admin key is the relay's own.
    ensure!(ask(&relay, "GET", "/api/broadcasts/main", "may-publish", "").await? == 200);
    ensure!(ask(&relay, "DELETE", "/api/broadcasts/main", "may-publish", "").await? == 403);
    ensure!(ask(&relay, "GET", "/api/broadcasts", "may-publish", "").await? == 403);
    let admin = relay.admin_key()?;
    ensure!(ask(&relay, "GET", "/api/broadcasts", &admin, "").await? == 200);
    ensure!(ask(&relay, "DELETE", "/api/broadcasts/main", "may-end", "").await? == 204);
    ensure!(player.control.goodbye().await? == (Code::BroadcastEnded, false));
    ensure!(
        authority
            .asked()
            .iter()
            .all(|question| question["token"] != admin.as_str())
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_refused_while_it_does_not_answer_and_may_try_again() -> Result<()> {
    let authority = Authority::start(|_| None).await?;
    let relay = relay(&authority).await?;
    let broadcast = relay.broadcast().await?;
    let id = broadcast.id.as_str();
    ensure!(play(&relay, id, "may-read").await.err().as_deref() == Some("internal"));
    for nonsense in [
        Some((500, String::new())),
        Some((302, String::new())),
        Some((200, "{".to_owned())),
        Some((200, "{\"limits\":{\"x\":1}}".to_owned())),
        Some((429, String::new())),
        Some((200, format!("{{\"name\":\"{}\"}}", "x".repeat(20_000)))),
    ] {
        let said = format!("{nonsense:?}");
        authority.judges(move |_| nonsense.clone());
        let refused = play(&relay, id, "may-read").await.err();
        ensure!(
            refused.as_deref() == Some("internal"),
            "{said:.60}: {refused:?}"
        );
    }
    let path = format!("/{id}/whep");
    ensure!(ask(&relay, "POST", &path, "may-read", "").await? == 503);
    // None of that is remembered.
    authority.judges(by_token);
    play(&relay, id, "may-read")
        .await
        .map_err(anyhow::Error::msg)?;
    drop(authority);
    // What it has said is good for a while.
    play(&relay, id, "may-read")
        .await
        .map_err(anyhow::Error::msg)?;
    ensure!(play(&relay, id, "may-look").await.is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_who_somebody_is_and_until_when() -> Result<()> {
    let authority = Authority::start(by_token).await?;
    let relay = relay(&authority).await?;
    let broadcast = relay.broadcast().await?;
    let until = relay.now_us() / 1_000_000 + 2;
    let answer = json!({ "name": "Ada", "subject": "ada", "stay_until": until }).to_string();
    authority.judges(move |_| Some((200, answer.clone())));
    let mut player = play(&relay, broadcast.id.as_str(), "any")
        .await
        .map_err(anyhow::Error::msg)?;
    let there = relay.site().records.at(&broadcast.id);
    let holder = &there[0].standing.grant.holder;
    ensure!(holder.name.as_deref() == Some("Ada") && holder.subject.as_deref() == Some("ada"));
    ensure!(player.control.goodbye().await? == (Code::TokenExpired, false));
    // Whoever publishes is bounded by what it says.
    authority.judges(|_| Some((200, r#"{"limits":{"players":1}}"#.to_owned())));
    let token = broadcast.token(Role::Publisher);
    let _publisher = Publisher::join(relay.target(), &token, None).await?;
    let _first = play(&relay, broadcast.id.as_str(), "one")
        .await
        .map_err(anyhow::Error::msg)?;
    let second = play(&relay, broadcast.id.as_str(), "two").await.err();
    ensure!(second.as_deref() == Some("too_many"), "{second:?}");
    Ok(())
}

//! Who may be here no longer: links that are taken back, sessions that are kicked, tokens that end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use steadycast_codec_glue::wire::{Code, Role};
use steadycast_relay::auth::Power;
use steadycast_tests::client::{Control, Player, Publisher, connect};
use steadycast_tests::coded::{Kind, coded};
use steadycast_tests::http::{Events, Request};
use steadycast_tests::relay::{TestBroadcast, TestRelay};
use steadycast_tests::webrtc::{self, Rogue};

/// Somebody of every kind at a broadcast.
struct Everybody {
    player: Player,
    publisher: Publisher,
    whep: webrtc::Player,
    events: Events,
    /// Has been answered and does not come.
    waiting: Events,
    _rogue: Rogue,
}

impl Everybody {
    async fn at(broadcast: &TestBroadcast<'_>) -> Result<Self> {
        let whep = webrtc::Player::watch(&broadcast.whep()).await?;
        let rogue = Rogue::open(&broadcast.whep(), "recvonly").await?;
        Ok(Self {
            player: broadcast.player().await?,
            publisher: broadcast.publisher().await?,
            events: whep.session.events().await?,
            whep,
            waiting: rogue.session.events().await?,
            _rogue: rogue,
        })
    }
}

/// Asks a relay's API as its admin, or as the bearer of a token.
async fn ask(
    relay: &TestRelay,
    method: &str,
    path: &str,
    bearer: &str,
    body: Value,
) -> Result<(u16, Value)> {
    let body = body.to_string();
    let request = Request {
        method,
        path,
        bearer,
        headers: &[("content-type", "application/json")],
        body: body.as_bytes(),
    };
    let reply = request.send(relay.address()).await?;
    let answer = serde_json::from_str(&reply.body).unwrap_or_default();
    Ok((reply.status, answer))
}

fn text(answer: &Value) -> Result<&str> {
    answer.as_str().context("not a text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_links_for_viewers_end_the_old_ones_on_every_transport() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut all = Everybody::at(&broadcast).await?;
    let (publish, old) = (
        broadcast.token(Role::Publisher),
        broadcast.token(Role::Player),
    );
    let path = format!("/api/broadcasts/{}/links", broadcast.id);
    let (status, answer) = ask(&relay, "POST", &path, &publish, json!({ "end": ["play"] })).await?;
    ensure!(
        status == 201 && answer["sessionsEnded"] == 3,
        "{status} {answer}"
    );
    ensure!(all.player.control.goodbye().await? == (Code::Revoked, false));
    ensure!(all.events.ended().await? == ("revoked".to_owned(), false));
    ensure!(all.waiting.ended().await? == ("revoked".to_owned(), false));
    all.whep.closed().await?;
    let again = Player::join(relay.target(), &old).await.err();
    ensure!(again.is_some_and(|error| error.to_string() == "revoked"));
    // The publisher, and whoever has a new link, are not touched.
    let mut player = Player::join(relay.target(), text(&answer["playToken"])?).await?;
    let sent = all.publisher.keyframe(1_000).await?;
    ensure!(player.frame().await?.place() == (all.publisher.epoch(), sent.group, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_links_for_publishers_end_the_publisher_and_no_player() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut all = Everybody::at(&broadcast).await?;
    all.publisher.keyframe(1_000).await?;
    all.player.frame().await?;
    relay.site().renew(&broadcast.id, &[Power::Publish]).await?;
    ensure!(all.publisher.control.goodbye().await? == (Code::Revoked, false));
    let other = relay.broadcast().await?;
    let mut whip = webrtc::Publisher::join(&other.whip()).await?;
    relay.site().renew(&other.id, &[Power::Publish]).await?;
    whip.closed().await?;
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(1_000).await?;
    ensure!(all.player.frame().await?.place() == (publisher.epoch(), sent.group, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_back_stays_so_over_a_restart() -> Result<()> {
    let relay = TestRelay::start().await?;
    let (id, old, new, one, kept) = {
        let broadcast = relay.broadcast().await?;
        let (publish, old) = (
            broadcast.token(Role::Publisher),
            broadcast.minted(Role::Player),
        );
        relay.site().renew(&broadcast.id, &[Power::Play]).await?;
        let (one, kept) = (
            broadcast.minted(Role::Player),
            broadcast.token(Role::Player),
        );
        let admin = relay.admin_key()?;
        let revoked = json!({ "tokenId": one.id, "expires": one.expires });
        let (status, _) = ask(
            &relay,
            "POST",
            "/api/revocations",
            &publish,
            revoked.clone(),
        )
        .await?;
        ensure!(status == 403, "a publisher has no say");
        let (status, _) = ask(&relay, "POST", "/api/revocations", &admin, revoked).await?;
        ensure!(status == 200);
        (broadcast.id.clone(), old, publish, one, kept)
    };
    let relay = relay.restart().await?;
    for gone in [old.token.as_str(), one.token.as_str()] {
        let refused = Player::join(relay.target(), gone).await.err();
        ensure!(refused.is_some_and(|error| error.to_string() == "revoked"));
    }
    let mut player = Player::join(relay.target(), &kept).await?;
    let mut publisher = Publisher::join(relay.target(), &new, None).await?;
    publisher.keyframe(1_000).await?;
    player.frame().await?;
    ensure!(relay.site().gate.generation(&id).current == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kicked_session_ends_alone_and_its_token_with_it_if_that_is_wanted() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut players = [broadcast.player().await?, broadcast.player().await?];
    let mut watching = webrtc::Player::watch(&broadcast.whep()).await?;
    let publish = broadcast.token(Role::Publisher);
    let path = format!("/api/broadcasts/{}/sessions", broadcast.id);
    let (_, answer) = ask(&relay, "GET", &path, &publish, json!({})).await?;
    let sessions = answer["sessions"].as_array().context("no sessions")?;
    let transports: Vec<_> = sessions.iter().map(|one| &one["transport"]).collect();
    let own = relay.target().carrier.name();
    ensure!(transports == [own, own, "webrtc"], "{answer}");
    let session = |place: usize| format!("{path}/{}", sessions[place]["session"]);
    let (status, _) = ask(&relay, "DELETE", &session(0), &publish, json!({})).await?;
    ensure!(status == 204);
    ensure!(players[0].control.goodbye().await? == (Code::Kicked, false));
    let mut events = watching.session.events().await?;
    let (status, _) = ask(&relay, "DELETE", &session(2), &publish, json!({})).await?;
    ensure!(status == 204);
    ensure!(events.ended().await? == ("kicked".to_owned(), false));
    watching.closed().await?;
    let one_is_left = || relay.site().records.at(&broadcast.id).len() == 1;
    relay.until("the others to have left", one_is_left).await?;
    let (status, answer) = ask(&relay, "DELETE", &session(0), &publish, json!({})).await?;
    ensure!(status == 404, "{answer}");
    // With its token it is for good.
    let minted = broadcast.minted(Role::Player);
    let mut player = Player::join(relay.target(), minted.token.as_str()).await?;
    let (_, answer) = ask(&relay, "GET", &path, &publish, json!({})).await?;
    let own = |one: &&Value| one["tokenId"] == minted.id.as_str();
    let listed = answer["sessions"].as_array().context("no sessions")?;
    let own = listed.iter().find(own).context("it is not listed")?;
    let kick = format!("{path}/{}", own["session"]);
    let (status, _) = ask(&relay, "DELETE", &kick, &publish, json!({ "revoke": true })).await?;
    ensure!(status == 204);
    let (code, retries) = player.control.goodbye().await?;
    ensure!([Code::Kicked, Code::Revoked].contains(&code) && !retries);
    let again = Player::join(relay.target(), minted.token.as_str())
        .await
        .err();
    ensure!(again.is_some_and(|error| error.to_string() == "revoked"));
    players[1].control.ping().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_to_stay_until_ends_its_sessions_in_band() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut players = Vec::new();
    for role in [Role::Player, Role::Publisher] {
        let token = broadcast.token_to_stay_until(role, 2);
        let mut control = Control::open(relay.target()).await?;
        control.hello(role, &token, None).await?;
        players.push(control);
    }
    let endpoint = broadcast.whep_with(&broadcast.token_to_stay_until(Role::Player, 2));
    let mut watching = webrtc::Player::watch(&endpoint).await?;
    let mut events = watching.session.events().await?;
    let mut stays = broadcast.player().await?;
    for control in &mut players {
        ensure!(control.goodbye().await? == (Code::TokenExpired, false));
    }
    ensure!(events.ended().await? == ("token_expired".to_owned(), false));
    watching.closed().await?;
    stays.control.ping().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_for_several_broadcasts_opens_the_one_that_the_path_names() -> Result<()> {
    let relay = TestRelay::start().await?;
    let admin = relay.admin_key()?;
    let create = json!({ "id": "game-7", "title": "Seven" });
    let (status, _) = ask(&relay, "POST", "/api/broadcasts", &admin, create.clone()).await?;
    ensure!(status == 201);
    let (status, answer) = ask(&relay, "POST", "/api/broadcasts", &admin, create).await?;
    ensure!(status == 409 && answer["code"] == "exists", "{answer}");
    let wish = json!({ "broadcast": "game-*", "roles": ["play"], "name": "Ada", "subject": "ada" });
    let (status, answer) = ask(&relay, "POST", "/api/tokens", &admin, wish).await?;
    ensure!(status == 201 && answer["link"].is_null(), "{answer}");
    let token = text(&answer["token"])?.to_owned();
    let unnamed = Player::join(relay.target(), &token).await.err();
    ensure!(unnamed.is_some_and(|error| error.to_string() == "unauthorized"));
    let named = |path: &'static str| {
        let (relay, token) = (&relay, &token);
        async move {
            let connection = connect(relay.target(), path, None).await?;
            Player::greet(Control::on(connection).await?, token).await
        }
    };
    ensure!(named("/session/other").await.is_err());
    ensure!(named("/session/game-8").await.is_err());
    let mut player = named("/session/game-7").await?;
    player.control.ping().await?;
    // What she had is taken back from her by name.
    let (status, answer) = ask(
        &relay,
        "POST",
        "/api/revocations",
        &admin,
        json!({ "subject": "ada" }),
    )
    .await?;
    ensure!(status == 200 && answer["sessionsEnded"] == 1, "{answer}");
    ensure!(player.control.goodbye().await? == (Code::Revoked, false));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_to_a_broadcast_that_ended_open_no_other_of_its_name() -> Result<()> {
    let relay = TestRelay::start().await?;
    let admin = relay.admin_key()?;
    let create = json!({ "id": "main" });
    let (_, first) = ask(&relay, "POST", "/api/broadcasts", &admin, create.clone()).await?;
    let mut player = Player::join(relay.target(), text(&first["playToken"])?).await?;
    ask(&relay, "DELETE", "/api/broadcasts/main", &admin, json!({})).await?;
    ensure!(player.control.goodbye().await? == (Code::BroadcastEnded, false));
    let (status, second) = ask(&relay, "POST", "/api/broadcasts", &admin, create).await?;
    ensure!(status == 201, "{second}");
    let old = Player::join(relay.target(), text(&first["playToken"])?)
        .await
        .err();
    ensure!(old.is_some_and(|error| error.to_string() == "revoked"));
    Player::join(relay.target(), text(&second["playToken"])?).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publishers_token_says_how_many_players_it_may_have() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let admin = relay.admin_key()?;
    let wish = json!({
        "broadcast": broadcast.id.as_str(), "roles": ["publish"], "limits": { "players": 1 },
    });
    let (_, answer) = ask(&relay, "POST", "/api/tokens", &admin, wish).await?;
    let token = text(&answer["token"])?;
    ensure!(text(&answer["link"])?.contains("/admin#token="), "{answer}");
    let _publisher = Publisher::join(relay.target(), token, None).await?;
    let _first = broadcast.player().await?;
    let second = broadcast.player().await.err();
    ensure!(second.is_some_and(|error| error.to_string() == "too_many"));
    let second = webrtc::Player::watch(&broadcast.whep()).await;
    ensure!(second.is_err());
    Ok(())
}

/// A token for a publisher at a broadcast that may bring so much.
async fn bounded(relay: &TestRelay, broadcast: &TestBroadcast<'_>, kbps: u32) -> Result<String> {
    let wish = json!({
        "broadcast": broadcast.id.as_str(), "roles": ["publish"], "limits": { "kbps": kbps },
    });
    let (_, answer) = ask(relay, "POST", "/api/tokens", &relay.admin_key()?, wish).await?;
    Ok(text(&answer["token"])?.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publishers_token_says_how_much_it_may_bring() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let token = bounded(&relay, &broadcast, 1_000).await?;
    let mut publisher = Publisher::join(relay.target(), &token, None).await?;
    let mut player = broadcast.player().await?;
    let begun = Instant::now();
    // Five seconds of it, of which one may come at once.
    publisher.keyframe(25_000).await?;
    for _ in 1..25 {
        publisher.delta(25_000).await?;
    }
    for _ in 0..25 {
        player.frame().await?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(seconds > 3.0, "{seconds}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whip_client_that_brings_more_than_its_token_allows_is_sent_away() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let token = bounded(&relay, &broadcast, 1).await?;
    let mut publisher = webrtc::Publisher::join(&broadcast.whip_with(&token)).await?;
    let mut time = 0_u32;
    let mut pace = tokio::time::interval(Duration::from_millis(500));
    let sending = async {
        loop {
            pace.tick().await;
            publisher
                .send(&coded(Kind::Vp8, true, time, 1_000), time.into())
                .await?;
            time += 45_000;
        }
    };
    let gone = relay.until("it is gone", || relay.site().bridge.sessions() == 0);
    tokio::select! {
        sent = sending => { let sent: Result<()> = sent; sent? }
        gone = gone => gone?,
    }
    publisher.closed().await
}

steadycast_tests::over_websocket! {
    new_links_for_viewers_end_the_old_ones_on_every_transport,
    new_links_for_publishers_end_the_publisher_and_no_player,
    what_was_taken_back_stays_so_over_a_restart,
    a_kicked_session_ends_alone_and_its_token_with_it_if_that_is_wanted,
    a_token_to_stay_until_ends_its_sessions_in_band,
    a_token_for_several_broadcasts_opens_the_one_that_the_path_names,
    links_to_a_broadcast_that_ended_open_no_other_of_its_name,
    a_publishers_token_says_how_many_players_it_may_have,
    a_publishers_token_says_how_much_it_may_bring,
}

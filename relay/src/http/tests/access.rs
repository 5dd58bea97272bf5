//! New links, tokens, what is taken back, and sessions, as the API has them.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use steadycast_codec_glue::wire::Role;

use super::{ADMIN, Relay, broadcast_id};
use crate::auth::{Power, Refusal, Transport, Visit, Withdrawal};
use crate::records::Record;
use crate::store::TokenKeys;

impl Relay {
    /// A session with this token.
    fn enter(&self, token: &str, role: Role) -> Result<Record, Refusal> {
        self.enter_over(Transport::WebRtc, token, role)
    }

    /// A session with this token, over this transport.
    pub(super) fn enter_over(
        &self,
        transport: Transport,
        token: &str,
        role: Role,
    ) -> Result<Record, Refusal> {
        let visit = Visit {
            number: self.site.gate.number(),
            transport,
            from: "192.0.2.1".parse().unwrap(),
            since: self.site.clock.now(),
        };
        let gate = &self.site.gate;
        let grant = gate.recognise(token, visit.since)?;
        let broadcast = grant.broadcasts.one().unwrap().clone();
        let pass = gate.enter(grant, role, &broadcast, visit)?;
        let record = self.site.records.open(pass);
        record.begin();
        Ok(record)
    }

    pub(super) async fn wish(&self, bearer: &str, wish: Value) -> super::Reply {
        self.post("/api/tokens", bearer, &wish.to_string()).await
    }
}

fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap()
}

#[tokio::test]
async fn new_links_are_further_ones_unless_the_old_are_to_end() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let (publish, play) = (text(&made, "publishToken"), text(&made, "playToken"));
    let path = format!("/api/broadcasts/{}/links", text(&made, "id"));
    let reply = relay.post(&path, publish, "").await;
    assert_eq!(reply.status, StatusCode::CREATED);
    let further = reply.json();
    let link = format!(
        "http://relay.test:4433/play#token={}",
        text(&further, "playToken")
    );
    assert_eq!(further["links"]["player"], link);
    assert!(further["expires"].as_u64() >= made["expires"].as_u64());
    assert!(relay.enter(play, Role::Player).is_ok());
    let reply = relay.post(&path, publish, r#"{"end": ["play"]}"#).await;
    for old in [play, text(&further, "playToken")] {
        let refused = relay.enter(old, Role::Player).map(drop);
        assert_eq!(refused, Err(Refusal::Revoked));
    }
    let json = reply.json();
    assert!(relay.enter(text(&json, "playToken"), Role::Player).is_ok());
    // Whoever asked may go on, until that is taken from it as well.
    let reply = relay.post(&path, publish, r#"{"end": ["publish"]}"#).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    let reply = relay.post(&path, publish, "").await;
    assert_eq!(reply.problem(401), "revoked");
    let reply = relay.get(&path.replace("/links", ""), publish).await;
    assert_eq!(reply.problem(401), "revoked");
}

#[tokio::test]
async fn what_panels_know_each_other_by_is_for_publishers_and_goes_with_their_links() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let other = relay.create("y").await;
    let id = text(&made, "id");
    let path = format!("/api/broadcasts/{id}");
    let (publish, play) = (text(&made, "publishToken"), text(&made, "playToken"));
    // A full disk is no reason to leave an admin without a panel.
    relay.store.breaks(true);
    let first = relay.get(&path, publish).await.json();
    relay.store.breaks(false);
    let secret = text(&first, "panelSecret");
    assert_eq!(secret.len(), 43);
    assert_eq!(relay.get(&path, ADMIN).await.json()["panelSecret"], secret);
    let some = relay.admin(id, "ada").await;
    assert_eq!(relay.get(&path, &some).await.json()["panelSecret"], secret);
    let others = format!("/api/broadcasts/{}", text(&other, "id"));
    let reply = relay.get(&others, ADMIN).await.json();
    assert_ne!(text(&reply, "panelSecret"), secret);

    for (bearer, status) in [
        (play, 403),
        (text(&other, "publishToken"), 403),
        ("odd", 401),
    ] {
        let reply = relay.get(&path, bearer).await;
        assert_eq!(reply.status.as_u16(), status);
        assert!(!reply.text().contains(secret));
    }
    let list = relay.get("/api/broadcasts", ADMIN).await;
    assert!(!list.text().contains("panelSecret"), "{}", list.text());
    let entry = relay.site.ledger.get(&broadcast_id(id)).unwrap();
    assert!(!format!("{entry:?}").contains(secret), "{entry:?}");

    relay.site.keep(None).await.unwrap();
    let again = Relay::over(relay.store.clone(), |_| {});
    assert_eq!(again.site.restore(), 2);
    assert_eq!(
        again.get(&path, publish).await.json()["panelSecret"],
        secret
    );

    let links = format!("{path}/links");
    again.post(&links, publish, r#"{"end": ["play"]}"#).await;
    assert_eq!(
        again.get(&path, publish).await.json()["panelSecret"],
        secret
    );
    let fresh = again.post(&links, publish, r#"{"end": ["publish", "play"]}"#);
    let fresh = fresh.await.json();
    let reply = again.get(&path, publish).await;
    assert_eq!(reply.problem(401), "revoked");
    let reply = again.get(&path, text(&fresh, "publishToken")).await.json();
    let renewed = text(&reply, "panelSecret");
    assert_ne!(renewed, secret);
    let reply = again.get(&path, ADMIN).await.json();
    assert_eq!(reply["panelSecret"], renewed);
}

#[tokio::test]
async fn nothing_is_taken_back_that_cannot_be_kept() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let (publish, play) = (text(&made, "publishToken"), text(&made, "playToken"));
    let path = format!("/api/broadcasts/{}/links", text(&made, "id"));
    relay.store.breaks(true);
    let reply = relay.post(&path, publish, r#"{"end": ["play"]}"#).await;
    assert_eq!(reply.problem(503), "internal");
    let reply = relay.post("/api/revocations", ADMIN, r#"{"subject": "ada"}"#);
    assert_eq!(reply.await.problem(503), "internal");
    assert!(relay.enter(play, Role::Player).is_ok());
}

#[tokio::test]
async fn tokens_are_made_as_they_are_wished() {
    let relay = Relay::new();
    let wish = json!({
        "broadcast": "game-*", "roles": ["play", "publish"], "subject": "ada", "name": "Ada L.",
        "ttlS": 60, "expiry": "stay_until", "limits": { "players": 5 },
    });
    let reply = relay.wish(ADMIN, wish).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    let made = reply.json();
    let now = relay.site.clock.now();
    let grant = relay
        .site
        .gate
        .recognise(text(&made, "token"), now)
        .unwrap();
    assert_eq!(grant.holder.token.as_deref(), Some(text(&made, "tokenId")));
    assert_eq!(grant.holder.name.as_deref(), Some("Ada L."));
    assert_eq!(grant.allotment.players, Some(5));
    let game = broadcast_id("game-1");
    assert_eq!(grant.require(Power::Publish, &game), Ok(()));
    assert_eq!(made["expires"], json!(grant.expires));
    let seconds = now.as_seconds();
    assert!((seconds + 59..=seconds + 61).contains(&grant.expires.unwrap()));
    assert!(made["link"].is_null(), "a page would not know where to go");
    // Of one broadcast it is a link.
    let main = relay.wish(ADMIN, json!({ "broadcast": "main", "roles": ["play"] }));
    let link = text(&main.await.json(), "link").to_owned();
    assert!(
        link.starts_with("http://relay.test:4433/play#token="),
        "{link}"
    );
}

#[tokio::test]
async fn nobody_gives_away_more_than_it_has() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let (id, publish) = (text(&made, "id"), text(&made, "publishToken"));
    let wish = |broadcast: &str, role: &str| json!({ "broadcast": broadcast, "roles": [role] });
    for role in ["publish", "play"] {
        let reply = relay.wish(publish, wish(id, role)).await;
        assert_eq!(reply.status, StatusCode::CREATED);
    }
    for (broadcast, role) in [(id, "admin"), ("other", "play"), ("*", "play")] {
        let reply = relay.wish(publish, wish(broadcast, role)).await;
        assert_eq!(reply.problem(403), "unauthorized", "{broadcast} {role}");
    }
    let play = text(&made, "playToken");
    assert_eq!(
        relay.wish(play, wish(id, "play")).await.problem(403),
        "unauthorized"
    );
    // An admin of some broadcasts is one of no others.
    let made = relay.wish(ADMIN, wish("game-*", "admin")).await.json();
    let admin = text(&made, "token");
    for (broadcast, status) in [("game-*", 201), ("game-7", 201), ("games", 403), ("*", 403)] {
        let reply = relay.wish(admin, wish(broadcast, "admin")).await;
        assert_eq!(reply.status.as_u16(), status, "{broadcast}");
    }
    let create = |id: &str| json!({ "id": id }).to_string();
    let reply = relay
        .post("/api/broadcasts", admin, &create("game-7"))
        .await;
    assert_eq!(reply.status, StatusCode::CREATED);
    let reply = relay
        .post("/api/broadcasts", admin, &create("game-7"))
        .await;
    assert_eq!(reply.problem(409), "exists");
    let reply = relay.post("/api/broadcasts", admin, &create("other")).await;
    assert_eq!(reply.problem(403), "unauthorized");
    let reply = relay.post("/api/broadcasts", admin, "").await;
    assert_eq!(reply.problem(403), "unauthorized", "of any id");
    assert_eq!(
        relay.get("/api/broadcasts/game-7", admin).await.status,
        StatusCode::OK
    );
    let reply = relay.get(&format!("/api/broadcasts/{id}"), admin).await;
    assert_eq!(reply.problem(403), "unauthorized");
    let reply = relay
        .post("/api/revocations", admin, r#"{"subject": "ada"}"#)
        .await;
    assert_eq!(reply.problem(403), "unauthorized");
}

#[tokio::test]
async fn wishes_that_make_no_sense_are_told_what_is_wrong() {
    let relay = Relay::new();
    let long = "x".repeat(256);
    for (path, body, detail) in [
        (
            "tokens",
            json!({ "roles": ["play"] }),
            "missing field `broadcast`",
        ),
        (
            "tokens",
            json!({ "broadcast": "A", "roles": ["play"] }),
            "a pattern of broadcasts",
        ),
        (
            "tokens",
            json!({ "broadcast": "a", "roles": ["king"] }),
            "unknown variant `king`",
        ),
        (
            "tokens",
            json!({ "broadcast": "a", "roles": ["play"], "ttlS": 0 }),
            "ttlS: 1 to",
        ),
        (
            "tokens",
            json!({ "broadcast": "a", "roles": ["play"], "name": "" }),
            "name: 1 to 255",
        ),
        (
            "tokens",
            json!({ "broadcast": "a", "roles": ["play"], "name": "a\nb" }),
            "control",
        ),
        (
            "tokens",
            json!({ "broadcast": "a", "roles": ["play"], "subject": long }),
            "subject: 1 to",
        ),
        (
            "tokens",
            json!({ "broadcast": "a", "roles": ["play"], "limits": { "x": 1 } }),
            "limits",
        ),
        (
            "tokens",
            json!({ "broadcast": "a", "roles": [] }),
            "roles: at least one",
        ),
        ("revocations", json!({}), "a tokenId"),
        (
            "revocations",
            json!({ "subject": "a", "tokenId": "b" }),
            "a tokenId",
        ),
        (
            "revocations",
            json!({ "subject": "a", "expires": 5 }),
            "a tokenId",
        ),
        ("broadcasts", json!({ "id": "No Id" }), "a broadcast id"),
        (
            "broadcasts/main/links",
            json!({ "end": ["all"] }),
            "unknown variant `all`",
        ),
    ] {
        let path = format!("/api/{path}");
        let reply = relay.post(&path, ADMIN, &body.to_string()).await;
        assert_eq!(reply.problem(400), "malformed", "{path} {body}");
        assert!(reply.text().contains(detail), "{body}: {}", reply.text());
    }
    let reply = relay.post("/api/broadcasts/gone/links", ADMIN, "").await;
    assert_eq!(reply.problem(404), "unknown_broadcast");
}

#[tokio::test]
async fn sessions_are_shown_to_those_in_power_and_end_when_they_say() {
    let relay = Relay::new();
    let (made, other) = (relay.create("x").await, relay.create("y").await);
    let path = format!("/api/broadcasts/{}/sessions", text(&made, "id"));
    let pass = relay.enter(text(&made, "playToken"), Role::Player).unwrap();
    let elsewhere = relay
        .enter(text(&other, "playToken"), Role::Player)
        .unwrap();
    let publish = text(&made, "publishToken");
    let listed = relay.get(&path, publish).await.json();
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 1, "{listed}");
    assert_eq!(
        (&sessions[0]["role"], &sessions[0]["address"]),
        (&json!("play"), &json!("192.0.2.1"))
    );
    assert_eq!(sessions[0]["session"], json!(pass.pass().number()));
    for bearer in [text(&made, "playToken"), text(&other, "publishToken")] {
        assert_eq!(relay.get(&path, bearer).await.problem(403), "unauthorized");
    }
    for session in [
        elsewhere.pass().number().to_string(),
        "0".into(),
        "x".into(),
    ] {
        let reply = relay.delete(&format!("{path}/{session}"), publish).await;
        assert_eq!(reply.problem(404), "unknown_broadcast");
    }
    assert_eq!(
        (pass.pass().withdrawn(), elsewhere.pass().withdrawn()),
        (None, None)
    );
    let reply = relay
        .delete(&format!("{path}/{}", pass.pass().number()), publish)
        .await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert!(pass.pass().withdrawn().is_some());
}

#[tokio::test]
async fn what_a_publisher_gives_away_is_bounded_as_it_is_itself() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let id = text(&made, "id");
    let wish = json!({
        "broadcast": id, "roles": ["publish"], "subject": "ada", "limits": { "players": 2 },
    });
    let own = relay.wish(ADMIN, wish).await.json();
    let own = text(&own, "token");
    let wish = json!({
        "broadcast": id, "roles": ["publish"], "ttlS": 315_360_000, "limits": { "players": 9 },
    });
    let given = relay.wish(own, wish).await.json();
    let links = relay
        .post(&format!("/api/broadcasts/{id}/links"), own, "")
        .await
        .json();
    let now = relay.site.clock.now();
    for token in [text(&given, "token"), text(&links, "publishToken")] {
        let grant = relay.site.gate.recognise(token, now).unwrap();
        assert_eq!(grant.allotment.players, Some(2));
        let seconds = now.as_seconds();
        assert!(
            grant.expires.unwrap() <= seconds + 7_200,
            "no longer than a link"
        );
        assert_eq!(grant.holder.subject.as_deref(), Some("ada"));
    }
    // And goes with it.
    let path = format!("/api/broadcasts/{id}");
    relay
        .post("/api/revocations", ADMIN, r#"{"subject": "ada"}"#)
        .await;
    for token in [own, text(&given, "token"), text(&links, "publishToken")] {
        assert_eq!(relay.get(&path, token).await.problem(401), "revoked");
    }
}

#[tokio::test]
async fn a_publisher_takes_nothing_back_that_is_good_elsewhere() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let publish = text(&made, "publishToken");
    let wish = json!({ "broadcast": "*", "roles": ["play", "admin"] });
    let wide = relay.wish(ADMIN, wish).await.json();
    let gate = &relay.site.gate;
    let grant = gate
        .recognise(text(&wide, "token"), relay.site.clock.now())
        .unwrap();
    let visit = Visit {
        number: gate.number(),
        transport: Transport::WebRtc,
        from: "192.0.2.1".parse().unwrap(),
        since: relay.site.clock.now(),
    };
    let id = broadcast_id(text(&made, "id"));
    let record = relay
        .site
        .records
        .open(gate.enter(grant, Role::Player, &id, visit).unwrap());
    record.begin();
    let path = format!("/api/broadcasts/{id}/sessions/{}", visit.number);
    let kick = |bearer: &str| {
        let request = super::request(Method::DELETE, &path, bearer, r#"{"revoke": true}"#);
        relay.send(request)
    };
    assert_eq!(kick(publish).await.problem(403), "unauthorized");
    assert_eq!(record.pass().withdrawn(), None);
    assert_eq!(kick(ADMIN).await.status, StatusCode::NO_CONTENT);
    let refused = relay.get("/api/broadcasts", text(&wide, "token")).await;
    assert_eq!(refused.problem(401), "revoked");
}

#[tokio::test]
async fn an_id_that_was_made_up_before_has_no_old_links_either() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let id = text(&made, "id");
    relay.delete(&format!("/api/broadcasts/{id}"), ADMIN).await;
    let again = relay
        .post("/api/broadcasts", ADMIN, &json!({ "id": id }).to_string())
        .await;
    assert_eq!(again.status, StatusCode::CREATED);
    let old = relay
        .enter(text(&made, "playToken"), Role::Player)
        .map(drop);
    assert_eq!(old, Err(Refusal::Revoked));
    assert!(
        relay
            .enter(text(&again.json(), "playToken"), Role::Player)
            .is_ok()
    );
}

#[tokio::test]
async fn behind_a_proxy_clients_have_addresses_of_their_own() {
    let relay = Relay::new();
    let mut told = relay.site.records.events().listen();
    let mut from = async |peer: &str, said: &str| {
        let mut request = super::ask(
            Method::POST,
            "/x/whip",
            "wrong",
            &[
                ("content-type", "application/sdp"),
                ("x-forwarded-for", said),
            ],
            "v=0",
        );
        request
            .headers_mut()
            .insert("x-forwarded-proto", "https".parse().unwrap());
        relay.send_from(peer, request).await;
        serde_json::to_value(&*told.next().await.unwrap().unwrap()).unwrap()["session"]["address"]
            .clone()
    };
    // 198.51.100.0/24 are proxies.
    assert_eq!(from("198.51.100.7", "192.0.2.1").await, "192.0.2.1");
    assert_eq!(
        from("198.51.100.7", "6.6.6.6, 192.0.2.1").await,
        "192.0.2.1"
    );
    assert_eq!(
        from("203.0.113.7", "192.0.2.1").await,
        "203.0.113.7",
        "no proxy's word"
    );
}

#[tokio::test]
async fn a_token_that_outlives_links_is_good_for_as_long_whatever_keys_are_made() {
    let relay = Relay::new();
    let wish = json!({ "broadcast": "x", "roles": ["play"], "ttlS": 200 * 24 * 3_600 });
    let made = relay.wish(ADMIN, wish).await.json();
    let renewed = relay.post("/api/keys", ADMIN, r#"{"key":"tokens"}"#).await;
    assert_eq!(renewed.status, StatusCode::OK);
    let later = relay.site.clock.now() + Duration::from_secs(199 * 24 * 3_600);
    let keys = TokenKeys::open(&relay.site.state, Duration::ZERO, later).unwrap();
    assert!(keys.signer().verify(text(&made, "token"), later).is_ok());
}

#[tokio::test]
async fn keys_are_made_anew_and_links_end_only_where_that_is_wished() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let (publish, play) = (text(&made, "publishToken"), text(&made, "playToken"));
    let watching = relay.enter(play, Role::Player).unwrap();
    let renew =
        async |admin: &str, wish: Value| relay.post("/api/keys", admin, &wish.to_string()).await;
    let inspected = async |admin: &str, token: &str| {
        let body = json!({ "token": token }).to_string();
        let path = "/api/tokens/inspect";
        relay.post(path, admin, &body).await.json()
    };
    let facts = inspected(ADMIN, play).await;
    assert_eq!(facts["grant"]["roles"], json!(["play"]));
    let wish = json!({ "key": "tokens" });
    assert_eq!(
        renew(publish, wish.clone()).await.problem(403),
        "unauthorized"
    );

    // Links of before stay good, also after a restart, and whoever has removed the file with the keys.
    let signer = || {
        let keys = TokenKeys::open(&relay.site.state, Duration::ZERO, relay.site.clock.now());
        keys.unwrap().signer()
    };
    std::fs::remove_file(relay.site.state.file("token.key")).unwrap();
    let early = relay.create("y").await;
    let reply = renew(ADMIN, wish).await;
    assert_eq!(reply.json(), json!({ "sessionsEnded": 0 }));
    let late = relay.create("z").await;
    for token in [text(&early, "playToken"), text(&late, "playToken")] {
        let facts = inspected(ADMIN, token).await;
        assert_eq!(facts["good"], true);
        assert!(facts["grant"]["issued"].is_u64());
        assert!(signer().verify(token, relay.site.clock.now()).is_ok());
    }
    let entered = relay.enter(text(&late, "playToken"), Role::Player).unwrap();
    let reply = renew(ADMIN, json!({ "key": "tokens", "endLinks": true })).await;
    assert_eq!(reply.json(), json!({ "sessionsEnded": 2 }));
    for session in [&watching, &entered] {
        assert_eq!(session.pass().withdrawn(), Some(Withdrawal::Revoked));
    }
    let facts = inspected(ADMIN, text(&late, "playToken")).await;
    assert_eq!(
        (&facts["good"], &facts["code"]),
        (&json!(false), &json!("unauthorized"))
    );

    // An admin of some broadcasts makes admins about the same subject alone.
    let some = relay.admin("a-*", "ada").await;
    for (subject, status) in [(json!("ada"), 201), (Value::Null, 201), (json!("eve"), 403)] {
        let wish = json!({ "broadcast": "a-*", "roles": ["admin"], "subject": subject });
        assert_eq!(relay.wish(&some, wish).await.status.as_u16(), status);
    }

    // The admin key that was is good for nothing from then on.
    let reply = renew(ADMIN, json!({ "key": "admin" })).await.json();
    let admin = text(&reply, "adminKey").to_owned();
    assert_eq!(relay.get("/api/broadcasts", ADMIN).await.status, 401);
    assert_eq!(relay.get("/api/broadcasts", &admin).await.status, 200);
    let both = json!({ "key": "admin", "endLinks": true });
    assert_eq!(renew(&admin, both).await.problem(400), "malformed");
    let set = Relay::with(|site| site.rules.get_mut().admin_key_is_set = true);
    let reply = set.post("/api/keys", ADMIN, r#"{"key":"admin"}"#).await;
    assert_eq!(reply.problem(409), "exists");
}

#[tokio::test]
async fn whoever_may_watch_a_broadcast_learns_what_it_is_called() {
    let relay = Relay::new();
    let made = relay.create("Game night").await;
    let (id, play) = (text(&made, "id"), text(&made, "playToken"));
    let path = format!("/api/broadcasts/{id}/title");
    let reply = relay.get(&path, play).await;
    assert_eq!(reply.json(), json!({ "title": "Game night" }));
    assert_eq!(reply.header("cache-control"), "no-store");
    // And nobody else does.
    let other = relay.create("y").await;
    for (bearer, status) in [
        ("", 401),
        ("nonsense", 401),
        (text(&other, "playToken"), 403),
        (text(&made, "publishToken"), 403),
    ] {
        assert_eq!(relay.get(&path, bearer).await.status.as_u16(), status);
    }
    let renewed = format!("/api/broadcasts/{id}/links");
    relay.post(&renewed, ADMIN, r#"{"end": ["play"]}"#).await;
    assert_eq!(relay.get(&path, play).await.problem(401), "revoked");
    let missing = relay.token("nowhere", Role::Player);
    let reply = relay.get("/api/broadcasts/nowhere/title", &missing).await;
    assert_eq!(reply.problem(404), "unknown_broadcast");
}

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use serde_json::json;
use steadycast_codec_glue::wire::{Code, ResumeSecret, Role};

use super::{ADMIN, APP, Relay, Site, ask, broadcast_id, request};
use crate::auth::Power;
use crate::broadcast::test_frames::frame;
use crate::broadcast::{Registry, RelayTime, Settings, Widths};
use crate::store::{Change, Entry, Seen, Store};
use crate::tls::interface_addresses;

#[tokio::test]
async fn health_says_whether_the_relay_takes_anything_on() {
    let relay = Relay::new();
    let reply = relay.get("/health", "").await;
    assert_eq!(
        (reply.status, reply.text()),
        (StatusCode::OK, r#"{"status":"ok"}"#)
    );
    relay.site.draining.cancel();
    let reply = relay.get("/health", "").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.text(), r#"{"status":"draining"}"#);
    let reply = relay.post("/api/broadcasts", ADMIN, "").await;
    assert_eq!(reply.problem(503), "shutting_down");
}

#[tokio::test]
async fn a_relay_that_can_keep_nothing_lives_and_is_not_ready() {
    let relay = Relay::new();
    let status = async |path: &str| relay.get(path, "").await.status.as_u16();
    assert_eq!(
        (status("/health").await, status("/ready").await),
        (200, 200)
    );
    relay.store.breaks(true);
    relay.post("/api/broadcasts", ADMIN, "").await;
    assert_eq!(
        (status("/health").await, status("/ready").await),
        (200, 503)
    );
    relay.store.breaks(false);
    relay.post("/api/broadcasts", ADMIN, "").await;
    assert_eq!(status("/ready").await, 200);
    relay.site.draining.cancel();
    assert_eq!(
        (status("/health").await, status("/ready").await),
        (503, 503)
    );
}

#[tokio::test]
async fn it_is_known_who_made_a_broadcast_and_when() {
    let relay = Relay::new();
    let admin = relay.admin("*", "ada").await;
    for (bearer, id) in [(ADMIN, "key"), (&admin, "ada")] {
        let body = json!({ "id": id }).to_string();
        let made = relay.post("/api/broadcasts", bearer, &body).await;
        assert_eq!(made.status, StatusCode::CREATED);
    }
    let again = Relay::over(relay.store.clone(), |_| {});
    again.site.restore();
    let list = again.get("/api/broadcasts", ADMIN).await.json();
    let makers = ["ada", "key"].map(|id| {
        let all = list["broadcasts"].as_array().unwrap();
        let one = all.iter().find(|one| one["id"] == id).unwrap();
        assert!(one["created"].as_u64().unwrap() > 1_600_000_000);
        one.get("maker").cloned()
    });
    assert_eq!(makers, [Some(json!("ada")), None]);
}

#[tokio::test]
async fn lists_come_in_pages_and_by_maker() {
    let relay = Relay::new();
    let ada = relay.admin("*", "ada").await;
    for (bearer, id) in [(ADMIN, "b"), (&ada, "c"), (&ada, "a-1")] {
        let body = json!({ "id": id }).to_string();
        relay.post("/api/broadcasts", bearer, &body).await;
    }
    let ids = async |query: &str, bearer: &str| {
        let reply = relay.get(&format!("/api/broadcasts{query}"), bearer).await;
        let json = reply.json();
        let all = json["broadcasts"].as_array().unwrap().iter();
        let ids: Vec<_> = all
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect();
        (ids.join(" "), json["next"].as_str().map(str::to_owned))
    };
    let page = |ids: &str, next: Option<&str>| (ids.to_owned(), next.map(str::to_owned));
    assert_eq!(ids("", ADMIN).await, page("a-1 b c", None));
    assert_eq!(ids("?limit=2", ADMIN).await, page("a-1 b", Some("b")));
    assert_eq!(ids("?limit=2&after=b", ADMIN).await, page("c", None));
    assert_eq!(ids("?maker=ada", ADMIN).await, page("a-1 c", None));
    assert_eq!(
        ids("?maker=ada&limit=1", ADMIN).await,
        page("a-1", Some("a-1"))
    );
    assert_eq!(ids("?maker=bob", ADMIN).await, page("", None));
    // Who administers some sees these.
    let some = relay.admin("a-*", "bob").await;
    assert_eq!(ids("", &some).await, page("a-1", None));
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "after=X",
        "maker=",
        "odd=1",
    ] {
        let reply = relay.get(&format!("/api/broadcasts?{query}"), ADMIN).await;
        assert_eq!(reply.problem(400), "malformed", "{query}");
    }
}

#[tokio::test]
async fn one_maker_cannot_take_all_the_room() {
    let relay = Relay::new();
    let (ada, bob) = (relay.admin("*", "ada").await, relay.admin("*", "bob").await);
    for _ in 0..2 {
        let reply = relay.post("/api/broadcasts", &ada, "").await;
        assert_eq!(reply.status, StatusCode::CREATED);
    }
    let reply = relay.post("/api/broadcasts", &ada, "").await;
    assert_eq!(reply.problem(429), "too_many");
    assert!(reply.text().contains("max_per_maker"));
    let reply = relay.post("/api/broadcasts", &bob, "").await;
    assert_eq!(reply.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_broadcast_has_settings_of_its_own_and_keeps_them() {
    let relay = Relay::new();
    let own = json!({ "players": 1, "heldTimeoutS": 60 });
    let body = json!({ "id": "small", "settings": own }).to_string();
    let reply = relay.post("/api/broadcasts", ADMIN, &body).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    for relay in [&relay, &Relay::over(relay.store.clone(), |_| {})] {
        relay.site.restore();
        let shown = relay.get("/api/broadcasts/small", ADMIN).await.json();
        assert_eq!(shown["settings"], own);
        let small = relay.site.registry.find(&broadcast_id("small")).unwrap();
        let _first = small.attach_player().unwrap();
        assert!(small.attach_player().is_err());
    }
    // Where the relay allows less than is asked for, that is what holds and what is said.
    let most = json!({ "players": u32::MAX, "heldTimeoutS": u32::MAX, "waitingTimeoutS": 5 });
    let body = json!({ "id": "large", "settings": most }).to_string();
    relay.post("/api/broadcasts", ADMIN, &body).await;
    let shown = relay.get("/api/broadcasts/large", ADMIN).await.json();
    let holds = json!({ "players": 10_000, "heldTimeoutS": 1_800, "waitingTimeoutS": 5 });
    assert_eq!(shown["settings"], holds);
    for wrong in [
        json!({ "players": 0 }),
        json!({ "odd": 1 }),
        json!([1, 2, 3]),
    ] {
        let body = json!({ "settings": wrong }).to_string();
        let reply = relay.post("/api/broadcasts", ADMIN, &body).await;
        assert_eq!(reply.problem(400), "malformed");
    }
}

#[tokio::test]
async fn a_keyframe_is_asked_for_where_somebody_publishes() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/broadcasts/{id}/keyframe");
    let ask = async || {
        let reply = relay
            .post(&path, made["publishToken"].as_str().unwrap(), "")
            .await;
        assert_eq!(reply.status, StatusCode::ACCEPTED);
        reply.json()["asked"].as_bool().unwrap()
    };
    assert!(!ask().await, "nobody is there");
    let broadcast = relay.site.registry.find(&broadcast_id(id)).unwrap();
    let now = relay.site.clock.now();
    let publisher = broadcast.attach_publisher(None, ResumeSecret([1; 16]), Widths::One, now);
    let _publisher = publisher.unwrap();
    assert!(ask().await);
    assert!(!ask().await, "it has been asked just now");
    assert_eq!(broadcast.snapshot().totals.keyframe_requests, 1);
    // It takes no body: whoever sends one means something that would not happen.
    for (body, status) in [
        ("{}", 202),
        ("{\"track\":1}", 400),
        ("[]", 400),
        ("junk", 400),
    ] {
        let reply = relay.post(&path, ADMIN, body).await;
        assert_eq!(reply.status, status, "{body}");
    }
    let typed = |kind: &'static str| {
        let request = Request::post(&path).header("content-type", kind);
        let request = request.header("authorization", format!("Bearer {ADMIN}"));
        request.body(Body::from("{}")).unwrap()
    };
    let reply = relay.send(typed("text/plain")).await;
    assert_eq!(reply.problem(415), "malformed");
    let mut ending = typed("application/json");
    *ending.uri_mut() = format!("/api/broadcasts/{id}").parse().unwrap();
    *ending.method_mut() = Method::DELETE;
    *ending.body_mut() = Body::from(r#"{"after":60}"#);
    assert_eq!(relay.send(ending).await.problem(400), "malformed");
    let reply = relay.post("/api/broadcasts/none/keyframe", ADMIN, "").await;
    assert_eq!(reply.problem(404), "unknown_broadcast");
    let reply = relay
        .post(&path, made["playToken"].as_str().unwrap(), "")
        .await;
    assert_eq!(reply.problem(403), "unauthorized");
}

#[tokio::test]
async fn a_broadcast_ends_once_no_token_is_good_for_it() {
    let relay = Relay::new();
    for id in ["over", "attended", "good"] {
        let body = json!({ "id": id }).to_string();
        relay.post("/api/broadcasts", ADMIN, &body).await;
    }
    let old = |id: &str| {
        let entry = relay.site.ledger.get(&broadcast_id(id)).unwrap();
        assert!(entry.links_end.is_some(), "{id}");
        Change::Put(Entry {
            links_end: Some(1_700_000_000),
            ..entry
        })
    };
    relay.store.commit(&[old("over"), old("attended")]).unwrap();
    let relay = Relay::over(relay.store.clone(), |_| {});
    relay.site.restore();
    let find = |id: &str| relay.site.registry.find(&broadcast_id(id));
    let (fresh, now) = (ResumeSecret([1; 16]), relay.site.clock.now());
    let attended = find("attended").unwrap();
    let publisher = attended.attach_publisher(None, fresh, Widths::One, now);
    let publisher = publisher.unwrap();
    publisher.publish(frame(1, 0, 0, 10), now).unwrap();
    relay.site.end_unreachable().await.unwrap();
    assert_eq!(
        ["over", "attended", "good"].map(|id| find(id).is_some()),
        [false, true, true]
    );
}

#[tokio::test]
async fn pages_learn_where_sessions_are_and_which_certificate_to_expect() {
    let relay = Relay::new();
    let reply = relay.get("/api/relay", "").await;
    let json = reply.json();
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(
        (&json["protocol"], &json["session"]),
        (&json!(6), &json!("/session"))
    );
    assert_eq!(json["protocols"], json!({ "min": 1, "max": 6 }));
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    let started = json["startedUs"].as_u64().unwrap();
    assert!(started > 1_600_000_000_000_000);
    assert!(json["relayUs"].as_u64().unwrap() >= started);
    let later = relay.get("/api/relay", "").await.json();
    assert_eq!(later["startedUs"], json["startedUs"]);
    let der = relay.site.identities.borrow().as_ref().unwrap().chain()[0].clone();
    let hash = STANDARD.encode(digest::digest(&digest::SHA256, &der));
    assert_eq!(json["certificateHashes"], json!([hash]));
}

#[tokio::test]
async fn an_admin_creates_lists_and_ends() {
    let relay = Relay::new();
    let made = relay.create(" Game night ").await;
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["title"], "Game night");
    let (publish, play) = (
        made["publishToken"].as_str().unwrap(),
        made["playToken"].as_str().unwrap(),
    );
    assert_eq!(
        made["links"]["admin"],
        format!("http://relay.test:4433/admin#token={publish}")
    );
    assert_eq!(
        made["links"]["player"],
        format!("http://relay.test:4433/play#token={play}")
    );
    let now = relay.site.clock.now();
    let grant = relay.site.gate.recognise(play, now).unwrap();
    assert_eq!(grant.require(Power::Play, &broadcast_id(id)), Ok(()));
    assert_eq!(made["expires"], json!(grant.expires));

    let list = relay.get("/api/broadcasts", ADMIN).await.json();
    assert_eq!(list["broadcasts"][0]["id"], id);
    let one = relay
        .get(&format!("/api/broadcasts/{id}"), ADMIN)
        .await
        .json();
    assert_eq!(
        (&one["phase"], &one["players"]),
        (&json!("waiting"), &json!(0))
    );
    assert!(one["totals"]["framesReceived"].is_number() && one["cache"]["bytes"].is_number());
    assert_eq!(
        (&one["sound"], &one["totals"]["soundFrames"]),
        (&json!(null), &json!(0))
    );
    let player = one["links"]["player"].as_str().unwrap();
    assert!(
        player.starts_with("http://relay.test:4433/play#token=ey"),
        "{player}"
    );

    let reply = relay.delete(&format!("/api/broadcasts/{id}"), ADMIN).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    let reply = relay.delete(&format!("/api/broadcasts/{id}"), ADMIN).await;
    assert_eq!(reply.problem(404), "unknown_broadcast");
}

#[tokio::test]
async fn broadcasts_survive_a_restart_and_ended_ones_do_not() {
    let relay = Relay::new();
    let kept = relay.create("kept").await;
    let ended = relay.create("ended").await;
    let path = format!("/api/broadcasts/{}", ended["id"].as_str().unwrap());
    relay.delete(&path, ADMIN).await;
    let again = Relay::over(relay.store.clone(), |_| {});
    assert_eq!(again.site.restore(), 1);
    let list = again.get("/api/broadcasts", ADMIN).await.json();
    assert_eq!(list["broadcasts"][0]["id"], kept["id"]);
    assert_eq!(list["broadcasts"][0]["title"], "kept");
}

#[tokio::test]
async fn a_broadcast_that_cannot_be_kept_is_not_created() {
    let relay = Relay::new();
    relay.store.breaks(true);
    let reply = relay.post("/api/broadcasts", ADMIN, "").await;
    assert_eq!(reply.problem(503), "internal");
    assert!(relay.site.registry.list().is_empty());
}

#[tokio::test]
async fn a_broadcast_that_cannot_be_forgotten_does_not_end() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let path = format!("/api/broadcasts/{}", made["id"].as_str().unwrap());
    let id = broadcast_id(made["id"].as_str().unwrap());
    let seat = relay.site.registry.find(&id).unwrap().attach_player();
    relay.store.breaks(true);
    let reply = relay.delete(&path, ADMIN).await;
    assert_eq!(reply.problem(503), "internal");
    assert_eq!(relay.get(&path, ADMIN).await.status, StatusCode::OK);
    assert_eq!(seat.unwrap().news().borrow().ended, None);
    assert_eq!(relay.store.load().unwrap().broadcasts.len(), 1);
    relay.store.breaks(false);
    let reply = relay.delete(&path, ADMIN).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert!(relay.store.load().unwrap().broadcasts.is_empty());
}

#[tokio::test]
async fn fewer_broadcasts_being_allowed_costs_nobody_a_broadcast() {
    let relay = Relay::new();
    for title in ["a", "b", "c"] {
        relay.create(title).await;
    }
    let again = Relay::over(relay.store.clone(), |site| {
        site.registry = Arc::new(Registry::new(Settings {
            max_broadcasts: 1,
            ..Settings::default()
        }));
    });
    assert_eq!(again.site.restore(), 3);
    let reply = again.post("/api/broadcasts", ADMIN, "").await;
    assert_eq!(reply.problem(429), "too_many");
    assert!(reply.text().contains("broadcast.max_broadcasts"));
}

#[tokio::test]
async fn publishers_that_go_because_the_relay_stops_are_not_noted_as_away() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let id = broadcast_id(made["id"].as_str().unwrap());
    let at = |seconds: u64| RelayTime::from_micros(seconds * 1_000_000);
    let broadcast = relay.site.registry.find(&id).unwrap();
    let secret = ResumeSecret([1; 16]);
    let seat = broadcast
        .attach_publisher(None, secret, Widths::One, at(1))
        .unwrap();
    seat.publish(frame(1, 0, 0, 10), at(1)).unwrap();
    seat.leave(at(5));
    let noted = || relay.site.ledger.entries()[0].publisher;
    relay.site.keep(Some(at(5))).await.unwrap();
    assert_eq!(noted(), Seen::Here);
    relay.site.keep(Some(at(6))).await.unwrap();
    assert_eq!(noted(), Seen::AwaySince(5));
}

#[tokio::test]
async fn what_time_has_ended_goes_from_the_list_as_soon_as_it_can_be_written() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let id = broadcast_id(made["id"].as_str().unwrap());
    relay.store.breaks(true);
    relay.site.registry.end(&id, Code::HeldTooLong);
    assert!(relay.site.keep(None).await.is_err());
    relay.store.breaks(false);
    relay.site.keep(None).await.unwrap();
    assert!(relay.store.load().unwrap().broadcasts.is_empty());
}

#[tokio::test]
async fn everybody_at_an_ended_broadcast_is_told() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let id = broadcast_id(made["id"].as_str().unwrap());
    let seat = relay
        .site
        .registry
        .find(&id)
        .unwrap()
        .attach_player()
        .unwrap();
    relay.delete(&format!("/api/broadcasts/{id}"), ADMIN).await;
    assert_eq!(seat.news().borrow().ended, Some(Code::BroadcastEnded));
}

#[tokio::test]
async fn a_publisher_has_power_over_its_own_broadcast_alone() {
    let relay = Relay::new();
    let (own, other) = (relay.create("own").await, relay.create("other").await);
    let publish = own["publishToken"].as_str().unwrap();
    let own = format!("/api/broadcasts/{}", own["id"].as_str().unwrap());
    let other = format!("/api/broadcasts/{}", other["id"].as_str().unwrap());
    assert_eq!(relay.get(&own, publish).await.status, StatusCode::OK);
    assert_eq!(
        relay.get(&other, publish).await.problem(403),
        "unauthorized"
    );
    assert_eq!(
        relay.delete(&other, publish).await.problem(403),
        "unauthorized"
    );
    let reply = relay.get("/api/broadcasts/No-Id", publish).await;
    assert_eq!(reply.problem(403), "unauthorized");
    let reply = relay.get("/api/broadcasts", publish).await;
    assert_eq!(reply.problem(403), "unauthorized");
    let reply = relay.post("/api/broadcasts", publish, "").await;
    assert_eq!(reply.problem(403), "unauthorized");
    assert_eq!(
        relay.delete(&own, publish).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        relay.get(&own, publish).await.problem(404),
        "unknown_broadcast"
    );
}

#[tokio::test]
async fn nobody_else_has_power_over_anything() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let play = made["playToken"].as_str().unwrap().to_owned();
    let path = format!("/api/broadcasts/{}", made["id"].as_str().unwrap());
    for path in ["/api/broadcasts", path.as_str()] {
        for bearer in ["", "x", "the-admin-key-of-the-test", "a.b.c"] {
            let reply = relay.get(path, bearer).await;
            assert_eq!(reply.problem(401), "unauthorized");
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
        assert_eq!(relay.get(path, &play).await.problem(403), "unauthorized");
    }
    assert_eq!(
        relay.delete(&path, &play).await.problem(403),
        "unauthorized"
    );
    let mut basic = request(Method::GET, "/api/broadcasts", "", "");
    let value = format!("Basic {ADMIN}").parse().unwrap();
    basic.headers_mut().insert("authorization", value);
    assert_eq!(relay.send(basic).await.problem(401), "unauthorized");
}

#[tokio::test]
async fn an_expired_token_is_told_so() {
    let relay =
        Relay::with(|site| site.rules.get_mut().publish_token_ttl = std::time::Duration::ZERO);
    let made = relay.create("x").await;
    let path = format!("/api/broadcasts/{}", made["id"].as_str().unwrap());
    let reply = relay
        .get(&path, made["publishToken"].as_str().unwrap())
        .await;
    assert_eq!(reply.problem(401), "token_expired");
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_told_what_is_wrong_with_it() {
    let relay = Relay::new();
    let long = json!({ "title": "x".repeat(121) }).to_string();
    for (body, detail) in [
        ("{", "EOF"),
        ("[]", "the body:"),
        ("{} x", "trailing"),
        (
            r#"{"title": 5}"#,
            "the body's title: invalid type: integer `5`",
        ),
        (r#"{"titel": "x"}"#, "unknown field `titel`"),
        (r#"{"title": "a\u0007b"}"#, "control"),
        (&long, "at most 120"),
    ] {
        let reply = relay.post("/api/broadcasts", ADMIN, body).await;
        assert_eq!(reply.problem(400), "malformed");
        let json = reply.json();
        let told = json["detail"].as_str().unwrap();
        assert!(told.contains(detail), "{body}: {told}");
    }
    let mut form = request(Method::POST, "/api/broadcasts", ADMIN, "title=x");
    let value = "application/x-www-form-urlencoded".parse().unwrap();
    form.headers_mut().insert("content-type", value);
    assert_eq!(relay.send(form).await.problem(415), "malformed");
}

#[tokio::test]
async fn a_body_is_no_longer_than_16_kib_and_strangers_are_not_heard_out() {
    let relay = Relay::new();
    let body = json!({ "title": "x".repeat(16 << 10) }).to_string();
    let reply = relay.post("/api/broadcasts", ADMIN, &body).await;
    assert_eq!(reply.problem(413), "too_large");
    let reply = relay.post("/api/broadcasts", "", &body).await;
    assert_eq!(reply.problem(401), "unauthorized");
}

#[tokio::test]
async fn nothing_that_is_sent_is_unpacked() {
    let relay = Relay::new();
    // {"title":"x"}
    let packed = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV*\xc9,\xc9IU\xb2R\xaaP\xaa\x05\x00\x80\x9b\xe5N\x0d\x00\x00\x00";
    let headers = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    let body = packed.as_slice();
    let request = ask(Method::POST, "/api/broadcasts", ADMIN, &headers, body);
    assert_eq!(relay.send(request).await.problem(400), "malformed");
}

#[tokio::test]
async fn there_are_only_so_many_broadcasts() {
    let relay = Relay::new();
    for _ in 0..3 {
        relay.create("").await;
    }
    let reply = relay.post("/api/broadcasts", ADMIN, "").await;
    assert_eq!(reply.problem(429), "too_many");
    assert_eq!(reply.header("retry-after"), "5");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let relay = Relay::new();
    for path in ["/api", "/api/", "/api/nothing", "/api/broadcasts/a/b"] {
        assert_eq!(relay.get(path, ADMIN).await.problem(404), "unknown_message");
    }
    let reply = relay.get("/api/broadcasts/not..an..id", ADMIN).await;
    assert_eq!(reply.problem(404), "unknown_broadcast");
    let reply = relay
        .send(request(Method::PUT, "/api/broadcasts", ADMIN, ""))
        .await;
    assert_eq!(reply.problem(405), "unknown_message");
    assert_eq!(reply.header("allow"), "GET,HEAD,POST");
    let reply = relay.post("/health", "", "").await;
    assert_eq!(reply.problem(405), "unknown_message");
    let reply = relay.post("/no/such/thing", "", "").await;
    assert_eq!(reply.problem(404), "unknown_message");
    assert_eq!(reply.header("allow"), "", "there is nothing to allow");
    let reply = relay.post("/play", "", "").await;
    assert_eq!(reply.problem(405), "unknown_message");
    assert_eq!(reply.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn of_what_is_asked_for_the_answer_repeats_the_beginning() {
    let relay = Relay::new();
    let path = format!("/api/{}", "x".repeat(60_000));
    for reply in [relay.get(&path, "").await, relay.post(&path, "", "").await] {
        assert_eq!(reply.problem(404), "unknown_message");
        assert!(reply.body.len() < 400, "{}", reply.body.len());
    }
}

#[tokio::test]
async fn links_begin_as_configured_or_as_asked_for() {
    let relay = Relay::new();
    let mut odd = request(Method::POST, "/api/broadcasts", ADMIN, "");
    odd.headers_mut().insert("host", "a b".parse().unwrap());
    assert_eq!(relay.send(odd).await.problem(400), "malformed");
    let url = "https://cast.example".parse().unwrap();
    let relay = Relay::with(|site| site.public_url = Some(url));
    let made = relay.create("x").await;
    let link = made["links"]["admin"].as_str().unwrap();
    assert!(
        link.starts_with("https://cast.example/admin#token="),
        "{link}"
    );
}

#[tokio::test]
async fn only_configured_origins_read_answers() {
    let relay = Relay::new();
    let from = |origin: &str, method: Method| {
        let mut request = request(method, "/api/relay", "", "");
        let headers = request.headers_mut();
        headers.insert("origin", origin.parse().unwrap());
        headers.insert("access-control-request-method", "GET".parse().unwrap());
        request
    };
    let reply = relay.send(from(APP, Method::GET)).await;
    assert_eq!(reply.header("access-control-allow-origin"), APP);
    assert_eq!(reply.header("vary"), "origin");
    let reply = relay.send(from(APP, Method::OPTIONS)).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert_eq!(reply.header("access-control-allow-origin"), APP);
    assert!(
        reply
            .header("access-control-allow-headers")
            .contains("authorization")
    );
    for method in [Method::GET, Method::OPTIONS] {
        let reply = relay.send(from("https://evil.example", method)).await;
        assert_eq!(reply.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn answers_of_the_moment_are_not_stored() {
    let relay = Relay::new();
    for path in ["/health", "/api/relay", "/api/nothing"] {
        let reply = relay.get(path, "").await;
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn http2_says_the_host_in_the_request_line() {
    let relay = Relay::new();
    let request = Request::post("https://cast.example:4433/api/broadcasts")
        .header("authorization", format!("Bearer {ADMIN}"))
        .body(Body::empty())
        .unwrap();
    let made = relay.send(request).await.json();
    let link = made["links"]["player"].as_str().unwrap();
    assert!(link.contains("://cast.example:4433/play#token="), "{link}");
}

#[tokio::test]
async fn a_token_of_an_ended_broadcast_finds_nothing() {
    let relay = Relay::new();
    let token = relay.token("gone", Role::Publisher);
    let reply = relay.get("/api/broadcasts/gone", &token).await;
    assert_eq!(reply.problem(404), "unknown_broadcast");
}

#[tokio::test]
async fn the_viewers_link_is_made_once_and_shown_again() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/broadcasts/{id}");
    let shown = async || {
        let one = relay.get(&path, ADMIN).await.json();
        one["links"]["player"].as_str().unwrap().to_owned()
    };
    let first = shown().await;
    assert_eq!(
        made["links"]["player"], first,
        "the one that it was made with"
    );
    let list = relay.get("/api/broadcasts", ADMIN).await.json();
    assert_eq!(list["broadcasts"][0]["links"]["player"], first);
    // A further one leaves it as it is, and what ends it brings another.
    let links = format!("{path}/links");
    relay.post(&links, ADMIN, "").await;
    assert_eq!(shown().await, first);
    let renewed = relay.post(&links, ADMIN, r#"{"end": ["play"]}"#).await;
    let second = shown().await;
    assert_eq!(renewed.json()["links"]["player"], second);
    assert_ne!(second, first);
    let token = second.split_once("#token=").unwrap().1;
    let body = json!({ "token": token }).to_string();
    let facts = relay.post("/api/tokens/inspect", ADMIN, &body).await.json();
    let revoked = json!({ "tokenId": facts["grant"]["tokenId"] }).to_string();
    relay.post("/api/revocations", ADMIN, &revoked).await;
    assert_ne!(shown().await, second, "one that was taken back is no link");
}

#[tokio::test]
async fn a_link_of_this_machine_alone_says_where_others_reach_it() {
    let player = async |relay: &Relay, host: &str| {
        let made = relay.create("x").await;
        let path = format!("/api/broadcasts/{}", made["id"].as_str().unwrap());
        let mut asked = request(Method::GET, &path, ADMIN, "");
        asked.headers_mut().insert("host", host.parse().unwrap());
        relay.send(asked).await.json()["links"].clone()
    };
    let alone = player(&Relay::new(), "localhost:4433").await;
    assert!(
        alone["network"].is_null(),
        "it listens to this machine alone: {alone}"
    );

    let everywhere = |site: &mut Site| site.listens = "0.0.0.0:4433".parse().unwrap();
    let known = player(&Relay::with(everywhere), "relay.test:4433").await;
    assert!(known["network"].is_null(), "it has a name already: {known}");
    let local = player(&Relay::with(everywhere), "localhost:4433").await;
    let own = interface_addresses().into_iter().filter(IpAddr::is_ipv4);
    let page = local["player"]
        .as_str()
        .unwrap()
        .split_once("/play")
        .unwrap()
        .1;
    let expected: Vec<_> = own
        .map(|ip| format!("https://{ip}:4433/play{page}"))
        .collect();
    let network = local["network"].as_array().cloned().unwrap_or_default();
    assert_eq!(network, expected);
}

#[tokio::test]
async fn a_broadcast_says_when_it_was_live_last() {
    let relay = Relay::new();
    let made = relay.create("x").await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/broadcasts/{id}");
    let last_live = async || {
        let shown = relay.get(&path, ADMIN).await.json();
        shown["lastLive"].as_u64()
    };
    assert_eq!(last_live().await, None);
    let broadcast = relay.site.registry.find(&broadcast_id(id)).unwrap();
    let earlier = RelayTime::from_micros(1_700_000_000_000_000);
    let publisher = broadcast.attach_publisher(None, ResumeSecret([1; 16]), Widths::One, earlier);
    let publisher = publisher.unwrap();
    publisher.publish(frame(1, 0, 0, 10), earlier).unwrap();
    assert!(last_live().await > Some(1_700_000_000), "now");
    publisher.leave(earlier);
    assert_eq!(last_live().await, Some(1_700_000_000));
}

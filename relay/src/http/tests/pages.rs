use axum::http::{Method, StatusCode};

use super::{ADMIN, Relay, request};

#[tokio::test]
async fn pages_have_short_names_and_are_asked_for_again() {
    let relay = Relay::new();
    let reply = relay.get("/admin", "").await;
    assert_eq!(
        (reply.status, reply.text()),
        (StatusCode::OK, "<h1>admin</h1>")
    );
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(reply.header("cache-control"), "no-cache");
}

#[tokio::test]
async fn assets_are_kept_for_good_with_the_right_type() {
    let relay = Relay::new();
    let reply = relay.get("/assets/app-1a2b.js", "").await;
    assert_eq!(
        reply.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    assert!(reply.header("cache-control").contains("immutable"));
    let reply = relay.get("/icon.svg", "").await;
    assert_eq!(reply.header("content-type"), "image/svg+xml");
    assert_eq!(reply.header("cache-control"), "no-cache");
}

#[tokio::test]
async fn a_file_comes_compressed_to_who_takes_it_so() {
    let relay = Relay::new();
    let mut tags = Vec::new();
    for (accepted, coding) in [
        ("", ""),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=0.5, deflate", "gzip"),
        ("GZIP", "gzip"),
        ("br;q=0, gzip;q=0.0", ""),
        ("br; q=0.001", "br"),
        ("br;q=nonsense", ""),
        ("identity, *", ""),
    ] {
        let mut request = request(Method::GET, "/assets/large-1a2b.js", "", "");
        let value = accepted.parse().unwrap();
        request.headers_mut().insert("accept-encoding", value);
        let reply = relay.send(request).await;
        assert_eq!(reply.status, StatusCode::OK, "{accepted}");
        assert_eq!(reply.header("content-encoding"), coding, "{accepted}");
        assert_eq!(
            reply.header("content-type"),
            "text/javascript; charset=utf-8"
        );
        assert_eq!(reply.header("vary"), "accept-encoding");
        let sent = if coding.is_empty() { "plain" } else { coding };
        assert_eq!(reply.text(), sent);
        tags.push((reply.header("etag").to_owned(), sent));
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3, "each form has a tag of its own");
    // There is no smaller form of this one.
    let mut request = request(Method::GET, "/admin", "", "");
    let value = "br, gzip".parse().unwrap();
    request.headers_mut().insert("accept-encoding", value);
    let reply = relay.send(request).await;
    assert_eq!(
        (reply.header("content-encoding"), reply.text()),
        ("", "<h1>admin</h1>")
    );
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let relay = Relay::new();
    let etag = relay.get("/admin", "").await.header("etag").to_owned();
    for (seen, status) in [
        (etag.clone(), StatusCode::NOT_MODIFIED),
        (format!("\"x\", W/{etag}"), StatusCode::NOT_MODIFIED),
        ("*".to_owned(), StatusCode::NOT_MODIFIED),
        ("\"x\"".to_owned(), StatusCode::OK),
    ] {
        let mut request = request(Method::GET, "/admin", "", "");
        let value = seen.parse().unwrap();
        request.headers_mut().insert("if-none-match", value);
        let reply = relay.send(request).await;
        assert_eq!(reply.status, status, "{seen}");
        assert_eq!(reply.header("etag"), etag);
        assert_eq!(reply.body.is_empty(), status == StatusCode::NOT_MODIFIED);
    }
}

#[tokio::test]
async fn every_page_is_locked_down() {
    let relay = Relay::new();
    for path in [
        "/admin",
        "/host",
        "/nothing",
        "/assets/app-1a2b.js",
        "/api/relay",
    ] {
        let reply = relay.get(path, "").await;
        let policy = reply.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self'; script-src 'self';"),
            "{policy}"
        );
        assert!(
            policy.contains("connect-src 'self' https: wss:;"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        let opener = match path {
            "/host" => "noopener-allow-popups",
            _ => "same-origin",
        };
        assert_eq!(reply.header("cross-origin-opener-policy"), opener);
        assert_eq!(reply.header("permissions-policy"), "display-capture=(self)");
    }
}

#[tokio::test]
async fn a_page_that_is_not_built_says_how_to_build_it() {
    let relay = Relay::new();
    let reply = relay.get("/host", "").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reply.text().contains("make web"));
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn nothing_but_embedded_files_is_ever_found() {
    let relay = Relay::new();
    for path in [
        "/nothing",
        "/../Cargo.toml",
        "/assets/../admin.html",
        "/assets/%2e%2e/admin.html",
        "//etc/passwd",
    ] {
        assert_eq!(
            relay.get(path, "").await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let reply = relay.post("/admin", "", "").await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_head_request_gets_the_headers_alone() {
    let relay = Relay::new();
    let reply = relay.send(request(Method::HEAD, "/admin", "", "")).await;
    assert_eq!((reply.status, reply.body.len()), (StatusCode::OK, 0));
    assert!(!reply.header("etag").is_empty());
}

#[tokio::test]
async fn the_embedded_pages_are_whole_or_say_that_they_are_not_built() {
    let relay = Relay::new();
    let router = crate::http::router(relay.site.clone());
    let relay = Relay { router, ..relay };
    for path in ["/", "/admin", "/host", "/play"] {
        let reply = relay.get(path, "").await;
        let built = reply.status == StatusCode::OK;
        assert!(built || reply.text().contains("make web"), "{path}");
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    }
}

#[tokio::test]
async fn a_page_may_have_the_very_styles_and_scripts_that_are_in_it() {
    let relay = Relay::new();
    let etag = relay.get("/play", "").await.header("etag").to_owned();
    let mut again = request(Method::GET, "/play", "", "");
    again
        .headers_mut()
        .insert("if-none-match", etag.parse().unwrap());
    for (reply, status) in [
        (relay.get("/play", "").await, StatusCode::OK),
        // What is said then takes the place of what was said before.
        (relay.send(again).await, StatusCode::NOT_MODIFIED),
    ] {
        assert_eq!(reply.status, status);
        let policy = reply.header("content-security-policy");
        // `printf 'p{margin:0}' | openssl dgst -sha256 -binary | base64`
        let allowed = "style-src 'self' 'sha256-QRQPRLGyxt3RJiKpYNjpkgHcmHU2PywsfL2e8oI0LQA=';";
        assert!(policy.contains(allowed), "{policy}");
        let allowed = "script-src 'self' \
            'sha256-qVpDBgj7bpq5hMAcGp3AOc79J3Y1Z4HvySTwKrWDoy4=' \
            'sha256-cf242PFc/kb7xD0Qzhsmd9vvRkc+cWFmbi+k+YvtdKc=';";
        assert!(policy.contains(allowed), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    let reply = relay.get("/admin", "").await;
    let policy = reply.header("content-security-policy");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert!(policy.contains("style-src 'self';"), "{policy}");
}

/// What a policy says of who may show the page in a frame.
fn ancestors(policy: &str) -> &str {
    let mut directives = policy.split("; ");
    let found = directives.find_map(|directive| directive.strip_prefix("frame-ancestors "));
    found.unwrap_or_else(|| panic!("no frame-ancestors in {policy:?}"))
}

const PLACES: [&str; 10] = [
    "/",
    "/admin",
    "/host",
    "/play",
    "/play/",
    "/play.html",
    "/nothing",
    "/assets/app-1a2b.js",
    "/api/relay",
    "/api/broadcasts",
];

#[tokio::test]
async fn by_default_nothing_is_shown_in_frames() {
    let relay = Relay::new();
    for path in PLACES {
        let reply = relay.get(path, ADMIN).await;
        let policy = reply.header("content-security-policy");
        assert_eq!(ancestors(policy), "'none'", "{path}");
    }
}

#[tokio::test]
async fn pages_of_embedders_show_the_player_in_frames_and_nothing_else() {
    let embedders = ["https://app.example", "http://192.0.2.1:8080"];
    let relay = Relay::with(|site| {
        *site.embedders.get_mut() = embedders.map(|text| text.parse().unwrap()).to_vec();
    });
    for path in PLACES {
        let reply = relay.get(path, ADMIN).await;
        let allowed = match path {
            "/play" => embedders.join(" "),
            _ => "'none'".to_owned(),
        };
        let policy = reply.header("content-security-policy");
        assert_eq!(ancestors(policy), allowed, "{path}");
        assert!(policy.ends_with("; base-uri 'none'"), "{policy}");
        assert_eq!(reply.header("x-frame-options"), "", "{path}");
    }
}

#[tokio::test]
async fn however_the_player_is_asked_for_it_says_who_may_show_it() {
    let relay = Relay::with(|site| {
        *site.embedders.get_mut() = vec!["https://app.example".parse().unwrap()];
    });
    let etag = relay.get("/play", "").await.header("etag").to_owned();
    for (method, name, value, status, coding) in [
        (Method::GET, "accept-encoding", "br, gzip", 200, "br"),
        (Method::GET, "accept-encoding", "gzip", 200, "gzip"),
        (Method::GET, "if-none-match", etag.as_str(), 304, ""),
        (Method::HEAD, "accept", "*/*", 200, ""),
    ] {
        let mut request = request(method, "/play", "", "");
        request.headers_mut().insert(name, value.parse().unwrap());
        let reply = relay.send(request).await;
        assert_eq!(reply.status.as_u16(), status, "{value}");
        assert_eq!(reply.header("content-encoding"), coding, "{value}");
        let policy = reply.header("content-security-policy");
        assert_eq!(ancestors(policy), "https://app.example", "{value}");
        assert!(policy.contains("style-src 'self' 'sha256-"), "{policy}");
    }
    let reply = relay.post("/play", "", "").await;
    let policy = reply.header("content-security-policy");
    assert_eq!(ancestors(policy), "'none'", "it is no page");
}

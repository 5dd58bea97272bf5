//! What is WebSocket's own: how a session is asked for, and what is no message of one.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::{SinkExt, StreamExt};
use hyper_util::rt::{TokioExecutor, TokioIo};
use qmux::ws::tokio_tungstenite::WebSocketStream;
use qmux::ws::tungstenite::http::header::{HeaderName, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use qmux::ws::tungstenite::http::{HeaderValue, Method, Request, StatusCode};
use qmux::ws::tungstenite::protocol::Role as End;
use qmux::ws::tungstenite::protocol::frame::Frame;
use qmux::ws::tungstenite::protocol::frame::coding::{Data, OpCode};
use qmux::ws::tungstenite::{Error, Message};
use steadycast_codec_glue::wire::{ClientMessage, Code, GROUP_STREAM, Role};
use steadycast_tests::client::{Carrier, Control, PATIENCE, Player, Target, connect, soon};
use steadycast_tests::http;
use steadycast_tests::relay::{TestBroadcast, TestRelay};
use steadycast_tests::websocket::{SUBPROTOCOL, Tapped, encrypted, open, session, upgrade};

/// Bytes that a client of these scenarios takes without reading them.
const WINDOW: u64 = 512 << 10;

const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
const EXTENSIONS: HeaderName = HeaderName::from_static("sec-websocket-extensions");

fn target(relay: &TestRelay) -> Target {
    relay.target().over(Carrier::WebSocket)
}

/// The status that a WebSocket is refused with.
async fn refused(
    relay: &TestRelay,
    path: &str,
    headers: &[(HeaderName, &str)],
) -> Result<Option<StatusCode>> {
    let opened = upgrade(&target(relay), path, headers.iter().cloned()).await;
    let Err(error) = opened else { return Ok(None) };
    match error.downcast::<Error>()? {
        Error::Http(answer) => Ok(Some(answer.status())),
        error => Err(error.into()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_asks_for_no_session_is_refused_in_words() -> Result<()> {
    let relay = TestRelay::start().await?;
    let plain = http::Request {
        method: "GET",
        path: "/session",
        ..http::Request::default()
    };
    let answer = plain.send(relay.address()).await?;
    ensure!((answer.status, answer.header("upgrade")) == (426, Some("websocket")));
    let ours = (SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
    let bare = (SEC_WEBSOCKET_PROTOCOL, "qmux-02");
    let evil = (ORIGIN, "https://evil.example");
    for (path, headers, status) in [
        ("/session", vec![], 400),
        ("/session", vec![bare], 400),
        ("/session/No!", vec![ours.clone()], 404),
        ("/session/a/b", vec![ours.clone()], 404),
        ("/session", vec![ours.clone(), evil], 403),
    ] {
        let answer = refused(&relay, path, &headers).await?;
        ensure!(
            answer == Some(StatusCode::from_u16(status)?),
            "{path} {headers:?}: {answer:?}"
        );
    }
    ensure!(refused(&relay, "/session/main", &[ours]).await?.is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_compressed_even_where_the_client_offers_it() -> Result<()> {
    let relay = TestRelay::start().await?;
    let headers = [
        (SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL),
        (EXTENSIONS, "permessage-deflate; client_max_window_bits"),
    ];
    let (_socket, answer) = upgrade(&target(&relay), "/session", headers).await?;
    ensure!(!answer.headers().contains_key(EXTENSIONS));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_a_websocket_and_says_nothing_on_it_is_not_waited_for() -> Result<()> {
    let patience = Duration::from_millis(200);
    let relay = TestRelay::with(|config| config.limits.connect_timeout = patience).await?;
    let mut socket = open(&target(&relay), "/session", None, SUBPROTOCOL).await?;
    let end = async { while let Some(Ok(_)) = socket.next().await {} };
    soon("the end", end).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_much_before_its_hello_is_not_heard_out() -> Result<()> {
    let relay = TestRelay::with(|config| config.limits.hello_timeout = 10 * PATIENCE).await?;
    for (messages, len) in [(1, 100_000), (100, 1)] {
        let connection = connect(&target(&relay), "/session", None).await?;
        let mut stream = connection.open_uni().await?;
        for _ in 0..messages {
            // The relay may have closed before all of it is written.
            let _ = stream.write_all(&vec![GROUP_STREAM; len]).await;
            tokio::task::yield_now().await;
        }
        soon("the end", connection.closed()).await?;
    }
    Ok(())
}

/// A player, and its WebSocket.
async fn tapped(
    relay: &TestRelay,
    broadcast: &TestBroadcast<'_>,
) -> Result<(Player, Tapped<steadycast_tests::websocket::Socket>)> {
    let socket = open(&target(relay), "/session", None, SUBPROTOCOL).await?;
    let tapped = Tapped::new(socket);
    let control = Control::on(session(tapped.clone(), WINDOW)).await?;
    let player = Player::greet(control, &broadcast.token(Role::Player)).await?;
    Ok((player, tapped))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_message_ends_its_session_and_no_other() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let mut witness = Player::join(&target(&relay), &broadcast.token(Role::Player)).await?;
    publisher.keyframe(1_000).await?;
    witness.frame().await?;
    for (message, code) in [
        (Message::text("hello"), Code::Malformed),
        (Message::binary(vec![0xff; 300]), Code::Malformed),
        (Message::binary(vec![0; 20_000]), Code::TooLarge),
        (Message::binary(vec![0; 1 << 20]), Code::TooLarge),
        // A continuation of nothing (RFC 6455, 5.4).
        (
            Message::Frame(Frame::message("", OpCode::Data(Data::Continue), true)),
            Code::Malformed,
        ),
    ] {
        let before = broadcast.left(code)?;
        let (player, mut socket) = tapped(&relay, &broadcast).await?;
        // The relay may have closed before all of it is written.
        let _ = socket.send(message).await;
        player.control.closed().await?;
        relay
            .until("it to be gone for that", || {
                broadcast.left(code).is_ok_and(|left| left == before + 1)
            })
            .await?;
    }
    let sent = publisher.delta(300).await?;
    ensure!(witness.frame().await?.place() == (sent.epoch, sent.group, sent.index));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_more_than_a_client_may_have_ends_its_session() -> Result<()> {
    /// A stream frame of QUIC with a length, and the first byte of its 65th unidirectional stream, more than there may be.
    const STREAM: [u8; 5] = [0x0a, 0x41, 0x02, 1, GROUP_STREAM];
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let (player, mut socket) = tapped(&relay, &broadcast).await?;
    socket.send(Message::binary(STREAM.to_vec())).await?;
    player.control.closed().await?;
    let gone = || broadcast.left(Code::Malformed).is_ok_and(|left| left == 1);
    relay.until("it to be gone for that", gone).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_vanishes_without_a_word_is_noticed() -> Result<()> {
    let patience = Duration::from_secs(1);
    let relay = TestRelay::with(|config| config.limits.idle_timeout = patience).await?;
    let broadcast = relay.broadcast().await?;
    let (_player, socket) = tapped(&relay, &broadcast).await?;
    socket.silence();
    let gone = || broadcast.left(Code::Silent).is_ok_and(|left| left == 1);
    relay.until("it to be gone for that", gone).await?;
    let nobody = || relay.site().records.at(&broadcast.id).is_empty();
    relay.until("its session to be over", nobody).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_player_that_speaks_and_takes_no_picture_is_too_slow() -> Result<()> {
    let relay = TestRelay::with(|config| {
        config.limits.player_stall = Duration::from_secs(1);
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    // It has room for a byte of each group.
    let socket = open(&target(&relay), "/session", None, SUBPROTOCOL).await?;
    let control = Control::on(session(socket, 1)).await?;
    let mut player = Player::greet(control, &broadcast.token(Role::Player)).await?;
    publisher.keyframe(10_000).await?;
    let speaks = async {
        let mut beats = tokio::time::interval(Duration::from_millis(20));
        loop {
            beats.tick().await;
            let ping = ClientMessage::Ping {
                sequence: 1,
                sent_us: 0,
            };
            // Fails once its session has ended.
            let _ = player.control.send(&ping).await;
        }
    };
    let gone = || broadcast.left(Code::TooSlow).is_ok_and(|left| left == 1);
    tokio::select! {
        left = relay.until("it to be gone for that", gone) => left,
        () = speaks => Ok(()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_come_in_pieces_are_whole_ones() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let socket = open(&target(&relay), "/session", None, SUBPROTOCOL).await?;
    let control = Control::on(session(Tapped::in_pieces(socket), WINDOW)).await?;
    let mut player = Player::greet(control, &broadcast.token(Role::Player)).await?;
    publisher.keyframe(1_000).await?;
    ensure!(player.frame().await?.is_intact());
    player.control.ping().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_a_trusted_proxy_counts_by_its_own_address() -> Result<()> {
    let proxy = "127.0.0.1/32".parse()?;
    let relay = TestRelay::with(|config| {
        config.server.trusted_proxies = vec![proxy];
        config.limits.sessions_per_address = 1;
    })
    .await?;
    let broadcast = relay.broadcast().await?;
    let come = async |from: &'static str| {
        let headers = [(SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL), (FORWARDED, from)];
        let (socket, _) = upgrade(&target(&relay), "/session", headers).await?;
        let control = Control::on(session(socket, WINDOW)).await?;
        Player::greet(control, &broadcast.token(Role::Player)).await
    };
    let _one = come("192.0.2.1").await?;
    let _other = come("192.0.2.2").await?;
    ensure!(come("192.0.2.1").await.is_err());
    let records = relay.site().records.at(&broadcast.id);
    let mut addresses: Vec<_> = records
        .iter()
        .map(|one| one.standing.visit.from.to_string())
        .collect();
    addresses.sort();
    ensure!(addresses == ["192.0.2.1", "192.0.2.2"], "{addresses:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_over_one_connection_of_http_2() -> Result<()> {
    let relay = TestRelay::with(|config| config.server.websockets_over_http2 = true).await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let Target {
        address,
        certificate,
        ..
    } = *relay.target();
    let stream = encrypted(address, certificate, b"h2").await?;
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await?;
    tokio::spawn(connection);
    // With its first answer the client knows that the relay takes WebSockets here.
    let first = Request::get("https://localhost/ready").body(String::new())?;
    ensure!(sender.send_request(first).await?.status() == StatusCode::OK);
    let mut players = Vec::new();
    for _ in 0..3 {
        let mut request = Request::new(String::new());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = format!("https://localhost:{}/session", address.port()).parse()?;
        let own = HeaderValue::from_str(&format!("https://localhost:{}", address.port()))?;
        let headers = request.headers_mut();
        headers.insert(ORIGIN, own);
        headers.insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
        headers.insert("sec-websocket-version", HeaderValue::from_static("13"));
        let protocol = hyper::ext::Protocol::from_static("websocket");
        request.extensions_mut().insert(protocol);
        let answer = sender.send_request(request).await?;
        ensure!(answer.status() == StatusCode::OK, "{answer:?}");
        let upgraded = TokioIo::new(hyper::upgrade::on(answer).await?);
        let socket = WebSocketStream::from_raw_socket(upgraded, End::Client, None).await;
        let control = Control::on(session(socket, WINDOW)).await?;
        players.push(Player::greet(control, &broadcast.token(Role::Player)).await?);
    }
    publisher.keyframe(100_000).await?;
    for player in &mut players {
        ensure!(player.frame().await?.is_intact());
    }
    relay.stop();
    for player in &mut players {
        ensure!(player.control.goodbye().await? == (Code::ShuttingDown, true));
    }
    Ok(())
}

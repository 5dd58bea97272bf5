//! Over real sockets: plain and TLS on one port, silence, and shutdown.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, Request, StatusCode, Version};
use futures_util::StreamExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

use time::OffsetDateTime;

use super::{ADMIN, Relay};
use crate::http::{Bounds, Listener, Proxies};
use crate::sockets::Sockets;
use crate::store::temp::TempDir;
use crate::tls::{Challenges, Keeper, Source, https_config};

fn bounds() -> Bounds {
    Bounds {
        connections: 8,
        per_address: 8,
        strangers: 4,
        proxies: Proxies::default(),
    }
}

struct Served {
    relay: Relay,
    address: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

impl Served {
    fn start(plain_too: bool, bounds: Bounds) -> Self {
        Self::serve(Relay::new(), plain_too, bounds)
    }

    /// Who comes anew is answered before long.
    async fn is_well(&self) {
        let asked = async { ask(&mut self.plain().await, "GET /health HTTP/1.1").await };
        let answer = timeout(Duration::from_secs(2), asked).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }

    /// With a certificate that somebody else has made.
    fn with_files(plain_too: bool) -> Self {
        let relay = Relay::with(|site| {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            let dir = TempDir::new();
            let [certificate, key] = ["chain.pem", "key.pem"].map(|name| dir.file(name));
            std::fs::write(&certificate, made.cert.pem()).unwrap();
            std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
            let source = Source::Files { certificate, key };
            let (_, identities) = Keeper::start(source, OffsetDateTime::now_utc()).unwrap();
            site.identities = identities;
        });
        Self::serve(relay, plain_too, bounds())
    }

    fn serve(relay: Relay, plain_too: bool, bounds: Bounds) -> Self {
        let sockets = Sockets::bind("127.0.0.1:0".parse().unwrap(), 1).unwrap();
        let address = sockets.address().unwrap();
        let tls =
            Arc::new(https_config(relay.site.identities.clone(), Challenges::default()).unwrap());
        let listener = Listener::new(sockets.tcp, tls, plain_too, None, bounds).unwrap();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(crate::http::serve(
            listener,
            relay.router.clone(),
            false,
            shutdown.clone(),
        ));
        Self {
            relay,
            address,
            shutdown,
            serving,
        }
    }

    async fn plain(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn tls(&self, alpn: &[u8]) -> TlsStream<TcpStream> {
        let chain = self
            .relay
            .site
            .identities
            .borrow()
            .as_ref()
            .unwrap()
            .chain()
            .to_vec();
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned(chain[0].clone())))
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, self.plain().await).await.unwrap()
    }
}

/// Trusts one certificate, as `serverCertificateHashes` does.
#[derive(Debug)]
struct Pinned(CertificateDer<'static>);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        assert_eq!(*leaf, self.0);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, leaf, signed, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, leaf, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// The relay closes a connection before long.
async fn is_closed(stream: &mut TcpStream) {
    let closed = timeout(Duration::from_secs(2), stream.read(&mut [0; 1])).await;
    assert!(matches!(closed.unwrap(), Ok(0) | Err(_)));
}

/// Sends a request on a connection that is closed after it, and reads the answer.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    let request = format!("{request}\r\nhost: localhost:4433\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn development_serves_both_on_one_port() {
    let served = Served::start(true, bounds());
    let request = format!("GET /api/broadcasts HTTP/1.1\r\nauthorization: Bearer {ADMIN}");
    served.relay.create("x").await;
    let answer = ask(&mut served.plain().await, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(
        answer.contains("\"http://localhost:4433/play#token="),
        "{answer}"
    );
    let answer = ask(&mut served.tls(b"http/1.1").await, &request).await;
    assert!(
        answer.contains("\"https://localhost:4433/play#token="),
        "{answer}"
    );
}

#[tokio::test]
async fn production_serves_tls_alone() {
    let served = Served::start(false, bounds());
    let mut plain = served.plain().await;
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let answer = ask(&mut served.tls(b"http/1.1").await, "GET /health HTTP/1.1").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn http2_is_spoken_where_it_is_agreed_on() {
    let served = Served::start(false, bounds());
    let mut tls = served.tls(b"h2").await;
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    // The preface and empty settings; the answer begins with the server's settings.
    tls.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    let mut frame = [0; 9];
    tls.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "a SETTINGS frame");
}

#[tokio::test]
async fn silent_clients_hold_nobody_up() {
    let served = Served::start(true, bounds());
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(served.plain().await);
    }
    served.is_well().await;
}

#[tokio::test]
async fn who_says_nothing_makes_way_and_keeps_nobody_out() {
    let served = Served::start(true, bounds());
    let mut silent = Vec::new();
    for _ in 0..bounds().strangers {
        silent.push(served.plain().await);
    }
    served.is_well().await;
    // The one that had been silent for longest has made way.
    is_closed(&mut silent[0]).await;
}

#[tokio::test]
async fn who_never_finishes_a_request_makes_way_as_well() {
    let served = Served::start(true, bounds());
    let mut slow = Vec::new();
    for _ in 0..3 * bounds().connections {
        let mut stream = plain_from(&served, "127.0.8.1").await;
        let _ = stream
            .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nx: ")
            .await;
        slow.push(stream);
    }
    served.is_well().await;
    is_closed(&mut slow[0]).await;
}

#[tokio::test]
async fn a_network_that_takes_all_connections_makes_way_for_others_and_not_for_itself() {
    let served = Served::start(true, bounds());
    let mut idle = Vec::new();
    for _ in 0..bounds().connections {
        let mut stream = plain_from(&served, "127.0.8.1").await;
        let request = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
        stream.write_all(request).await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
        idle.push(stream);
    }
    let mut neighbour = plain_from(&served, "127.0.8.2").await;
    is_closed(&mut neighbour).await;
    served.is_well().await;
}

#[tokio::test]
async fn connections_beyond_the_bound_are_closed_and_places_are_given_back() {
    closed_beyond_one(Bounds {
        connections: 1,
        ..bounds()
    })
    .await;
}

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    closed_beyond_one(Bounds {
        per_address: 1,
        ..bounds()
    })
    .await;
}

async fn closed_beyond_one(bounds: Bounds) {
    let served = Served::start(true, bounds);
    let mut first = served.plain().await;
    first
        .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    first.read_exact(&mut [0; 12]).await.unwrap();
    let mut second = served.plain().await;
    is_closed(&mut second).await;
    drop(first);
    // The relay notices in its own time.
    let again = async {
        loop {
            let mut third = served.plain().await;
            let _ = third
                .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
                .await;
            let mut answer = [0; 12];
            if third.read_exact(&mut answer).await.is_ok() {
                return answer;
            }
        }
    };
    let answer = timeout(Duration::from_secs(5), again).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

/// The status with which a key is answered, on a connection that stays open.
async fn show_key(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), key: &str) -> u16 {
    let request =
        format!("GET /api/broadcasts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let mut head = None;
    while head.is_none_or(|(end, length)| answer.len() < end + length) {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        head = text.split_once("\r\n\r\n").map(|(head, _)| {
            let length = head.split_once("content-length: ").unwrap().1;
            let length = length.split("\r\n").next().unwrap().parse::<usize>();
            (head.len() + 4, length.unwrap())
        });
    }
    let text = String::from_utf8_lossy(&answer);
    text.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A connection from this address of the machine.
async fn plain_from(served: &Served, address: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(SocketAddr::new(address.parse().unwrap(), 0))
        .unwrap();
    socket.connect(served.address).await.unwrap()
}

#[tokio::test]
async fn guesses_of_the_admin_key_are_slowed_for_their_network_alone() {
    let served = Served::start(true, bounds());
    let address = served.address;
    let guessing = tokio::spawn(async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let begun = std::time::Instant::now();
        let mut guesses = 0_u32;
        while begun.elapsed() < Duration::from_secs(2) {
            let guess = format!("a-wrong-key-number-{guesses}");
            assert_eq!(show_key(&mut stream, &guess).await, 401);
            guesses += 1;
        }
        guesses
    });
    let mut slowed = served.plain().await;
    loop {
        let asked = std::time::Instant::now();
        assert_eq!(show_key(&mut slowed, "yet-another-wrong-key").await, 401);
        if asked.elapsed() > Duration::from_millis(50) {
            break;
        }
    }
    let mut honest = plain_from(&served, "127.0.7.1").await;
    let asked = std::time::Instant::now();
    assert_eq!(show_key(&mut honest, ADMIN).await, 200);
    assert!(asked.elapsed() < Duration::from_millis(500), "at once");
    assert_eq!(show_key(&mut slowed, ADMIN).await, 200, "in its turn");
    assert!(!guessing.is_finished(), "while others go on guessing");
    let guesses = guessing.await.unwrap();
    assert!((10..=40).contains(&guesses), "{guesses} in two seconds");
}

#[tokio::test]
async fn browsers_are_told_to_stay_with_tls_where_the_certificate_is_a_real_one() {
    let strict = |answer: &str| {
        let lower = answer.to_lowercase();
        lower.contains("strict-transport-security: max-age=31536000")
    };
    let development = Served::start(true, bounds());
    let answer = ask(
        &mut development.tls(b"http/1.1").await,
        "GET /health HTTP/1.1",
    )
    .await;
    assert!(!strict(&answer), "{answer}");
    let served = Served::with_files(true);
    let answer = ask(&mut served.tls(b"http/1.1").await, "GET /admin HTTP/1.1").await;
    assert!(strict(&answer), "{answer}");
    let answer = ask(&mut served.plain().await, "GET /admin HTTP/1.1").await;
    assert!(!strict(&answer), "{answer}");
}

#[tokio::test]
async fn shutdown_ends_idle_connections_and_the_server() {
    let served = Served::start(true, bounds());
    let mut idle = served.plain().await;
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    idle.read_exact(&mut [0; 12]).await.unwrap();
    served.shutdown.cancel();
    let ended = timeout(Duration::from_secs(2), served.serving).await;
    ended.unwrap().unwrap();
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await;
    assert!(TcpStream::connect(served.address).await.is_err());
}

/// What the relay says to a client that sends `bytes` and then nothing more, on a clock of its own.
async fn left_waiting(served: &Served, bytes: &[u8]) -> String {
    let mut plain = served.plain().await;
    plain.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_byte_is_closed() {
    let served = Served::start(true, bounds());
    assert_eq!(left_waiting(&served, b"").await, "");
}

#[tokio::test(start_paused = true)]
async fn a_tls_handshake_that_never_ends_is_closed() {
    let served = Served::start(true, bounds());
    assert_eq!(left_waiting(&served, b"\x16\x03\x01").await, "");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_is_closed() {
    let served = Served::start(true, bounds());
    let answer = left_waiting(&served, b"GET / HTTP/1.1\r\nhost: x\r\n").await;
    assert!(!answer.contains("200"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_a_problem() {
    let served = Served::start(true, bounds());
    let request = format!(
        "POST /api/broadcasts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN}\r\n\
         content-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
    );
    let answer = left_waiting(&served, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn an_http2_connection_that_rests_is_closed_and_what_lasts_goes_on() {
    let served = Served::start(false, bounds());
    let stream = TokioIo::new(served.tls(b"h2").await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Body>(TokioExecutor::new(), stream)
            .await
            .unwrap();
    let connection = tokio::spawn(connection);
    let ask = |path: &str| {
        let request = Request::get(format!("https://localhost{path}"));
        let key = format!("Bearer {}", ADMIN);
        request
            .header(AUTHORIZATION, key)
            .body(Body::empty())
            .unwrap()
    };
    // An answer without an end.
    let events = sender.send_request(ask("/api/events")).await.unwrap();
    let mut events = Body::new(events.into_body()).into_data_stream();
    let begun = Instant::now();
    for _ in 0..3 {
        sleep(Duration::from_secs(10)).await;
        let health = sender.send_request(ask("/health")).await.unwrap();
        assert_eq!(health.status(), StatusCode::OK);
        assert!(events.next().await.unwrap().is_ok());
    }
    drop(events);
    connection.await.unwrap().unwrap();
    let rested = begun.elapsed() - Duration::from_secs(30);
    assert!(rested < Duration::from_secs(15), "{rested:?}");
}

#[tokio::test(start_paused = true)]
async fn an_http2_connection_without_a_request_is_closed() {
    let served = Served::start(false, bounds());
    let mut tls = served.tls(b"h2").await;
    let mut answer = Vec::new();
    let _ = tls.read_to_end(&mut answer).await;
}

#[tokio::test]
async fn over_http2_what_was_sent_is_read_before_it_is_refused() {
    let relay = Relay::new();
    let read = Arc::new(AtomicUsize::new(0));
    let ask = async |chunks: usize| {
        let seen = read.clone();
        seen.store(0, Ordering::Relaxed);
        let body = futures_util::stream::iter(0..chunks).map(move |_| {
            seen.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from(vec![b' '; 1_000]))
        });
        let mut request = super::request(Method::POST, "/api/broadcasts", "wrong", "");
        *request.body_mut() = Body::from_stream(body);
        *request.version_mut() = Version::HTTP_2;
        let reply = relay.send(request).await;
        (reply.status.as_u16(), read.load(Ordering::Relaxed))
    };
    assert_eq!(ask(3).await, (401, 3));
    // Nobody is waited for who sends without end.
    let (status, chunks) = ask(1_000_000).await;
    assert!(
        status == 401 && (64..200).contains(&chunks),
        "{status} {chunks}"
    );
}

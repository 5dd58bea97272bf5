//! What clients cost of whom nothing is known, or nothing but their token: each has its bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use steadycast_codec_glue::wire::{ClientMessage, RelayMessage, Role, encode_client};
use steadycast_tests::client::{Player, Target, soon};
use steadycast_tests::proxy::{Fate, Proxy, faultless};
use steadycast_tests::relay::TestRelay;
use tokio::task::JoinSet;
use wtransport::tls::client::{ServerHashVerification, build_default_tls_config};
use wtransport::tls::rustls::RootCertStore;
use wtransport::tls::{Sha256Digest, rustls};
use wtransport::{ClientConfig, quinn};

/// A client that speaks QUIC and need not speak HTTP/3.
struct Stranger {
    endpoint: quinn::Endpoint,
    target: Target,
}

impl Stranger {
    fn new(target: &Target, change: impl FnOnce(&mut rustls::ClientConfig)) -> Result<Self> {
        let hash = Sha256Digest::new(target.certificate);
        let verifier = Arc::new(ServerHashVerification::new([hash]));
        let mut tls = build_default_tls_config(RootCertStore::empty().into(), Some(verifier));
        change(&mut tls);
        let config = ClientConfig::builder()
            .with_bind_default()
            .with_custom_tls(tls)
            .build();
        let mut endpoint = quinn::Endpoint::client(([0, 0, 0, 0], 0).into())?;
        endpoint.set_default_client_config(config.quic_config().clone());
        Ok(Self {
            endpoint,
            target: target.clone(),
        })
    }

    fn knock(&self) -> Result<quinn::Connecting> {
        Ok(self.endpoint.connect(self.target.address, "localhost")?)
    }

    async fn connect(&self) -> Result<quinn::Connection> {
        Ok(soon("a connection", self.knock()?).await??)
    }
}

/// Sends as much as is taken, to the end of the connection; gives how much that was.
async fn pour(mut stream: quinn::SendStream) -> usize {
    let mut sent = 0;
    while let Ok(len) = stream.write(&[0; 4096]).await {
        sent += len;
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_no_session_holds_little_and_is_not_waited_for() -> Result<()> {
    /// The beginning of a stream of the connection's first session, which there never is.
    const HEADER: &[u8] = &[0x40, 0x54, 0x00];
    const STREAMS: usize = 8;
    let relay = TestRelay::with(|config| {
        config.limits.connect_timeout = Duration::from_millis(500);
    })
    .await?;
    let stranger = Stranger::new(relay.target(), |_| {})?;
    let greedy = stranger.connect().await?;
    let mut one_way = Vec::new();
    for _ in 0..STREAMS {
        let mut stream = soon("a stream", greedy.open_uni()).await??;
        // Said before one stream takes what all may send: somebody waits for good for a header that never comes whole.
        soon("room", stream.write_all(HEADER)).await??;
        one_way.push(stream);
    }
    let mut pouring: JoinSet<usize> = one_way.into_iter().map(pour).collect();
    let one_way = async {
        while let Ok(stream) = greedy.open_uni().await {
            pouring.spawn(pour(stream));
        }
        let streams = pouring.len();
        (streams, pouring.join_all().await.into_iter().sum::<usize>())
    };
    let both_ways = async {
        let mut open = Vec::new();
        while let Ok(stream) = greedy.open_bi().await {
            open.push(stream);
        }
        open.len()
    };
    let both = async { tokio::join!(one_way, both_ways) };
    let ((streams, bytes), both_ways) = soon("the relay to close", both).await?;
    assert_eq!((streams, both_ways), (STREAMS, 3));
    ensure!(bytes <= (256 << 10) + 100, "{bytes} bytes");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_are_proven_first_where_many_handshakes_are_under_way() -> Result<()> {
    let relay = TestRelay::with(|config| config.limits.retry_above = 1).await?;
    let broadcast = relay.broadcast().await?;
    let token = broadcast.token(Role::Player);
    let retried = Arc::new(AtomicBool::new(false));
    let seen = retried.clone();
    let look = move |packet: &[u8]| {
        // A Retry (RFC 9000, 17.2.5).
        if packet.first().is_some_and(|first| first & 0xf0 == 0xf0) {
            seen.store(true, Ordering::Relaxed);
        }
        Fate::Passes
    };
    let proxy = Proxy::with(relay.target(), faultless(), Box::new(look)).await?;
    let _first = Player::join(proxy.target(), &token).await?;
    ensure!(!retried.load(Ordering::Relaxed), "nobody else was there");
    let stranger = Stranger::new(relay.target(), |_| {})?;
    let _silent = (stranger.connect().await?, stranger.connect().await?);
    // It is let in all the same.
    let _second = Player::join(proxy.target(), &token).await?;
    ensure!(retried.load(Ordering::Relaxed));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_taken_before_a_handshake_is_over() -> Result<()> {
    let relay = TestRelay::start().await?;
    let stranger = Stranger::new(relay.target(), |tls| tls.enable_early_data = true)?;
    let known = stranger.connect().await?;
    // The relay's first stream comes behind whatever would let a client come back without one.
    soon("HTTP/3's settings", known.accept_uni()).await??;
    let again = stranger.knock()?;
    ensure!(again.into_0rtt().is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_has_so_many_groups_open_at_once() -> Result<()> {
    /// HTTP/3's control stream.
    const OTHERS: usize = 1;
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let connection = publisher
        .control
        .connection
        .quic()?
        .quic_connection()
        .clone();
    // The relay has said how many before it answers.
    publisher.control.ping().await?;
    let mut open = Vec::new();
    let mut answered = std::pin::pin!(publisher.control.ping());
    loop {
        tokio::select! {
            biased;
            stream = connection.open_uni() => open.push(stream?),
            answered = &mut answered => break answered?,
        }
    }
    assert_eq!(open.len() + OTHERS, 64);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_heard_no_faster_than_they_may_come() -> Result<()> {
    const PINGS: u64 = 64 + 40;
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut player = broadcast.player().await?;
    let mut bytes = Vec::new();
    for sequence in 0..PINGS {
        bytes.extend(encode_client(&ClientMessage::Ping {
            sequence: u32::try_from(sequence)?,
            sent_us: 0,
        })?);
    }
    let begun = Instant::now();
    player.control.send_raw(&bytes).await?;
    for number in 0..PINGS {
        let pong = |message: &RelayMessage| match message {
            RelayMessage::Pong { sequence, .. } => Some(u64::from(*sequence)),
            _ => None,
        };
        assert_eq!(player.control.find("a pong", pong).await?, number);
    }
    // Those that may come at once, and one more every 25 ms.
    let took = begun.elapsed();
    ensure!(took >= Duration::from_millis(900), "{took:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_much_is_on_its_way_to_a_player_and_no_more() -> Result<()> {
    const WINDOW: u64 = 64 << 10;
    const WAY: Duration = Duration::from_millis(100);
    const WINDOWS: u32 = 16;
    let relay = TestRelay::with(|config| config.limits.player_send_window = WINDOW).await?;
    let broadcast = relay.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let far = Box::new(|_: &[u8]| Fate::At(Instant::now() + WAY));
    let proxy = Proxy::with(relay.target(), faultless(), far).await?;
    let mut player = Player::join(proxy.target(), &broadcast.token(Role::Player)).await?;
    let begun = Instant::now();
    publisher
        .keyframe(WINDOW as usize * WINDOWS as usize)
        .await?;
    let frame = player.frame().await?;
    ensure!(frame.is_intact());
    // Without a bound a path this wide carries it in six round trips.
    let took = begun.elapsed();
    ensure!(took >= WAY * (WINDOWS - 2), "{took:?}");
    ensure!(broadcast.records()?.totals.skips == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_word_of_http3_takes_no_more_than_its_addresss_share() -> Result<()> {
    const TIME: Duration = Duration::from_millis(300);
    let relay = TestRelay::with(|config| {
        config.limits.connect_timeout = TIME;
        config.limits.sessions_per_address = 2;
    })
    .await?;
    let stranger = Stranger::new(relay.target(), |_| {})?;
    let mut held = Vec::new();
    for _ in 0..2 {
        let connection = stranger.connect().await?;
        // Half of a stream's kind, with the rest of which somebody waits for good.
        let mut stream = connection.open_uni().await?;
        stream.write_all(&[0x40]).await?;
        held.push((connection, stream));
    }
    // Nobody waits for their sessions any more, and their connections are there still: they count.
    let until = Instant::now() + 4 * TIME;
    while Instant::now() < until {
        let third = soon("an answer", stranger.knock()?).await?;
        ensure!(third.is_err(), "a third connection of one address");
    }
    ensure!(
        held.iter()
            .all(|(connection, _)| connection.close_reason().is_none())
    );
    Ok(())
}

steadycast_tests::over_websocket! {
    messages_are_heard_no_faster_than_they_may_come,
}

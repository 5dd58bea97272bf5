//! Serves HTTP on accepted connections.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::listener::{Connection, Listener};
use crate::auth::OneAtATime;
use crate::shard::Place;

/// How long a connection may be without a whole request: before its first one, and over HTTP/1 before each.
const PATIENCE: Duration = Duration::from_secs(10);
/// How old a connection may become; clients open another without noticing.
const AGE: Duration = Duration::from_secs(300);
/// How long a connection over HTTP/2 may be without a new request before it ends, unhurried. Browsers keep theirs for
/// minutes, and where the way to them has died meanwhile, whatever they ask next waits until they have noticed: half a
/// minute. A connection that is opened for it takes another way at once.
const IDLE: Duration = Duration::from_secs(5);
/// How long a connection has to finish what it is doing once it is to end.
const PARTING: Duration = Duration::from_secs(3);

/// Serves `router` until `shutdown` is cancelled, then lets open requests finish. Clients are told that they may have
/// WebSockets over HTTP/2 (RFC 8441) if they may.
pub async fn serve(
    mut listener: Listener,
    router: Router,
    websockets_over_http2: bool,
    shutdown: CancellationToken,
) {
    let connections = TaskTracker::new();
    loop {
        tokio::select! {
            connection = listener.accept() => {
                let builder = builder(connection.is_http2(), websockets_over_http2);
                connections.spawn(converse(connection, builder, router.clone(), shutdown.clone()));
            }
            () = shutdown.cancelled() => break,
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// One connection, from its first request to its end.
async fn converse(
    mut connection: Connection,
    builder: Builder<TokioExecutor>,
    router: Router,
    shutdown: CancellationToken,
) {
    let peer = connection.peer;
    let makes_way = connection.guest.makes_way.clone();
    let stranger = Arc::new(Mutex::new(connection.guest.stranger.take()));
    let http2 = connection.is_http2();
    // Over HTTP/2 it is everybody's who asks on it.
    let moving = (!http2).then(|| connection.moving());
    let introduced = stranger.clone();
    let way = MakesWay(makes_way.clone());
    let lasting = Lasting::default();
    let answers = lasting.clone();
    let asked = Arc::new(Notify::new());
    let asks = asked.clone();
    let one_at_a_time = OneAtATime::default();
    let service = router.map_request(move |mut request: Request<_>| {
        *introduced.lock() = None;
        asks.notify_one();
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(answers.clone());
        request.extensions_mut().insert(way.clone());
        if let Some(moving) = &moving {
            request.extensions_mut().insert(moving.clone());
        }
        request.extensions_mut().insert(one_at_a_time.clone());
        request
    });
    let service = TowerToHyperService::new(service);
    let mut serving =
        pin!(builder.serve_connection_with_upgrades(TokioIo::new(connection), service));
    let mut is_idle = pin!(idle(&asked, &lasting));
    let mut ends = false;
    loop {
        tokio::select! {
            _ = serving.as_mut() => return,
            () = silence(&stranger) => return,
            () = makes_way.cancelled() => {
                tracing::debug!("a connection has made way for another");
                return;
            }
            // What it still does it may do for as long as that takes.
            () = is_idle.as_mut(), if http2 && !ends => {
                ends = true;
                serving.as_mut().graceful_shutdown();
            }
            () = shutdown.cancelled() => break,
            () = lasting.age() => break,
        }
    }
    serving.as_mut().graceful_shutdown();
    // What does not part in time is cut off; there is nobody to tell.
    let _ = timeout(PARTING, serving).await;
}

/// What has a connection make way for another, for whoever has it once it is no HTTP any more.
#[derive(Debug, Clone)]
pub(super) struct MakesWay(CancellationToken);

impl MakesWay {
    /// It is to make way.
    pub(super) async fn asked(&self) {
        self.0.cancelled().await;
    }
}

/// A connection's answers that last: while there is one, the connection does not grow old.
#[derive(Debug, Clone, Default)]
pub(super) struct Lasting(Arc<AtomicUsize>);

/// One answer that lasts; dropping it ends that.
#[derive(Debug)]
pub(super) struct Hold(Arc<AtomicUsize>);

impl Lasting {
    pub(super) fn hold(&self) -> Hold {
        self.0.fetch_add(1, Ordering::Relaxed);
        Hold(self.0.clone())
    }

    /// Whether there is none.
    fn is_none(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// Ends when the connection is old.
    async fn age(&self) {
        loop {
            sleep(AGE).await;
            if self.is_none() {
                return;
            }
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Ends when a connection has asked for nothing new for a while, and has no answer that lasts.
async fn idle(asked: &Notify, lasting: &Lasting) {
    loop {
        let nothing = timeout(IDLE, asked.notified()).await.is_err();
        if nothing && lasting.is_none() {
            return;
        }
    }
}

/// Ends when a connection has asked for nothing in time.
async fn silence(stranger: &Mutex<Option<Place>>) {
    sleep(PATIENCE).await;
    if stranger.lock().is_none() {
        std::future::pending().await
    }
}

fn builder(http2: bool, websockets_over_http2: bool) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(64 << 10);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .max_header_list_size(16 << 10)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
    if websockets_over_http2 {
        builder.http2().enable_connect_protocol();
    }
    if http2 {
        builder.http2_only()
    } else {
        builder.http1_only()
    }
}

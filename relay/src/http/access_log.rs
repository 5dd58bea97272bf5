use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use steadycast_codec_glue::wire::Code;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::listener::Peer;
use super::problem::Problem;
use crate::excerpt::excerpt;
use crate::shard::neighbourhood;
use crate::telemetry::traces::TRACES;

/// What the lines are known by.
pub(crate) const ACCESS: &str = "steadycast_relay::access";
/// The longest that an API request may take, its body included.
const TIME: Duration = Duration::from_secs(10);
/// Lines a second: more are counted, and the next line says how many.
const LINES: u32 = 50;
/// Of them for one network, half: whoever asks for much hides nobody else, and of a household that
/// comes back at once each is seen.
const SHARE: u32 = LINES / 2;

/// One line per request of the API and of WebRTC's endpoints, but no more than a disk bears,
/// whoever asks.
#[derive(Debug, Default)]
pub(super) struct AccessLog(Mutex<Written>);

#[derive(Debug, Default)]
struct Written {
    /// In the second that began then.
    since: Option<Instant>,
    lines: u32,
    /// By network, where that is known; no more than there are lines.
    shares: HashMap<Option<IpAddr>, u32>,
    left_out: u64,
}

impl AccessLog {
    /// Whether a line may be written now, and how many were left out before it.
    fn may_write(&self, from: Option<IpAddr>, now: Instant) -> Option<u64> {
        // Numbers are whole whoever panicked.
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let second = Duration::from_secs(1);
        if written
            .since
            .is_none_or(|since| now.saturating_duration_since(since) >= second)
        {
            written.since = Some(now);
            written.lines = 0;
            written.shares.clear();
        }
        let network = from.map(neighbourhood);
        let had = written.shares.get(&network).copied().unwrap_or_default();
        if written.lines == LINES || had == SHARE {
            written.left_out += 1;
            return None;
        }
        written.lines += 1;
        written.shares.insert(network, had + 1);
        Some(std::mem::take(&mut written.left_out))
    }
}

/// One line per API request. Never the query or a header: a token could be in either.
pub(super) async fn log(
    State(log): State<Arc<AccessLog>>,
    request: Request,
    next: Next,
) -> Response {
    let path = excerpt(request.uri().path());
    log_as(&log, path, request, next).await
}

/// Whether a request is one that pages make again and again: what became of it is no news while it is done.
fn is_report(request: &Request) -> bool {
    request.method() == Method::POST && request.uri().path().ends_with("/report")
}

/// One line per WHIP or WHEP request, reports that are taken aside. The end of a session's path is its secret.
pub(super) async fn log_session(
    State(log): State<Arc<AccessLog>>,
    request: Request,
    next: Next,
) -> Response {
    let mut parts = request.uri().path().split('/').skip(1);
    let (broadcast, endpoint) = (parts.next(), parts.next());
    let path = format!(
        "/{}/{}{}",
        broadcast.unwrap_or_default(),
        endpoint.unwrap_or_default(),
        if parts.next().is_some() { "/.." } else { "" },
    );
    log_as(&log, excerpt(&path), request, next).await
}

async fn log_as(log: &AccessLog, path: String, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = excerpt(request.method().as_str());
    let report = is_report(&request);
    let peer = request.extensions().get::<Peer>();
    let from = peer.map(|peer| peer.address.ip().to_canonical());
    let span = span(&method, &path);
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    if report && response.status().is_success() {
        return response;
    }
    if let Some(left_out) = log.may_write(from, Instant::now()) {
        let status = response.status().as_u16();
        let ms = began.elapsed().as_millis() as u64;
        write(&method, &path, from, status, ms, left_out);
    }
    response
}

/// What a collector of traces learns of a request. Nobody else's trace is gone on with: strangers could choose any.
fn span(method: &str, path: &str) -> Span {
    tracing::info_span!(
        target: TRACES,
        parent: None,
        "request",
        otel.name = format!("{method} {path}"),
        otel.kind = "server",
        http.request.method = method,
        url.path = path,
        http.response.status_code = Empty,
    )
}

fn write(method: &str, path: &str, from: Option<IpAddr>, status: u16, ms: u64, left_out: u64) {
    let from = from.map(tracing::field::display);
    let left_out = (left_out > 0).then_some(left_out);
    tracing::info!(
        target: ACCESS,
        %method, path, from, status, ms, left_out, "request"
    );
}

/// Gives up on a request that takes too long, such as one whose body never ends.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("the request took longer than {} s", TIME.as_secs());
            Problem::new(StatusCode::REQUEST_TIMEOUT, Code::Silent, detail).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_those_left_out_are_counted() {
        let log = AccessLog::default();
        let now = Instant::now();
        let asks = |network: u32| {
            let from = IpAddr::V4((network << 8).into());
            log.may_write(Some(from), now).is_some()
        };
        let written = (0..1_000).filter(|asked| asks(asked % 100)).count();
        assert_eq!(written, LINES as usize);
        let later = now + Duration::from_secs(1);
        assert_eq!(log.may_write(None, later), Some(1_000 - u64::from(LINES)));
        assert_eq!(log.may_write(None, later), Some(0));
    }

    #[test]
    fn who_asks_for_much_hides_nobody_else() {
        let log = AccessLog::default();
        let now = Instant::now();
        let noisy = ["198.51.100.1", "198.51.100.2"].map(|ip| ip.parse().ok());
        let written = (0..1_000).filter(|at| log.may_write(noisy[at % 2], now).is_some());
        assert_eq!(written.count(), SHARE as usize);
        for _ in 0..SHARE {
            assert!(log.may_write("203.0.113.9".parse().ok(), now).is_some());
        }
    }
}

use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use steadycast_codec_glue::wire::Code;

use super::problem::Problem;

/// The longest that an API request may take, its body included.
const TIME: Duration = Duration::from_secs(10);

/// One line per API request. Never the query or a header: a token could be in either.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    log_as(path, request, next).await
}

/// One line per WHIP or WHEP request. The end of a session's path is its secret.
pub(super) async fn log_session(request: Request, next: Next) -> Response {
    let mut parts = request.uri().path().split('/').skip(1);
    let (broadcast, endpoint) = (parts.next(), parts.next());
    let path = format!(
        "/{}/{}{}",
        broadcast.unwrap_or_default(),
        endpoint.unwrap_or_default(),
        if parts.next().is_some() { "/.." } else { "" },
    );
    log_as(path, request, next).await
}

async fn log_as(path: String, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let ms = began.elapsed().as_millis() as u64;
    tracing::info!(target: "steadycast_relay::access", %method, path, status, ms, "request");
    response
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

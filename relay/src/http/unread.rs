//! What of a request's body nobody has read when the answer is there.
//!
//! Over HTTP/2 a server that answers early stops the stream with it, and some clients (curl up to 8.2 among them) then
//! lose the answer as well. What a client may send at all is little: it is read to its end, and thrown away.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::Version;
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::timeout;

/// As much as any route takes, and half as much again.
const MOST: usize = 96 << 10;
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers when the request has been read, or is more than anybody may send.
pub(super) async fn read_on(request: Request, next: Next) -> Response {
    if request.version() != Version::HTTP_2 || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let left = Arc::new(Mutex::new(None));
    let request = request.map(|body| {
        Body::new(Lent {
            body: Some(body),
            left: left.clone(),
        })
    });
    let response = next.run(request).await;
    let unread = left.lock().take();
    if let Some(unread) = unread.filter(|body: &Body| !body.is_end_stream()) {
        // Whatever becomes of it, the answer is the same.
        let _ = timeout(PATIENCE, to_bytes(unread, MOST)).await;
    }
    response
}

/// A body that is given back when nobody wants more of it.
struct Lent {
    body: Option<Body>,
    left: Arc<Mutex<Option<Body>>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.left.lock() = self.body.take();
    }
}

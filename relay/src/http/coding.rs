//! What answers may be encoded in, and who takes it so.

use std::io::Write as _;

use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Whether the client takes a coding by name (RFC 9110, 12.5.3).
pub(crate) fn accepts(request: &HeaderMap, coding: &str) -> bool {
    let values = request.get_all(ACCEPT_ENCODING).iter();
    let mut named = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|one| {
            let (name, weight) = one.split_once(';').unwrap_or((one, "q=1"));
            name.trim().eq_ignore_ascii_case(coding).then_some(weight)
        });
    named.any(|weight| {
        let weight = weight.trim().trim_start_matches(['q', 'Q']);
        let weight = weight.trim_start().trim_start_matches('=').trim();
        weight.parse().is_ok_and(|weight: f32| weight > 0.0)
    })
}

/// A text with gzip.
pub(crate) fn gzip(text: &str, level: Compression) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    // Writing to memory cannot fail.
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default().into()
}

/// An answer with a text, of this type, that has nothing of a secret in it: its length would tell of that. `gzipped`
/// is called where it is wanted.
pub(crate) fn text(
    kind: &'static str,
    request: &HeaderMap,
    plain: impl FnOnce() -> Bytes,
    gzipped: impl FnOnce() -> Bytes,
) -> Response {
    let zipped = accepts(request, "gzip");
    let body = if zipped { gzipped() } else { plain() };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if zipped {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

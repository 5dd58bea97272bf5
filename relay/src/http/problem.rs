//! Errors as RFC 9457 problems (PROTOCOL 7.1).

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use steadycast_codec_glue::wire::Code;

use crate::auth::{CallerError, Refusal, TooManyTries};

/// The longest detail, in bytes.
const LONGEST: usize = 1_000;

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: Code,
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        // What strangers sent is an excerpt in it already; this holds whatever was forgotten.
        detail.truncate(detail.floor_char_boundary(LONGEST));
        Self {
            status,
            code,
            detail,
        }
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::Malformed, detail)
    }

    /// Who asks is not known.
    pub(super) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, detail)
    }

    /// Who asks is known, and may not.
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, Code::Unauthorized, detail)
    }

    pub(super) fn unknown_broadcast() -> Self {
        let detail = "there is no such broadcast, or it has ended";
        Self::new(StatusCode::NOT_FOUND, Code::UnknownBroadcast, detail)
    }

    pub(super) fn unknown_session() -> Self {
        let detail = "there is no such session, or it has ended";
        Self::new(StatusCode::NOT_FOUND, Code::UnknownBroadcast, detail)
    }

    /// Somebody else is needed who does not answer.
    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Internal, detail)
    }

    /// What was to be kept cannot be.
    pub(super) fn not_kept() -> Self {
        let detail = "the relay cannot keep broadcasts and links on disk (its log says why): \
                      nothing was changed";
        Self::unavailable(detail)
    }

    /// The relay is at fault. What happened goes to the log, not to the client.
    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %error, "a request failed");
        let detail = "the relay failed; its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, detail)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        if refusal == Refusal::Unavailable {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Self::new(status, refusal.code(), refusal.to_string());
        }
        match refusal.is_of_a_good_token() {
            true => Self::forbidden(refusal.to_string()),
            false => {
                let status = StatusCode::UNAUTHORIZED;
                Self::new(status, refusal.code(), refusal.to_string())
            }
        }
    }
}

impl From<TooManyTries> for Problem {
    fn from(error: TooManyTries) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::new(status, Code::TooMany, error.to_string())
    }
}

impl From<CallerError> for Problem {
    fn from(error: CallerError) -> Self {
        match error {
            CallerError::Refused(refusal) => refusal.into(),
            CallerError::TooManyTries(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let json = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code.name(),
        });
        let mut response = (self.status, json.to_string()).into_response();
        // For those who count them.
        response.extensions_mut().insert(self.code);
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.code.retries() {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

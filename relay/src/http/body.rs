use std::fmt;
use std::marker::PhantomData;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use steadycast_codec_glue::wire::Code;

use super::problem::Problem;
use crate::excerpt::{excerpt, excerpt_of};

/// The longest JSON body, in bytes (PROTOCOL 7.1).
const LONGEST: usize = 16 * 1024;

/// A JSON request body. An empty one counts as `{}`.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        let bytes = read(body, LONGEST).await?;
        if bytes.is_empty() {
            return parse(b"{}").map(Self);
        }
        check_type(&head.headers, "application/json")?;
        parse(&bytes).map(Self)
    }
}

/// The query of a request.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        let wrong = |error| Problem::malformed(format!("the query: {}", excerpt_of(&error)));
        query.map(|query| Self(query.0)).map_err(wrong)
    }
}

/// A request body of at most `longest` bytes.
pub(super) async fn read(body: Body, longest: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            Code::TooLarge,
            format!("a request body has at most {longest} bytes here"),
        )
    };
    // Said beforehand, it need not be read.
    if body.size_hint().lower() > longest as u64 {
        return Err(too_large());
    }
    // The other errors are those of a connection that nobody listens on any more.
    to_bytes(body, longest).await.map_err(|_| too_large())
}

/// Passes a body of this type.
pub(super) fn check_type(headers: &HeaderMap, wanted: &str) -> Result<(), Problem> {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if media_type.trim().eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::Malformed,
        format!("the body must be {wanted}"),
    ))
}

/// Reads an object within a body from an object alone, and not from an array of its values by their order.
pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Object(PhantomData))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Fields could be read from an array as well, by their order.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::malformed("the body: not a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = excerpt(&error.path().to_string());
        let what = excerpt_of(&error.into_inner());
        Problem::malformed(match path.as_str() {
            "." => format!("the body: {what}"),
            path => format!("the body's {path}: {what}"),
        })
    })?;
    json.end()
        .map_err(|error| Problem::malformed(format!("the body: {}", excerpt_of(&error))))?;
    Ok(value)
}

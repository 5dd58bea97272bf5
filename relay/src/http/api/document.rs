//! What the API is, for programs: OpenAPI 3.1.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use serde::Serialize;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Content, OpenApi as Document, Ref, RefOr, Required, ResponseBuilder, Schema,
};
use utoipa::{Modify, OpenApi, ToSchema};

use super::super::coding;

/// What the document begins with, before the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Steadycast relay",
        description = "Broadcasts, links and tokens, sessions and events of a relay. PROTOCOL.md, clauses 6 and 7, \
                       says it in full.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(ProblemDetails)),
    modifiers(&Bearer),
    security(("bearer" = [])),
    tags(
        (name = "broadcasts", description = "Broadcasts, and links to them"),
        (name = "tokens", description = "Tokens that are made and taken back"),
        (name = "sessions", description = "Who is there"),
        (name = "events", description = "What happens, as it happens"),
        (name = "relay", description = "The relay itself")
    )
)]
struct Beginning;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The admin key, or a token of an admin or a publisher"))
            .build();
        if let Some(components) = &mut document.components {
            components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        }
    }
}

/// Why a request was not done (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct ProblemDetails {
    /// Always `about:blank`: the status says what kind it is.
    r#type: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong, for people.
    detail: String,
    /// What is wrong, for programs: a name of PROTOCOL 5.
    code: String,
}

pub(super) fn beginning() -> Document {
    Beginning::openapi()
}

/// The whole document.
pub(in crate::http) static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut document = super::documented();
    let schemas = document.components.clone().unwrap_or_default().schemas;
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            may_fail(operation);
            may_be_empty(operation, &schemas);
        }
    }
    // Texts and numbers always serialise.
    let json = document.to_json().unwrap_or_default();
    // As the OpenAPI format registry has them.
    json.replace(r#""format":"u-int"#, r#""format":"uint"#)
});

/// The same for those who take it so.
static GZIPPED: LazyLock<Bytes> = LazyLock::new(|| coding::gzip(&DOCUMENT, Compression::best()));

/// Every request may be refused, in one form.
fn may_fail(operation: &mut Operation) {
    let schema = Ref::from_schema_name("Problem");
    let problem = ResponseBuilder::new()
        .description("It was not done; `code` says why")
        .content(
            "application/problem+json",
            Content::new(Some(RefOr::Ref(schema))),
        )
        .build();
    let responses = &mut operation.responses.responses;
    responses.insert("default".to_owned(), problem.into());
}

/// A body counts as `{}` where it is missing.
fn may_be_empty(operation: &mut Operation, schemas: &BTreeMap<String, RefOr<Schema>>) {
    let Some(RefOr::T(body)) = &mut operation.request_body else {
        return;
    };
    let mut named = body.content.values().filter_map(|content| match content {
        RefOr::T(Content {
            schema: Some(RefOr::Ref(named)),
            ..
        }) => named.ref_location.rsplit('/').next(),
        _ => None,
    });
    let has_to_have = |name: &str| match schemas.get(name) {
        Some(RefOr::T(Schema::Object(object))) => !object.required.is_empty(),
        _ => true,
    };
    body.required = Some(match named.any(has_to_have) {
        true => Required::True,
        false => Required::False,
    });
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    tag = "relay",
    security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
pub(super) async fn openapi(request: HeaderMap) -> Response {
    let plain = || Bytes::from_static(DOCUMENT.as_bytes());
    coding::text("application/json", &request, plain, || GZIPPED.clone())
}

//! The web pages (PROTOCOL 7.3), embedded in the program.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use rust_embed::RustEmbed;

use super::coding::accepts;
use super::headers::OPENER_POLICY;
use super::policy::Policy;
use super::routes::{no_such_method, no_such_thing};
use super::site::Site;
use crate::auth::Embedder;

/// What the web build made; nothing when it was not run.
#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Built;

/// A file as it was embedded.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) bytes: Bytes,
    pub(super) sha256: [u8; 32],
}

/// One of the pages' files, by its name in the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageFile {
    pub(crate) name: String,
    pub(crate) sha256: [u8; 32],
}

/// All that the program has of them, by name.
pub(crate) fn page_files() -> impl Iterator<Item = PageFile> {
    let names = Built::iter().collect::<std::collections::BTreeSet<_>>();
    names.into_iter().filter_map(|name| {
        let sha256 = Built::get(&name)?.metadata.sha256_hash();
        let name = name.into_owned();
        Some(PageFile { name, sha256 })
    })
}

/// Where files come from: the program, or a test.
type Find = fn(&str) -> Option<File>;

/// The web pages and what they load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pages {
    find: Find,
}

/// What files may be encoded in beside what they are, the smallest first, and how their names end then.
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Told instead of a page when there are none.
const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <title>Steadycast</title>\n<h1>The relay is up, its pages are not built</h1>\n\
    <p>Run <code>make web</code> (it needs Node), then build and start the relay again.</p>\n\
    <p>The API works: <a href=\"/api/relay\">/api/relay</a>.</p>\n</html>\n";

impl Pages {
    pub(super) fn embedded() -> Self {
        Self { find: find_built }
    }

    #[cfg(test)]
    pub(super) fn from(find: Find) -> Self {
        Self { find }
    }

    pub(super) fn router(self, site: Arc<Site>) -> Router {
        Router::new().fallback_service(any(serve).with_state((self, site)))
    }

    fn respond(self, path: &str, headers: &HeaderMap, embedders: &[Embedder]) -> Response {
        let name = match path {
            "/" => "index.html",
            "/admin" => "admin.html",
            "/host" => "host.html",
            "/play" => "play.html",
            path => path.trim_start_matches('/'),
        };
        let accepted = CODINGS
            .into_iter()
            .filter(|(coding, _)| accepts(headers, coding));
        let mut encoded = accepted.filter_map(|(coding, end)| {
            let file = (self.find)(&format!("{name}{end}"))?;
            Some((file, Some(coding)))
        });
        let plain = || (self.find)(name).map(|file| (file, None));
        match encoded.next().or_else(plain) {
            Some((file, coding)) => {
                let mut response = file_response(name, file, coding, headers);
                if let Some(policy) = self.policy(name, embedders) {
                    let headers = response.headers_mut();
                    headers.insert(CONTENT_SECURITY_POLICY, policy);
                }
                response
            }
            None if is_page(path) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                (status, html_headers(), NOT_BUILT).into_response()
            }
            None => (StatusCode::NOT_FOUND, "There is no such page.\n").into_response(),
        }
    }

    /// What a page is allowed besides: the very styles and scripts that are in it, and to be in frames of
    /// `embedders`. Also where a browser has the page already, for what is said then takes the place of what was
    /// said before.
    fn policy(self, name: &str, embedders: &[Embedder]) -> Option<HeaderValue> {
        let page = name.ends_with(".html").then(|| (self.find)(name))??;
        let policy = Policy {
            styles: within(&page.bytes, b"<style>", b"</style>"),
            scripts: within(&page.bytes, b"<script>", b"</script>"),
            embedders,
        };
        policy.header()
    }
}

/// What stands between the tags, to the byte, each time that they are there.
fn within<'page>(page: &'page [u8], begin: &[u8], end: &[u8]) -> Vec<&'page [u8]> {
    let find = |rest: &[u8], tag: &[u8]| rest.windows(tag.len()).position(|at| at == tag);
    let mut parts = Vec::new();
    let mut rest = page;
    while let Some(from) = find(rest, begin).map(|at| at + begin.len()) {
        let Some(length) = find(&rest[from..], end) else {
            break;
        };
        parts.push(&rest[from..from + length]);
        rest = &rest[from + length..];
    }
    parts
}

async fn serve(
    State((pages, site)): State<(Pages, Arc<Site>)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    // Whoever does not ask for a page is a program, and reads problems.
    if ![Method::GET, Method::HEAD].contains(&method) {
        return no_page(method, uri).await;
    }
    // The one page on which clicks that a viewer is tricked into have power over nothing.
    let embedders = match uri.path() {
        "/play" => site.embedders.read().clone(),
        _ => Vec::new(),
    };
    let mut response = pages.respond(uri.path(), &headers, &embedders);
    // The window that captures is to outlive the page that opened it: it is not its opener, and shares
    // no process with it. A browser that does not know this value parts the two as well, since it
    // takes it for another one than that page's.
    if uri.path() == "/host" {
        let apart = HeaderValue::from_static("noopener-allow-popups");
        response.headers_mut().insert(OPENER_POLICY, apart);
    }
    response
}

async fn no_page(method: Method, uri: Uri) -> Response {
    match is_page(uri.path()) {
        true => ([(ALLOW, "GET,HEAD")], no_such_method(method, uri).await).into_response(),
        false => no_such_thing(uri).await.into_response(),
    }
}

fn is_page(path: &str) -> bool {
    ["/", "/admin", "/host", "/play"].contains(&path)
}

fn find_built(name: &str) -> Option<File> {
    let file = Built::get(name)?;
    Some(File {
        sha256: file.metadata.sha256_hash(),
        bytes: match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        },
    })
}

fn file_response(
    name: &str,
    file: File,
    coding: Option<&'static str>,
    request: &HeaderMap,
) -> Response {
    let etag = etag(&file.sha256);
    // Names of assets change with their content; those of pages do not.
    let caching = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let fresh = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .any(|seen| names(seen, &etag));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, etag);
    }
    if fresh {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    if let Some(coding) = coding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    (headers, Body::from(file.bytes)).into_response()
}

fn etag(sha256: &[u8; 32]) -> String {
    let hex = sha256.iter().take(16).fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("\"{hex}\"")
}

/// Whether an If-None-Match header names `etag`, weakly or not.
fn names(header: &HeaderValue, etag: &str) -> bool {
    header.to_str().is_ok_and(|seen| {
        seen.split(',')
            .map(|one| one.trim().trim_start_matches("W/"))
            .any(|one| one == etag || one == "*")
    })
}

fn html_headers() -> [(axum::http::HeaderName, HeaderValue); 2] {
    [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map" | "webmanifest") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("webp") => "image/webp",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

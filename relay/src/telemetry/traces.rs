//! Traces for an OpenTelemetry collector, where one is named: a span for each session, each request of the API, of
//! WHIP and of WHEP, and each question to somebody else. They are for the collector alone; the log does not show them.

use std::fmt;
use std::time::Duration;

use opentelemetry::propagation::Injector;
use opentelemetry::trace::TracerProvider;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, global};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest::RequestBuilder;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use ring::digest::{SHA256, digest};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::asking::SafeUrl;
use crate::broadcast::BroadcastId;

/// What the spans are known by.
pub(crate) const TRACES: &str = "steadycast_relay::traces";

/// The header that says which trace something is part of.
const PARENT: &str = "traceparent";

/// How long a stop waits for a collector to take what is left.
const PATIENCE: Duration = Duration::from_millis(500);

/// What brings the spans to the collector. Dropping it brings those that are left; not within a runtime.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Drop for Traces {
    fn drop(&mut self) {
        // A collector that is not there has been complained of.
        let _ = self.0.shutdown_with_timeout(PATIENCE);
    }
}

/// What takes the spans, for the collector at `url` (OTLP over HTTP).
///
/// # Errors
/// When it cannot be set up.
pub(super) fn layer<S>(url: &SafeUrl) -> Result<(impl Layer<S>, Traces), ExporterBuildError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    // Others may have installed it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoint = format!("{}/v1/traces", url.0.as_str().trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .build()?;
    let resource = Resource::builder().with_service_name("steadycast");
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.build())
        .build();
    global::set_text_map_propagator(TraceContextPropagator::new());
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("steadycast"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(|metadata| {
            metadata.is_span() && metadata.target() == TRACES
        }));
    Ok((layer, Traces(provider)))
}

/// The trace that a broadcast's sessions are parts of, at whichever relay and whoever asks: it follows from the
/// broadcast's id, so that nobody has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BroadcastTrace {
    trace: TraceId,
    /// What its spans hang on; nobody tells of this one.
    root: SpanId,
}

impl BroadcastTrace {
    /// The trace of this broadcast.
    pub(crate) fn of(broadcast: &BroadcastId) -> Self {
        let text = format!("steadycast broadcast {broadcast}");
        let hash = digest(&SHA256, text.as_bytes());
        let (mut trace, mut root) = ([0; 16], [0; 8]);
        trace.copy_from_slice(&hash.as_ref()[..16]);
        root.copy_from_slice(&hash.as_ref()[16..24]);
        Self {
            trace: TraceId::from_bytes(trace),
            root: SpanId::from_bytes(root),
        }
    }

    /// Has a span that nobody has seen yet be a part of it.
    pub(crate) fn adopt(self, span: &Span) {
        let context = self.context(TraceFlags::SAMPLED);
        // Without a collector there is nothing to be a part of.
        let _ = span.set_parent(Context::new().with_remote_span_context(context));
    }

    fn context(self, flags: TraceFlags) -> SpanContext {
        SpanContext::new(self.trace, self.root, flags, true, TraceState::default())
    }

    /// What others are told who are to go on with it (W3C Trace Context), where no collector learns of the relay's own
    /// spans.
    fn parent(self) -> String {
        format!("00-{}-{}-00", self.trace, self.root)
    }
}

impl fmt::Display for BroadcastTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.trace.fmt(f)
    }
}

/// The span of something that another relay or another server is asked for a broadcast's sake, as part of its trace.
pub(crate) fn asking_of(whom: &'static str, broadcast: &BroadcastId) -> Span {
    part_of(broadcast, whom, "client")
}

/// The span of what is done for another relay.
pub(crate) fn serving(whom: &'static str, broadcast: &BroadcastId) -> Span {
    part_of(broadcast, whom, "server")
}

fn part_of(broadcast: &BroadcastId, name: &'static str, kind: &'static str) -> Span {
    let span = tracing::info_span!(
        target: TRACES, parent: None, "part", otel.name = name, otel.kind = kind,
        steadycast.broadcast = %broadcast
    );
    BroadcastTrace::of(broadcast).adopt(&span);
    span
}

/// The span of a question to somebody else, as part of what it is asked for.
pub(crate) fn asking(whom: &'static str) -> Span {
    tracing::info_span!(target: TRACES, "asking", otel.name = whom, otel.kind = "client")
}

/// Tells whoever is asked which trace it is part of (W3C Trace Context), where there is one.
pub(crate) fn carry(span: &Span, request: RequestBuilder) -> RequestBuilder {
    let mut headers = Headers(HeaderMap::new());
    let context = span.context();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut headers));
    request.headers(headers.0)
}

/// The same of a question about a broadcast: who is asked is told of its trace whether there is a collector or not.
pub(crate) fn carry_of(
    span: &Span,
    broadcast: &BroadcastId,
    request: RequestBuilder,
) -> RequestBuilder {
    match span.context().span().span_context().is_valid() {
        true => carry(span, request),
        false => request.header(PARENT, BroadcastTrace::of(broadcast).parent()),
    }
}

struct Headers(HeaderMap);

impl Injector for Headers {
    fn set(&mut self, name: &str, value: String) {
        let name = HeaderName::try_from(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_the_same_at_every_relay_and_another_for_each_broadcast() {
        let of = |id: &str| BroadcastTrace::of(&id.parse().unwrap());
        // printf 'steadycast broadcast main' | sha256sum
        assert_eq!(of("main").to_string(), "adb0716cf3afaeb8964e98ef7d495c27");
        assert_eq!(
            of("main").parent(),
            "00-adb0716cf3afaeb8964e98ef7d495c27-7cacab31b432e962-00"
        );
        assert_ne!(of("main"), of("other"));
    }
}

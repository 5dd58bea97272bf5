//! Traces for an OpenTelemetry collector, where one is named: a span for each session, each request of the API, of
//! WHIP and of WHEP, and each question to somebody else. They are for the collector alone; the log does not show them.

use std::time::Duration;

use opentelemetry::global;
use opentelemetry::propagation::Injector;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest::RequestBuilder;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::asking::SafeUrl;

/// What the spans are known by.
pub(crate) const TRACES: &str = "steadycast_relay::traces";

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

struct Headers(HeaderMap);

impl Injector for Headers {
    fn set(&mut self, name: &str, value: String) {
        let name = HeaderName::try_from(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

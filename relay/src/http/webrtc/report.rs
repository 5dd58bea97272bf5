//! What a player's page says of what it shows (PROTOCOL 8.9), as WebTransport sessions say it in band.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use steadycast_codec_glue::wire::Role;

use super::super::body::Json;
use super::super::problem::Problem;
use super::super::site::Site;
use super::session::find;
use crate::records::Shown;

/// Totals since the session began.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Report {
    received: u64,
    decoded: u64,
    shown: u64,
    latency_ms: Option<u32>,
}

pub(super) async fn report(
    State(site): State<Arc<Site>>,
    Path((id, session)): Path<(String, String)>,
    Json(report): Json<Report>,
) -> Result<StatusCode, Problem> {
    let session = find(&site, &id, &session)?;
    if session.role != Role::Player {
        return Err(Problem::unknown_session());
    }
    let Report {
        received,
        decoded,
        shown,
        latency_ms,
    } = report;
    session.report(Shown {
        received,
        decoded,
        shown,
        latency: latency_ms.map(|ms| Duration::from_millis(ms.into())),
    });
    Ok(StatusCode::NO_CONTENT)
}

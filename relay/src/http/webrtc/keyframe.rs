//! A page that opens frames itself asks for a keyframe (PROTOCOL 12.10): its decoder is none of the browser's, which
//! would ask for it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use steadycast_codec_glue::wire::Role;

use super::super::problem::Problem;
use super::super::site::Site;
use super::session::find;

pub(super) async fn ask(
    State(site): State<Arc<Site>>,
    Path((id, session)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let session = find(&site, &id, &session)?;
    if session.role != Role::Player {
        return Err(Problem::unknown_session());
    }
    site.bridge.plead(&session);
    Ok(StatusCode::ACCEPTED)
}

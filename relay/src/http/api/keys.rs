//! The relay's own keys, made anew.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::Code;
use utoipa::ToSchema;

use super::super::body::Json;
use super::super::broadcasts::KeepError;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::super::site::Site;
use crate::auth::random_text;

/// A key of the relay's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Which {
    /// That with which it signs tokens.
    Tokens,
    /// The admin key.
    Admin,
}

/// A key that is to be made anew.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewKey)]
pub(super) struct Wish {
    key: Which,
    /// Of the key to tokens: all links until now end, and their sessions with them. Else they stay good.
    #[serde(default)]
    end_links: bool,
}

/// What has become of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Renewed {
    /// The new admin key. It is shown this once, and is in the state directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_key: Option<String>,
    /// Sessions that end.
    sessions_ended: usize,
}

/// Makes a new key. The one before is good for nothing new from then on.
///
/// Who may: an admin of all broadcasts.
#[utoipa::path(
    post,
    path = "/api/keys",
    tag = "tokens",
    request_body = Wish,
    responses((status = 200, body = Renewed))
)]
pub(super) async fn renew(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Json(wish): Json<Wish>,
) -> Result<Answer<Renewed>, Problem> {
    caller.require_admin()?;
    match wish.key {
        Which::Admin if wish.end_links => Err(Problem::malformed(
            "the body's endLinks: no link is made with the admin key",
        )),
        Which::Admin if site.rules().admin_key_is_set => Err(Problem::new(
            StatusCode::CONFLICT,
            Code::Exists,
            "the admin key is set by server.admin_key: change it there",
        )),
        Which::Admin => admin(site).await,
        Which::Tokens => tokens(site, wish.end_links).await,
    }
}

async fn admin(site: Arc<Site>) -> Result<Answer<Renewed>, Problem> {
    // Of two at once, the later one's is in the file and in memory.
    let _turn = site.turns.lock().await;
    if let Some(homes) = &site.homes {
        let text = random_text()?;
        site.change_admin_key_for_all(homes, &text).await?;
        tracing::info!("the admin key is another at all relays");
        return Ok(Answer(Renewed {
            admin_key: Some(text),
            sessions_ended: 0,
        }));
    }
    let state = site.state.clone();
    // It waits for the disk.
    let made = tokio::task::spawn_blocking(move || state.renew_admin_key());
    let made = made.await.map_err(KeepError::from)?;
    let (key, text) = made.map_err(KeepError::from)?;
    site.gate.change_admin_key(key);
    tracing::info!("the admin key is another");
    Ok(Answer(Renewed {
        admin_key: Some(text),
        sessions_ended: 0,
    }))
}

async fn tokens(site: Arc<Site>, end_links: bool) -> Result<Answer<Renewed>, Problem> {
    // Of two at once, the later one has to know the key of the earlier.
    let _turn = site.turns.lock().await;
    if let Some(homes) = &site.homes {
        let sessions_ended = site.rotate_for_all(homes, end_links).await?;
        tracing::info!(
            end_links,
            "tokens are signed with another key at all relays"
        );
        return Ok(Answer(Renewed {
            admin_key: None,
            sessions_ended,
        }));
    }
    let now = site.clock.now();
    let signer = site
        .with_keys(move |keys| keys.rotate(end_links, now))
        .await?;
    site.gate.change_signer(signer);
    let sessions_ended = match end_links {
        true => site.gate.end_own(),
        false => 0,
    };
    tracing::info!(end_links, "tokens are signed with another key");
    Ok(Answer(Renewed {
        admin_key: None,
        sessions_ended,
    }))
}

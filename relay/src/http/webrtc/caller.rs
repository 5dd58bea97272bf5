//! Whose request it is: the bearer of a token for this very broadcast.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::StatusCode;
use steadycast_codec_glue::wire::{Code, Role};

use super::super::caller::Bearer;
use super::super::problem::Problem;
use super::super::site::Site;
use crate::auth::{Refusal, Transport, Visit};
use crate::broadcast::{Broadcast, BroadcastId};
use crate::records::Record;
use crate::session::NotHere;

/// What somebody is told who asks for a broadcast that is not here.
fn not_here(why: &NotHere) -> Problem {
    let status = match why {
        NotHere::Unknown => return Problem::unknown_broadcast(),
        NotHere::Elsewhere(_) | NotHere::At(_) => StatusCode::MISDIRECTED_REQUEST,
        NotHere::Unreachable => StatusCode::BAD_GATEWAY,
        NotHere::TooFar => StatusCode::LOOP_DETECTED,
        NotHere::Full | NotHere::NoRoom | NotHere::Leaving => StatusCode::SERVICE_UNAVAILABLE,
    };
    Problem::new(status, why.code(), why.to_string())
}

impl Bearer {
    /// Lets a session in at the broadcast that the path names, if the token is good for `role` there.
    pub(super) async fn enter(
        self,
        site: &Site,
        id: &str,
        role: Role,
        from: IpAddr,
    ) -> Result<(Arc<Broadcast>, Record), Problem> {
        let Self(token) = self;
        site.entrance.shared().begun().await;
        let visit = Visit {
            number: site.gate.number(),
            transport: Transport::WebRtc,
            from,
            since: site.clock.now(),
        };
        // What is no id is nobody's, and only who has a good token learns more.
        let id = match id.parse::<BroadcastId>() {
            Ok(id) => id,
            Err(_) => {
                site.gate.recognise(&token, visit.since)?;
                return Err(Refusal::Broadcast.into());
            }
        };
        let pass = site.gate.admit(&token, role, Some(&id), visit).await?;
        if site.draining.is_cancelled() {
            let detail = "the relay is stopping";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Problem::new(status, Code::ShuttingDown, detail));
        }
        let found = site.entrance.shared().find(&id, role).await;
        let broadcast = found.map_err(|why| not_here(&why))?;
        Ok((broadcast, site.records.open(pass)))
    }

    /// Passes when the token is good for `role` at this broadcast.
    pub(in crate::http) async fn check(
        &self,
        site: &Site,
        id: &str,
        role: Role,
        from: IpAddr,
    ) -> Result<(), Problem> {
        let Self(token) = self;
        let id = id.parse::<BroadcastId>().map_err(|_| Refusal::Broadcast)?;
        let asker = (from, site.clock.now());
        Ok(site.gate.check(token, role, &id, asker).await?)
    }
}

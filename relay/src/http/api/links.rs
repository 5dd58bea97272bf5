//! Who gets in: new links, tokens of every kind, and what is taken back.

use std::sync::Arc;
use std::time::Duration;

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::limits;
use utoipa::ToSchema;

use super::super::body::{Json, object};
use super::super::broadcasts::Tokens;
use super::super::caller::Caller;
use super::super::links::Links;
use super::super::problem::Problem;
use super::super::site::Site;
use super::{PlainText, check_plain, known};
use crate::auth::{
    Action, Allotment, Expiry, LONGEST_LIFE, Order, Pattern, Power, Powers, Revocation, Token,
};
use crate::whole::whole;

/// What becomes of the links until now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Renewal {
    /// Whose links until now end, and their sessions with them.
    #[serde(default)]
    end: Vec<Power>,
}

/// New links to a broadcast.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewLinks {
    #[schema(value_type = String)]
    publish_token: Token,
    #[schema(value_type = String)]
    play_token: Token,
    /// When the first of them ends, in seconds since the Unix epoch.
    expires: u64,
    /// Sessions that end with the links until now.
    sessions_ended: usize,
    links: Pair,
}

/// Links to the pages.
#[derive(Serialize, ToSchema)]
#[schema(as = Links)]
pub(super) struct Pair {
    /// The admin's panel.
    admin: String,
    /// The player.
    player: String,
}

impl Pair {
    pub(super) fn of(links: &Links, tokens: &Tokens) -> Self {
        Self {
            admin: links.admin(&tokens.publish),
            player: links.player(&tokens.play),
        }
    }
}

/// Makes new links to a broadcast, and ends those until now where that is wished.
///
/// Who may: an admin, and its publisher.
#[utoipa::path(
    post,
    path = "/api/broadcasts/{id}/links",
    tag = "broadcasts",
    params(("id" = String, Path, description = "Its id")),
    request_body = Renewal,
    responses((status = 201, body = NewLinks))
)]
pub(super) async fn links(
    State(site): State<Arc<Site>>,
    caller: Caller,
    links: Links,
    Path(id): Path<String>,
    Json(renewal): Json<Renewal>,
) -> Result<(StatusCode, Answer<NewLinks>), Problem> {
    let id = known(&site, &caller, &id, Action::Publish).await?;
    let ended = match renewal.end.is_empty() {
        true => 0,
        false => site.renew(&id, &renewal.end).await?,
    };
    let tokens = site.mint_like(&id, caller.subject(), caller.allotment())?;
    let answer = NewLinks {
        links: Pair::of(&links, &tokens),
        publish_token: tokens.publish,
        play_token: tokens.play,
        expires: tokens.expires,
        sessions_ended: ended,
    };
    Ok((StatusCode::CREATED, Answer(answer)))
}

/// A token that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewToken)]
pub(super) struct Wish {
    /// The broadcasts: an id, or the beginning of ids and `*` behind it.
    #[schema(value_type = String, pattern = r"^([a-z0-9-]{1,64}|[a-z0-9-]{0,63}\*)$")]
    broadcast: Pattern,
    /// What its holder may be there.
    #[schema(min_items = 1)]
    roles: Vec<Power>,
    /// Whom it is about.
    #[serde(default)]
    #[schema(value_type = Option<PlainText>)]
    subject: Option<Box<str>>,
    /// What others see of its holder.
    #[serde(default)]
    #[schema(value_type = Option<PlainText>)]
    name: Option<Box<str>>,
    /// How long it is good, in seconds; else as long as a link. Of a publisher never longer than that.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 315_360_000)]
    ttl_s: Option<u64>,
    /// What its end means for sessions.
    #[serde(default)]
    expiry: Expiry,
    /// How much its holder may have.
    #[serde(default, deserialize_with = "object")]
    limits: Allotment,
}

/// A token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Token)]
pub(super) struct Made {
    #[schema(value_type = String)]
    token: Token,
    /// By which it can be taken back.
    token_id: String,
    /// When it ends, in seconds since the Unix epoch.
    expires: u64,
    /// The page for it, where it is for one broadcast.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

/// Makes a token.
///
/// Who may: an admin of all the broadcasts that it is for; of one broadcast and without the role of an admin, its
/// publisher.
#[utoipa::path(
    post,
    path = "/api/tokens",
    tag = "tokens",
    request_body = Wish,
    responses((status = 201, body = Made))
)]
pub(super) async fn mint(
    State(site): State<Arc<Site>>,
    caller: Caller,
    links: Links,
    Json(wish): Json<Wish>,
) -> Result<(StatusCode, Answer<Made>), Problem> {
    let order = order(&site, &caller, wish).await?;
    let minted = site.make_of_any_life(&order).await?;
    if minted.token.as_str().len() > limits::TOKEN {
        let longest = limits::TOKEN;
        let detail = format!("the token would be longer than {longest} bytes");
        return Err(Problem::malformed(detail));
    }
    // A page knows the broadcast from its token.
    let link = match (order.broadcasts.one(), order.powers) {
        (Some(_), powers) if powers.have(Power::Publish) => Some(links.admin(&minted.token)),
        (Some(_), powers) if powers.have(Power::Play) => Some(links.player(&minted.token)),
        _ => None,
    };
    let made = Made {
        token: minted.token,
        token_id: minted.id,
        expires: minted.expires,
        link,
    };
    Ok((StatusCode::CREATED, Answer(made)))
}

/// What a caller may have made for somebody.
async fn order(site: &Site, caller: &Caller, wish: Wish) -> Result<Order, Problem> {
    if wish.roles.is_empty() {
        return Err(Problem::malformed("the body's roles: at least one"));
    }
    let powers: Powers = wish.roles.into_iter().collect();
    caller
        .require_gift(&site.gate, &wish.broadcast, powers)
        .await?;
    let [subject, name] = [("subject", wish.subject), ("name", wish.name)]
        .map(|(field, text)| text.map_or(Ok(None), |text| plain(field, text).map(Some)));
    let rules = site.rules();
    let usual = match powers.have(Power::Publish) || powers.have(Power::Admin) {
        true => rules.publish_token_ttl,
        false => rules.play_token_ttl,
    };
    let ttl = match wish.ttl_s {
        None => usual,
        // Only an admin makes anything that lasts longer than a link.
        Some(seconds @ 1..=LONGEST_LIFE) if caller.is_admin() => Duration::from_secs(seconds),
        Some(seconds @ 1..=LONGEST_LIFE) => Duration::from_secs(seconds).min(usual),
        Some(_) => {
            let detail = format!("the body's ttlS: 1 to {LONGEST_LIFE} seconds");
            return Err(Problem::malformed(detail));
        }
    };
    let subject = subject?.or_else(|| caller.subject());
    // Who could make admins about others would have what others may have besides.
    if powers.have(Power::Admin) && !caller.is_admin() && subject != caller.subject() {
        let detail = "an admin of some broadcasts makes others about the same subject alone";
        return Err(Problem::forbidden(detail));
    }
    let one = wish.broadcast.one();
    Ok(Order {
        generation: one.map(|id| site.gate.generation(id).current),
        broadcasts: wish.broadcast,
        powers,
        subject,
        name: name?,
        ttl,
        expiry: wish.expiry,
        allotment: wish.limits.within(caller.allotment()),
    })
}

fn plain(field: &str, text: Box<str>) -> Result<Box<str>, Problem> {
    check_plain(&format!("the body's {field}"), &text)?;
    Ok(text)
}

/// A token that somebody would like to know more of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenToInspect)]
pub(super) struct Inspected {
    token: String,
}

/// What a token is good for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TokenFacts)]
pub(super) struct Facts {
    /// Whether it is good now.
    good: bool,
    /// Why not, for programs: a name of PROTOCOL 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// What it grants while it is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<Granted>,
}

/// What a token grants.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Grant)]
struct Granted {
    /// The broadcasts: an id, or the beginning of ids and `*` behind it.
    broadcast: String,
    roles: Vec<Power>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    issuer: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    subject: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    name: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    token_id: Option<Box<str>>,
    /// When it was made, in seconds since the Unix epoch.
    issued: u64,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    expiry: Expiry,
    limits: Allotment,
}

/// Says what a token is good for, here and now.
///
/// Who may: an admin of all broadcasts.
#[utoipa::path(
    post,
    path = "/api/tokens/inspect",
    tag = "tokens",
    request_body = Inspected,
    responses((status = 200, body = Facts))
)]
pub(super) async fn inspect(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Json(inspected): Json<Inspected>,
) -> Result<Answer<Facts>, Problem> {
    caller.require_admin()?;
    let now = site.clock.now();
    Ok(Answer(match site.gate.recognise(&inspected.token, now) {
        Err(refusal) => Facts {
            good: false,
            code: Some(refusal.code().name()),
            why: Some(refusal.to_string()),
            grant: None,
        },
        Ok(grant) => Facts {
            good: true,
            code: None,
            why: None,
            grant: Some(Granted {
                broadcast: grant.broadcasts.to_string(),
                roles: grant.powers.list().collect(),
                issuer: grant.holder.issuer,
                subject: grant.holder.subject,
                name: grant.holder.name,
                token_id: grant.holder.token,
                issued: grant.issued,
                expires: grant.expires,
                expiry: grant.expiry,
                limits: grant.allotment,
            }),
        },
    }))
}

/// What is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(untagged, try_from = "Fields")]
#[schema(as = Revocation)]
pub(super) enum Taken {
    Token(OfToken),
    Subject(OfSubject),
}

/// A token is.
#[derive(ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = RevocationOfToken)]
pub(super) struct OfToken {
    /// Its id.
    #[schema(value_type = PlainText)]
    token_id: Box<str>,
    /// When it ends by itself, in seconds since the Unix epoch: it need not be remembered for longer.
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    expires: Option<u64>,
}

/// All tokens about somebody are that were made until now.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RevocationOfSubject)]
pub(super) struct OfSubject {
    /// Whom they are about.
    #[schema(value_type = PlainText)]
    subject: Box<str>,
}

/// Both kinds of fields, so that what is wrong with them can be said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Fields {
    #[serde(default)]
    token_id: Option<Box<str>>,
    #[serde(default)]
    subject: Option<Box<str>>,
    #[serde(default, deserialize_with = "whole")]
    expires: Option<u64>,
}

impl TryFrom<Fields> for Taken {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        let Fields {
            token_id,
            subject,
            expires,
        } = fields;
        match (token_id, subject) {
            (Some(token_id), None) => Ok(Self::Token(OfToken { token_id, expires })),
            (None, Some(subject)) if expires.is_none() => Ok(Self::Subject(OfSubject { subject })),
            _ => Err("a tokenId, perhaps with when it expires, or a subject"),
        }
    }
}

/// What has been taken back.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Revoked {
    /// Sessions that end.
    sessions_ended: usize,
}

/// Takes a token back, or all that somebody has: from running sessions too.
///
/// Who may: an admin of all broadcasts.
#[utoipa::path(
    post,
    path = "/api/revocations",
    tag = "tokens",
    request_body = Taken,
    responses((status = 200, body = Revoked))
)]
pub(super) async fn revoke(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Json(taken): Json<Taken>,
) -> Result<Answer<Revoked>, Problem> {
    caller.require_admin()?;
    let now = site.clock.now().as_seconds();
    let revocation = match taken {
        Taken::Token(OfToken { token_id, expires }) => Revocation::Token {
            id: plain("tokenId", token_id)?,
            until: expires.unwrap_or(now + LONGEST_LIFE),
        },
        Taken::Subject(OfSubject { subject }) => Revocation::Subject {
            subject: plain("subject", subject)?,
            made_by: now,
        },
    };
    let sessions_ended = site.revoke(revocation).await?;
    Ok(Answer(Revoked { sessions_ended }))
}

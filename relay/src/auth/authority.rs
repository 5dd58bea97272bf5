//! An outside authority that is asked instead of looking at tokens (PROTOCOL 6.5).

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode, Url};
use ring::digest;
use serde::{Deserialize, Serialize};
use steadycast_codec_glue::wire::Role;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::Instrument;

use super::claims::{is_plain, shown_name};
use super::grant::{Allotment, Expiry, Grant, Holder, Power, Powers};
use super::{Pattern, Refusal, Visit};
use crate::asking::{SafeUrl, body, client};
use crate::telemetry::traces;

/// Questions that are asked at once; more wait for their turn, as long as an answer may take.
const AT_ONCE: usize = 64;
/// Answers that are remembered; of more, the newest is not.
const REMEMBERED: usize = 10_000;
/// The longest answer, in bytes.
const LONGEST: usize = 16 << 10;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Publish, or see to a broadcast as its publisher may.
    Publish,
    /// Watch.
    Read,
    /// Create a broadcast.
    Create,
    /// End a broadcast.
    End,
}

/// What the authority is asked: MediaMTX's fields, with what it knows of none of them empty.
#[derive(Serialize)]
struct Question<'a> {
    user: &'a str,
    password: &'a str,
    token: &'a str,
    ip: IpAddr,
    action: Action,
    path: &'a str,
    protocol: &'a str,
    id: String,
    query: &'a str,
}

/// What an answer may say besides yes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Answer {
    subject: Option<Box<str>>,
    name: Option<Box<str>>,
    /// In seconds since the Unix epoch.
    stay_until: Option<u64>,
    limits: Allotment,
}

/// A question that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Asked {
    /// The token's SHA-256.
    token: [u8; 32],
    action: Action,
    path: Box<str>,
    protocol: &'static str,
    ip: IpAddr,
}

/// What was answered, and until when that is good.
type Answered = (Instant, Result<Answer, Refusal>);

/// An outside authority cannot be asked at all.
#[derive(Debug, thiserror::Error)]
#[error("auth.hook: {0}")]
pub struct AuthorityError(#[source] reqwest::Error);

/// An outside authority. What it does not allow is refused, and so is everything while it does not answer.
pub struct Authority {
    url: Url,
    client: Client,
    turns: Semaphore,
    patience: Duration,
    /// How long an answer is good.
    keeps: Duration,
    answers: Mutex<HashMap<Asked, Answered>>,
}

impl From<Role> for Action {
    fn from(role: Role) -> Self {
        match role {
            Role::Publisher => Self::Publish,
            Role::Player => Self::Read,
        }
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// One at `url` that answers within `patience`; its answers are good for as long as it `keeps` them.
    ///
    /// # Errors
    /// [`AuthorityError`], when the system's trusted certificates cannot be read.
    pub fn new(
        SafeUrl(url): SafeUrl,
        patience: Duration,
        keeps: Duration,
    ) -> Result<Self, AuthorityError> {
        let client = client(patience).map_err(AuthorityError)?;
        Ok(Self {
            url,
            client,
            turns: Semaphore::new(AT_ONCE),
            patience,
            keeps,
            answers: Mutex::default(),
        })
    }
}

impl Authority {
    /// Whether somebody with `token` may do that at a broadcast, and what is granted then.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], or [`Refusal::Unavailable`] while there is no answer.
    pub(super) async fn ask(
        &self,
        token: &str,
        action: Action,
        broadcast: &str,
        (from, visit): (IpAddr, Option<&Visit>),
    ) -> Result<Grant, Refusal> {
        let protocol = visit.map_or("http", |visit| visit.transport.name());
        let asked = Asked {
            token: hash(token),
            action,
            path: broadcast.into(),
            protocol,
            ip: from,
        };
        if let Some(known) = self.known(&asked) {
            return known.map(|answer| grant(answer, action, broadcast));
        }
        let question = Question {
            user: "",
            password: "",
            token,
            ip: from,
            action,
            path: broadcast,
            protocol,
            id: visit
                .map(|visit| visit.number.to_string())
                .unwrap_or_default(),
            query: "",
        };
        // Its turn comes in that time as well.
        let answer = tokio::time::timeout(self.patience, self.fetch(&question)).await;
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the authority cannot be asked: everybody is refused");
                return Err(Refusal::Unavailable);
            }
            Err(_) => {
                tracing::warn!("the authority does not answer in time: everybody is refused");
                return Err(Refusal::Unavailable);
            }
        };
        self.remember(asked, answer.clone());
        answer.map(|answer| grant(answer, action, broadcast))
    }

    /// Whether it has allowed something of late to somebody with this token.
    pub(super) fn has_allowed(&self, token: &str) -> bool {
        let (shown, now) = (hash(token), Instant::now());
        let answers = self.answers.lock();
        let mut answers = answers.iter();
        answers
            .any(|(asked, (until, answer))| asked.token == shown && now < *until && answer.is_ok())
    }

    fn known(&self, asked: &Asked) -> Option<Result<Answer, Refusal>> {
        let answers = self.answers.lock();
        let (until, answer) = answers.get(asked)?;
        (Instant::now() < *until).then(|| answer.clone())
    }

    fn remember(&self, asked: Asked, answer: Result<Answer, Refusal>) {
        let now = Instant::now();
        let mut answers = self.answers.lock();
        if answers.len() >= REMEMBERED {
            answers.retain(|_, (until, _)| now < *until);
        }
        if answers.len() < REMEMBERED {
            answers.insert(asked, (now + self.keeps, answer));
        }
    }

    /// Asks; the outer error is of no answer, the inner one of a no.
    async fn fetch(&self, question: &Question<'_>) -> Result<Result<Answer, Refusal>, Unasked> {
        // Nobody closes it.
        let _turn = self.turns.acquire().await;
        let question = serde_json::to_vec(question)?;
        let request = self.client.post(self.url.clone()).body(question);
        let span = traces::asking("authority");
        let answer = traces::carry(&span, request)
            .header(CONTENT_TYPE, "application/json")
            .send()
            .instrument(span)
            .await?;
        let status = answer.status();
        // Too slow, and too many questions, say nothing of this one.
        let busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        if status.is_client_error() && !busy {
            return Ok(Err(Refusal::Forbidden));
        }
        if !status.is_success() {
            return Err(Unasked::Status(status));
        }
        let json = body(answer, LONGEST).await?.ok_or(Unasked::TooLong)?;
        // MediaMTX's answers say nothing.
        match json.trim_ascii().first() {
            Some(b'{') => {
                let answer: Answer = serde_json::from_slice(&json)?;
                match answer.subject.as_deref().is_none_or(is_plain) {
                    true => Ok(Ok(answer)),
                    false => Err(Unasked::Subject),
                }
            }
            _ => Ok(Ok(Answer::default())),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Unasked {
    #[error("{0}")]
    Http(reqwest::Error),
    #[error("it answers {0}")]
    Status(StatusCode),
    #[error("its answer has more than {LONGEST} bytes")]
    TooLong,
    #[error("its answer names a subject that nothing could be taken back from")]
    Subject,
    #[error("its answer: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<reqwest::Error> for Unasked {
    fn from(error: reqwest::Error) -> Self {
        // A URL may hold a secret.
        Self::Http(error.without_url())
    }
}

fn hash(token: &str) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// What an answer grants: this action at this broadcast.
fn grant(answer: Answer, action: Action, broadcast: &str) -> Grant {
    let power = match action {
        Action::Publish => Power::Publish,
        Action::Read => Power::Play,
        Action::Create | Action::End => Power::Admin,
    };
    let broadcasts = broadcast
        .parse()
        .map_or_else(|_| Pattern::all(), Pattern::One);
    Grant {
        holder: Holder {
            subject: answer.subject,
            name: answer.name.as_deref().map(shown_name),
            ..Holder::default()
        },
        broadcasts,
        powers: Powers::default().with(power),
        allotment: answer.limits,
        issued: 0,
        leeway: 0,
        expires: answer.stay_until,
        expiry: Expiry::StayUntil,
        generation: None,
    }
}

//! Asking.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde::Deserialize;
use tokio::time::timeout;

use super::envelope::{Envelope, Refused, Reply};
use super::seal::{About, Seal};
use super::seldom::Seldom;
use super::{Question, subject};
use crate::directory::engine::Connection;
use crate::directory::{Directory, RelayId};
use crate::metrics::{Asked, Metrics};

/// How long a relay has for its answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The other relays, which can be asked.
#[derive(Debug)]
pub(crate) struct Peers {
    directory: Arc<dyn Directory>,
    metrics: Arc<Metrics>,
    line: OnceLock<Line>,
    /// That one of them is of another secret, or what it says is not for here.
    pub(super) strange: Arc<Seldom>,
}

/// What they are asked over.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) connection: Connection,
    /// What subjects begin with.
    pub(super) prefix: Box<str>,
    pub(super) seal: Arc<Seal>,
}

/// Why nothing is known of what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The engine is not reached.
    #[error("the engine, over which relays ask one another, is not reached")]
    Away,
    /// No answer has come in time.
    #[error("relay {0} does not answer")]
    Silent(RelayId),
    /// What it answers is not of this cluster.
    #[error(
        "relay {0} does not have the cluster.secret of this one, and so neither answers for the other"
    )]
    Foreign(RelayId),
    /// It does not answer this.
    #[error("relay {0} does not answer this: {1}")]
    Refused(RelayId, Refused),
}

impl Unanswered {
    fn count(&self) -> Asked {
        match self {
            Self::Away => Asked::Away,
            Self::Silent(_) => Asked::Silent,
            Self::Foreign(_) | Self::Refused(..) => Asked::Refused,
        }
    }

    /// Whether somebody has to do something about it.
    fn is_strange(&self) -> bool {
        matches!(self, Self::Foreign(_) | Self::Refused(_, Refused::Late))
    }
}

/// What several relays have said.
#[derive(Debug)]
pub(crate) struct Gathered<A> {
    /// What each has answered.
    pub(crate) answers: Vec<(RelayId, A)>,
    /// Those that have not.
    pub(crate) silent: Vec<RelayId>,
}

impl<A> Default for Gathered<A> {
    fn default() -> Self {
        Self {
            answers: Vec::new(),
            silent: Vec::new(),
        }
    }
}

impl<A> Gathered<A> {
    /// One more has been asked.
    pub(crate) fn take(&mut self, relay: RelayId, answer: Result<A, Unanswered>) {
        match answer {
            Ok(answer) => self.answers.push((relay, answer)),
            Err(_) => self.silent.push(relay),
        }
    }
}

impl Peers {
    /// The relays that this directory knows.
    pub(crate) fn new(directory: Arc<dyn Directory>, metrics: Arc<Metrics>) -> Self {
        Self {
            directory,
            metrics,
            line: OnceLock::new(),
            strange: Arc::default(),
        }
    }

    /// This relay's name among them; `None`: it is by itself.
    pub(crate) fn own(&self) -> Option<&RelayId> {
        let alone = self.directory.state() == crate::directory::State::Alone;
        (!alone).then(|| self.directory.own())
    }

    /// From now on they can be asked, over this connection.
    pub(crate) fn reached_over(&self, connection: Connection, prefix: &str, seal: Arc<Seal>) {
        let prefix = prefix.into();
        let line = Line {
            connection,
            prefix,
            seal,
        };
        // There is one connection for as long as the relay runs.
        let _ = self.line.set(line);
    }

    /// What they are asked over, whether the engine is reached or not; `None`: there are none.
    pub(super) fn line(&self) -> Option<&Line> {
        self.line.get()
    }

    /// Asks a relay on behalf of `whom`.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub(crate) async fn ask<Q: Question>(
        &self,
        relay: &RelayId,
        whom: &str,
        question: &Q,
    ) -> Result<Q::Answer, Unanswered> {
        let answer = self.put(relay, whom, question).await;
        let count = answer
            .as_ref()
            .map_or_else(Unanswered::count, |_| Asked::Answered);
        self.metrics.asked(count);
        if let Err(error) = &answer {
            tracing::debug!(%error, ask = Q::NAME, "unanswered");
            if error.is_strange()
                && let Some(times) = self.strange.once_more(Instant::now())
            {
                tracing::error!(%error, times, "what other relays have is missing in what is told here");
            }
        }
        answer
    }

    async fn put<Q: Question>(
        &self,
        relay: &RelayId,
        whom: &str,
        question: &Q,
    ) -> Result<Q::Answer, Unanswered> {
        // What waited for the engine to come back would be done when nobody wants it any more.
        let line = self.line().filter(|line| line.connection.is_there());
        let line = line.ok_or(Unanswered::Away)?;
        let envelope = Envelope::new(self.directory.own(), whom, question);
        // It has nothing that JSON does not.
        let payload = serde_json::to_vec(&envelope).unwrap_or_default();
        let subject = subject(&line.prefix, relay);
        let (id, sealed) = line.seal.seal(About::Question(&subject), &payload);
        let asked = line.connection.client().request(subject, sealed.into());
        let message = match timeout(PATIENCE, asked).await {
            Ok(Ok(message)) => message,
            Ok(Err(_)) | Err(_) => return Err(Unanswered::Silent(relay.clone())),
        };
        let opened = line.seal.open(About::Answer(&id), &message.payload);
        let opened = opened.map_err(|_| Unanswered::Foreign(relay.clone()))?;
        let refused = |why| Unanswered::Refused(relay.clone(), why);
        let reply = serde_json::from_slice(&opened.text);
        match reply.map_err(|_| refused(Refused::Otherwise))? {
            Reply::Refused(why) => Err(refused(why)),
            Reply::Answer(answer) => {
                Q::Answer::deserialize(answer).map_err(|_| refused(Refused::Otherwise))
            }
        }
    }

    /// Asks all other relays that live, but for those in `not`, until one has said what is `enough`.
    pub(crate) async fn ask_all<Q: Question>(
        &self,
        not: &[RelayId],
        whom: &str,
        question: &Q,
        enough: impl Fn(&Q::Answer) -> bool,
    ) -> Gathered<Q::Answer> {
        let others = self.directory.relays();
        let others = others.iter().map(|lease| &lease.relay);
        let others = others.filter(|relay| *relay != self.directory.own() && !not.contains(relay));
        let mut asked: FuturesUnordered<_> = others
            .map(async |relay| (relay.clone(), self.ask(relay, whom, question).await))
            .collect();
        let mut gathered = Gathered::default();
        while let Some((relay, answer)) = asked.next().await {
            let done = answer.as_ref().is_ok_and(&enough);
            gathered.take(relay, answer);
            if done {
                break;
            }
        }
        gathered
    }
}

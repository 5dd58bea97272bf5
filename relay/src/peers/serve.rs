//! Answering.

use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::{Duration, sleep};

use super::envelope::{Envelope, Refused, Reply};
use super::subject;
use crate::directory::RelayId;
use crate::directory::engine::Connection;
use crate::excerpt::excerpt;
use crate::metrics::{Answered, Metrics};

/// Questions that are answered at once; more wait.
const AT_ONCE: usize = 64;
/// The longest question, in bytes.
const LONGEST: usize = 64 << 10;
/// The longest answer, in bytes: what an engine takes where nobody says otherwise.
const LONGEST_ANSWER: usize = 1 << 20;
/// How long before it is tried again to hear questions.
const AGAIN: Duration = Duration::from_secs(1);

/// What can be asked of a relay.
pub(crate) trait Answers {
    /// Answers a question.
    ///
    /// # Errors
    /// [`Refused`].
    async fn answer(&self, asked: &Envelope) -> Result<Value, Refused>;
}

/// Answers what other relays ask; never ends.
pub(crate) async fn serve(
    connection: Connection,
    prefix: &str,
    own: &RelayId,
    answers: &impl Answers,
    metrics: &Metrics,
) {
    let client = connection.client();
    loop {
        let subscribed = client.subscribe(subject(prefix, own)).await;
        let questions = match subscribed {
            Ok(questions) => questions,
            Err(error) => {
                tracing::error!(%error, "other relays are not heard");
                sleep(AGAIN).await;
                continue;
            }
        };
        let answered = questions.for_each_concurrent(AT_ONCE, async |question| {
            let reply = reply(&question.payload, answers).await;
            metrics.answered(match &reply {
                Reply::Answer(_) => Answered::Answered,
                Reply::Refused(_) => Answered::Refused,
            });
            let Some(to) = question.reply else {
                return;
            };
            let payload = written(&reply, client.max_payload());
            // Whoever asked waits for no longer than a second.
            let _ = client.publish(to, payload.into()).await;
        });
        answered.await;
    }
}

async fn reply(bytes: &[u8], answers: &impl Answers) -> Reply {
    let asked = match bytes.len() <= LONGEST {
        true => Envelope::read(bytes),
        false => Err(Refused::Malformed),
    };
    let answer = match &asked {
        Ok(asked) => answers.answer(asked).await,
        Err(why) => Err(*why),
    };
    match answer {
        Ok(answer) => Reply::Answer(answer),
        Err(why) => {
            let ask = asked.as_ref().map(|asked| excerpt(asked.name()));
            let ask = ask.unwrap_or_default();
            tracing::warn!(%why, ask, "a question of another relay is not answered");
            Reply::Refused(why)
        }
    }
}

fn written(reply: &Reply, most: usize) -> Vec<u8> {
    // Neither has anything that JSON does not.
    let json = |reply| serde_json::to_vec(reply).unwrap_or_default();
    let written = json(reply);
    match written.len() <= most.min(LONGEST_ANSWER) {
        true => written,
        false => json(&Reply::Refused(Refused::TooLong)),
    }
}

//! Answering.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::sleep;

use super::envelope::{Envelope, Refused, Reply};
use super::once::Once;
use super::seal::{self, About, SEALED, Seal, Unopened};
use super::seldom::Seldom;
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
const LONGEST_ANSWER: usize = (1 << 20) - SEALED;
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
    (prefix, own): (&str, &RelayId),
    seal: &Seal,
    answers: &impl Answers,
    metrics: &Metrics,
) {
    let client = connection.client();
    let subject = subject(prefix, own);
    let door = Door::new(seal, &subject);
    loop {
        let subscribed = client.subscribe(subject.clone()).await;
        let questions = match subscribed {
            Ok(questions) => questions,
            Err(error) => {
                tracing::error!(%error, "other relays are not heard");
                sleep(AGAIN).await;
                continue;
            }
        };
        let answered = questions.for_each_concurrent(AT_ONCE, async |question| {
            let (count, payload) = door
                .answer(&question.payload, answers, client.max_payload())
                .await;
            metrics.answered(count);
            if let Some(to) = question.reply {
                // Whoever asked waits for no longer than a second.
                let _ = client.publish(to, payload.into()).await;
            }
        });
        answered.await;
    }
}

/// Where questions come in.
struct Door<'a> {
    seal: &'a Seal,
    subject: &'a str,
    once: Once,
    foreign: Seldom,
    refused: Seldom,
}

impl<'a> Door<'a> {
    fn new(seal: &'a Seal, subject: &'a str) -> Self {
        Self {
            seal,
            subject,
            once: Once::default(),
            foreign: Seldom::default(),
            refused: Seldom::default(),
        }
    }

    /// What is answered to these bytes, in at most so many. Whoever is no relay of the cluster gets nothing: that is
    /// told, so that a relay of another secret need not wait for more, and costs no seal.
    async fn answer(
        &self,
        bytes: &[u8],
        answers: &impl Answers,
        most: usize,
    ) -> (Answered, Vec<u8>) {
        let opened = match bytes.len() <= LONGEST {
            true => self.seal.open(About::Question(self.subject), bytes),
            false => Err(Unopened),
        };
        let Ok(opened) = opened else {
            if let Some(times) = self.foreign.once_more(Instant::now()) {
                let from = "a relay with another cluster.secret, or somebody who is none";
                tracing::error!(times, from, "what is asked of this relay does not open");
            }
            return (Answered::Foreign, Vec::new());
        };
        let reply = match self.once.is_new(&opened, seal::now()) {
            true => reply(&opened.text, answers).await,
            false => Err((Refused::Late, String::new())),
        };
        let (count, reply) = match reply {
            Ok(answer) => (Answered::Answered, Reply::Answer(answer)),
            Err((why, ask)) => {
                if let Some(times) = self.refused.once_more(Instant::now()) {
                    tracing::warn!(%why, ask, times, "a question of another relay is not answered");
                }
                (Answered::Refused, Reply::Refused(why))
            }
        };
        let written = written(&reply, most.saturating_sub(SEALED));
        let (_, sealed) = self.seal.seal(About::Answer(&opened.id), &written);
        (count, sealed)
    }
}

/// What is answered, or why nothing is, and what was asked, as far as that is known.
async fn reply(bytes: &[u8], answers: &impl Answers) -> Result<Value, (Refused, String)> {
    let asked = Envelope::read(bytes).map_err(|why| (why, String::new()))?;
    let answer = answers.answer(&asked).await;
    answer.map_err(|why| (why, excerpt(asked.name()).to_string()))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SUBJECT: &str = "steadycast.relay.a";

    /// Answers what it is asked with what it was asked.
    struct Echo;

    impl Answers for Echo {
        async fn answer(&self, asked: &Envelope) -> Result<Value, Refused> {
            match asked.name() {
                "echo" => Ok(asked.name().into()),
                "echoes" => Ok("echo".repeat(LONGEST_ANSWER / 4).into()),
                _ => Err(Refused::Unknown),
            }
        }
    }

    fn seal() -> Seal {
        Seal::new(&"x".repeat(32).parse().unwrap()).unwrap()
    }

    fn question(ask: &str) -> String {
        json!({"version": 1, "from": "b", "for": "x\r\n", "ask": ask, "of": {}}).to_string()
    }

    #[tokio::test]
    async fn a_relay_of_the_cluster_is_told_why_it_is_not_answered_and_nobody_else_is() {
        let (seal, asker) = (seal(), seal());
        let door = Door::new(&seal, SUBJECT);
        let ask = async |sealed: &[u8]| door.answer(sealed, &Echo, 1 << 20).await;
        let said = async |text: &str| {
            let (id, sealed) = asker.seal(About::Question(SUBJECT), text.as_bytes());
            let (_, answer) = ask(&sealed).await;
            let opened = asker.open(About::Answer(&id), &answer).unwrap();
            serde_json::from_slice::<Value>(&opened.text).unwrap()
        };
        assert_eq!(said(&question("echo")).await, json!({"answer": "echo"}));
        let later = question("echo").replace("\"version\":1", "\"version\":2");
        for (text, why) in [
            (&*question("everything"), "unknown"),
            (&later, "unknown"),
            ("", "malformed"),
            ("[[[[[[[", "malformed"),
            (&question("echo")[..20], "malformed"),
            (&question("echoes"), "tooLong"),
        ] {
            assert_eq!(said(text).await, json!({"refused": why}), "{text}");
        }
        let (id, sealed) = asker.seal(About::Question(SUBJECT), question("echo").as_bytes());
        assert_eq!(ask(&sealed).await.0, Answered::Answered);
        let (count, again) = ask(&sealed).await;
        assert_eq!(count, Answered::Refused);
        let again = asker.open(About::Answer(&id), &again).unwrap();
        assert_eq!(again.text, br#"{"refused":"late"}"#);
        let clear = question("echo");
        let long = vec![1; LONGEST + 1];
        for foreign in [clear.as_bytes(), &sealed[1..], &[], &long] {
            assert_eq!(ask(foreign).await, (Answered::Foreign, Vec::new()));
        }
    }
}

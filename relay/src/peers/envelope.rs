//! What a question and an answer are wrapped in.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Question;
use crate::directory::RelayId;

/// The version of all questions and answers. Questions are added without another one.
const VERSION: u16 = 1;

/// A question on its way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Envelope {
    version: u16,
    /// The relay that asks.
    pub(crate) from: RelayId,
    /// Who has come to it and wants to know, for the log.
    #[serde(rename = "for")]
    pub(crate) whom: Box<str>,
    ask: Box<str>,
    of: Value,
}

/// Why a relay has not answered what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Refused {
    /// It is of another version, and does not know the question.
    #[error("it does not know this question")]
    Unknown,
    /// The question is none.
    #[error("it makes nothing of the question")]
    Malformed,
    /// It was asked before, or too long ago: or the clocks of the two are apart.
    #[error("the question is too old for it, by its clock, or comes again")]
    Late,
    /// It is longer than the engine takes.
    #[error("the answer is too long")]
    TooLong,
    /// Something that only a later version says.
    #[error("it says what this relay does not know")]
    #[serde(other)]
    Otherwise,
}

/// An answer on its way.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Reply {
    Answer(Value),
    Refused(Refused),
}

impl Envelope {
    /// Wraps a question.
    pub(super) fn new<Q: Question>(from: &RelayId, whom: &str, question: &Q) -> Self {
        Self {
            version: VERSION,
            from: from.clone(),
            whom: whom.into(),
            ask: Q::NAME.into(),
            // Questions have nothing that JSON does not.
            of: serde_json::to_value(question).unwrap_or_default(),
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`Refused::Malformed`], and [`Refused::Unknown`] where it is of another version.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refused> {
        let envelope: Self = serde_json::from_slice(bytes).map_err(|_| Refused::Malformed)?;
        match envelope.version {
            VERSION => Ok(envelope),
            _ => Err(Refused::Unknown),
        }
    }

    /// What is asked.
    pub(crate) fn name(&self) -> &str {
        &self.ask
    }

    /// The question, which has to be of this kind.
    ///
    /// # Errors
    /// [`Refused::Malformed`].
    pub(crate) fn question<Q: Question>(&self) -> Result<Q, Refused> {
        Q::deserialize(&self.of).map_err(|_| Refused::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<Envelope, Refused> {
        Envelope::read(value.to_string().as_bytes())
    }

    #[test]
    fn what_is_no_question_is_told_from_one_of_later_versions() {
        let good = json!({"version": 1, "from": "a", "for": "x", "ask": "y", "of": {}});
        assert_eq!(read(&good).unwrap().name(), "y");
        let mut later = good.clone();
        later["version"] = 2.into();
        later["more"] = true.into();
        assert_eq!(read(&later).unwrap_err(), Refused::Unknown);
        for bad in [json!(null), json!({}), json!([1]), json!("version")] {
            assert_eq!(read(&bad).unwrap_err(), Refused::Malformed, "{bad}");
        }
        let mut bad = good;
        bad["from"] = "Not a relay".into();
        assert_eq!(read(&bad).unwrap_err(), Refused::Malformed);
        assert_eq!(Envelope::read(&[0xff; 9]).unwrap_err(), Refused::Malformed);
    }

    #[test]
    fn refusals_of_later_versions_are_refusals() {
        let reply: Reply = serde_json::from_str(r#"{"refused":"asleep"}"#).unwrap();
        assert!(matches!(reply, Reply::Refused(Refused::Otherwise)));
    }
}

//! What relays say to one another, sealed: whoever may use the engine neither reads it nor says such things.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};

use crate::auth::{RandomError, random};
use crate::store::ClusterSecret;

/// What is sealed begins with this: nothing that was ever said in the clear does.
const FORM: u8 = 1;
const SALT: usize = 16;
const NUMBER: usize = 8;
const TIME: usize = 8;
/// So much longer is it than what it says.
pub(super) const SEALED: usize = 1 + SALT + NUMBER + TIME + 16;
/// How long something may be on its way, and how far two relays' clocks may be apart.
pub(super) const AGE: Duration = Duration::from_secs(30);

/// What something is: it opens as nothing else.
#[derive(Debug, Clone, Copy)]
pub(super) enum About<'a> {
    /// A question on this subject.
    Question(&'a str),
    /// The answer to this one.
    Answer(&'a Id),
    /// An event on this subject.
    Event(&'a str),
}

impl About<'_> {
    fn bytes(&self) -> Vec<u8> {
        let (what, of) = match self {
            Self::Question(subject) => ("question", subject.as_bytes()),
            Self::Answer(Id(id)) => ("answer", &id[..]),
            Self::Event(subject) => ("event", subject.as_bytes()),
        };
        [what.as_bytes(), b" ", of].concat()
    }
}

/// What something that was said is known by: no two have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Id([u8; SALT + NUMBER]);

/// Microseconds of Unix time, as the system has it, which is set right while a relay runs.
pub(super) type Time = u64;

/// Something sealed by a relay of this cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) id: Id,
    /// When it was sealed, by the clock of who did.
    pub(super) at: Time,
    pub(super) text: Vec<u8>,
}

/// Something was not said by a relay of this cluster, or not there, or is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not sealed with the secret of this cluster")]
pub(super) struct Unopened;

/// Seals what a relay says, and opens what others do.
pub(crate) struct Seal {
    secret: ClusterSecret,
    /// Drawn at each start: with it what is sealed at one is numbered, and never under a number that was used before.
    salt: [u8; SALT],
    key: LessSafeKey,
    number: AtomicU64,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

impl Seal {
    /// # Errors
    /// [`RandomError`].
    pub(crate) fn new(secret: &ClusterSecret) -> Result<Self, RandomError> {
        let salt = random()?;
        Ok(Self {
            secret: secret.clone(),
            salt,
            key: secret.talk(&salt).ok_or(RandomError)?,
            number: AtomicU64::new(0),
        })
    }

    /// Seals something.
    pub(super) fn seal(&self, about: About<'_>, text: &[u8]) -> (Id, Vec<u8>) {
        self.seal_at(now(), about, text)
    }

    fn seal_at(&self, at: Time, about: About<'_>, text: &[u8]) -> (Id, Vec<u8>) {
        let number = self.number.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut id = [0; SALT + NUMBER];
        id[..SALT].copy_from_slice(&self.salt);
        id[SALT..].copy_from_slice(&number);
        let mut sealed = [&at.to_be_bytes(), text].concat();
        let aad = Aad::from(about.bytes());
        let nonce = nonce(number);
        // It fails for what is longer than memory alone.
        let tag = self.key.seal_in_place_separate_tag(nonce, aad, &mut sealed);
        let tag = tag.ok();
        let tag = tag.as_ref().map_or(&[][..], AsRef::as_ref);
        (Id(id), [&[FORM], &id[..], &sealed, tag].concat())
    }

    /// Opens what another relay has sealed.
    ///
    /// # Errors
    /// [`Unopened`].
    pub(super) fn open(&self, about: About<'_>, bytes: &[u8]) -> Result<Opened, Unopened> {
        let bytes = bytes.strip_prefix(&[FORM]).ok_or(Unopened)?;
        let (id, sealed) = bytes.split_first_chunk().ok_or(Unopened)?;
        let (salt, number) = id.split_first_chunk::<SALT>().ok_or(Unopened)?;
        let number: [u8; NUMBER] = number.try_into().map_err(|_| Unopened)?;
        let key = self.secret.talk(salt).ok_or(Unopened)?;
        let mut sealed = sealed.to_vec();
        let opened = key.open_in_place(nonce(number), Aad::from(about.bytes()), &mut sealed);
        let opened = opened.map_err(|_| Unopened)?;
        let (at, text) = opened.split_first_chunk::<TIME>().ok_or(Unopened)?;
        Ok(Opened {
            id: Id(*id),
            at: u64::from_be_bytes(*at),
            text: text.to_vec(),
        })
    }
}

fn nonce(number: [u8; NUMBER]) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[NONCE_LEN - NUMBER..].copy_from_slice(&number);
    Nonce::assume_unique_for_key(bytes)
}

/// The time now.
pub(super) fn now() -> Time {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(unix.unwrap_or_default().as_micros()).unwrap_or(Time::MAX)
}

/// Whether something that was sealed at that time can be on its way now.
pub(super) fn is_fresh(at: Time, now: Time) -> bool {
    Duration::from_micros(now.abs_diff(at)) <= AGE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(byte: char) -> Seal {
        let secret = String::from_iter([byte; 32]).parse().unwrap();
        Seal::new(&secret).unwrap()
    }

    #[test]
    fn only_a_relay_of_the_cluster_reads_it_and_only_as_what_it_is() {
        let about = About::Question("steadycast.relay.a");
        let (asker, asked) = (seal('a'), seal('a'));
        let (id, sealed) = asker.seal(about, b"who is there?");
        let opened = asked.open(about, &sealed).unwrap();
        assert_eq!((opened.id, &*opened.text), (id, &b"who is there?"[..]));
        assert!(is_fresh(opened.at, now()));
        assert!(!sealed.windows(3).any(|part| part == b"who"));
        assert_eq!(sealed.len(), SEALED + opened.text.len());
        let others = [
            About::Question("steadycast.relay.b"),
            About::Event("steadycast.relay.a"),
            About::Answer(&id),
        ];
        for other in others {
            assert_eq!(asked.open(other, &sealed), Err(Unopened), "{other:?}");
        }
        assert_eq!(seal('b').open(about, &sealed), Err(Unopened));
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(asked.open(about, &changed), Err(Unopened), "{place}");
            assert_eq!(asked.open(about, &sealed[..place]), Err(Unopened));
        }
    }

    #[test]
    fn an_answer_is_that_to_its_question_alone() {
        let (asker, asked) = (seal('a'), seal('a'));
        let ask = || asker.seal(About::Question("x"), b"?").0;
        let (one, two) = (ask(), ask());
        assert_ne!(one, two);
        let (_, answer) = asked.seal(About::Answer(&one), b"yes");
        assert_eq!(
            asker.open(About::Answer(&one), &answer).unwrap().text,
            b"yes"
        );
        assert_eq!(asker.open(About::Answer(&two), &answer), Err(Unopened));
    }

    #[test]
    fn what_was_said_long_ago_or_will_be_is_not_fresh() {
        let at = |seconds: u64| seconds * 1_000_000;
        assert!(is_fresh(at(100), at(130)) && is_fresh(at(130), at(100)));
        assert!(!is_fresh(at(100), at(131)) && !is_fresh(at(131), at(100)));
        assert!(!is_fresh(0, Time::MAX) && !is_fresh(Time::MAX, 0));
    }
}

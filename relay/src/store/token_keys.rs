//! The keys to the relay's own tokens: in memory, and in a file of the state directory.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{Access, StateDir, StateError};
use crate::auth::{EARLIEST, LONGEST_LIFE, RandomError, TokenSigner, random};
use crate::broadcast::RelayTime;

const NAME: &str = "token.key";
/// Seconds for which an old key is kept beyond the end of its last token: clocks are set now and then, and a token
/// may be made while the key changes.
const SLACK: u64 = 3_600;

/// The key that signs tokens, and those before it whose tokens may still be good. The file is written from what is
/// here, and read at the start alone: whoever removes it while the relay runs ends no link.
///
/// Its methods wait for the disk: call them where that is allowed.
pub struct TokenKeys {
    dir: StateDir,
    known: Mutex<Known>,
}

struct Known {
    ring: KeyRing,
    /// How long tokens live that nobody wishes otherwise, in seconds.
    usual: u64,
}

impl TokenKeys {
    /// Reads the keys; makes one where there is none. `usual`: how long links live. Old keys without good tokens are
    /// dropped.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn open(dir: &StateDir, usual: Duration, now: RelayTime) -> Result<Self, StateError> {
        let usual = usual.as_secs();
        let ring = match read(dir)? {
            Some(found) => {
                let mut ring = found.clone();
                ring.life = ring.life.max(usual);
                ring.drop_dead(now.as_seconds());
                // It can be told apart at the next start as well as now.
                if ring != found
                    && let Err(error) = write(dir, &ring)
                {
                    tracing::warn!(%error, "the keys to tokens stay on disk as they were");
                }
                ring
            }
            None => {
                let ring = KeyRing::new(usual)?;
                write(dir, &ring)?;
                tracing::info!(file = %dir.file(NAME).display(), "made a new key");
                ring
            }
        };
        Ok(Self {
            dir: dir.clone(),
            known: Mutex::new(Known { ring, usual }),
        })
    }

    /// Whether there are keys that can be read. Makes none.
    ///
    /// # Errors
    /// [`StateError`].
    pub(crate) fn look(dir: &StateDir) -> Result<bool, StateError> {
        Ok(read(dir)?.is_some())
    }

    /// What signs tokens, and knows those of before.
    pub fn signer(&self) -> TokenSigner {
        self.known.lock().ring.signer()
    }

    /// Makes a new key; tokens of those before stay good, unless their links are to end.
    ///
    /// # Errors
    /// [`StateError`]; the keys are as they were then.
    pub fn rotate(&self, end_links: bool, now: RelayTime) -> Result<TokenSigner, StateError> {
        let mut known = self.known.lock();
        let ring = known.ring.rotated(end_links, known.usual, now)?;
        write(&self.dir, &ring)?;
        known.ring = ring;
        Ok(known.ring.signer())
    }

    /// Lets the key that signs have tokens that live for so long.
    ///
    /// # Errors
    /// [`StateError`]: then none may be made that does.
    pub fn allow(&self, life: Duration) -> Result<(), StateError> {
        self.known.lock().allow(&self.dir, life.as_secs())
    }

    /// The same for this key and all that come: links live for so long from now on.
    ///
    /// # Errors
    /// [`StateError`]: then links may not.
    pub fn allow_always(&self, usual: Duration) -> Result<(), StateError> {
        let mut known = self.known.lock();
        known.allow(&self.dir, usual.as_secs())?;
        known.usual = usual.as_secs();
        Ok(())
    }
}

/// Where several relays have the same keys.
impl TokenKeys {
    /// The keys as they are here.
    pub(crate) fn ring(&self) -> KeyRing {
        self.known.lock().ring.clone()
    }

    /// How long tokens live that nobody wishes otherwise, in seconds.
    pub(crate) fn usual(&self) -> u64 {
        self.known.lock().usual
    }

    /// These are the keys from now on; says besides whether the one that signed until now is among them.
    ///
    /// # Errors
    /// [`StateError`]; the keys are as they were then.
    pub(crate) fn adopt(&self, ring: KeyRing) -> Result<(TokenSigner, bool), StateError> {
        let mut known = self.known.lock();
        let goes_on = ring.has(&known.ring.secret);
        if ring != known.ring {
            write(&self.dir, &ring)?;
            known.ring = ring;
        }
        Ok((known.ring.signer(), goes_on))
    }
}

impl Known {
    fn allow(&mut self, dir: &StateDir, life: u64) -> Result<(), StateError> {
        if life <= self.ring.life {
            return Ok(());
        }
        let ring = KeyRing {
            life,
            ..self.ring.clone()
        };
        write(dir, &ring)?;
        self.ring = ring;
        Ok(())
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKeys(..)")
    }
}

/// What the file says, a line for each key: the one that signs, with how long its tokens live at most (`life=`, in
/// seconds), then those before it, with the time at which no token of theirs can be good any more (`until=`, in seconds
/// since the Unix epoch). Relays up to 0.1 wrote the keys alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct KeyRing {
    secret: [u8; 32],
    life: u64,
    older: Vec<Old>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Old {
    secret: [u8; 32],
    /// `None`: nobody knows.
    until: Option<u64>,
}

/// The text is no ring of keys.
#[derive(Debug, thiserror::Error)]
#[error("not lines of keys")]
pub(crate) struct KeyRingError;

impl TryFrom<String> for KeyRing {
    type Error = KeyRingError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(text.trim()).ok_or(KeyRingError)
    }
}

impl From<KeyRing> for String {
    fn from(ring: KeyRing) -> Self {
        ring.to_text()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(..)")
    }
}

impl KeyRing {
    /// With a new key before all others, or in place of them where their links are to end. `usual`: how long tokens
    /// live, in seconds.
    pub(crate) fn rotated(
        &self,
        end_links: bool,
        usual: u64,
        now: RelayTime,
    ) -> Result<Self, RandomError> {
        let mut ring = Self::new(usual)?;
        if !end_links {
            ring.older = self.retired(now.as_seconds());
            ring.drop_dead(now.as_seconds());
        }
        Ok(ring)
    }

    /// With a key that signs tokens which live for so long, in seconds.
    pub(crate) fn allowing(&self, life: u64) -> Self {
        Self {
            life: self.life.max(life),
            ..self.clone()
        }
    }

    /// With the keys of another as those before these, so that its tokens stay good.
    pub(crate) fn with(&self, other: &Self, now: RelayTime) -> Self {
        let mut ring = self.clone();
        let more = other.retired(now.as_seconds()).into_iter();
        ring.older.extend(more.filter(|old| !self.has(&old.secret)));
        ring
    }

    /// Whether a key is among these.
    fn has(&self, secret: &[u8; 32]) -> bool {
        self.secret == *secret || self.older.iter().any(|old| old.secret == *secret)
    }

    fn new(life: u64) -> Result<Self, RandomError> {
        Ok(Self {
            secret: random()?,
            life,
            older: Vec::new(),
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (secret, life) = line(lines.next()?, "life=")?;
        let older = lines.map(|old| {
            let (secret, until) = line(old, "until=")?;
            Some(Old { secret, until })
        });
        Some(Self {
            secret,
            life: life.unwrap_or(LONGEST_LIFE),
            older: older.collect::<Option<_>>()?,
        })
    }

    fn to_text(&self) -> String {
        let key = |secret: &[u8; 32]| URL_SAFE_NO_PAD.encode(secret);
        let mut text = format!("{} life={}\n", key(&self.secret), self.life);
        for Old { secret, until } in &self.older {
            text += &key(secret);
            if let Some(until) = until {
                text += &format!(" until={until}");
            }
            text.push('\n');
        }
        text
    }

    fn signer(&self) -> TokenSigner {
        let older: Vec<_> = self.older.iter().map(|old| old.secret).collect();
        TokenSigner::after(&self.secret, &older)
    }

    /// All of its keys as those before another, which takes over `now`.
    fn retired(&self, now: u64) -> Vec<Old> {
        let last = Old {
            secret: self.secret,
            until: end(self.life, now),
        };
        let older = self.older.iter().copied();
        std::iter::once(last).chain(older).collect()
    }

    /// Leaves those out none of whose tokens can be good any more. Those of which nobody knows have as long as a token
    /// can have, from `now` on.
    fn drop_dead(&mut self, now: u64) {
        for old in &mut self.older {
            old.until = old.until.or_else(|| end(LONGEST_LIFE, now));
        }
        let before = self.older.len();
        self.older
            .retain(|old| old.until.is_none_or(|until| now <= until));
        let keys = before - self.older.len();
        if keys > 0 {
            tracing::info!(
                keys,
                "old keys to tokens are dropped: none of their tokens is good any more"
            );
        }
    }
}

/// When the last token of a key has ended that signs until `now`; nobody knows by a clock that is not set.
fn end(life: u64, now: u64) -> Option<u64> {
    (now >= EARLIEST).then(|| now.saturating_add(life).saturating_add(SLACK))
}

/// A key, and the figure of this name behind it.
fn line(text: &str, name: &str) -> Option<([u8; 32], Option<u64>)> {
    let mut words = text.split_whitespace();
    let secret = URL_SAFE_NO_PAD.decode(words.next()?).ok()?;
    let figure = match words.next() {
        Some(word) => Some(word.strip_prefix(name)?.parse().ok()?),
        None => None,
    };
    let secret = secret.try_into().ok()?;
    words.next().is_none().then_some((secret, figure))
}

fn read(dir: &StateDir) -> Result<Option<KeyRing>, StateError> {
    let Some(text) = dir.text(NAME)? else {
        return Ok(None);
    };
    let why = "not 32 bytes in base64url, or several such lines; restore it from a backup, or remove it for a new one \
               (old links end then)";
    let ring = KeyRing::parse(&text).ok_or_else(|| dir.corrupt(NAME, why.to_owned()))?;
    Ok(Some(ring))
}

fn write(dir: &StateDir, ring: &KeyRing) -> Result<(), StateError> {
    dir.write(NAME, ring.to_text().as_bytes(), Access::Private)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::temp::TempDir;
    use super::*;
    use crate::auth::{Order, Power, Refusal};

    /// Long after there was a relay.
    const NOW: u64 = EARLIEST + 1_000_000;
    const DAY: u64 = 24 * 3_600;
    const USUAL: Duration = Duration::from_secs(30 * DAY);

    fn at(seconds: u64) -> RelayTime {
        RelayTime::from_micros(seconds * 1_000_000)
    }

    fn open(dir: &TempDir, now: u64) -> TokenKeys {
        TokenKeys::open(dir, USUAL, at(now)).unwrap()
    }

    /// A token that is made `now` and lives for as long as most.
    fn mint(signer: &TokenSigner, now: u64) -> String {
        let order = Order::link(&"main".parse().unwrap(), Power::Play, USUAL, 0);
        let minted = signer.mint(&order, at(now)).unwrap();
        minted.token.as_str().to_owned()
    }

    fn is_good(keys: &TokenKeys, token: &str, now: u64) -> bool {
        keys.signer().verify(token, at(now)).is_ok()
    }

    fn lines(dir: &TempDir) -> usize {
        let text = fs::read_to_string(dir.file(NAME)).unwrap();
        text.lines().count()
    }

    #[test]
    fn a_new_key_leaves_the_links_of_before_good_unless_they_are_to_end() {
        let dir = TempDir::new();
        let keys = open(&dir, NOW);
        let first = mint(&keys.signer(), NOW);
        let second = mint(&keys.rotate(false, at(NOW)).unwrap(), NOW);
        let good = |keys: &TokenKeys| [&first, &second].map(|token| is_good(keys, token, NOW));
        assert_eq!(good(&keys), [true, true]);
        assert_eq!(good(&open(&dir, NOW)), [true, true]);
        keys.rotate(true, at(NOW)).unwrap();
        assert_eq!(good(&keys), [false, false]);
        assert_eq!(good(&open(&dir, NOW)), [false, false]);
    }

    #[test]
    fn an_old_key_goes_when_its_last_token_has_ended_and_no_sooner() {
        let dir = TempDir::new();
        let keys = open(&dir, NOW);
        let token = mint(&keys.signer(), NOW);
        keys.rotate(false, at(NOW)).unwrap();
        let last = NOW + 30 * DAY - 1;
        assert!(is_good(&open(&dir, last), &token, last));
        assert_eq!(lines(&dir), 2);
        // At a rotation as well as at a start.
        keys.rotate(false, at(NOW + 31 * DAY)).unwrap();
        assert_eq!(lines(&dir), 2, "the first of the three is dropped");
        let gone = keys.signer().verify(&token, at(NOW));
        assert_eq!(gone, Err(Refusal::Invalid));
        open(&dir, NOW + 62 * DAY);
        assert_eq!(lines(&dir), 1);
    }

    #[test]
    fn a_key_is_kept_for_the_longest_token_that_it_has_signed() {
        let dir = TempDir::new();
        let keys = open(&dir, NOW);
        keys.allow(Duration::from_secs(400 * DAY)).unwrap();
        // Which is known over a restart, and of this key alone.
        let keys = open(&dir, NOW);
        keys.rotate(false, at(NOW)).unwrap();
        keys.rotate(false, at(NOW)).unwrap();
        open(&dir, NOW + 399 * DAY);
        assert_eq!(lines(&dir), 2);
        open(&dir, NOW + 401 * DAY);
        assert_eq!(lines(&dir), 1);
        // Links that live longer from now on do so with later keys as well.
        let keys = open(&dir, NOW);
        keys.allow_always(Duration::from_secs(60 * DAY)).unwrap();
        for _ in 0..2 {
            keys.rotate(false, at(NOW)).unwrap();
        }
        let keys = TokenKeys::open(&dir, USUAL, at(NOW + 59 * DAY)).unwrap();
        assert_eq!(keys.known.lock().ring.older.len(), 2);
    }

    #[test]
    fn keys_of_relays_before_stay_good_for_as_long_as_a_token_can_be() {
        let dir = TempDir::new();
        let text = [[1; 32], [2; 32]].map(|secret: [u8; 32]| URL_SAFE_NO_PAD.encode(secret));
        let file = format!("{}\n{}\n", text[0], text[1]);
        dir.write(NAME, file.as_bytes(), Access::Private).unwrap();
        let tokens = [[1; 32], [2; 32]].map(|secret| mint(&TokenSigner::new(&secret), NOW));
        let keys = open(&dir, NOW);
        let good = |keys: &TokenKeys| tokens.iter().all(|token| is_good(keys, token, NOW));
        assert!(good(&keys));
        keys.rotate(false, at(NOW)).unwrap();
        assert!(good(&open(&dir, NOW + LONGEST_LIFE)));
        open(&dir, NOW + LONGEST_LIFE + 2 * SLACK);
        assert_eq!(lines(&dir), 1);
    }

    #[test]
    fn a_clock_that_is_not_set_dates_no_key() {
        let dir = TempDir::new();
        let keys = open(&dir, 100);
        let token = mint(&keys.signer(), NOW);
        keys.rotate(false, at(100)).unwrap();
        assert!(is_good(&open(&dir, NOW), &token, NOW));
    }

    #[test]
    fn a_file_that_is_gone_is_written_again_with_all_keys() {
        let dir = TempDir::new();
        let keys = open(&dir, NOW);
        let token = mint(&keys.signer(), NOW);
        fs::remove_file(dir.file(NAME)).unwrap();
        keys.rotate(false, at(NOW)).unwrap();
        assert!(is_good(&keys, &token, NOW));
        assert!(is_good(&open(&dir, NOW), &token, NOW));
    }

    #[test]
    fn what_cannot_be_written_is_no_change() {
        let dir = TempDir::new();
        let keys = open(&dir, NOW);
        let token = mint(&keys.signer(), NOW);
        // A directory is in the way of the file that is made first.
        fs::create_dir_all(dir.file(".token.key.new")).unwrap();
        assert!(keys.rotate(true, at(NOW)).is_err());
        assert!(keys.allow(Duration::from_secs(400 * DAY)).is_err());
        assert!(is_good(&keys, &token, NOW));
        assert_eq!(keys.known.lock().ring.life, USUAL.as_secs());
    }

    #[test]
    fn a_broken_file_is_named_and_not_replaced() {
        let dir = TempDir::new();
        let good = URL_SAFE_NO_PAD.encode([1; 32]);
        for bad in [
            String::new(),
            "dG9vLXNob3J0".to_owned(),
            format!("{good} life=soon"),
            format!("{good} until=5"),
            format!("{good} life=5 6"),
            format!("{good}\n\n{good}"),
        ] {
            dir.write(NAME, bad.as_bytes(), Access::Private).unwrap();
            let error = TokenKeys::open(&dir, USUAL, at(NOW)).unwrap_err();
            assert!(error.to_string().contains(NAME), "{error}");
            assert!(TokenKeys::look(&dir).is_err());
            assert_eq!(fs::read_to_string(dir.file(NAME)).unwrap(), bad);
        }
        dir.write(NAME, b"\xff\xfe", Access::Private).unwrap();
        assert!(TokenKeys::look(&dir).is_err());
    }

    #[test]
    fn it_prints_nothing_secret() {
        let dir = TempDir::new();
        assert_eq!(format!("{:?}", open(&dir, NOW)), "TokenKeys(..)");
    }
}

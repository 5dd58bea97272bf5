//! Fragments of SDP that bring candidates or restart ICE (RFC 8840, RFC 9725 4.3).

use std::fmt;

use super::answer::{Place, candidates};
use super::offer::{PASSWORD, UFRAG};
use crate::webrtc::ice::Credentials;

/// Lines that a fragment may have.
const LINES: usize = 200;

/// What a client tells of its side of ICE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Its user name fragment, where it says one.
    pub ufrag: Option<String>,
    /// Its password, where it says one.
    pub password: Option<String>,
}

/// Why a fragment is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid SDP fragment: {0}")]
pub struct FragmentError(&'static str);

impl Fragment {
    /// Reads a fragment. Candidates are not kept: the relay answers wherever a check comes from
    /// (RFC 8445, 2.5), so one that it cannot use costs nothing.
    ///
    /// # Errors
    /// [`FragmentError`].
    pub fn parse(text: &str) -> Result<Self, FragmentError> {
        let mut fragment = Self {
            ufrag: None,
            password: None,
        };
        if text.lines().count() > LINES {
            return Err(FragmentError("too many lines"));
        }
        for line in text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
        {
            let Some((kind, value)) = line.split_once('=').filter(|(kind, _)| kind.len() == 1)
            else {
                return Err(FragmentError("a line that is none"));
            };
            match (kind, value.split_once(':')) {
                ("a", Some(("ice-ufrag", ufrag))) => fragment.ufrag = Some(ufrag.to_owned()),
                ("a", Some(("ice-pwd", password))) => {
                    fragment.password = Some(password.to_owned());
                }
                _ => {}
            }
        }
        if fragment.ufrag.is_some() != fragment.password.is_some() {
            return Err(FragmentError(
                "a user name fragment and a password go together",
            ));
        }
        let odd = |ufrag: &String| !UFRAG.contains(&ufrag.len());
        if fragment.ufrag.as_ref().is_some_and(odd) {
            return Err(FragmentError("a user name fragment of an odd length"));
        }
        let odd = |password: &String| !PASSWORD.contains(&password.len());
        if fragment.password.as_ref().is_some_and(odd) {
            return Err(FragmentError("a password of an odd length"));
        }
        Ok(fragment)
    }
}

/// The relay's side of a restart.
pub(in crate::webrtc) struct Restarted<'a> {
    pub(in crate::webrtc) credentials: &'a Credentials,
    pub(in crate::webrtc) place: &'a Place,
}

impl fmt::Display for Restarted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        candidates(&mut text, self.place)?;
        let (ufrag, password) = (self.credentials.ufrag.as_str(), self.credentials.password());
        write!(
            f,
            "a=ice-lite\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n"
        )?;
        text.lines().try_for_each(|line| write!(f, "{line}\r\n"))
    }
}

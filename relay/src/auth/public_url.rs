//! Where browsers reach the relay.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::{Origin, OriginError};

/// A web origin, and perhaps the path under which a proxy has the relay (and strips it).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl {
    origin: Origin,
    /// Empty, or a path that begins with a slash and does not end with one.
    prefix: String,
}

/// A text is not a public URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// What comes first is none.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// What comes then cannot be followed by the paths of pages.
    #[error("a path has letters, digits and - . _ ~ between its slashes, no dots alone, no query")]
    Path,
}

impl PublicUrl {
    /// Scheme, host and port.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What comes before the relay's own paths: nothing, or `/cast`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl From<Origin> for PublicUrl {
    fn from(origin: Origin) -> Self {
        Self {
            origin,
            prefix: String::new(),
        }
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or(OriginError)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let origin = format!("{scheme}://{authority}").parse()?;
        let ended = path
            .strip_suffix('/')
            .filter(|segments| !segments.is_empty());
        let path = ended.unwrap_or(path);
        if path.is_empty() {
            return Ok(Self::from(origin));
        }
        if !path.split('/').all(is_segment) {
            return Err(PublicUrlError::Path);
        }
        let prefix = format!("/{path}");
        Ok(Self { origin, prefix })
    }
}

fn is_segment(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !["", ".", ".."].contains(&segment) && segment.bytes().all(plain)
}

impl TryFrom<String> for PublicUrl {
    type Error = PublicUrlError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for PublicUrl {
    /// Without a slash at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_origin_perhaps_with_a_path() {
        for (text, shown, prefix) in [
            ("https://a.example", "https://a.example", ""),
            ("https://a.example/", "https://a.example", ""),
            (
                "https://a.example:444/cast/",
                "https://a.example:444/cast",
                "/cast",
            ),
            ("https://A.example/x/y", "https://a.example/x/y", "/x/y"),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.prefix()), (shown, prefix));
        }
        for bad in [
            "a.example/cast",
            "https:///cast",
            "https://a.example//",
            "https://a.example/a//b",
            "https://a.example/../a",
            "https://a.example/a?b",
            "https://a.example/a#b",
            "https://a.example/a b",
            "https://a.example/a\r\nb",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad:?}");
        }
    }
}

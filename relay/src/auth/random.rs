use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

/// The system has no randomness to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system has no randomness to give")]
pub struct RandomError;

/// Bytes that nobody can guess.
///
/// # Errors
/// [`RandomError`] when the system has none.
pub fn random<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| RandomError)?;
    Ok(bytes)
}

/// 32 bytes that nobody can guess, as 43 letters, digits, `-` and `_`.
///
/// # Errors
/// [`RandomError`] when the system has none.
pub fn random_text() -> Result<String, RandomError> {
    random::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_random_comes_twice() {
        let bytes: HashSet<[u8; 16]> = (0..100).map(|_| random().unwrap()).collect();
        assert_eq!(bytes.len(), 100);
        // Nor is any place of it always the same.
        for place in 0..16 {
            let seen: HashSet<u8> = bytes.iter().map(|bytes| bytes[place]).collect();
            assert!(seen.len() > 10, "{place}");
        }
    }

    #[test]
    fn random_text_fits_into_links_and_headers() {
        let texts: HashSet<String> = (0..100).map(|_| random_text().unwrap()).collect();
        assert_eq!(texts.len(), 100);
        for text in texts {
            assert_eq!(text.len(), 43, "{text}");
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            assert!(text.bytes().all(plain), "{text}");
        }
    }
}

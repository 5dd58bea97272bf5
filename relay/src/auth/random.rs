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

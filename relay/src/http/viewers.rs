//! The viewers' token of each broadcast: whoever asks how a broadcast is doing is shown the same link each time.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::auth::Minted;
use crate::broadcast::BroadcastId;

/// The newest of the tokens that viewers come with, for each broadcast that somebody has asked for.
#[derive(Debug, Default)]
pub struct ViewersTokens(Mutex<HashMap<BroadcastId, Minted>>);

impl ViewersTokens {
    /// The token that is there, while it is `good`, else one of `make`, which stays.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn standing<E>(
        &self,
        id: &BroadcastId,
        good: impl FnOnce(&Minted) -> bool,
        make: impl FnOnce() -> Result<Minted, E>,
    ) -> Result<Minted, E> {
        let mut tokens = self.0.lock();
        if let Some(known) = tokens.get(id).filter(|known| good(known)) {
            return Ok(known.clone());
        }
        let made = make()?;
        tokens.insert(id.clone(), made.clone());
        Ok(made)
    }

    /// The broadcast is over.
    pub fn forget(&self, id: &BroadcastId) {
        self.0.lock().remove(id);
    }
}

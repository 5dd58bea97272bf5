//! Creating and ending broadcasts, in memory and on disk together.

use std::sync::Arc;
use std::time::Duration;

use steadycast_codec_glue::wire::{Code, Role};

use super::site::Site;
use crate::auth::{RandomError, Token, random};
use crate::broadcast::{Broadcast, BroadcastId, RegistryError};
use crate::store::{Entry, StateError};

/// Why a broadcast was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There are as many as there may be, or the id is taken.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// It cannot be kept.
    #[error("the broadcast cannot be kept: {0}")]
    State(#[from] StateError),
    /// No id can be made.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The task that writes has died.
    #[error("the broadcast cannot be kept: {0}")]
    Writing(#[from] tokio::task::JoinError),
}

/// The two tokens of a broadcast, made together.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// For the admin's page.
    pub publish: Token,
    /// For the players.
    pub play: Token,
    /// When the first of them ends, in seconds since the Unix epoch.
    pub expires: u64,
}

impl Site {
    /// Creates a broadcast that survives a restart; `id`: one of the caller's choice.
    ///
    /// # Errors
    /// [`CreateError`]; there is no broadcast then.
    pub async fn create(
        &self,
        id: Option<BroadcastId>,
        title: String,
    ) -> Result<Arc<Broadcast>, CreateError> {
        let id = match id {
            Some(id) => id,
            None => BroadcastId::from_random(random()?),
        };
        let now = self.clock.now();
        let entry = Entry {
            id: id.clone(),
            title: title.clone(),
            created: now.as_micros() / 1_000_000,
        };
        let broadcast = self.registry.create(id.clone(), title, now)?;
        let store = self.store.clone();
        let kept = tokio::task::spawn_blocking(move || store.add(entry)).await;
        let kept = kept.map_err(CreateError::from).and_then(|kept| Ok(kept?));
        if let Err(error) = kept {
            self.registry.end(&id, Code::Internal);
            return Err(error);
        }
        tracing::info!(broadcast = %id, "created");
        Ok(broadcast)
    }

    /// Ends a broadcast for everybody and for good. False when there is none.
    pub async fn end(&self, id: &BroadcastId, code: Code) -> bool {
        let ended = self.registry.end(id, code);
        if ended {
            tracing::info!(broadcast = %id, %code, "ended");
            self.forget(vec![id.clone()]).await;
        }
        ended
    }

    /// Takes broadcasts that have ended off the list on disk. What fails is logged.
    pub async fn forget(&self, ids: Vec<BroadcastId>) {
        let store = self.store.clone();
        let forgotten = tokio::task::spawn_blocking(move || {
            for id in ids {
                if let Err(error) = store.remove(&id) {
                    tracing::error!(broadcast = %id, %error, "an ended broadcast stays listed");
                }
            }
        });
        if let Err(error) = forgotten.await {
            tracing::error!(%error, "ended broadcasts stay listed");
        }
    }

    /// Makes the broadcasts that were there before a restart again.
    ///
    /// # Errors
    /// [`RegistryError::Full`] when there are more than there may be.
    pub fn restore(&self) -> Result<usize, RegistryError> {
        let entries = self.store.entries();
        let count = entries.len();
        for entry in entries {
            self.registry
                .create(entry.id, entry.title, self.clock.now())?;
        }
        Ok(count)
    }

    /// New tokens for a broadcast.
    pub fn mint(&self, id: &BroadcastId) -> Tokens {
        let now = self.clock.now();
        let mint = |role: Role, ttl: Duration| self.tokens.mint(id, role, ttl, now);
        let first = self.publish_token_ttl.min(self.play_token_ttl);
        Tokens {
            publish: mint(Role::Publisher, self.publish_token_ttl),
            play: mint(Role::Player, self.play_token_ttl),
            expires: now.as_micros() / 1_000_000 + first.as_secs(),
        }
    }
}

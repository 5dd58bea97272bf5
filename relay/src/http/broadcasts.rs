//! Creating and ending broadcasts, in memory and on disk together.

use std::sync::Arc;
use std::time::Duration;

use steadycast_codec_glue::wire::{Code, Role};

use super::site::Site;
use crate::auth::{RandomError, Token, random};
use crate::broadcast::{Broadcast, BroadcastId, Presence, RegistryError, RelayTime};
use crate::clocks;
use crate::store::{Entry, Seen, StateError, Store};

/// Why a broadcast was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There are as many as there may be, or the id is taken.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// It cannot be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// No id can be made.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Why the list of broadcasts on disk is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It cannot be written.
    #[error("the list of broadcasts cannot be written: {0}")]
    State(#[from] StateError),
    /// The task that writes has died.
    #[error("the list of broadcasts cannot be written: {0}")]
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
            publisher: Seen::Never,
        };
        let broadcast = self.registry.create(id.clone(), title, now)?;
        if let Err(error) = self.on_disk(move |store| store.add(entry)).await {
            self.registry.end(&id, Code::Internal);
            return Err(error.into());
        }
        tracing::info!(broadcast = %id, "created");
        Ok(broadcast)
    }

    /// Ends a broadcast for everybody and for good. False when there is none.
    ///
    /// # Errors
    /// [`KeepError`]; then it goes on, for else it would be back after a restart.
    pub async fn end(&self, id: &BroadcastId, code: Code) -> Result<bool, KeepError> {
        if self.registry.find(id).is_none() {
            return Ok(false);
        }
        let listed = id.clone();
        self.on_disk(move |store| store.remove(&listed)).await?;
        let ended = self.registry.end(id, code);
        if ended {
            tracing::info!(broadcast = %id, %code, "ended");
        }
        Ok(ended)
    }

    /// Brings the list on disk in line with the broadcasts that there are: those that time has
    /// ended go, and when a publisher was there last is noted. Those that have gone because the relay
    /// is `stopping`, since then, are as good as there: they wait for it.
    ///
    /// # Errors
    /// [`KeepError`]; the next call makes up for it.
    pub async fn keep(&self, stopping: Option<RelayTime>) -> Result<(), KeepError> {
        let registry = self.registry.clone();
        let presence = move |id: &BroadcastId| match registry.find(id)?.presence() {
            Presence::AwaySince(since) if stopping.is_some_and(|at| since >= at) => {
                Some(Presence::Here)
            }
            presence => Some(presence),
        };
        self.on_disk(move |store| store.keep(presence)).await
    }

    async fn on_disk(
        &self,
        act: impl FnOnce(&Store) -> Result<(), StateError> + Send + 'static,
    ) -> Result<(), KeepError> {
        let store = self.store.clone();
        Ok(tokio::task::spawn_blocking(move || act(&store)).await??)
    }

    /// Makes the broadcasts that were there before a restart again; gives how many.
    pub fn restore(&self) -> usize {
        let entries = self.store.entries();
        let (count, most) = (entries.len(), self.registry.most());
        if count > most {
            tracing::warn!(
                broadcasts = count,
                list = %self.store.path().display(),
                "there are more broadcasts than broadcast.max_broadcasts = {most}: all go on, and \
                 none can be created until there are fewer"
            );
        }
        let now = self.clock.now();
        clocks::warn_at_start(now.as_micros() / 1_000_000, &entries);
        for entry in entries {
            let presence = entry.publisher.after_restart(now);
            self.registry.restore(entry.id, entry.title, presence, now);
        }
        count
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

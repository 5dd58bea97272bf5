//! Creating and ending broadcasts where several relays know them, and the keys that these share.

use std::time::Duration;

use steadycast_codec_glue::wire::Code;

use super::broadcasts::{CreateError, KeepError};
use super::site::Site;
use crate::auth::Revocation;
use crate::broadcast::{BroadcastId, RegistryError};
use crate::directory::Bid;
use crate::homes::Homes;
use crate::store::catalog::{AdminText, Document, Here};
use crate::store::{Change, Ending, Entry, PanelSecret, Seen, StateError};

impl Site {
    /// Whether there is a broadcast of this id, here or at another relay.
    pub fn knows(&self, id: &BroadcastId) -> bool {
        let elsewhere = self.homes.as_ref();
        self.registry.find(id).is_some() || elsewhere.is_some_and(|homes| homes.entry(id).is_some())
    }

    /// Time has ended a broadcast here, as it has ended it for all relays.
    pub(crate) fn timed_out(&self, id: &BroadcastId, code: Code) {
        if let Some(homes) = &self.homes {
            homes.catalog().end_soon(id, code);
        }
    }

    pub(super) async fn create_for_all(
        &self,
        homes: &Homes,
        entry: &Entry,
        links: Option<Change>,
    ) -> Result<(), CreateError> {
        if !self.registry.has_room() {
            return Err(RegistryError::Full.into());
        }
        homes.begun().await;
        homes.catalog().create(entry).await?;
        let id = &entry.id;
        if let Some(links) = links
            && let Err(error) = self.on_disk(vec![links.clone()]).await
        {
            // Old links would be good for it.
            homes.catalog().end_soon(id, Code::Internal);
            return Err(error.into());
        }
        if let Err(error) = homes.bring(id, Bid::Home).await {
            tracing::info!(broadcast = %id, %error, "its home will be at another relay");
        }
        Ok(())
    }

    /// Ends a broadcast at all relays, this one among them, without telling listeners.
    pub(super) async fn end_for_all(
        &self,
        homes: &Homes,
        id: &BroadcastId,
        code: Code,
    ) -> Result<bool, KeepError> {
        homes.begun().await;
        let _turn = self.turns.lock().await;
        let links = self.end_of_links(id);
        let generation = match &links {
            Change::Revoke(Revocation::Broadcast { generation, .. }) => Some(*generation),
            _ => None,
        };
        let ending = Ending::new(code, generation);
        if !homes.catalog().end(id, ending).await? {
            return Ok(false);
        }
        self.registry.end(id, code);
        homes.leave(id);
        if let Err(error) = self.on_disk(vec![links.clone()]).await {
            tracing::error!(broadcast = %id, %error, "after a restart its links would be good");
        }
        self.remember(vec![Change::Remove(id.clone()), links]);
        Ok(true)
    }

    pub(super) async fn keep_copy(&self) -> Result<(), KeepError> {
        let ledger = self.ledger.clone();
        self.kept(move || ledger.save()).await
    }

    pub(super) fn shared_panel_secret(
        &self,
        homes: &Homes,
        id: &BroadcastId,
        generation: u64,
    ) -> Option<PanelSecret> {
        let text = homes.catalog().panel(&homes.entry(id)?, generation)?;
        let text = text.into();
        Some(PanelSecret { generation, text })
    }

    pub(super) async fn allow_for_all(
        &self,
        homes: &Homes,
        life: Duration,
    ) -> Result<(), KeepError> {
        let allowing = |keys: &Document| {
            Ok(Document {
                tokens: keys.tokens.allowing(life.as_secs()),
                ..keys.clone()
            })
        };
        let keys = homes.catalog().change_keys(allowing).await?;
        self.adopt_keys(keys).await.map(drop)
    }

    /// Has all relays sign tokens with a new key; gives how many sessions end by that here.
    pub(super) async fn rotate_for_all(
        &self,
        homes: &Homes,
        end_links: bool,
    ) -> Result<usize, KeepError> {
        let (now, usual) = (self.clock.now(), self.token_keys.usual());
        let rotated = |keys: &Document| {
            Ok(Document {
                tokens: keys.tokens.rotated(end_links, usual, now)?,
                ..keys.clone()
            })
        };
        let keys = homes.catalog().change_keys(rotated).await?;
        self.adopt_keys(keys).await
    }

    /// Has all relays have this admin key.
    pub(super) async fn change_admin_key_for_all(
        &self,
        homes: &Homes,
        text: &str,
    ) -> Result<(), KeepError> {
        let changed = |keys: &Document| {
            Ok(Document {
                admin: Some(AdminText(text.to_owned())),
                ..keys.clone()
            })
        };
        let keys = homes.catalog().change_keys(changed).await?;
        self.adopt_keys(keys).await.map(drop)
    }

    /// These are the keys from now on; gives how many sessions end by that.
    async fn adopt_keys(&self, document: Document) -> Result<usize, KeepError> {
        let Document { tokens, admin } = document;
        let keys = self.token_keys.clone();
        let state = self.state.clone();
        let admin = admin.filter(|_| !self.rules().admin_key_is_set);
        let adopting = tokio::task::spawn_blocking(move || {
            let adopted = keys.adopt(tokens)?;
            let admin = admin.map(|AdminText(text)| state.keep_admin_key(&text));
            Ok::<_, StateError>((adopted, admin.transpose()?))
        });
        let ((signer, goes_on), admin) = adopting.await??;
        self.gate.change_signer(signer);
        if let Some(key) = admin {
            self.gate.change_admin_key(key);
        }
        Ok(match goes_on {
            true => 0,
            false => self.gate.end_own(),
        })
    }

    fn end_here(&self, id: &BroadcastId, code: Code) {
        if self.registry.end(id, code) {
            tracing::info!(broadcast = %id, %code, "ended at another relay");
        }
        if let Some(homes) = &self.homes {
            homes.leave(id);
        }
        self.viewers.forget(id);
    }
}

impl Here for Site {
    async fn ended(&self, entry: &Entry, ending: Option<Ending>) {
        let id = &entry.id;
        let code = ending.map_or(Code::BroadcastEnded, |ending| ending.code());
        self.end_here(id, code);
        let links = ending.and_then(|ending| ending.links);
        let taken_back = match links {
            Some(generation) => {
                let broadcast = id.clone();
                self.hear(Revocation::Broadcast {
                    broadcast,
                    generation,
                })
                .await
            }
            None if !entry.chosen => {
                self.gate.forget_links(id);
                self.on_disk(vec![Change::ForgetLinks(id.clone())]).await
            }
            // That is told by itself.
            None => Ok(()),
        };
        if let Err(error) = taken_back {
            tracing::error!(broadcast = %id, %error, "after a restart its links would be good here");
        }
    }

    async fn end(&self, id: &BroadcastId, code: Code) -> bool {
        match &self.homes {
            Some(homes) if homes.holds(id) => {
                let ended = self.end_for_all(homes, id, code).await;
                if let Err(error) = &ended {
                    tracing::debug!(broadcast = %id, %error, "the other relays do not know that it is over");
                }
                ended.is_ok()
            }
            // It is for another relay to say.
            _ => true,
        }
    }

    fn publishers(&self) -> Vec<(BroadcastId, Seen)> {
        let Some(homes) = self
            .homes
            .as_ref()
            .filter(|_| !self.draining.is_cancelled())
        else {
            return Vec::new();
        };
        let own = self.registry.list().into_iter();
        let own =
            own.filter(|broadcast| broadcast.upstream().is_none() && homes.holds(broadcast.id()));
        own.map(|broadcast| (broadcast.id().clone(), broadcast.presence().into()))
            .collect()
    }

    fn next_keys(&self, theirs: Option<&Document>, is_new: bool) -> Document {
        let own = || self.token_keys.ring();
        let tokens = match theirs {
            None => own(),
            Some(theirs) if is_new => theirs.tokens.with(&own(), self.clock.now()),
            Some(theirs) => theirs.tokens.clone(),
        };
        let admin = theirs.and_then(|theirs| theirs.admin.clone());
        let in_file = || match self.rules().admin_key_is_set {
            true => None,
            false => self.state.admin_text().ok().map(AdminText),
        };
        Document {
            tokens: tokens.allowing(self.token_keys.usual()),
            admin: admin.or_else(in_file),
        }
    }

    async fn adopt(&self, keys: Document) -> bool {
        let _turn = self.turns.lock().await;
        let adopted = self.adopt_keys(keys).await;
        match &adopted {
            Ok(0) => {}
            Ok(sessions) => tracing::info!(sessions, "the links until now have ended elsewhere"),
            Err(error) => tracing::error!(%error, "the keys of the other relays cannot be kept"),
        }
        adopted.is_ok()
    }
}

//! Creating and ending broadcasts, giving out links to them and taking them back: in memory and on disk
//! together.

use std::sync::atomic::Ordering;

use steadycast_codec_glue::wire::Code;
use time::OffsetDateTime;

use super::site::Site;
use crate::auth::{
    Allotment, Minted, Order, Power, RandomError, Revocation, Token, random, random_text,
};
use crate::broadcast::{BroadcastId, Description, Presence, RegistryError, RelayTime};
use crate::clocks;
use crate::events::Event;
use crate::store::{CatalogError, Change, Entry, PanelSecret, Seen, StateError, TokenKeys};
use crate::tls::Identity;

/// A broadcast that somebody would like to have.
#[derive(Debug, Clone, Default)]
pub struct NewBroadcast {
    /// One of the maker's choice; `None`: one is made up.
    pub id: Option<BroadcastId>,
    /// What it is.
    pub description: Description,
    /// Whom the maker's token is about.
    pub maker: Option<Box<str>>,
}

/// Why a broadcast was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// There are as many as there may be, or the id is taken.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The other relays cannot be told.
    #[error(transparent)]
    Catalog(CatalogError),
    /// Its maker has as many as one may have.
    #[error(
        "whom this token is about has as many broadcasts as one may have (broadcast.max_per_maker)"
    )]
    TooManyOfOne,
    /// It cannot be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// No id can be made.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Why what is kept on disk is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It cannot be written.
    #[error("broadcasts and links cannot be kept: {0}")]
    State(#[from] StateError),
    /// The other relays cannot be told.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The task that writes has died.
    #[error("broadcasts and links cannot be kept: {0}")]
    Writing(#[from] tokio::task::JoinError),
}

/// A broadcast that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its id.
    pub id: BroadcastId,
    /// Its name for people.
    pub title: String,
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

impl From<CatalogError> for CreateError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Exists => RegistryError::Exists.into(),
            error => Self::Catalog(error),
        }
    }
}

impl Site {
    /// Creates a broadcast that survives a restart.
    ///
    /// # Errors
    /// [`CreateError`]; there is no broadcast then.
    pub async fn create(&self, new: NewBroadcast) -> Result<Made, CreateError> {
        let NewBroadcast {
            id,
            description,
            maker,
        } = new;
        // Two at once must not both be the last that one may have.
        let _turn = match &maker {
            Some(maker) => {
                let turn = self.makers.lock().await;
                if self.ledger.made_by(maker) >= self.rules().max_per_maker {
                    return Err(CreateError::TooManyOfOne);
                }
                Some(turn)
            }
            None => None,
        };
        let chosen = id.is_some();
        let id = match id {
            Some(id) => id,
            None => BroadcastId::from_random(random()?),
        };
        let now = self.clock.now();
        let title = description.title.clone();
        let entry = Entry {
            id: id.clone(),
            title: title.clone(),
            created: now.as_seconds(),
            maker,
            chosen,
            private: description.private,
            settings: description.settings,
            links_end: None,
            panel_secret: None,
            publisher: Seen::Never,
        };
        // There may have been one of this id that was made up, of whose links nothing is known any more.
        let powers = [Power::Publish, Power::Play];
        let links = (chosen && id.may_be_random())
            .then(|| Change::Revoke(self.next_generation(&id, &powers)));
        match &self.homes {
            None => self.create_here(entry, description, now, links).await?,
            Some(homes) => self.create_for_all(homes, &entry, links).await?,
        }
        tracing::info!(broadcast = %id, "created");
        self.records.events().tell(Event::Created(id.clone()));
        Ok(Made { id, title })
    }

    async fn create_here(
        &self,
        entry: Entry,
        description: Description,
        now: RelayTime,
        links: Option<Change>,
    ) -> Result<(), CreateError> {
        let id = entry.id.clone();
        self.registry.create(id.clone(), description, now)?;
        let changes: Vec<_> = [Change::Put(entry)].into_iter().chain(links).collect();
        if let Err(error) = self.on_disk(changes.clone()).await {
            self.registry.end(&id, Code::Internal);
            return Err(error.into());
        }
        self.remember(changes);
        Ok(())
    }

    /// Ends a broadcast for everybody and for good, and its links with it. False when there is none.
    ///
    /// # Errors
    /// [`KeepError`]; then it goes on, for else it would be back after a restart.
    pub async fn end(&self, id: &BroadcastId, code: Code) -> Result<bool, KeepError> {
        if let Some(homes) = &self.homes {
            let ended = self.end_for_all(homes, id, code).await?;
            if ended {
                tracing::info!(broadcast = %id, %code, "ended");
                self.records.events().tell(Event::Ended(id.clone(), code));
            }
            return Ok(ended);
        }
        if self.registry.find(id).is_none() {
            return Ok(false);
        }
        let _turn = self.turns.lock().await;
        let changes = vec![Change::Remove(id.clone()), self.end_of_links(id)];
        self.on_disk(changes.clone()).await?;
        let ended = self.registry.end(id, code);
        if ended {
            tracing::info!(broadcast = %id, %code, "ended");
            let events = self.records.events();
            events.tell(Event::Ended(id.clone(), code));
        }
        self.remember(changes);
        Ok(ended)
    }

    /// Brings what is kept in line with the broadcasts that there are: those that time has
    /// ended go, and when a publisher was there last is noted. Those that have gone because the relay
    /// is `stopping`, since then, are as good as there: they wait for it.
    ///
    /// # Errors
    /// [`KeepError`]; the next call makes up for it.
    pub async fn keep(&self, stopping: Option<RelayTime>) -> Result<(), KeepError> {
        if self.homes.is_some() {
            return self.keep_copy().await;
        }
        let presence = |id: &BroadcastId| match self.registry.find(id)?.presence() {
            Presence::AwaySince(since) if stopping.is_some_and(|at| since >= at) => {
                Some(Presence::Here)
            }
            presence => Some(presence),
        };
        let mut changes = self.ledger.changes(presence);
        let gone = changes.iter().filter_map(|change| match change {
            Change::Remove(id) => Some(self.end_of_links(id)),
            _ => None,
        });
        changes.extend(gone.collect::<Vec<_>>());
        if !changes.is_empty() {
            self.on_disk(changes.clone()).await?;
            self.remember(changes);
        }
        Ok(())
    }

    /// Ends the broadcasts that nobody can come to any more: no publisher is there, and no token is good for them.
    /// Where others make tokens too, nobody knows of which.
    ///
    /// # Errors
    /// [`KeepError`]; the next call makes up for it.
    pub async fn end_unreachable(&self) -> Result<(), KeepError> {
        if self.gate.has_others() {
            return Ok(());
        }
        for id in self.ledger.without_links(self.clock.now()) {
            let broadcast = self.registry.find(&id);
            let ours = self.homes.as_ref().is_none_or(|homes| homes.holds(&id));
            if ours && broadcast.is_some_and(|one| one.presence() != Presence::Here) {
                self.end(&id, Code::HeldTooLong).await?;
            }
        }
        Ok(())
    }

    /// Whether what is to be kept could be written, the last time.
    pub fn keeps(&self) -> bool {
        self.keeps.load(Ordering::Relaxed)
    }

    /// Whether it has a certificate whose time is now.
    pub fn has_good_certificate(&self) -> bool {
        let now = OffsetDateTime::now_utc();
        let identity = self.identities.borrow();
        let is_good =
            |identity: &Identity| (identity.not_before()..identity.not_after()).contains(&now);
        identity.as_deref().is_some_and(is_good)
    }

    /// What becomes of the links to a broadcast that ends. Whoever makes another of the same id has not
    /// given them out.
    pub(super) fn end_of_links(&self, id: &BroadcastId) -> Change {
        match self.ledger.get(id) {
            Some(entry) if !entry.chosen => Change::ForgetLinks(id.clone()),
            _ => Change::Revoke(self.next_generation(id, &[Power::Publish, Power::Play])),
        }
    }

    fn next_generation(&self, id: &BroadcastId, powers: &[Power]) -> Revocation {
        let now = self.clock.now().as_seconds();
        Revocation::Broadcast {
            broadcast: id.clone(),
            generation: self.gate.generation(id).next(powers, now),
        }
    }

    /// Makes known what has become of the links to broadcasts that are over: their sessions end for that
    /// reason.
    pub(super) fn remember(&self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Revoke(revocation) => self.gate.remember(revocation),
                Change::ForgetLinks(id) => self.gate.forget_links(&id),
                Change::Remove(id) => self.viewers.forget(&id),
                Change::Put(_)
                | Change::ForgetToken(_)
                | Change::PatternsEnd(_)
                | Change::Mark(_) => {}
            }
        }
    }

    pub(super) async fn on_disk(&self, changes: Vec<Change>) -> Result<(), KeepError> {
        let taken_back = match &self.outbox {
            Some(_) => changes.iter().filter_map(Change::taken_back).collect(),
            None => Vec::new(),
        };
        let ledger = self.ledger.clone();
        self.kept(move || ledger.commit(&changes)).await?;
        if let Some(outbox) = &self.outbox {
            taken_back.into_iter().for_each(|one| outbox.tell(one));
        }
        Ok(())
    }

    /// Does what waits for the disk, and notes whether that could be written.
    pub(super) async fn kept(
        &self,
        write: impl FnOnce() -> Result<(), StateError> + Send + 'static,
    ) -> Result<(), KeepError> {
        let written = tokio::task::spawn_blocking(write).await;
        self.keeps
            .store(matches!(written, Ok(Ok(()))), Ordering::Relaxed);
        Ok(written??)
    }

    /// Makes the broadcasts that were there before a restart again; gives how many. Where other relays know them too,
    /// each is made when somebody comes for it, or when it is this relay's turn to have it.
    pub fn restore(&self) -> usize {
        let entries = self.ledger.entries();
        if self.homes.is_some() {
            clocks::warn_at_start(self.clock.now().as_seconds(), &entries);
            return entries.len();
        }
        let (count, most) = (entries.len(), self.registry.most());
        if count > most {
            tracing::warn!(
                broadcasts = count,
                store = self.ledger.place(),
                "there are more broadcasts than broadcast.max_broadcasts = {most}: all go on, and \
                 none can be created until there are fewer"
            );
        }
        let now = self.clock.now();
        clocks::warn_at_start(now.as_seconds(), &entries);
        for entry in entries {
            let presence = entry.publisher.after_restart(now);
            let created = RelayTime::from_micros(entry.created.saturating_mul(1_000_000));
            let times = (created, now);
            let description = Description {
                title: entry.title,
                private: entry.private,
                settings: entry.settings,
            };
            self.registry
                .restore(entry.id, description, presence, times);
        }
        count
    }

    /// Takes something back, for good and from running sessions too; gives from how many.
    ///
    /// # Errors
    /// [`KeepError`]; nothing is taken back then.
    pub async fn revoke(&self, revocation: Revocation) -> Result<usize, KeepError> {
        self.on_disk(vec![Change::Revoke(revocation.clone())])
            .await?;
        Ok(self.gate.revoke(revocation))
    }

    /// Something was taken back elsewhere: it is so here as well.
    ///
    /// # Errors
    /// [`KeepError`]; it is not taken back here then.
    pub(crate) async fn hear(&self, revocation: Revocation) -> Result<(), KeepError> {
        // Nobody must make a generation that does not know of it.
        let _turn = self.turns.lock().await;
        let Some(news) = self.gate.news(revocation) else {
            return Ok(());
        };
        let sessions = self.revoke(news).await?;
        tracing::info!(sessions, "taken back elsewhere");
        Ok(())
    }

    /// Ends the links to a broadcast that are for one of `powers`, and the sessions that they opened; gives how
    /// many sessions.
    ///
    /// # Errors
    /// [`KeepError`]; all links are good then as before.
    pub async fn renew(&self, id: &BroadcastId, powers: &[Power]) -> Result<usize, KeepError> {
        // Two at once must not make the same generation.
        let _turn = self.turns.lock().await;
        self.revoke(self.next_generation(id, powers)).await
    }

    /// What panels and capture hosts of a broadcast know each other by; another one once links for publishing
    /// were taken back. `None`: there is no such broadcast.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn panel_secret(&self, id: &BroadcastId) -> Result<Option<PanelSecret>, RandomError> {
        let generation = self.gate.generation(id).publish.generation;
        if let Some(homes) = &self.homes {
            return Ok(self.shared_panel_secret(homes, id, generation));
        }
        self.ledger.panel_secret(id, generation, random_text)
    }

    /// Forgets tokens that were taken back and have ended by themselves.
    ///
    /// # Errors
    /// [`KeepError`]; the next start makes up for it.
    pub async fn forget_ended(&self) -> Result<(), KeepError> {
        let ended = self.gate.forget_ended(self.clock.now());
        if ended.is_empty() {
            return Ok(());
        }
        self.on_disk(ended.into_iter().map(Change::ForgetToken).collect())
            .await
    }

    /// A token for a new link to a broadcast.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn mint(&self, id: &BroadcastId, power: Power) -> Result<Minted, RandomError> {
        self.make(&self.link(id, power))
    }

    /// What viewers come with, the same for everybody who asks until it is taken back or half of its time is over.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn viewers_token(&self, id: &BroadcastId) -> Result<Minted, RandomError> {
        self.viewers_token_or(id, || self.mint(id, Power::Play))
    }

    fn viewers_token_or(
        &self,
        id: &BroadcastId,
        make: impl FnOnce() -> Result<Minted, RandomError>,
    ) -> Result<Minted, RandomError> {
        let now = self.clock.now();
        let half = self.rules().play_token_ttl.as_secs() / 2;
        let good = |known: &Minted| {
            let grant = self.gate.recognise(known.token.as_str(), now);
            known.expires > now.as_seconds() + half
                && grant.is_ok_and(|grant| self.gate.require(&grant, Power::Play, id).is_ok())
        };
        self.viewers.standing(id, good, make)
    }

    /// A token as it was ordered.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn make(&self, order: &Order) -> Result<Minted, RandomError> {
        let minted = self.gate.mint(order, self.clock.now())?;
        self.ledger.token_made(&order.broadcasts, minted.expires);
        Ok(minted)
    }

    /// The same, where it may live longer than a link.
    ///
    /// # Errors
    /// [`CreateError::Keep`]: it cannot be noted how long the key has to be known. And [`CreateError::Random`].
    pub async fn make_of_any_life(&self, order: &Order) -> Result<Minted, CreateError> {
        if order.ttl <= self.rules().longest_life() {
            return Ok(self.make(order)?);
        }
        // Another key meanwhile would not have been told.
        let _turn = self.turns.lock().await;
        let ttl = order.ttl;
        match &self.homes {
            None => self.with_keys(move |keys| keys.allow(ttl)).await?,
            Some(homes) => self.allow_for_all(homes, ttl).await?,
        }
        Ok(self.make(order)?)
    }

    /// What is done with the keys to tokens, where that may take its time.
    pub(super) async fn with_keys<T: Send + 'static>(
        &self,
        act: impl FnOnce(&TokenKeys) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, KeepError> {
        let keys = self.token_keys.clone();
        Ok(tokio::task::spawn_blocking(move || act(&keys)).await??)
    }

    fn link(&self, id: &BroadcastId, power: Power) -> Order {
        let rules = self.rules();
        let ttl = match power {
            Power::Play => rules.play_token_ttl,
            Power::Publish | Power::Admin => rules.publish_token_ttl,
        };
        let generation = self.gate.generation(id).current;
        Order::link(id, power, ttl, generation)
    }

    /// New tokens for a broadcast.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn mint_both(&self, id: &BroadcastId) -> Result<Tokens, RandomError> {
        self.mint_like(id, None, Allotment::default())
    }

    /// The same for somebody who has so much; the one to publish is about `subject`.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn mint_like(
        &self,
        id: &BroadcastId,
        subject: Option<Box<str>>,
        allotment: Allotment,
    ) -> Result<Tokens, RandomError> {
        let order = Order {
            subject,
            allotment,
            ..self.link(id, Power::Publish)
        };
        let publish = self.make(&order)?;
        let play = self.mint(id, Power::Play)?;
        // Where none stands that is good, this is the one from now on.
        self.viewers_token_or(id, || Ok(play.clone()))?;
        Ok(Tokens {
            expires: publish.expires.min(play.expires),
            publish: publish.token,
            play: play.token,
        })
    }
}

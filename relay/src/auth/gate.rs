//! The gate: who somebody is, what they may do, and the news when they no longer may.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::decode_header;
use parking_lot::RwLock;
use steadycast_codec_glue::wire::{Role, limits};

use super::authority::{Action, Authority};
use super::claims::{Early, WireClaims};
use super::guesses::{Guesses, OneAtATime, TooManyTries};
use super::passes::{Pass, Passes, Standing, Transport, Visit, Withdrawal};
use super::revocations::{Generation, Revocation, Revocations};
use super::token::{Minted, Order, TokenSigner};
use super::{AdminKey, Grant, Issuers, Pattern, Power, RandomError, Refusal};
use crate::broadcast::{BroadcastId, RelayTime};

/// Who comes with nothing that is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallerError {
    /// The token is not good, nor is it the admin key.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many wrong keys came from there.
    #[error(transparent)]
    TooManyTries(#[from] TooManyTries),
}

/// Says for every carrier who somebody is and what they may do, and tells running sessions when they no
/// longer may.
pub struct Gate {
    signer: RwLock<TokenSigner>,
    issuers: Option<Arc<Issuers>>,
    authority: Option<Authority>,
    admin_key: RwLock<AdminKey>,
    guesses: Guesses,
    revocations: RwLock<Revocations>,
    passes: Arc<Passes>,
    /// The number of the newest session.
    numbers: AtomicU64,
}

impl Gate {
    /// A gate that knows these keys, and of nothing that was taken back.
    pub fn new(signer: TokenSigner, admin_key: AdminKey, issuers: Option<Arc<Issuers>>) -> Self {
        Self {
            signer: RwLock::new(signer),
            issuers,
            authority: None,
            admin_key: RwLock::new(admin_key),
            guesses: Guesses::default(),
            revocations: RwLock::default(),
            passes: Arc::default(),
            numbers: AtomicU64::new(0),
        }
    }

    /// The same, that asks an outside authority instead of looking at tokens.
    #[must_use]
    pub fn asking(self, authority: Option<Authority>) -> Self {
        Self { authority, ..self }
    }

    /// The same, whose sessions have numbers behind this one.
    #[must_use]
    pub fn numbering_from(self, number: u64) -> Self {
        let numbers = AtomicU64::new(number);
        Self { numbers, ..self }
    }

    /// What a token grants, if it is good.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn recognise(&self, token: &str, now: RelayTime) -> Result<Grant, Refusal> {
        let grant = self.verify(token, now)?;
        match self.revocations.read().cover(&grant) {
            true => Err(Refusal::Revoked),
            false => Ok(grant),
        }
    }

    /// What a token grants, unless it was taken back. Those of others name their key, the relay's own do not.
    fn verify(&self, token: &str, now: RelayTime) -> Result<Grant, Refusal> {
        if token.len() > limits::TOKEN {
            return Err(Refusal::Invalid);
        }
        let header = decode_header(token).map_err(|_| Refusal::Invalid)?;
        // None of what may be critical is known here (RFC 7515, 4.1.11).
        if header.crit.is_some() {
            return Err(Refusal::Invalid);
        }
        match (header.kid, &self.issuers) {
            (None, _) => self.signer.read().verify(token, now),
            (Some(key), Some(issuers)) => issuers.verify(token, &key, now),
            (Some(_), None) => Err(Refusal::Invalid),
        }
    }

    /// What is granted to somebody at `from` who shows a token, or the admin key. Waits where wrong keys came from
    /// that network.
    ///
    /// # Errors
    /// [`CallerError`].
    pub async fn recognise_caller(
        &self,
        shown: &str,
        from: IpAddr,
        connection: &OneAtATime,
        now: RelayTime,
    ) -> Result<Grant, CallerError> {
        // What this relay has signed itself is no guess at its key.
        let invalid = match self.recognise(shown, now) {
            Err(Refusal::Invalid) => Refusal::Invalid,
            known => return Ok(known?),
        };
        match self.is_admin_key(shown, from, connection).await? {
            true => Ok(Grant::of_the_admin_key()),
            false => Err(invalid.into()),
        }
    }

    /// Passes where `grant` has `power` at this broadcast, and no newer links have taken it.
    ///
    /// # Errors
    /// [`Refusal::Role`], [`Refusal::Broadcast`] or [`Refusal::Revoked`].
    pub fn require(
        &self,
        grant: &Grant,
        power: Power,
        broadcast: &BroadcastId,
    ) -> Result<(), Refusal> {
        grant.require(power, broadcast)?;
        match self.revocations.read().cover_at(grant, power, broadcast) {
            true => Err(Refusal::Revoked),
            false => Ok(()),
        }
    }

    /// Lets a session in.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn enter(
        &self,
        grant: Grant,
        role: Role,
        broadcast: &BroadcastId,
        visit: Visit,
    ) -> Result<Pass, Refusal> {
        let grant = Arc::new(grant);
        // First the pass, then the look: what is taken back between them is found by one or the other.
        let pass = self.passes.give(Standing {
            grant: grant.clone(),
            role,
            broadcast: broadcast.clone(),
            visit,
        });
        self.require(&grant, role.into(), broadcast)?;
        match self.revocations.read().cover(&grant) {
            true => Err(Refusal::Revoked),
            false => Ok(pass),
        }
    }

    /// Lets a session in that shows `token`; `named`: the broadcast that it asks for, if it says so.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn admit(
        &self,
        token: &str,
        role: Role,
        named: Option<&BroadcastId>,
        visit: Visit,
    ) -> Result<Pass, Refusal> {
        let (grant, named) = match &self.authority {
            None => {
                // Whoever comes with a new key is the reason to fetch it, and need not come twice.
                if let Some(issuers) = self.issuers_without_the_key_of(token) {
                    let _ = self.recognise(token, visit.since);
                    issuers.renewal().await;
                }
                (self.recognise(token, visit.since)?, named.cloned())
            }
            Some(authority) => {
                // Only whom the token says it is for: whether that is so is the authority's to say.
                let named = named.cloned().or_else(|| claimed_broadcast(token));
                let named = named.ok_or(Refusal::Unnamed)?;
                let asker = (visit.from, Some(&visit));
                let token = self.but_the_admin_key(token);
                let grant = authority.ask(token, role.into(), named.as_str(), asker);
                // It says so now, whatever links have ended before.
                let grant = Grant {
                    issued: visit.since.as_seconds(),
                    generation: Some(self.generation(&named).current),
                    ..grant.await?
                };
                (grant, Some(named))
            }
        };
        let broadcast = named.or_else(|| grant.broadcasts.one().cloned());
        self.enter(grant, role, &broadcast.ok_or(Refusal::Unnamed)?, visit)
    }

    /// Those who may have issued a token that names a key which is not known.
    fn issuers_without_the_key_of(&self, token: &str) -> Option<&Issuers> {
        let issuers = self.issuers.as_deref()?;
        let key = decode_header(token).ok()?.kid?;
        (!issuers.know(&key)).then_some(issuers)
    }

    /// Passes a token that is good for a role at this broadcast; who shows it is at `from`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn check(
        &self,
        token: &str,
        role: Role,
        broadcast: &BroadcastId,
        (from, now): (IpAddr, RelayTime),
    ) -> Result<(), Refusal> {
        match &self.authority {
            None => self.require(&self.recognise(token, now)?, role.into(), broadcast),
            Some(_) => self.ask(token, role.into(), broadcast.as_str(), from).await,
        }
    }

    /// Has the keys of others read again soon.
    pub fn read_keys_again(&self) {
        if let Some(issuers) = &self.issuers {
            issuers.read_again();
        }
    }

    /// Whether others than the relay say who may do what.
    pub fn has_others(&self) -> bool {
        self.issuers.is_some() || self.asks()
    }

    /// Whether an outside authority says what somebody may do.
    pub fn asks(&self) -> bool {
        self.authority.is_some()
    }

    /// Asks the outside authority.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] and [`Refusal::Unavailable`].
    pub async fn ask(
        &self,
        token: &str,
        action: Action,
        broadcast: &str,
        from: IpAddr,
    ) -> Result<(), Refusal> {
        let authority = self.authority.as_ref().ok_or(Refusal::Forbidden)?;
        let token = self.but_the_admin_key(token);
        let grant = authority.ask(token, action, broadcast, (from, None));
        grant.await.map(drop)
    }

    /// What is shown, for the authority: the admin key is none of its business. It is asked in any case, for
    /// how long that takes would tell who has the key.
    fn but_the_admin_key<'a>(&self, shown: &'a str) -> &'a str {
        match self.admin_key.read().matches(shown) {
            true => "",
            false => shown,
        }
    }

    /// Tokens are signed by this from now on.
    pub fn change_signer(&self, signer: TokenSigner) {
        *self.signer.write() = signer;
    }

    /// Ends all sessions that tokens of the relay's own have opened; gives how many.
    pub fn end_own(&self) -> usize {
        self.passes.withdraw(Withdrawal::Revoked, |session| {
            session.grant.holder.issuer.is_none()
        })
    }

    /// Whether somebody who was let in by what they showed still may hear of a broadcast, or of all of them. What an
    /// authority has allowed stays so.
    pub fn may_still_hear(&self, shown: &str, of: Option<&BroadcastId>, now: RelayTime) -> bool {
        if self.asks() || self.admin_key.read().matches(shown) {
            return true;
        }
        self.recognise(shown, now).is_ok_and(|grant| match of {
            None => grant.powers.have(Power::Admin) && grant.broadcasts == Pattern::all(),
            Some(id) => {
                let admin = grant.require(Power::Admin, id).is_ok();
                admin || self.require(&grant, Power::Publish, id).is_ok()
            }
        })
    }

    /// This is the admin key from now on.
    pub fn change_admin_key(&self, key: AdminKey) {
        *self.admin_key.write() = key;
    }

    /// Whether somebody at `from` shows the admin key. Waits where wrong keys came from that network.
    ///
    /// # Errors
    /// [`TooManyTries`].
    pub async fn is_admin_key(
        &self,
        shown: &str,
        from: IpAddr,
        connection: &OneAtATime,
    ) -> Result<bool, TooManyTries> {
        // A token that the authority has allowed something to is no guess.
        let known = self.authority.as_ref();
        if known.is_some_and(|authority| authority.has_allowed(shown)) {
            return Ok(false);
        }
        let key = self.admin_key.read().clone();
        self.guesses.matches(from, connection, &key, shown).await
    }

    /// A token of this relay's own.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn mint(&self, order: &Order, now: RelayTime) -> Result<Minted, RandomError> {
        self.signer.read().mint(order, now)
    }

    /// Which links to a broadcast are good.
    pub fn generation(&self, broadcast: &BroadcastId) -> Generation {
        self.revocations.read().generation(broadcast)
    }

    /// Takes something back from whoever comes; running sessions go on.
    pub fn remember(&self, revocation: Revocation) {
        self.revocations.write().insert(revocation);
    }

    /// Takes something back, from running sessions too; gives how many of them.
    pub fn revoke(&self, revocation: Revocation) -> usize {
        self.remember(revocation.clone());
        self.passes.withdraw(Withdrawal::Revoked, |session| {
            revocation.covers(&session.grant, session.role.into(), &session.broadcast)
        })
    }

    /// All that was taken back.
    pub(crate) fn taken_back(&self) -> Vec<Revocation> {
        self.revocations.read().all()
    }

    /// What was taken back elsewhere, together with what was here; `None`: it adds nothing.
    pub(crate) fn news(&self, revocation: Revocation) -> Option<Revocation> {
        self.revocations.read().news(revocation)
    }

    /// Ends a session, whatever its token is good for.
    pub fn kick(&self, number: u64) {
        self.passes
            .withdraw(Withdrawal::Kicked, |session| session.visit.number == number);
    }

    /// Forgets which links to a broadcast are good, of one that is over and cannot come again.
    pub fn forget_links(&self, broadcast: &BroadcastId) {
        self.revocations.write().forget_links(broadcast);
    }

    /// Lets time pass for running sessions.
    pub fn tick(&self, now: RelayTime) {
        self.passes.end(now.as_seconds());
    }

    /// Forgets tokens that were taken back and have ended since; gives their ids.
    pub fn forget_ended(&self, now: RelayTime) -> Vec<Box<str>> {
        let now = now.as_seconds();
        self.revocations.write().forget_ended(now)
    }

    /// A number for one more session.
    pub fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Sessions of a kind that were let in and have not ended.
    pub fn count(&self, transport: Transport, role: Role) -> usize {
        self.passes
            .count(|session| session.visit.transport == transport && session.role == role)
    }

    /// Sessions that were let in and have not ended.
    pub fn sessions(&self) -> usize {
        self.passes.len()
    }
}

/// The one broadcast that a token says it is for, whoever has signed it.
fn claimed_broadcast(token: &str) -> Option<BroadcastId> {
    let claims = insecure_decode_claims::<WireClaims>(token).ok()?;
    claims.grant(Early::Taken)?.broadcasts.one().cloned()
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn gate() -> Gate {
        let key = "correct-horse-battery".parse().unwrap();
        Gate::new(TokenSigner::new(&[7; 32]), key, None)
    }

    fn at(seconds: u64) -> RelayTime {
        RelayTime::from_micros(seconds * 1_000_000)
    }

    fn main() -> BroadcastId {
        "main".parse().unwrap()
    }

    /// A link of the generation of now.
    fn link(gate: &Gate, power: Power) -> Minted {
        let generation = gate.generation(&main()).current;
        let order = Order::link(&main(), power, Duration::from_secs(60), generation);
        gate.mint(&order, at(NOW)).unwrap()
    }

    fn visit(gate: &Gate) -> Visit {
        Visit {
            number: gate.number(),
            transport: Transport::WebTransport,
            from: "192.0.2.1".parse().unwrap(),
            since: at(NOW),
        }
    }

    fn admit(gate: &Gate, link: &Minted, role: Role) -> Result<Pass, Refusal> {
        admit_at(gate, link.token.as_str(), role, None)
    }

    /// Without an authority there is nothing to wait for.
    fn admit_at(
        gate: &Gate,
        token: &str,
        role: Role,
        named: Option<&BroadcastId>,
    ) -> Result<Pass, Refusal> {
        let admitted = gate.admit(token, role, named, visit(gate));
        admitted.now_or_never().unwrap()
    }

    #[test]
    fn a_token_opens_what_it_is_for_and_nothing_else() {
        let gate = gate();
        let play = link(&gate, Power::Play);
        let pass = admit(&gate, &play, Role::Player).unwrap();
        assert_eq!((pass.broadcast(), pass.role()), (&main(), Role::Player));
        let refused = |role, named: Option<&str>| {
            let named = named.map(|id| id.parse().unwrap());
            let pass = admit_at(&gate, play.token.as_str(), role, named.as_ref());
            pass.map(drop).unwrap_err()
        };
        assert_eq!(refused(Role::Publisher, None), Refusal::Role);
        assert_eq!(refused(Role::Player, Some("other")), Refusal::Broadcast);
        assert_eq!(gate.sessions(), 1, "nothing is left of the refused");
    }

    #[test]
    fn a_token_for_several_broadcasts_needs_one_named() {
        let gate = gate();
        let order = Order {
            broadcasts: "ma*".parse().unwrap(),
            generation: None,
            ..Order::link(&main(), Power::Play, Duration::from_secs(60), 0)
        };
        let token = gate.mint(&order, at(NOW)).unwrap().token;
        let admit = |named: Option<&BroadcastId>| {
            let pass = admit_at(&gate, token.as_str(), Role::Player, named);
            pass.map(|pass| pass.broadcast().clone())
        };
        assert_eq!(admit(None), Err(Refusal::Unnamed));
        assert_eq!(admit(Some(&main())), Ok(main()));
        let other = "other".parse().unwrap();
        assert_eq!(admit(Some(&other)), Err(Refusal::Broadcast));
    }

    #[tokio::test]
    async fn what_is_taken_back_ends_sessions_and_opens_none() {
        let gate = gate();
        let (gone, kept) = (link(&gate, Power::Play), link(&gate, Power::Play));
        let sessions = [&gone, &gone, &kept].map(|link| admit(&gate, link, Role::Player).unwrap());
        let revocation = Revocation::Token {
            id: gone.id.clone().into(),
            until: gone.expires,
        };
        assert_eq!(gate.revoke(revocation), 2);
        assert_eq!(sessions[0].withdrawal().await, Withdrawal::Revoked);
        assert_eq!(sessions[2].withdrawn(), None);
        let again = admit(&gate, &gone, Role::Player);
        assert_eq!(again.map(drop), Err(Refusal::Revoked));
        assert!(admit(&gate, &kept, Role::Player).is_ok());
        let forgotten = gate.forget_ended(at(gone.expires + 3_600));
        assert_eq!(forgotten, [Box::from(gone.id)]);
    }

    #[test]
    fn new_links_for_everybody_end_the_old_ones() {
        let gate = gate();
        let (publish, play) = (link(&gate, Power::Publish), link(&gate, Power::Play));
        let publisher = admit(&gate, &publish, Role::Publisher).unwrap();
        let player = admit(&gate, &play, Role::Player).unwrap();
        let generation = gate.generation(&main()).next(&[Power::Play], NOW);
        gate.revoke(Revocation::Broadcast {
            broadcast: main(),
            generation,
        });
        assert_eq!(player.withdrawn(), Some(Withdrawal::Revoked));
        assert_eq!(publisher.withdrawn(), None);
        let old = admit(&gate, &play, Role::Player);
        assert_eq!(old.map(drop), Err(Refusal::Revoked));
        // In the same second.
        assert!(admit(&gate, &link(&gate, Power::Play), Role::Player).is_ok());
    }

    #[test]
    fn a_session_is_kicked_alone() {
        let gate = gate();
        let play = link(&gate, Power::Play);
        let sessions = [(); 2].map(|()| admit(&gate, &play, Role::Player).unwrap());
        assert_eq!(gate.count(Transport::WebTransport, Role::Player), 2);
        assert_eq!(gate.count(Transport::WebRtc, Role::Player), 0);
        gate.kick(sessions[1].number());
        let withdrawn = sessions.each_ref().map(Pass::withdrawn);
        assert_eq!(withdrawn, [None, Some(Withdrawal::Kicked)]);
    }

    #[tokio::test]
    async fn a_caller_shows_a_token_or_the_admin_key() {
        let gate = gate();
        let publish = link(&gate, Power::Publish);
        let connection = OneAtATime::default();
        let from = "192.0.2.1".parse().unwrap();
        let recognise = |shown: String| {
            let (gate, connection) = (&gate, &connection);
            async move {
                let known = gate.recognise_caller(&shown, from, connection, at(NOW));
                known.await.map(|grant| grant.powers)
            }
        };
        let powers = |power| Ok(super::super::Powers::default().with(power));
        let token = publish.token.as_str().to_owned();
        assert_eq!(recognise(token).await, powers(Power::Publish));
        let key = "correct-horse-battery".to_owned();
        assert_eq!(recognise(key).await, powers(Power::Admin));
        let wrong = recognise("wrong-horse-battery".to_owned()).await;
        assert_eq!(wrong, Err(Refusal::Invalid.into()));
        gate.revoke(Revocation::Token {
            id: publish.id.clone().into(),
            until: publish.expires,
        });
        let token = publish.token.as_str().to_owned();
        assert_eq!(recognise(token).await, Err(Refusal::Revoked.into()));
    }
}

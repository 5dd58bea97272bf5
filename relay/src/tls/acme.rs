//! A certificate from an authority that gives them by itself (ACME, RFC 8555), for names that lead to this relay.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, BodyWrapper, BytesResponse,
    CertificateIdentifier, ChallengeType, ExternalAccountKey, HttpClient, Identifier, NewAccount,
    NewOrder, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::challenge::{Answer, Challenges};
use super::pem::parse_pem;
use super::{Identity, TlsError};
use crate::asking::{SafeUrl, body, client};
use crate::auth::random;
use crate::store::{Access, StateDir};
use crate::telemetry::reasons;

/// Account and certificate in the state directory: one file, so that they are of one piece after a crash.
const FILE: &str = "acme.json";
/// What an authority says to an account that it does not know (RFC 8555, section 6.7).
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";
/// How long one answer of the authority may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a certificate may take from the order to the chain.
const WHOLE: Duration = Duration::from_secs(300);
/// How much of an answer is read.
const LONGEST: usize = 1 << 20;
/// How often it is looked whether it is time, so that clocks which are set and machines that sleep delay nothing.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// How often an authority is asked when it wants its certificate renewed.
const ASK_EVERY: Duration = Duration::from_secs(6 * 3_600);
/// The pause after a first failure; each later one is twice as long. Large authorities allow five failures an hour.
const FIRST_PAUSE: Duration = Duration::from_secs(120);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3_600);

/// Whom to ask for a certificate, and for what.
#[derive(Debug, Clone)]
pub struct AcmeSettings {
    /// The names that the certificate is to be for, the first one first; at least one.
    pub names: Vec<String>,
    /// Where the authority tells of problems: an e-mail address.
    pub contact: Option<String>,
    /// The authority's directory (RFC 8555, section 7.1.1).
    pub directory: SafeUrl,
    /// The account with the authority that this one is to belong to (RFC 8555, section 7.3.4).
    pub binding: Option<Binding>,
}

/// An account that exists with an authority by other means.
#[derive(Debug, Clone)]
pub struct Binding {
    /// Its name.
    pub id: String,
    /// Its key.
    pub key: BindingKey,
}

/// The key of such an account, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct BindingKey(Vec<u8>);

/// A text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not base64url")]
pub struct NoBindingKey;

impl std::str::FromStr for BindingKey {
    type Err = NoBindingKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let text = text.trim_end_matches('=');
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NoBindingKey)?;
        match bytes.is_empty() {
            true => Err(NoBindingKey),
            false => Ok(Self(bytes)),
        }
    }
}

impl std::fmt::Debug for BindingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BindingKey(..)")
    }
}

/// Why no certificate has come.
#[derive(Debug, thiserror::Error)]
enum AcmeError {
    #[error("the authority: {}", reasons(.0))]
    Authority(#[from] instant_acme::Error),
    #[error("{name}: {why}; the authority has to reach this relay at TCP port 443 of {name}")]
    Refused { name: String, why: String },
    #[error("{name}: the authority does not look by TLS-ALPN-01, the one way that there is here")]
    NoWay { name: String },
    #[error("the order has become {0:?}")]
    Order(OrderStatus),
    #[error("nothing has come of it in {} s", WHOLE.as_secs())]
    Late,
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Making(#[from] rcgen::Error),
}

/// What is kept over restarts.
#[derive(Serialize, Deserialize, Default)]
struct Kept {
    /// Whose account this is, and whose certificate unless that is of another.
    directory: String,
    /// The certificate is of an authority that was asked before; it serves until this one gives one.
    #[serde(skip)]
    is_of_another: bool,
    account: Option<AccountCredentials>,
    certificate: Option<Pair>,
}

impl Kept {
    /// What is kept of this authority.
    fn read(dir: &StateDir, directory: &SafeUrl) -> Result<Self, TlsError> {
        let directory = directory.0.to_string();
        let kept = dir.read(FILE)?.and_then(|bytes| {
            let kept = serde_json::from_slice::<Self>(&bytes);
            let complain =
                |error: &_| tracing::warn!(%error, file = FILE, "cannot be read; it is made anew");
            kept.inspect_err(complain).ok()
        });
        let mut kept = kept.unwrap_or_default();
        kept.is_of_another = kept.directory != directory;
        if kept.is_of_another {
            kept.directory = directory;
            kept.account = None;
        }
        Ok(kept)
    }

    /// The certificate.
    fn identity(&self) -> Option<Identity> {
        let pair = self.certificate.as_ref()?;
        parse_pem(pair.chain.as_bytes(), pair.key.as_bytes()).ok()
    }
}

/// The certificate that this authority has given, if there is one, for whatever names.
pub(crate) fn kept_certificate(settings: &AcmeSettings, dir: &StateDir) -> Option<Identity> {
    let kept = Kept::read(dir, &settings.directory).ok()?;
    kept.identity().filter(|_| !kept.is_of_another)
}

/// A certificate and its key, in PEM.
#[derive(Serialize, Deserialize)]
struct Pair {
    chain: String,
    key: String,
}

/// Gets certificates, one after the other, each before the last one ends.
pub(super) struct Acme {
    settings: AcmeSettings,
    dir: StateDir,
    challenges: Challenges,
    client: Client,
    kept: Kept,
    /// The certificate is to be renewed whatever its dates are.
    renews: bool,
    /// How often in a row no certificate has come.
    failures: u32,
}

impl std::fmt::Debug for Acme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acme")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// When a certificate is to be renewed.
#[derive(Debug, Clone, Copy)]
struct Plan {
    at: OffsetDateTime,
    /// When the authority is asked again.
    ask: OffsetDateTime,
}

impl Acme {
    /// Reads what is kept, and the certificate in it while it is good for all names.
    pub(super) fn load(
        settings: AcmeSettings,
        dir: StateDir,
        now: OffsetDateTime,
    ) -> Result<(Self, Option<Identity>), TlsError> {
        let kept = Kept::read(&dir, &settings.directory)?;
        // For some of the names, or of the authority before, it serves until there is a better one.
        let identity = kept
            .identity()
            .filter(|identity| now < identity.not_after());
        let is_for_all =
            |identity: &Identity| settings.names.iter().all(|name| identity.is_for(name));
        let renews = kept.is_of_another || !identity.as_ref().is_some_and(is_for_all);
        let is_of_use =
            |identity: &Identity| settings.names.iter().any(|name| identity.is_for(name));
        let identity = identity.filter(is_of_use);
        let acme = Self {
            settings,
            dir,
            challenges: Challenges::default(),
            client: client(PATIENCE).map_err(|error| TlsError::Asking(error.to_string()))?,
            kept,
            renews,
            failures: 0,
        };
        Ok((acme, identity))
    }

    /// What answers the authority when it comes to look.
    pub(super) fn challenges(&self) -> Challenges {
        self.challenges.clone()
    }

    /// Sees to it that there is a certificate, for good. A nudge has it tried again at once where there is none.
    pub(super) async fn run(
        mut self,
        current: watch::Sender<Option<Arc<Identity>>>,
        nudge: Arc<Notify>,
    ) {
        let mut plan = None;
        loop {
            let now = OffsetDateTime::now_utc();
            let identity = current.borrow().clone();
            if let Some(identity) = &identity
                && plan.is_none_or(|plan: Plan| plan.ask <= now)
            {
                plan = Some(self.plan(identity, now).await);
            }
            let due = plan.filter(|_| !self.renews).map_or(now, |plan| plan.at);
            if now < due {
                let left = Duration::try_from(due - now).unwrap_or_default();
                tokio::select! {
                    () = sleep(left.min(LOOK_EVERY)) => {}
                    () = nudge.notified() => {}
                }
                continue;
            }
            match self.renew(identity.as_deref()).await {
                Ok(identity) => {
                    tracing::info!(until = %identity.not_after(), "new certificate");
                    current.send_replace(Some(Arc::new(identity)));
                    self.renews = false;
                    self.failures = 0;
                    plan = None;
                }
                Err(error) => {
                    let pause = pause(self.failures);
                    self.failures += 1;
                    let again = pause.as_secs();
                    match identity {
                        Some(old) if OffsetDateTime::now_utc() < old.not_after() => {
                            let until = old.not_after();
                            tracing::error!(%error, directory = %self.settings.directory.0, again_in_s = again, %until, "no new certificate; the old one stays in use");
                        }
                        _ => {
                            tracing::error!(%error, directory = %self.settings.directory.0, again_in_s = again, "no certificate; nobody can come in")
                        }
                    }
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = nudge.notified() => {}
                    }
                }
            }
        }
    }

    /// When the authority wants it renewed (RFC 9773), and at the latest when a third of its time is left.
    async fn plan(&self, identity: &Identity, now: OffsetDateTime) -> Plan {
        let whole = identity.not_after() - identity.not_before();
        let mut plan = Plan {
            at: identity.not_after() - whole / 3,
            ask: now + ASK_EVERY,
        };
        let window = match self.window(identity).await {
            Ok(window) => window,
            Err(error) => {
                tracing::debug!(%error, "the authority does not say when it wants its certificate renewed");
                return plan;
            }
        };
        let (from, until) = window;
        // Somewhere within it, so that not everybody comes at once.
        let share = random::<4>().map_or(0, u32::from_le_bytes);
        let wanted = from + (until - from) * (f64::from(share) / f64::from(u32::MAX));
        plan.at = plan.at.min(wanted);
        plan
    }

    async fn window(
        &self,
        identity: &Identity,
    ) -> Result<(OffsetDateTime, OffsetDateTime), AcmeError> {
        let Some(leaf) = identity.chain().first() else {
            return Err(instant_acme::Error::Str("certificate").into());
        };
        let id = CertificateIdentifier::try_from(leaf)
            .map_err(|why| instant_acme::Error::Other(why.into()))?;
        let Some(account) = self.known().await? else {
            return Err(instant_acme::Error::Str("account").into());
        };
        let (info, _) = account.renewal_info(&id).await?;
        let window = info.suggested_window;
        Ok((window.start, window.end))
    }

    /// A new certificate, kept on disk.
    async fn renew(&mut self, old: Option<&Identity>) -> Result<Identity, AcmeError> {
        let ordered = timeout(WHOLE, self.order_with_account(old)).await;
        let pair = ordered.map_err(|_| AcmeError::Late)??;
        let identity = parse_pem(pair.chain.as_bytes(), pair.key.as_bytes())?;
        self.kept.certificate = Some(pair);
        self.keep().await?;
        Ok(identity)
    }

    async fn order_with_account(&mut self, old: Option<&Identity>) -> Result<Pair, AcmeError> {
        let account = self.account().await?;
        match self.order(&account, old).await {
            // The authority has forgotten it, as those for tests do whenever they start.
            Err(AcmeError::Authority(instant_acme::Error::Api(problem)))
                if problem.r#type.as_deref() == Some(NO_ACCOUNT) =>
            {
                self.kept.account = None;
                let account = self.account().await?;
                self.order(&account, old).await
            }
            ordered => ordered,
        }
    }

    async fn known(&self) -> Result<Option<Account>, AcmeError> {
        let Some(known) = &self.kept.account else {
            return Ok(None);
        };
        // They are no clone of themselves.
        let credentials = serde_json::to_vec(known).and_then(|json| serde_json::from_slice(&json));
        let credentials = credentials.map_err(instant_acme::Error::from)?;
        let builder = Account::builder_with_http(Box::new(Asking(self.client.clone())));
        Ok(Some(builder.from_credentials(credentials).await?))
    }

    async fn account(&mut self) -> Result<Account, AcmeError> {
        if let Some(known) = self.known().await? {
            return Ok(known);
        }
        let contact = self.settings.contact.as_ref();
        let contact = contact.map(|address| format!("mailto:{address}"));
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let binding = self.settings.binding.as_ref();
        let binding =
            binding.map(|binding| ExternalAccountKey::new(binding.id.clone(), &binding.key.0));
        let builder = Account::builder_with_http(Box::new(Asking(self.client.clone())));
        let created = builder.create(&new, self.kept.directory.clone(), binding.as_ref());
        let (account, credentials) = created.await?;
        self.kept.account = Some(credentials);
        self.keep().await?;
        Ok(account)
    }

    async fn order(&self, account: &Account, old: Option<&Identity>) -> Result<Pair, AcmeError> {
        let names = self.settings.names.iter();
        let names: Vec<_> = names.map(|name| Identifier::Dns(name.clone())).collect();
        let mut new = NewOrder::new(&names);
        let replaced =
            old.and_then(|old| CertificateIdentifier::try_from(old.chain().first()?).ok());
        // Not every authority knows the word, and none is asked to take what it does not know.
        if let Some(replaced) = replaced
            && account.renewal_info(&replaced).await.is_ok()
        {
            new = new.replaces(replaced);
        }
        let mut order = account.new_order(&new).await?;
        let mut answers: Vec<Answer> = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let name = authorization.identifier().to_string();
            let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
                return Err(AcmeError::NoWay { name });
            };
            let digest = challenge.key_authorization().digest();
            answers.push(self.challenges.answer(&name, digest.as_ref())?);
            challenge.set_ready().await?;
        }
        let patience = RetryPolicy::new().timeout(WHOLE);
        let status = order.poll_ready(&patience).await;
        drop(answers);
        if !matches!(status, Ok(OrderStatus::Ready)) {
            return Err(why_not(&mut order).await.unwrap_or(match status {
                Ok(status) => AcmeError::Order(status),
                Err(error) => error.into(),
            }));
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(self.settings.names.clone())?;
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(&key)?;
        order.finalize_csr(request.der()).await?;
        Ok(Pair {
            chain: order.poll_certificate(&patience).await?,
            key: key.serialize_pem(),
        })
    }

    async fn keep(&self) -> Result<(), TlsError> {
        let bytes = serde_json::to_vec_pretty(&self.kept);
        let bytes = bytes.map_err(|error| TlsError::Asking(error.to_string()))?;
        let dir = self.dir.clone();
        let written =
            tokio::task::spawn_blocking(move || dir.write(FILE, &bytes, Access::Private)).await;
        written.map_err(|error| TlsError::Asking(error.to_string()))??;
        Ok(())
    }
}

/// What the authority has to say of the first name that it did not find here.
async fn why_not(order: &mut instant_acme::Order) -> Option<AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let name = authorization.identifier().to_string();
        let Ok(state) = authorization.refresh().await else {
            continue;
        };
        let mut problems = state.challenges.iter().filter_map(|c| c.error.as_ref());
        if let Some(problem) = problems.next() {
            let why = problem.detail.clone();
            let why = why.unwrap_or_else(|| problem.to_string());
            return Some(AcmeError::Refused { name, why });
        }
    }
    None
}

/// How long to wait after a failure, `before` of which came right before it.
fn pause(before: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1 << before.min(16))
        .min(LONGEST_PAUSE)
}

/// Asks over this relay's own client.
struct Asking(Client);

impl HttpClient for Asking {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let other =
                |error: reqwest::Error| instant_acme::Error::Other(Box::new(error.without_url()));
            let request = request.map(reqwest::Body::wrap);
            let request = reqwest::Request::try_from(request).map_err(other)?;
            let answer = client.execute(request).await.map_err(other)?;
            let mut parts = http::Response::new(());
            *parts.status_mut() = answer.status();
            *parts.headers_mut() = answer.headers().clone();
            let (parts, ()) = parts.into_parts();
            let Some(bytes) = body(answer, LONGEST).await.map_err(other)? else {
                return Err(instant_acme::Error::Str("an answer that is not endless"));
            };
            Ok(BytesResponse {
                parts,
                body: Box::new(Bytes::from(bytes)),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use rcgen::CertificateParams;
    use time::Duration as Days;

    use super::*;
    use crate::store::temp::TempDir;

    fn settings(names: &[&str], directory: &str) -> AcmeSettings {
        AcmeSettings {
            names: names.iter().map(|&name| name.to_owned()).collect(),
            contact: None,
            directory: directory.parse().unwrap(),
            binding: None,
        }
    }

    #[test]
    fn what_is_kept_serves_until_it_ends_or_there_is_a_better_one() {
        let dir = TempDir::new();
        let ours = settings(&["a.test", "b.test"], "https://ca.test/dir");
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(ours.names.clone()).unwrap();
        let now = OffsetDateTime::now_utc();
        params.not_after = now + Days::days(1);
        let chain = params.self_signed(&key).unwrap().pem();
        let kept = Kept {
            directory: ours.directory.0.to_string(),
            is_of_another: false,
            account: None,
            certificate: Some(Pair {
                chain,
                key: key.serialize_pem(),
            }),
        };
        let bytes = serde_json::to_vec(&kept).unwrap();
        dir.write(FILE, &bytes, Access::Private).unwrap();
        let has_one = |settings: &AcmeSettings, now| {
            let loaded = Acme::load(settings.clone(), dir.clone(), now).unwrap();
            loaded.1.is_some()
        };
        assert!(has_one(&ours, now));
        assert!(has_one(&settings(&["b.test"], "https://ca.test/dir"), now));
        assert!(!has_one(&ours, now + Days::days(2)));
        // For a name more, or by another authority, it serves until there is a better one.
        let renews = |settings: AcmeSettings| {
            let (acme, identity) = Acme::load(settings, dir.clone(), now).unwrap();
            (identity.is_some(), acme.renews)
        };
        assert_eq!(renews(ours.clone()), (true, false));
        let more = settings(&["c.test", "a.test"], "https://ca.test/dir");
        assert_eq!(renews(more), (true, true));
        let elsewhere = settings(&["a.test"], "https://ca.test/staging");
        assert_eq!(renews(elsewhere), (true, true));
        let others = settings(&["c.test"], "https://ca.test/dir");
        assert_eq!(renews(others), (false, true));
        // What cannot be read keeps nobody from starting.
        dir.write(FILE, b"{", Access::Private).unwrap();
        assert!(!has_one(&ours, now));
    }

    #[test]
    fn an_authority_is_asked_at_most_five_times_in_the_first_hour_and_four_times_a_day_later() {
        let mut at = Duration::ZERO;
        let tries: Vec<_> = (0..20)
            .map(|before| {
                let this = at;
                at += pause(before);
                this
            })
            .collect();
        let hour = Duration::from_secs(3_600);
        assert_eq!(tries.iter().filter(|at| **at < hour).count(), 5);
        assert_eq!(pause(19), 6 * hour);
    }
}

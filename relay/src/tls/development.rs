//! A certificate of the relay's own, for development.
//!
//! Pages accept it for its hash (`serverCertificateHashes`), which browsers allow for
//! ECDSA P-256 certificates that are valid for at most 14 days.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::{Identity, TlsError};
use crate::store::{Access, StateDir};

const CERTIFICATE: &str = "dev-cert.pem";
const KEY: &str = "dev-key.pem";

const VALID_FOR: Duration = Duration::days(13);
/// Clocks of other devices may be behind.
const BACK_DATED: Duration = Duration::hours(1);
/// With less than this left a new certificate is made, so that no page holds one about to end.
pub(super) const RENEWED_BEFORE: Duration = Duration::days(3);

/// The certificate kept in `dir` while it is good for `names` and long enough, else a new one.
pub(super) fn load_or_make(
    dir: &StateDir,
    names: &[SanType],
    now: OffsetDateTime,
) -> Result<Identity, TlsError> {
    match kept(dir)? {
        Some(identity) if is_good(&identity, now) && covers(&identity, names) => Ok(identity),
        _ => make(dir, names, now),
    }
}

/// Whether the certificate need not be renewed yet.
pub(super) fn is_good(identity: &Identity, now: OffsetDateTime) -> bool {
    identity.not_before() <= now && identity.not_after() - now > RENEWED_BEFORE
}

/// Makes a certificate and keeps it.
pub(super) fn make(
    dir: &StateDir,
    names: &[SanType],
    now: OffsetDateTime,
) -> Result<Identity, TlsError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = params(names, now).self_signed(&key)?;
    // The key first: a crash in between leaves a pair that does not match and is made anew.
    dir.write(KEY, key.serialize_pem().as_bytes(), Access::Private)?;
    dir.write(CERTIFICATE, certificate.pem().as_bytes(), Access::Public)?;
    let der = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Identity::pinned(certificate.der().clone(), der)
}

fn params(names: &[SanType], now: OffsetDateTime) -> CertificateParams {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "Steadycast development");
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.subject_alt_names = names.to_vec();
    params.not_before = now - BACK_DATED;
    params.not_after = now + VALID_FOR;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// The certificate in `dir`; one that cannot be read as such is as good as none.
fn kept(dir: &StateDir) -> Result<Option<Identity>, TlsError> {
    let (Some(certificate), Some(key)) = (dir.read(CERTIFICATE)?, dir.read(KEY)?) else {
        return Ok(None);
    };
    let certificate = CertificateDer::from_pem_slice(&certificate);
    let key = PrivateKeyDer::from_pem_slice(&key);
    Ok(match (certificate, key) {
        (Ok(certificate), Ok(key)) => Identity::pinned(certificate, key).ok(),
        _ => None,
    })
}

fn covers(identity: &Identity, names: &[SanType]) -> bool {
    let Some(Ok((_, parsed))) = identity
        .chain()
        .first()
        .map(|leaf| X509Certificate::from_der(leaf))
    else {
        return false;
    };
    let Ok(Some(kept)) = parsed.subject_alternative_name() else {
        return false;
    };
    names
        .iter()
        .all(|name| kept.value.general_names.iter().any(|kept| same(name, kept)))
}

fn same(name: &SanType, kept: &GeneralName<'_>) -> bool {
    match (name, kept) {
        (SanType::DnsName(name), GeneralName::DNSName(kept)) => name.as_str() == *kept,
        (SanType::IpAddress(name), GeneralName::IPAddress(kept)) => match name {
            std::net::IpAddr::V4(name) => name.octets() == **kept,
            std::net::IpAddr::V6(name) => name.octets() == **kept,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use ring::digest;

    use super::*;
    use crate::store::temp::TempDir;

    fn names(addresses: &[&str]) -> Vec<SanType> {
        let localhost = SanType::DnsName("localhost".try_into().unwrap());
        let addresses = addresses.iter().map(|text| text.parse().unwrap());
        let addresses = addresses.map(SanType::IpAddress);
        [localhost].into_iter().chain(addresses).collect()
    }

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
    }

    #[test]
    fn browsers_would_accept_its_hash() {
        let dir = TempDir::new();
        let identity = load_or_make(&dir, &names(&["127.0.0.1", "::1"]), now()).unwrap();
        let der = &identity.chain()[0];
        let sha256 = digest::digest(&digest::SHA256, der);
        assert_eq!(identity.hash().unwrap(), sha256.as_ref());
        let (_, parsed) = X509Certificate::from_der(der).unwrap();
        let validity = parsed.validity();
        let days_14 = 14 * 24 * 3600;
        assert!(validity.not_after.timestamp() - validity.not_before.timestamp() <= days_14);
        assert!(validity.not_before.timestamp() < now().unix_timestamp());
        // id-ecPublicKey on prime256v1.
        let algorithm = &parsed.public_key().algorithm;
        assert_eq!(algorithm.algorithm.to_id_string(), "1.2.840.10045.2.1");
        let curve = algorithm.parameters.as_ref().unwrap().as_oid().unwrap();
        assert_eq!(curve.to_id_string(), "1.2.840.10045.3.1.7");
        assert!(covers(&identity, &names(&["127.0.0.1", "::1"])));
    }

    #[test]
    fn it_is_kept_until_three_days_are_left() {
        let dir = TempDir::new();
        let hash = |at| load_or_make(&dir, &names(&[]), at).unwrap().hash();
        let first = hash(now());
        assert_eq!(hash(now() + Duration::days(9)), first);
        let second = hash(now() + Duration::days(10));
        assert_ne!(second, first);
        assert_eq!(hash(now() + Duration::days(11)), second);
    }

    #[test]
    fn a_new_address_or_a_clock_set_back_needs_a_new_one() {
        let dir = TempDir::new();
        let hash = |names: &[SanType], at| load_or_make(&dir, names, at).unwrap().hash();
        let first = hash(&names(&["10.0.0.1"]), now());
        assert_eq!(hash(&names(&[]), now()), first);
        let second = hash(&names(&["10.0.0.2"]), now());
        assert_ne!(second, first);
        assert_ne!(
            hash(&names(&["10.0.0.2"]), now() - Duration::hours(2)),
            second
        );
    }

    #[test]
    fn rubbish_and_pairs_that_do_not_match_are_replaced() {
        let dir = TempDir::new();
        let first = load_or_make(&dir, &names(&[]), now()).unwrap().hash();
        let other = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let other = other.serialize_pem();
        dir.write(KEY, other.as_bytes(), Access::Private).unwrap();
        let second = load_or_make(&dir, &names(&[]), now()).unwrap().hash();
        assert_ne!(second, first);
        dir.write(CERTIFICATE, b"rubbish", Access::Public).unwrap();
        assert_ne!(
            load_or_make(&dir, &names(&[]), now()).unwrap().hash(),
            second
        );
    }

    #[cfg(unix)]
    #[test]
    fn its_key_is_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = TempDir::new();
        load_or_make(&dir, &names(&[]), now()).unwrap();
        let mode = std::fs::metadata(dir.file(KEY))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

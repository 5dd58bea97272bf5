//! Associations with an honest client, and what else there is on the way.

use super::*;

/// A client with a certificate of its own, as browsers have one.
struct Client {
    endpoint: Endpoint,
    fingerprint: Fingerprint,
}

impl Client {
    /// One that says hello.
    fn new() -> Self {
        Self::with(Setup::Active)
    }

    fn with(setup: Setup) -> Self {
        let provider = default_provider().unwrap();
        let names = ["client".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider.crypto()).unwrap();
        let der = certificate.certificate.first().unwrap();
        let hash = provider.crypto().hash(HashAlgorithm::Sha256, der).unwrap();
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider)
            .with_certificates(vec![certificate])
            .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            .with_insecure_skip_verify(true);
        let endpoint = match setup {
            Setup::Passive => {
                let config = config.build(false, None).map(Arc::new).unwrap();
                Endpoint::new(PEER, TransportProtocol::UDP, Some(config))
            }
            Setup::Active => {
                let config = config.build(true, Some(PEER)).map(Arc::new).unwrap();
                let mut endpoint = Endpoint::new(PEER, TransportProtocol::UDP, None);
                let now = Instant::now();
                endpoint.connect(now, PEER, config, None).unwrap();
                endpoint
            }
        };
        Self {
            endpoint,
            fingerprint: Fingerprint(hash),
        }
    }

    fn flight(&mut self) -> Vec<BytesMut> {
        let flight = std::iter::from_fn(|| self.endpoint.poll_transmit());
        flight.map(|transmit| transmit.message).collect()
    }

    fn hear(&mut self, association: &mut Association) {
        while let Some(datagram) = association.poll_transmit() {
            self.endpoint
                .read(Instant::now(), PEER, None, datagram)
                .unwrap();
        }
    }

    /// Shakes hands; how it ended.
    fn shake(&mut self, association: &mut Association) -> Result<(), DtlsError> {
        loop {
            let flight = self.flight();
            assert!(!flight.is_empty(), "nobody has anything to say");
            for datagram in flight {
                match association.take(&datagram, Instant::now())? {
                    Progress::Established(_) => {
                        self.hear(association);
                        return Ok(());
                    }
                    Progress::Closed => panic!("closed"),
                    Progress::Nothing => {}
                }
            }
            self.hear(association);
        }
    }
}

fn identity() -> Arc<Identity> {
    Arc::new(Identity::generate().unwrap())
}

/// A record full of parts of handshake messages, none of which has any bytes.
fn nothings(number: u16) -> Vec<u8> {
    let mut parts = Vec::new();
    for part in 0..100u16 {
        let [high, low] = (number * 100 + part).to_be_bytes();
        parts.extend([11, 0, 0, 0, high, low, 0, 0, 0, 0, 0, 0]);
    }
    let [high, low] = (parts.len() as u16).to_be_bytes();
    let [first, second] = (number + 1_000).to_be_bytes();
    let head = [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, first, second, high, low];
    [&head[..], &parts].concat()
}

#[test]
fn a_peer_with_the_certificate_of_its_offer_gets_keys_and_another_none() {
    let mut client = Client::new();
    let mut association = Association::new(identity(), client.fingerprint.clone(), Setup::Passive);
    client.shake(&mut association).unwrap();
    let other = Client::new().fingerprint;
    let mut association = Association::new(identity(), other, Setup::Passive);
    let refused = Client::new().shake(&mut association);
    assert!(matches!(refused, Err(DtlsError::Fingerprint)));
}

#[test]
fn a_peer_that_waits_to_be_greeted_is_greeted_once_it_is_there() {
    let mut client = Client::with(Setup::Passive);
    let expected = client.fingerprint.clone();
    let mut association = Association::new(identity(), expected, Setup::Active);
    assert!(association.poll_transmit().is_none(), "nobody is there yet");
    association.begin(Instant::now()).unwrap();
    client.hear(&mut association);
    association.begin(Instant::now()).unwrap();
    assert!(association.poll_transmit().is_none(), "one hello is enough");
    client.shake(&mut association).unwrap();
    let other = Client::new().fingerprint;
    let mut client = Client::with(Setup::Passive);
    let mut association = Association::new(identity(), other, Setup::Active);
    association.begin(Instant::now()).unwrap();
    client.hear(&mut association);
    let refused = client.shake(&mut association);
    assert!(matches!(refused, Err(DtlsError::Fingerprint)));
}

/// Of hellos to who waits for one and never answers: below what the offer and the check cost that led
/// to them, since both may have been somebody else's.
const GREETINGS: usize = 2_000;

#[test]
fn a_peer_that_is_greeted_and_never_answers_draws_little() {
    let fingerprint = Client::new().fingerprint;
    let mut association = Association::new(identity(), fingerprint, Setup::Active);
    let mut now = Instant::now();
    association.begin(now).unwrap();
    let mut sent = 0;
    let ended = loop {
        sent += std::iter::from_fn(|| association.poll_transmit())
            .map(|datagram| datagram.len())
            .sum::<usize>();
        let due = association.poll_timeout().expect("it tries again or fails");
        assert!(due > now, "in its own time");
        now = due;
        if let Err(error) = association.pass_time(now) {
            break error;
        }
    };
    assert!(matches!(ended, DtlsError::Handshake(_)), "{ended}");
    assert!((1..=GREETINGS).contains(&sent), "{sent} bytes");
}

#[test]
fn nonsense_in_the_handshake_is_as_good_as_lost() {
    let mut client = Client::new();
    let mut association = Association::new(identity(), client.fingerprint.clone(), Setup::Passive);
    let header = [22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9];
    let longer_than_it_is = [&header[..], &[1, 0], &[0; 20]].concat();
    let something_after_it = [&header[..], &[0, 4], &[0; 9]].concat();
    for nonsense in [
        &[22][..],
        &[63; 50],
        &[20; 12],
        &longer_than_it_is,
        &something_after_it,
    ] {
        let progress = association.take(nonsense, Instant::now()).unwrap();
        assert!(matches!(progress, Progress::Nothing));
    }
    client.shake(&mut association).unwrap();
}

#[test]
fn a_handshake_without_an_end_is_given_up() {
    let mut association = Association::new(identity(), Client::new().fingerprint, Setup::Passive);
    let ended = (0..1_000).find_map(|number| {
        let taken = association.take(&nothings(number), Instant::now());
        taken.err().map(|_| number)
    });
    assert!(ended.is_some_and(|number| u32::from(number) <= PATIENCE));
}

#[test]
fn nonsense_after_the_handshake_is_not_remembered_for_ever_and_closes_nothing() {
    let mut client = Client::new();
    let mut association = Association::new(identity(), client.fingerprint.clone(), Setup::Passive);
    client.shake(&mut association).unwrap();
    for number in 0..500 {
        let wrong_keys = [
            &[23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 9, 9, 0, 40][..],
            &[7; 40],
        ]
        .concat();
        for packet in [
            &nothings(number)[..],
            &wrong_keys,
            &[21, 0xfe],
            &[23; 5_000],
        ] {
            let progress = association.take(packet, Instant::now()).unwrap();
            assert!(matches!(progress, Progress::Nothing));
        }
    }
    let [_, plain, protected] = association.taken;
    assert_eq!((plain, protected), (AFTERWARDS, AFTERWARDS));
}

#[test]
fn a_peer_that_leaves_is_heard_in_spite_of_what_others_say_in_plain_text() {
    let mut client = Client::new();
    let mut association = Association::new(identity(), client.fingerprint.clone(), Setup::Passive);
    client.shake(&mut association).unwrap();
    for number in 0..100 {
        association.take(&nothings(number), Instant::now()).unwrap();
    }
    client.endpoint.stop(Instant::now(), PEER);
    let goodbye = client.flight();
    let progress = association.take(&goodbye[0], Instant::now()).unwrap();
    assert!(matches!(progress, Progress::Closed));
}

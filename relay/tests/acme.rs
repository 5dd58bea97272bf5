//! A certificate from an authority: pebble, Let's Encrypt's own for tests, finds the relay by a name of the DNS.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use reqwest::Certificate;
use rustix::process::{Pid, Signal, kill_process};
use x509_parser::prelude::{FromDer, X509Certificate};

const NAME: &str = "share.example.test";

/// A directory of the test's own.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let dir = format!("steadycast-acme-{}-{name}", std::process::id());
        let dir = std::env::temp_dir().join(dir);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The authority, which is not there yet, and where it is going to be.
struct Authority {
    /// Its own page, for which it has a certificate that it did not make.
    address: SocketAddr,
    /// Where it says what it signs with.
    management: SocketAddr,
    dns: SocketAddr,
}

impl Authority {
    fn new(dir: &Dir) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        fs::write(dir.file("authority.pem"), certificate).unwrap();
        fs::write(dir.file("authority-key.pem"), key.serialize_pem()).unwrap();
        Self {
            address: free(),
            management: free(),
            dns: free(),
        }
    }

    fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.address.port())
    }

    /// Starts it; it looks for names at `port`, and gives certificates that are good for 12 s.
    fn start(&self, dir: &Dir, port: u16) -> [Running; 2] {
        let names = Command::new("pebble-challtestsrv")
            .args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""])
            .args([
                "-http01",
                "",
                "-https01",
                "",
                "-tlsalpn01",
                "",
                "-management",
                "",
            ])
            .args(["-dns01", &self.dns.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("pebble-challtestsrv ({error}): scripts/install-test-tools rust")
            });
        let names = Running(names);
        let settings = serde_json::json!({ "pebble": {
            "listenAddress": self.address.to_string(),
            "managementListenAddress": self.management.to_string(),
            "certificate": dir.file("authority.pem"),
            "privateKey": dir.file("authority-key.pem"),
            "httpPort": 1,
            "tlsPort": port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": true,
            "externalAccountMACKeys": { "ours": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W" },
            "certificateValidityPeriod": 12,
        }});
        fs::write(dir.file("pebble.json"), settings.to_string()).unwrap();
        let mut pebble = Command::new("pebble")
            .arg("-config")
            .arg(dir.file("pebble.json"))
            .args(["-dnsserver", &self.dns.to_string()])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It says that it listens before it does.
        for address in [self.address, self.management] {
            while TcpStream::connect(address).is_err() {
                assert!(pebble.try_wait().unwrap().is_none(), "pebble has ended");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        [names, Running(pebble)]
    }

    /// What it signs with, in PEM.
    async fn root(&self, dir: &Dir) -> Certificate {
        let own = fs::read(dir.file("authority.pem")).unwrap();
        let own = Certificate::from_pem(&own).unwrap();
        let url = format!("https://localhost:{}/roots/0", self.management.port());
        let client = reqwest::Client::builder().tls_certs_only([own]);
        let root = client.build().unwrap().get(url).send().await.unwrap();
        Certificate::from_pem(&root.bytes().await.unwrap()).unwrap()
    }
}

/// An address that nobody else has now.
fn free() -> SocketAddr {
    loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = tcp.local_addr().unwrap();
        if UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}

struct Relay {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
    address: SocketAddr,
}

impl Relay {
    fn start(dir: &Dir, directory: &str) -> Self {
        let mut text = String::new();
        let state = dir.file("state");
        let state = state.display();
        let _ = write!(
            text,
            r#"[server]
            listen = "127.0.0.1:0"
            state_dir = "{state}"
            [acme]
            domains = ["{NAME}"]
            contact = "admin@example.test"
            directory = "{directory}"
            account = "ours"
            account_key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
            "#,
        );
        fs::write(dir.file("steadycast.toml"), text).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_steadycast"))
            .args(["serve", "--config"])
            .arg(dir.file("steadycast.toml"))
            .env_clear()
            .env("SSL_CERT_FILE", dir.file("authority.pem"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut relay = Self {
            process,
            log,
            address: ([127, 0, 0, 1], 0).into(),
        };
        let line = relay.line("listening address=");
        let (_, address) = line.split_once("address=").unwrap();
        relay.address = address.split(' ').next().unwrap().parse().unwrap();
        relay
    }

    /// The next line of its log that has this in it.
    fn line(&mut self, text: &str) -> String {
        let mut lines = self.log.by_ref().map(Result::unwrap);
        lines.find(|line| line.contains(text)).unwrap()
    }

    /// Tells it to read its settings again.
    fn reload(&self) {
        kill_process(Pid::from_child(&self.process), Signal::HUP).unwrap();
    }

    /// Whether it is ready, and the serial number of its certificate, for somebody who trusts `root` alone.
    async fn visit(&self, root: &Certificate) -> Result<(u16, String), reqwest::Error> {
        let client = reqwest::Client::builder()
            .tls_certs_only([root.clone()])
            .resolve(NAME, self.address)
            .tls_info(true)
            .build()
            .unwrap();
        let url = format!("https://{NAME}:{}/ready", self.address.port());
        let answer = client.get(url).send().await?;
        let info = answer.extensions().get::<reqwest::tls::TlsInfo>().unwrap();
        let (_, leaf) = X509Certificate::from_der(info.peer_certificate().unwrap()).unwrap();
        Ok((answer.status().as_u16(), leaf.raw_serial_as_string()))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn an_authority_gives_the_certificate_and_a_new_one_before_it_ends() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = Dir::new("renewed");
    let authority = Authority::new(&dir);
    let mut relay = Relay::start(&dir, &authority.directory());
    // It serves nobody, says so, and does not give up.
    let line = relay.line("no certificate");
    assert!(line.contains("again_in_s=120"), "{line}");
    // Somebody else is at the name: the authority says what it has found.
    let running = authority.start(&dir, free().port());
    let root = authority.root(&dir).await;
    relay.visit(&root).await.unwrap_err();
    relay.reload();
    let line = relay.line("no certificate");
    let hint = format!("reach this relay at TCP port 443 of {NAME}");
    assert!(line.contains(&hint), "{line}");
    // The next one is at the right place, and knows of no account any more.
    drop(running);
    let running = authority.start(&dir, relay.address.port());
    let root = authority.root(&dir).await;
    relay.reload();
    relay.line("new certificate");
    let (status, first) = relay.visit(&root).await.unwrap();
    assert_eq!(status, 200);
    // A third before its end, which comes soon here.
    relay.line("new certificate");
    let (status, second) = relay.visit(&root).await.unwrap();
    assert_eq!(status, 200);
    assert_ne!(first, second);
    // It is kept, for its user alone, and serves a relay that starts while no authority is there.
    drop(running);
    drop(relay);
    let mode = fs::metadata(dir.file("state/acme.json")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
    let relay = Relay::start(&dir, &authority.directory());
    let (_, third) = relay.visit(&root).await.unwrap();
    assert_eq!(second, third);
}

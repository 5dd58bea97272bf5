//! The relay under a supervisor: what it says to it, and settings that are read again.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustix::process::{Pid, Signal, kill_process};

/// A relay that is no development one, with its settings in a file.
struct Supervised {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
    dir: PathBuf,
    told: UnixDatagram,
    url: String,
}

impl Supervised {
    fn start(name: &str, settings: &str) -> Self {
        Self::start_told(name, settings, |dir| {
            let socket = dir.join("notify");
            (UnixDatagram::bind(&socket).unwrap(), socket.into())
        })
    }

    /// One whose supervisor listens where `listen` says, with the name that the relay is told.
    fn start_told(
        name: &str,
        settings: &str,
        listen: impl FnOnce(&Path) -> (UnixDatagram, OsString),
    ) -> Self {
        let dir = format!("steadycast-supervised-{}-{name}", std::process::id());
        let dir = std::env::temp_dir().join(dir);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        write_certificate(&dir);
        write_settings(&dir, settings);
        let (told, socket) = listen(&dir);
        told.set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_steadycast"))
            .args(["serve", "--config"])
            .arg(dir.join("steadycast.toml"))
            .env_clear()
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "300000")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut relay = Self {
            process,
            log,
            dir,
            told,
            url: String::new(),
        };
        let line = relay.line("listening address=");
        let (_, address) = line.split_once("address=").unwrap();
        relay.url = format!("https://{}", address.split(' ').next().unwrap());
        relay
    }

    /// The next line of its log that has this in it.
    fn line(&mut self, text: &str) -> String {
        let mut lines = self.log.by_ref().map(Result::unwrap);
        lines.find(|line| line.contains(text)).unwrap()
    }

    /// What the supervisor is told next, but for signs of life.
    fn told(&self) -> String {
        loop {
            let told = self.told_at_all();
            if told != "WATCHDOG=1" {
                return told;
            }
        }
    }

    fn told_at_all(&self) -> String {
        let mut text = [0; 1_000];
        let length = self.told.recv(&mut text).unwrap();
        let text = std::str::from_utf8(&text[..length]).unwrap();
        text.trim().to_owned()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Another certificate for the relay, and its key; gives it in PEM.
fn write_certificate(dir: &Path) -> String {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    fs::write(dir.join("cert.pem"), &certificate).unwrap();
    fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
    certificate
}

/// What the file says, besides where everything is.
fn write_settings(dir: &Path, settings: &str) {
    let place = |name: &str| dir.join(name).display().to_string();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\ntls_cert = \"{}\"\ntls_key = \"{}\"\nstate_dir = \"{}\"\n{settings}",
        place("cert.pem"),
        place("key.pem"),
        place("state")
    );
    fs::write(dir.join("steadycast.toml"), text).unwrap();
}

/// What the relay answers to whoever shows this key.
async fn status(client: &reqwest::Client, url: &str, key: &str) -> u16 {
    let asked = client.get(format!("{url}/api/broadcasts")).bearer_auth(key);
    asked.send().await.unwrap().status().as_u16()
}

/// Whether pages of `embedder` may show the player's page in a frame; `None`: it is not built.
async fn embeds(client: &reqwest::Client, url: &str, embedder: &str) -> Option<bool> {
    let page = client.get(format!("{url}/play")).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    let allowed = policy.contains(&format!("; frame-ancestors {embedder}; "));
    assert_ne!(
        allowed,
        policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    (page.status() != 503).then_some(allowed)
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .danger_accept_invalid_certs(true)
        .build()
        .unwrap()
}

#[tokio::test]
async fn settings_are_read_again_and_nobody_who_is_there_notices() {
    let mut relay = Supervised::start("reload", "");
    assert_eq!(relay.told(), "READY=1");
    let key = fs::read_to_string(relay.dir.join("state/admin.key")).unwrap();
    let (key, url) = (key.trim().to_owned(), relay.url.clone());
    let client = client();
    let wish = r#"{"broadcast":"*","roles":["admin"]}"#;
    let made = client
        .post(format!("{url}/api/tokens"))
        .bearer_auth(&key)
        .header("content-type", "application/json")
        .body(wish);
    let made = made.send().await.unwrap().text().await.unwrap();
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let [events, of_the_key] = [made["token"].as_str().unwrap(), &key].map(|shown| {
        let events = client.get(format!("{url}/api/events"));
        events.bearer_auth(shown).send()
    });
    let (mut events, mut of_the_key) = (events.await.unwrap(), of_the_key.await.unwrap());
    for events in [&mut events, &mut of_the_key] {
        assert_eq!(events.chunk().await.unwrap().unwrap(), ":\n\n");
    }

    let embedder = "https://app.example";
    assert_ne!(embeds(&client, &url, embedder).await, Some(true));

    // Another admin key and another level take effect at once, another address with the next start.
    fs::write(
        relay.dir.join("state/admin.key"),
        "another-key-of-the-tests",
    )
    .unwrap();
    let settings =
        "[log]\nlevel = \"debug\"\n[limits]\nsessions = 7\n[broadcast]\nmax_broadcasts = 1\n";
    let settings = format!("embed_origins = [\"{embedder}\"]\n{settings}");
    write_settings(&relay.dir, &settings);
    relay.signal(Signal::HUP);
    assert!(relay.told().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(relay.told(), "READY=1");
    let line = relay.line("take effect with the next start");
    assert!(line.contains("settings=limits.sessions"), "{line}");
    let line = relay.line("these have changed");
    assert!(
        line.contains("server.embed_origins, broadcast.max_broadcasts, log.level"),
        "{line}"
    );
    assert_ne!(embeds(&client, &url, embedder).await, Some(false));
    assert_eq!(status(&client, &url, &key).await, 401);
    assert_eq!(status(&client, &url, "another-key-of-the-tests").await, 200);
    let create = client
        .post(format!("{url}/api/broadcasts"))
        .bearer_auth("another-key-of-the-tests");
    let statuses = [create.try_clone().unwrap(), create].map(reqwest::RequestBuilder::send);
    let [first, second] = statuses;
    assert_eq!(first.await.unwrap().status(), 201);
    assert_eq!(second.await.unwrap().status(), 429);
    // Whoever listened before goes on, unless by the key that is good no more.
    let told = events.chunk().await.unwrap().unwrap();
    assert!(told.starts_with(b"id: ") || told == ":\n\n", "{told:?}");
    while of_the_key.chunk().await.unwrap().is_some() {}

    // A mistake changes nothing.
    write_settings(
        &relay.dir,
        "[log]\nlevel = \"error\"\n[limits]\nsesions = 7\n",
    );
    relay.signal(Signal::HUP);
    let line = relay.line("the settings stay as they were");
    assert!(line.contains("sesions"), "{line}");
    assert!(relay.told().starts_with("RELOADING=1"));
    assert_eq!(relay.told(), "READY=1");
    relay.signal(Signal::TERM);
    relay.line("stopping");
    assert_eq!(relay.told(), "STOPPING=1");
    assert!(relay.process.wait().unwrap().success());
}

#[tokio::test]
async fn a_renewed_certificate_is_served_at_once() {
    let mut relay = Supervised::start("certificate", "");
    let certificate = write_certificate(&relay.dir);
    relay.signal(Signal::HUP);
    relay.line("new certificate");
    // Whoever trusts this one alone is served.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .build()
        .unwrap();
    let url = relay.url.replace("127.0.0.1", "localhost");
    let answer = client.get(format!("{url}/health")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[test]
fn a_supervisor_may_listen_at_a_name_that_is_no_file() {
    let relay = Supervised::start_told("abstract", "", |_| {
        let name = format!("steadycast-supervised-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        (
            UnixDatagram::bind_addr(&address).unwrap(),
            format!("@{name}").into(),
        )
    });
    assert_eq!(relay.told(), "READY=1");
    assert_eq!(relay.told_at_all(), "WATCHDOG=1");
    relay.signal(Signal::TERM);
    assert_eq!(relay.told(), "STOPPING=1");
}

#[test]
fn a_supervisor_hears_that_the_relay_lives_until_it_hangs() {
    let relay = Supervised::start("watchdog", "");
    assert_eq!(relay.told(), "READY=1");
    for _ in 0..5 {
        assert_eq!(relay.told_at_all(), "WATCHDOG=1");
    }
    relay.signal(Signal::STOP);
    // What was on its way.
    relay.told.set_nonblocking(true).unwrap();
    let mut text = [0; 100];
    while relay.told.recv(&mut text).is_ok() {}
    relay.told.set_nonblocking(false).unwrap();
    let quiet = Some(Duration::from_millis(600));
    relay.told.set_read_timeout(quiet).unwrap();
    assert!(relay.told.recv(&mut text).is_err(), "it lives");
    relay.signal(Signal::CONT);
    relay
        .told
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    assert_eq!(relay.told_at_all(), "WATCHDOG=1");
}

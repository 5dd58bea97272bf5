//! What there is to see on the host itself.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;

use quinn::udp::UdpSocketState;
use rustix::fs::{Access, access, statvfs};
use rustix::process::{Resource, getrlimit};
use socket2::SockRef;
use time::OffsetDateTime;

use super::Finding;
use crate::auth::EARLIEST;
use crate::config::Config;
use crate::files::RESERVE;
use crate::sockets::UDP_BUFFER;
use crate::store::StateDir;
use crate::tls::{AcmeSettings, Identity, kept_certificate, read_pem};
use crate::websocket::Sending;

/// A certificate that ends within so many days is about to.
const SOON: i64 = 14;
/// Bytes on the disk below which broadcasts may soon not be kept.
const ROOM: u64 = 100 << 20;

pub(super) fn certificate(config: &Config) -> Finding {
    const ABOUT: &str = "certificate";
    let server = &config.server;
    if let Some(settings) = config.acme.settings() {
        return given(&settings, config);
    }
    let (Some(certificate), Some(key)) = (&server.tls_cert, &server.tls_key) else {
        let told = "the relay makes one of its own (--dev); other devices ask before they trust it";
        return Finding::fine(ABOUT, told);
    };
    match read_pem(certificate, key) {
        Ok(identity) => judge(&identity, config, OffsetDateTime::now_utc()),
        Err(error) => {
            let remedy = "server.tls_cert names the whole chain in PEM, server.tls_key the key to it; the relay's \
                          user has to be able to read both";
            Finding::wrong(ABOUT, error.to_string(), remedy)
        }
    }
}

/// Of a certificate that an authority gives.
fn given(settings: &AcmeSettings, config: &Config) -> Finding {
    const ABOUT: &str = "certificate";
    let port = config.server.listen.port();
    let names = settings.names.join(", ");
    let dir = StateDir::at(&config.server.state_dir);
    match kept_certificate(settings, &dir) {
        Some(identity) => judge(&identity, config, OffsetDateTime::now_utc()),
        None if port == 443 => {
            let told = format!("none yet; the relay asks for one for {names} when it runs");
            Finding::fine(ABOUT, told)
        }
        None => {
            let told = format!(
                "none yet; the authority comes to TCP port 443 of {names}, and the relay listens at {port}"
            );
            let remedy = format!("server.listen = \"[::]:443\", or have port 443 lead to {port}");
            Finding::better(ABOUT, told, remedy)
        }
    }
}

fn judge(identity: &Identity, config: &Config, now: OffsetDateTime) -> Finding {
    const ABOUT: &str = "certificate";
    let renew = "renew it; the relay takes a new one from the files by itself";
    let left = (identity.not_after() - now).whole_days();
    if identity.not_after() <= now {
        let told = format!("it ended on {}", identity.not_after().date());
        return Finding::wrong(ABOUT, told, renew);
    }
    if identity.not_before() > now {
        let told = format!("it begins on {}", identity.not_before().date());
        return Finding::wrong(ABOUT, told, "wait for it, or set the clock");
    }
    let host = super::public(config).map(|(host, _)| host);
    if let Some(host) = host
        && !identity.is_for(&host)
    {
        let told = format!(
            "it is for {}, and not for {host} (server.public_url)",
            identity.names().join(", ")
        );
        return Finding::wrong(ABOUT, told, format!("get one for {host}"));
    }
    if left < SOON {
        return Finding::better(ABOUT, format!("it ends in {left} days"), renew);
    }
    let names = identity.names().join(", ");
    Finding::fine(ABOUT, format!("for {names}, good for {left} more days"))
}

pub(super) fn clock() -> Finding {
    const ABOUT: &str = "clock";
    let now = OffsetDateTime::now_utc();
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
    let date = now.date();
    match seconds < EARLIEST {
        true => {
            let remedy = "timedatectl set-ntp true";
            Finding::wrong(ABOUT, format!("it says {date}, which cannot be"), remedy)
        }
        false => Finding::fine(ABOUT, format!("it says {date}")),
    }
}

pub(super) fn buffers() -> Vec<Finding> {
    const ABOUT: &str = "kernel buffers";
    let socket = match UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) {
        Ok(socket) => socket,
        Err(error) => {
            return vec![Finding::wrong(
                ABOUT,
                error.to_string(),
                "allow UDP sockets",
            )];
        }
    };
    let socket = SockRef::from(&socket);
    // The system grants what it can.
    let _ = socket.set_recv_buffer_size(UDP_BUFFER);
    let _ = socket.set_send_buffer_size(UDP_BUFFER);
    // It counts its own overhead in, and so says twice what it was asked for.
    let half = |size: std::io::Result<usize>| size.unwrap_or_default() / 2;
    let granted = [
        ("net.core.rmem_max", half(socket.recv_buffer_size())),
        ("net.core.wmem_max", half(socket.send_buffer_size())),
    ];
    let small: Vec<_> = granted
        .iter()
        .filter(|(_, granted)| *granted < UDP_BUFFER)
        .collect();
    if small.is_empty() {
        let told = format!("UDP has the {} KiB that it asks for", UDP_BUFFER >> 10);
        return vec![Finding::fine(ABOUT, told)];
    }
    let told = small.iter().map(|(name, granted)| {
        let remedy = format!("sysctl -w {name}={UDP_BUFFER}");
        let told = format!(
            "UDP has {} of {} KiB: packets of bursts may be lost on this very host",
            granted >> 10,
            UDP_BUFFER >> 10
        );
        Finding::better(ABOUT, told, remedy)
    });
    told.collect()
}

/// Whether many packets are handed to the system at once: most of what a core holds comes of it.
pub(super) fn segmentation() -> Finding {
    const ABOUT: &str = "segmentation (GSO)";
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    let state = socket.and_then(|socket| UdpSocketState::new((&socket).into()));
    match state.map(|state| state.max_gso_segments()) {
        Ok(1) => Finding::better(
            ABOUT,
            "the system takes packets one by one: each player costs a multiple",
            "use Linux 4.18 or newer, without a sandbox that hides UDP_SEGMENT",
        ),
        Ok(most) => Finding::fine(ABOUT, format!("up to {most} packets at once")),
        Err(error) => Finding::wrong(ABOUT, error.to_string(), "allow UDP sockets"),
    }
}

/// How the system sends to those who watch over TCP.
pub(super) fn sending() -> Finding {
    const ABOUT: &str = "TCP";
    let sending =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map(|listener| Sending::prepare(&listener));
    match sending {
        Ok(sending) if sending.is_best() => Finding::fine(ABOUT, sending.to_string()),
        Ok(sending) => Finding::better(
            ABOUT,
            format!(
                "{sending}: a path that loses packets carries little to those who watch over WebSocket"
            ),
            "modprobe tcp_bbr\nsysctl -w net.ipv4.tcp_allowed_congestion_control=\"reno cubic bbr\"",
        ),
        Err(error) => Finding::wrong(ABOUT, error.to_string(), "allow TCP sockets"),
    }
}

pub(super) fn files(config: &Config) -> Finding {
    const ABOUT: &str = "open files";
    let wanted = config.limits.sessions as u64 + RESERVE;
    match getrlimit(Resource::Nofile).maximum {
        Some(most) if most < wanted => {
            let told = format!("{most}, and limits.sessions asks for {wanted}");
            let remedy = format!("ulimit -Hn {wanted}, or LimitNOFILE={wanted} in the unit");
            Finding::better(ABOUT, told, remedy)
        }
        Some(most) => Finding::fine(ABOUT, format!("up to {most}")),
        None => Finding::fine(ABOUT, "as many as it likes"),
    }
}

pub(super) fn state(config: &Config) -> Finding {
    writable("disk", &config.server.state_dir, "server.state_dir")
}

pub(super) fn access_log(config: &Config) -> Option<Finding> {
    let path = config.log.access_file.as_ref()?;
    let dir = path.parent().map_or(Path::new("."), or_here);
    if !dir.is_dir() {
        let told = format!("there is no directory {}", dir.display());
        return Some(Finding::wrong(
            "access log",
            told,
            format!("mkdir -p {}", dir.display()),
        ));
    }
    Some(writable("access log", dir, "log.access_file"))
}

/// A directory that the relay writes to, or makes.
fn writable(about: &'static str, dir: &Path, key: &str) -> Finding {
    let shown = dir.display();
    let mut above = dir.ancestors().map(or_here);
    let there = above.find(|one| fs::metadata(one).is_ok());
    let there = there.unwrap_or(Path::new("."));
    if !there.is_dir() {
        let told = format!("{} is no directory", there.display());
        return Finding::wrong(about, told, format!("set {key} to a directory"));
    }
    if let Err(error) = access(there, Access::WRITE_OK | Access::EXEC_OK) {
        let told = format!("{shown} cannot be written: {error}");
        let remedy = format!("chown the relay's user {}, or set {key}", there.display());
        return Finding::wrong(about, told, remedy);
    }
    let disk = match statvfs(there) {
        Ok(disk) => disk,
        Err(error) => {
            return Finding::wrong(about, format!("{shown}: {error}"), format!("set {key}"));
        }
    };
    let left = disk.f_bavail * disk.f_frsize;
    let mib = left >> 20;
    match left < ROOM {
        true => Finding::better(
            about,
            format!("{shown} has {mib} MiB left"),
            "make room: what cannot be kept is refused",
        ),
        false => Finding::fine(about, format!("{shown} can be written, {mib} MiB are left")),
    }
}

/// The working directory is named by nothing as well.
fn or_here(path: &Path) -> &Path {
    match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use time::Duration;

    use super::super::Verdict;
    use super::*;
    use crate::store::temp::TempDir;

    fn config(public_url: &str, dir: &TempDir) -> Config {
        let mut config = Config::defaults(false);
        config.server.public_url = Some(public_url.parse().unwrap());
        config.server.tls_cert = Some(dir.file("cert.pem"));
        config.server.tls_key = Some(dir.file("key.pem"));
        config
    }

    fn renew(dir: &TempDir, names: &[&str], days: i64) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        let now = OffsetDateTime::now_utc();
        params.not_before = now - Duration::days(100);
        params.not_after = now + Duration::days(days) + Duration::hours(1);
        let certificate = params.self_signed(&key).unwrap();
        fs::write(dir.file("cert.pem"), certificate.pem()).unwrap();
        fs::write(dir.file("key.pem"), key.serialize_pem()).unwrap();
    }

    #[test]
    fn a_certificate_is_for_the_relay_and_has_time_left() {
        let dir = TempDir::new();
        let verdict = |url: &str| {
            let finding = certificate(&config(url, &dir));
            (finding.verdict, finding.text)
        };
        assert_eq!(
            verdict("https://a.example").0,
            Verdict::Wrong,
            "none is there"
        );
        renew(&dir, &["a.example", "*.b.example"], 90);
        let (judged, text) = verdict("https://a.example");
        assert_eq!(judged, Verdict::Fine, "{text}");
        assert!(
            text.contains("a.example, *.b.example, good for 90"),
            "{text}"
        );
        assert_eq!(verdict("https://x.b.example:444").0, Verdict::Fine);
        for other in [
            "https://c.example",
            "https://x.y.b.example",
            "https://b.example",
        ] {
            let (judged, text) = verdict(other);
            assert!(
                judged == Verdict::Wrong && text.contains("not for"),
                "{text}"
            );
        }
        renew(&dir, &["a.example"], 3);
        assert_eq!(verdict("https://a.example").0, Verdict::Better);
        renew(&dir, &["a.example"], -2);
        let (judged, text) = verdict("https://a.example");
        assert!(judged == Verdict::Wrong && text.contains("ended"), "{text}");
    }

    #[test]
    fn a_directory_may_be_missing_but_not_out_of_reach() {
        let dir = TempDir::new();
        let verdict = |path: &Path| writable("disk", path, "server.state_dir").verdict;
        assert_ne!(verdict(&dir.file("not/there/yet")), Verdict::Wrong);
        assert_ne!(verdict(Path::new("state")), Verdict::Wrong);
        fs::write(dir.file("file"), "").unwrap();
        assert_eq!(verdict(&dir.file("file")), Verdict::Wrong);
    }
}

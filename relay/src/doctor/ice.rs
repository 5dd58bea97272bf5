//! The STUN and TURN servers that clients are told of.

use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use rtc_stun::message::{BINDING_REQUEST, Message, TransactionId};

use super::Finding;
use super::network::tcp_answers;
use crate::config::Config;

/// How long a server has for an answer before it is asked again, and how often it is asked. Packets may be lost.
const PATIENCE: Duration = Duration::from_millis(700);
const TRIES: usize = 4;

pub(super) fn servers(config: &Config) -> Vec<Finding> {
    let servers = config.webrtc.ice_servers.iter();
    servers.map(|server| judge(&server.url)).collect()
}

fn judge(url: &str) -> Finding {
    const ABOUT: &str = "ICE server";
    let Some(place) = Place::of(url) else {
        let remedy = "write it as stun:HOST:PORT or turn:HOST:PORT in webrtc.ice_servers";
        return Finding::wrong(ABOUT, format!("{url} names no host and port"), remedy);
    };
    let addresses: Vec<_> = match (place.host, place.port).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            let told = format!(
                "{url}: {} is nothing that can be found: {error}",
                place.host
            );
            let remedy = "give the name an address (DNS), or mend webrtc.ice_servers";
            return Finding::wrong(ABOUT, told, remedy);
        }
    };
    let over = if place.stream { "TCP" } else { "UDP" };
    let mut answer = Err("it has no address".to_owned());
    for address in addresses {
        answer = answer.or_else(|_| match place.stream {
            true => tcp_answers(address),
            false => stun_answers(address),
        });
    }
    match answer {
        Ok(()) => Finding::fine(ABOUT, format!("{url} answers over {over}")),
        // It is for clients: perhaps it is this host alone that it is out of reach for.
        Err(why) => {
            let told = format!("{url} does not answer over {over} from here: {why}");
            let remedy = format!(
                "start it, and open {over} port {} there; turnutils_stunclient -p {0} {} asks from elsewhere",
                place.port, place.host
            );
            Finding::better(ABOUT, told, remedy)
        }
    }
}

/// Where a server is.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    host: &'a str,
    port: u16,
    /// Whether it is spoken to over TCP, with TLS or without.
    stream: bool,
}

impl<'a> Place<'a> {
    /// Of `scheme:host`, perhaps with a port and a transport (RFC 7064, RFC 7065).
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let secure = scheme.ends_with('s');
        let usual = if secure { 5349 } else { 3478 };
        let (host, port) = match authority.strip_prefix('[') {
            Some(address) => {
                let (address, port) = address.split_once(']')?;
                (address, port.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = port.map_or(Ok(usual), str::parse).ok()?;
        let stream = match query {
            "transport=udp" => false,
            "transport=tcp" => true,
            _ => secure,
        };
        (!host.is_empty() && port != 0).then_some(Self { host, port, stream })
    }
}

/// Whether somebody at `address` answers a binding request, which TURN servers do as well.
fn stun_answers(address: SocketAddr) -> Result<(), String> {
    let told = |error: std::io::Error| error.to_string();
    let own: SocketAddr = match address {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(own).map_err(told)?;
    socket.connect(address).map_err(told)?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(told)?;
    let mut question = Message::new();
    let built = question.build(&[Box::new(TransactionId::new()), Box::new(BINDING_REQUEST)]);
    built.map_err(|error| error.to_string())?;
    let mut why = "no answer".to_owned();
    for _ in 0..TRIES {
        socket.send(&question.raw).map_err(told)?;
        let mut packet = [0; 1_500];
        match socket.recv(&mut packet) {
            Ok(length) => {
                let mut answer = Message::new();
                let read = answer.unmarshal_binary(&packet[..length]);
                if read.is_ok() && answer.transaction_id == question.transaction_id {
                    return Ok(());
                }
                why = "what answers there speaks no STUN".to_owned();
            }
            // Nobody is there, says the system, or the time is over.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                return Err(told(error));
            }
            Err(_) => {}
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rtc_stun::message::BINDING_SUCCESS;

    use super::super::Verdict;
    use super::*;

    #[test]
    fn servers_are_where_their_urls_say() {
        let place = |url| Place::of(url).map(|place| (place.host, place.port, place.stream));
        assert_eq!(place("stun:a.example"), Some(("a.example", 3478, false)));
        assert_eq!(place("turn:[::1]:99"), Some(("::1", 99, false)));
        assert_eq!(place("turns:a.example"), Some(("a.example", 5349, true)));
        let tcp = place("turn:a.example:80?transport=tcp");
        assert_eq!(tcp, Some(("a.example", 80, true)));
        for odd in ["stun::1", "stun:a:b", "stun:[::1", "stun:a:0"] {
            assert_eq!(place(odd), None, "{odd}");
        }
    }

    /// Answers one packet with what `answer` makes of it.
    fn server(answer: impl FnOnce(&[u8]) -> Vec<u8> + Send + 'static) -> String {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        thread::spawn(move || {
            let mut packet = [0; 1_500];
            let (length, from) = socket.recv_from(&mut packet).unwrap();
            socket.send_to(&answer(&packet[..length]), from).unwrap();
            // Who asks again hears nothing, and is not told that nobody is there.
            thread::sleep(PATIENCE * 2 * TRIES as u32);
        });
        format!("stun:{address}")
    }

    #[test]
    fn a_server_is_well_that_answers_in_its_own_language() {
        let good = server(|asked| {
            let mut request = Message::new();
            request.unmarshal_binary(asked).unwrap();
            let mut answer = Message::new();
            let id = request.transaction_id;
            answer
                .build(&[Box::new(id), Box::new(BINDING_SUCCESS)])
                .unwrap();
            answer.raw
        });
        let finding = judge(&good);
        assert_eq!(finding.verdict, Verdict::Fine, "{}", finding.text);
        let finding = judge(&server(|_| b"hello".to_vec()));
        assert_eq!(finding.verdict, Verdict::Better);
        assert!(finding.text.contains("no STUN"), "{}", finding.text);
    }

    #[test]
    fn a_server_that_is_not_there_is_told_of() {
        let gone = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = gone.local_addr().unwrap();
        drop(gone);
        let finding = judge(&format!("turn:{address}"));
        assert_eq!(finding.verdict, Verdict::Better);
        let remedy = finding.remedy.unwrap();
        assert!(
            remedy.contains(&format!("UDP port {}", address.port())),
            "{remedy}"
        );
        let finding = judge("stun:nobody.invalid:3478");
        assert_eq!(finding.verdict, Verdict::Wrong);
        assert!(finding.text.contains("nobody.invalid"), "{}", finding.text);
    }
}

//! A QUIC connection with nothing between its ends but what the test carries.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use quinn_proto::congestion::ControllerFactory;
use quinn_proto::{
    AckFrequencyConfig, ClientConfig, Connection, ConnectionHandle, DatagramEvent, Dir, Endpoint,
    EndpointConfig, Event, ServerConfig, StreamEvent, StreamId, TransportConfig, VarInt,
};

/// One end.
pub(crate) struct End {
    endpoint: Endpoint,
    connection: Option<(ConnectionHandle, Connection)>,
    pub(crate) connected: bool,
    remote: SocketAddr,
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port)
}

fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_uni_streams(VarInt::from_u32(1 << 20))
        .packet_threshold(64)
        .time_threshold(1.5)
        .initial_rtt(Duration::from_millis(150))
        .send_window(64 << 20)
        .receive_window(VarInt::from_u32(64 << 20))
        .stream_receive_window(VarInt::from_u32(16 << 20))
        .max_idle_timeout(Some(VarInt::from_u32(60_000).into()));
    transport
}

/// A server and a client that is about to connect.
pub(crate) fn pair(
    now: Instant,
    control: Arc<dyn ControllerFactory + Send + Sync>,
    lazy_acks: bool,
) -> (End, End) {
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let der = certificate.cert.der().clone();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certificate.signing_key.serialize_der());
    let mut server = ServerConfig::with_single_cert(vec![der.clone()], key.into()).unwrap();
    let mut settings = transport();
    settings.congestion_controller_factory(control);
    if lazy_acks {
        let mut lazy = AckFrequencyConfig::default();
        lazy.ack_eliciting_threshold(VarInt::from_u32(10))
            .max_ack_delay(Some(Duration::from_millis(25)));
        settings.ack_frequency_config(Some(lazy));
    }
    server.transport_config(Arc::new(settings));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der).unwrap();
    let mut client = ClientConfig::with_root_certificates(Arc::new(roots)).unwrap();
    client.transport_config(Arc::new(transport()));
    let mut common = EndpointConfig::default();
    common.rng_seed(Some([7; 32]));
    let common = Arc::new(common);
    let server = End {
        endpoint: Endpoint::new(common.clone(), Some(Arc::new(server)), true, None),
        connection: None,
        connected: false,
        remote: address(2),
    };
    let mut endpoint = Endpoint::new(common, None, true, None);
    let connection = endpoint
        .connect(now, client, address(1), "localhost")
        .unwrap();
    let client = End {
        endpoint,
        connection: Some(connection),
        connected: false,
        remote: address(1),
    };
    (server, client)
}

impl End {
    pub(crate) fn due(&mut self) -> Option<Instant> {
        self.connection.as_mut()?.1.poll_timeout()
    }

    /// Takes a datagram.
    pub(crate) fn receive(&mut self, now: Instant, datagram: &[u8]) {
        let mut answer = Vec::new();
        let event = self.endpoint.handle(
            now,
            self.remote,
            None,
            None,
            BytesMut::from(datagram),
            &mut answer,
        );
        match event {
            Some(DatagramEvent::NewConnection(incoming)) => {
                let accepted = self.endpoint.accept(incoming, now, &mut answer, None);
                self.connection = Some(accepted.ok().unwrap());
            }
            Some(DatagramEvent::ConnectionEvent(_, event)) => {
                if let Some((_, connection)) = &mut self.connection {
                    connection.handle_event(event);
                }
            }
            _ => {}
        }
    }

    /// Does what is due; gives the datagrams to send.
    pub(crate) fn drive(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let Some((handle, connection)) = &mut self.connection else {
            return out;
        };
        if connection.poll_timeout().is_some_and(|due| due <= now) {
            connection.handle_timeout(now);
        }
        while let Some(event) = connection.poll_endpoint_events() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                connection.handle_event(event);
            }
        }
        let mut buffer = Vec::new();
        while let Some(transmit) = connection.poll_transmit(now, 10, &mut buffer) {
            let size = transmit.segment_size.unwrap_or(transmit.size);
            out.extend(buffer[..transmit.size].chunks(size).map(<[u8]>::to_vec));
            buffer.clear();
        }
        out
    }

    /// What has arrived: streams, and whether each is at its end now.
    pub(crate) fn arrivals(&mut self) -> Vec<(StreamId, usize, bool)> {
        let mut arrivals = Vec::new();
        let Some((_, connection)) = &mut self.connection else {
            return arrivals;
        };
        let mut readable = Vec::new();
        while let Some(event) = connection.poll() {
            match event {
                Event::Connected => self.connected = true,
                Event::ConnectionLost { reason } => panic!("lost: {reason}"),
                Event::Stream(StreamEvent::Opened { dir: Dir::Uni }) => {
                    while let Some(id) = connection.streams().accept(Dir::Uni) {
                        readable.push(id);
                    }
                }
                Event::Stream(StreamEvent::Readable { id }) => readable.push(id),
                _ => {}
            }
        }
        for id in readable {
            let (mut bytes, mut end) = (0, false);
            let mut stream = connection.recv_stream(id);
            if let Ok(mut chunks) = stream.read(true) {
                loop {
                    match chunks.next(usize::MAX) {
                        Ok(Some(chunk)) => bytes += chunk.bytes.len(),
                        Ok(None) => {
                            end = true;
                            break;
                        }
                        Err(_) => break,
                    }
                }
                let _ = chunks.finalize();
            }
            arrivals.push((id, bytes, end));
        }
        arrivals
    }

    /// Sends so many bytes on a stream of their own.
    pub(crate) fn send(&mut self, bytes: usize) -> StreamId {
        let connection = &mut self.connection.as_mut().unwrap().1;
        let id = connection.streams().open(Dir::Uni).unwrap();
        let mut stream = connection.send_stream(id);
        assert_eq!(stream.write(&vec![0; bytes]).unwrap(), bytes);
        stream.finish().unwrap();
        id
    }

    pub(crate) fn connection(&self) -> Option<&Connection> {
        Some(&self.connection.as_ref()?.1)
    }
}

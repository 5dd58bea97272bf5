//! The stock peer connection of webrtc-rs, as most Rust programs bring it: everything at its default.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use steadycast_codec_glue::bitstream::Codec;
use steadycast_codec_glue::rtp::{
    Assembled, Assembler, FrameIn, Ordered, Packet, Reorder, ReorderConfig, packetize,
};
use steadycast_tests::client::soon;
use steadycast_tests::coded::{Coded, Kind, coded};
use steadycast_tests::relay::TestRelay;
use steadycast_tests::webrtc::{Endpoint, Player, Publisher, Session};
use tokio::sync::mpsc;
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription, Registry,
    register_default_interceptors,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};

use super::Host;

/// What a peer connection says of itself.
#[derive(Debug)]
enum Said {
    Gathered,
    Connected,
    Closed,
    Media(rtc::rtp::Packet),
}

struct Ear(mpsc::UnboundedSender<Said>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Ear {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            // Nobody listens any more when the scenario has ended.
            let _ = self.0.send(Said::Gathered);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let said = match state {
            RTCPeerConnectionState::Connected => Said::Connected,
            // It takes no notice of the other side's farewell; its checks find out.
            RTCPeerConnectionState::Disconnected
            | RTCPeerConnectionState::Failed
            | RTCPeerConnectionState::Closed => Said::Closed,
            _ => return,
        };
        let _ = self.0.send(said);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let tell = self.0.clone();
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    let _ = tell.send(Said::Media(packet));
                }
            }
        });
    }
}

/// A peer connection with its session.
struct Stock<P> {
    connection: P,
    session: Option<Session>,
    said: mpsc::UnboundedReceiver<Said>,
}

async fn stock() -> Result<Stock<impl PeerConnection>> {
    let (tell, said) = mpsc::unbounded_channel();
    let mut media = MediaEngine::default();
    media.register_default_codecs()?;
    let registry = register_default_interceptors(Registry::new(), &mut media)?;
    let connection = PeerConnectionBuilder::new()
        .with_media_engine(media)
        .with_interceptor_registry(registry)
        .with_handler(Arc::new(Ear(tell)))
        .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
        .build()
        .await?;
    Ok(Stock {
        connection,
        session: None,
        said,
    })
}

impl<P: PeerConnection> Stock<P> {
    /// Offers what it has, and waits until it is connected.
    async fn connect(&mut self, endpoint: &Endpoint) -> Result<()> {
        let offer = self.connection.create_offer(None).await?;
        self.connection.set_local_description(offer).await?;
        self.find("candidates", |said| {
            matches!(said, Said::Gathered).then_some(())
        })
        .await?;
        let offer = self.connection.local_description().await;
        let offer = offer.context("no offer")?.sdp;
        let (session, answer) = endpoint.open(&offer).await?;
        self.session = Some(session);
        let answer = RTCSessionDescription::answer(answer)?;
        self.connection.set_remote_description(answer).await?;
        self.find("a connection", |said| {
            matches!(said, Said::Connected).then_some(())
        })
        .await
    }

    async fn find<T>(&mut self, what: &str, mut pick: impl FnMut(Said) -> Option<T>) -> Result<T> {
        let search = async {
            loop {
                let said = self.said.recv().await.context("it has ended")?;
                if let Some(found) = pick(said) {
                    return Ok(found);
                }
            }
        };
        soon(what, search).await?
    }

    /// The next frame.
    async fn frame(&mut self, reader: &mut Reader) -> Result<Assembled> {
        if let Some(frame) = reader.next() {
            return Ok(frame);
        }
        self.find("a frame", |said| {
            let Said::Media(packet) = said else {
                return None;
            };
            reader.take(packet);
            reader.next()
        })
        .await
    }
}

/// Puts a player's packets in order, and frames together from them. What was lost comes late, and
/// probes repeat old ones.
struct Reader {
    reorder: Reorder,
    assembler: Assembler,
}

impl Reader {
    fn new() -> Self {
        Self {
            reorder: Reorder::new(ReorderConfig::default()),
            assembler: Assembler::new(Codec::Vp8),
        }
    }

    fn take(&mut self, packet: rtc::rtp::Packet) {
        self.reorder.push(Packet {
            sequence: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            payload: packet.payload,
            // Nothing is given up: the scenario waits for so long as it has to.
            arrival: Duration::ZERO,
        });
    }

    fn next(&mut self) -> Option<Assembled> {
        while let Some(Ordered::Packet(packet)) = self.reorder.pop(Duration::ZERO) {
            let frame = self.assembler.push(&packet).find_map(Result::ok);
            if frame.is_some() {
                return frame;
            }
        }
        None
    }
}

fn receives() -> RTCRtpTransceiverInit {
    RTCRtpTransceiverInit {
        direction: RTCRtpTransceiverDirection::Recvonly,
        ..RTCRtpTransceiverInit::default()
    }
}

/// Waits until the player sees what the host sends. The connection drops what comes while it is still
/// working out its keys, and leaves it to a decoder to ask again.
async fn see(
    host: &mut Host<'_>,
    player: &mut Stock<impl PeerConnection>,
    reader: &mut Reader,
) -> Result<()> {
    let pause = Duration::from_millis(100);
    while tokio::time::timeout(pause, player.frame(reader))
        .await
        .is_err()
    {
        host.keyframe(20_000).await?;
    }
    let sent = host.keyframe(20_000).await?;
    while player.frame(reader).await?.payload != sent.payload {}
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stock_player_watches_a_host_and_what_comes_after_it() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut host = Host::start(&relay, &broadcast, Kind::Vp8).await?;
    host.keyframe(20_000).await?;
    let mut player = stock().await?;
    player
        .connection
        .add_transceiver_from_kind(RtpCodecKind::Video, Some(receives()))
        .await?;
    player.connect(&broadcast.whep()).await?;
    let mut reader = Reader::new();
    see(&mut host, &mut player, &mut reader).await?;
    for number in 0..50 {
        let sent = host.send(number % 20 == 19, 500 + number * 100).await?;
        ensure!(
            player.frame(&mut reader).await?.payload == sent.payload,
            "{number}"
        );
    }
    // A tool takes over, on the same connection.
    let publisher = Publisher::join(&broadcast.whip()).await?;
    for number in 0..10 {
        let sent = coded(Kind::Vp8, number == 0, 500 + number, 3_000);
        publisher.send(&sent, u64::from(number) * 3_000).await?;
        ensure!(
            player.frame(&mut reader).await?.payload == sent.payload,
            "{number}"
        );
    }
    let session = player.session.as_ref().context("no session")?;
    ensure!(session.delete().await? == 200);
    broadcast
        .until("nobody to watch", |r| r.players == 0)
        .await?;
    player.connection.close().await?;
    Ok(())
}

/// A track of VP8 that takes packets as they are.
fn track(ssrc: u32) -> Arc<TrackLocalStaticRTP> {
    let codec = RTCRtpCodec {
        mime_type: "video/VP8".to_owned(),
        clock_rate: 90_000,
        ..RTCRtpCodec::default()
    };
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            ..RTCRtpCodingParameters::default()
        },
        codec,
        ..RTCRtpEncodingParameters::default()
    };
    let [stream, track, label] = ["stream", "track", "label"].map(str::to_owned);
    let track = MediaStreamTrack::new(stream, track, label, RtpCodecKind::Video, vec![coding]);
    Arc::new(TrackLocalStaticRTP::new(track))
}

/// The packets of a frame.
fn packets(
    sent: &Coded,
    (kind, ssrc): (u8, u32),
    sequence: &mut u16,
    time: u32,
) -> Result<Vec<rtc::rtp::Packet>> {
    let frame = FrameIn {
        keyframe: sent.keyframe,
        payload: &sent.payload,
        description: &[],
        size: None,
    };
    let payloads = packetize(Codec::Vp8, frame, 1_100)?;
    let last = payloads.len() - 1;
    let packets = payloads.iter().enumerate().map(|(at, payload)| {
        *sequence = sequence.wrapping_add(1);
        rtc::rtp::Packet {
            header: rtc::rtp::header::Header {
                version: 2,
                marker: at == last,
                payload_type: kind,
                sequence_number: *sequence,
                timestamp: time,
                ssrc,
                ..rtc::rtp::header::Header::default()
            },
            payload: payload.to_vec().into(),
        }
    });
    Ok(packets.collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stock_publisher_is_seen_by_players_of_both_kinds() -> Result<()> {
    let relay = TestRelay::start().await?;
    let broadcast = relay.broadcast().await?;
    let mut direct = broadcast.player().await?;
    let mut bridged = Player::watch(&broadcast.whep()).await?;
    let mut publisher = stock().await?;
    let track = track(77);
    let local: Arc<dyn TrackLocal> = track.clone();
    let sender = publisher.connection.add_track(local).await?;
    publisher.connect(&broadcast.whip()).await?;
    let parameters = sender.get_parameters().await?.rtp_parameters;
    let kind = parameters.codecs.first().context("no codec")?.payload_type;
    let mut sequence = 60_000;
    for number in 0..60u32 {
        let sent = coded(
            Kind::Vp8,
            number % 20 == 0,
            number,
            200 + number as usize * 200,
        );
        for packet in packets(&sent, (kind, 77), &mut sequence, number * 3_000)? {
            track.write_rtp(packet).await?;
        }
        ensure!(direct.frame().await?.payload == sent.payload, "{number}");
        bridged.expect(&sent).await?;
    }
    ensure!(broadcast.records()?.warnings.is_empty());
    // Another takes over: the connection ends.
    let _other = Publisher::join(&broadcast.whip()).await?;
    let closed = |said| matches!(said, Said::Closed).then_some(());
    publisher.find("the end of the connection", closed).await
}

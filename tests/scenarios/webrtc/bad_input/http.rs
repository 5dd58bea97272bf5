//! Hostile SDP.

use anyhow::{Result, ensure};
use steadycast_tests::webrtc::Rogue;

use super::{Witness, relay};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offers_that_make_no_sense_are_refused_at_once() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    let video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=rtcp-mux\r\n";
    let deep = format!("{head}{}", "a=group:BUNDLE ".repeat(4_000));
    let long = format!("{head}{video}a=fmtp:96 {}\r\n", "x=y;".repeat(15_000));
    let sections = format!("{head}{}", video.repeat(500));
    let formats = format!(
        "{head}m=video 9 UDP/TLS/RTP/SAVPF {}\r\n",
        "96 ".repeat(15_000)
    );
    let maps = format!("{head}{video}{}", "a=rtpmap:96 VP8/90000\r\n".repeat(900));
    let ports = format!("{head}m=video 99999999999999999999 UDP/TLS/RTP/SAVPF 96\r\n");
    // Good but for one word.
    let good = Rogue::offer("sendrecv");
    let refused_section = good.replace("m=video 9 ", "m=video 0 ");
    let plain = good.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP");
    let tcp = good.replace("UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP");
    ensure!(
        [&refused_section, &plain, &tcp]
            .iter()
            .all(|bad| **bad != good)
    );
    let too_long = "a".repeat((64 << 10) + 1);
    let cases: [(&str, &[u8]); 15] = [
        ("nothing", b""),
        ("zeros", &[0; 1_000]),
        ("not UTF-8", &[0xff; 1_000]),
        ("half a character", b"v=0\r\ns=\xe2\x82\r\n"),
        ("no lines", b"=\r\n=\r\n=\r\n"),
        ("deep", deep.as_bytes()),
        ("long", long.as_bytes()),
        ("many sections", sections.as_bytes()),
        ("many formats", formats.as_bytes()),
        ("many maps", maps.as_bytes()),
        ("a port", ports.as_bytes()),
        ("too long", too_long.as_bytes()),
        ("a refused section", refused_section.as_bytes()),
        ("no DTLS", plain.as_bytes()),
        ("TCP", tcp.as_bytes()),
    ];
    for (what, offer) in cases {
        for endpoint in [broadcast.whep(), broadcast.whip()] {
            let reply = endpoint.post(offer).await?;
            let refused = matches!(reply.status, 400 | 413 | 422);
            ensure!(refused, "{what}: {}", reply.body);
            reply.problem()?;
        }
        witness.is_undisturbed().await?;
    }
    ensure!(
        relay.site().bridge.sessions() == 1,
        "nothing is left of them"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_without_end_leave_one_session() -> Result<()> {
    let relay = relay().await?;
    let broadcast = relay.broadcast().await?;
    let mut witness = Witness::new(&relay, &broadcast).await?;
    let mut waiting = Rogue::open(&broadcast.whep(), "recvonly").await?;
    let mut connected = Rogue::join(&broadcast.whep(), "recvonly").await?;
    for number in 0..200 {
        let name = format!("rogue{number}");
        for rogue in [&mut waiting, &mut connected] {
            rogue.own_password = "anotherPasswordOfTheRogue".to_owned();
            let restarted = rogue.session.restart(&name, &rogue.own_password);
            (rogue.ufrag, rogue.password) = restarted.await?;
            rogue.own_ufrag.clone_from(&name);
        }
    }
    // Both are known by their last names.
    waiting.check().await?;
    waiting.handshake().await?;
    connected.check().await?;
    ensure!(relay.site().bridge.sessions() == 3);
    witness.is_undisturbed().await
}

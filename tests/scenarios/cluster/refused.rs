//! Who is no relay, and what relays refuse one another.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use steadycast_codec_glue::wire::{ClientMessage, Code, Hop, Role, VERSION};
use steadycast_relay::config::Peer;
use steadycast_tests::client::{Carrier, Control, Player, Publisher, Target, connect};
use steadycast_tests::cluster::Authority;
use steadycast_tests::relay::TestRelay;

use super::{pair, sees};

/// Why a player is refused.
async fn refusal(relay: &TestRelay, token: &str) -> Result<String> {
    match Player::join(relay.target(), token).await {
        Ok(_) => bail!("let in"),
        Err(error) => Ok(error.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_has_is_unknown_at_every_relay() -> Result<()> {
    let (origin, edge) = pair().await?;
    let id = "nowhere".parse()?;
    for relay in [&origin, &edge] {
        let token = relay.known(&id).token(Role::Player);
        assert_eq!(refusal(relay, &token).await?, "unknown_broadcast");
    }
    ensure!(edge.site().registry.find(&id).is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_at_another_relay_is_told_which_one_is_its_own() -> Result<()> {
    let (origin, edge) = pair().await?;
    let broadcast = origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(1_000).await?;
    let here = edge.known(&broadcast.id);
    let token = here.token(Role::Publisher);
    // Before it is watched there, and while it is.
    for _ in 0..2 {
        let mut control = Control::open(edge.target()).await?;
        let refused = control.hello(Role::Publisher, &token, None).await;
        assert_eq!(refused.unwrap_err().to_string(), "elsewhere");
        sees(&mut here.player().await?, &sent).await?;
    }
    let whip = here.whip().post(b"v=0").await?;
    assert_eq!(whip.status, 421);
    ensure!(whip.body.contains(&origin.cluster()?.to_string()));
    publisher.control.ping().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_and_clients_have_ports_of_their_own() -> Result<()> {
    let (origin, _edge) = pair().await?;
    let broadcast = origin.broadcast().await?;
    let mut control = Control::open(origin.target()).await?;
    control
        .send(&ClientMessage::Pull {
            version: VERSION,
            broadcast: broadcast.id.to_string(),
            relays: vec![Hop([7; 16])],
        })
        .await?;
    assert_eq!(control.goodbye().await?, (Code::WrongRole, false));
    // Whoever shows no certificate gets no session on the other.
    let target = Target {
        address: origin.cluster()?,
        ..origin.target().clone()
    };
    ensure!(connect(&target, "/session", None).await.is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_of_another_authority_are_nobody_s() -> Result<()> {
    let (ours, theirs) = (Authority::new()?, Authority::new()?);
    let origin = ours.origin().await?;
    let broadcast = origin.broadcast().await?;
    // One that we would not know, and one that would not know us.
    for (knows, shows) in [(&ours, &theirs), (&theirs, &ours)] {
        let at = origin.cluster()?;
        let stranger = TestRelay::ahead(Duration::ZERO, |config| {
            knows.admit(shows, config)?;
            config.cluster.origin = Some(Peer::from(at));
            Ok(())
        })
        .await?;
        let token = stranger.known(&broadcast.id).token(Role::Player);
        assert_eq!(refusal(&stranger, &token).await?, "internal");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_that_ask_one_another_in_a_circle_find_that_out() -> Result<()> {
    let authority = Authority::new()?;
    let free = || {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        anyhow::Ok(socket.local_addr()?)
    };
    let (one_at, other_at) = (free()?, free()?);
    let at = |address: SocketAddr| {
        move |config: &mut steadycast_relay::config::Config| {
            config.cluster.listen = Some(address);
        }
    };
    let one = authority.relay(Some(other_at), Duration::ZERO, at(one_at));
    let one = one.await?;
    let other = authority.relay(Some(one_at), Duration::ZERO, at(other_at));
    let other = other.await?;
    let id = "nowhere".parse()?;
    for relay in [&one, &other] {
        let token = relay.known(&id).token(Role::Player);
        assert_eq!(refusal(relay, &token).await?, "too_far");
    }
    // What one of them has is watched at the other.
    let broadcast = one.broadcast().await?;
    let mut publisher =
        Publisher::join(one.target(), &broadcast.token(Role::Publisher), None).await?;
    let sent = publisher.keyframe(900).await?;
    sees(&mut other.known(&broadcast.id).player().await?, &sent).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fourth_link_in_a_row_is_one_too_many() -> Result<()> {
    let authority = Authority::new()?;
    let origin = authority.origin().await?;
    let broadcast = origin.broadcast().await?;
    let mut publisher = broadcast.publisher().await?;
    let sent = publisher.keyframe(800).await?;
    let mut row = vec![origin.cluster()?];
    let mut relays = Vec::new();
    for _ in 0..4 {
        let relay = authority.edge(row[row.len() - 1]).await?;
        row.push(relay.cluster()?);
        relays.push(relay);
    }
    let (last, others) = (&relays[3], &relays[..3]);
    let token = last.known(&broadcast.id).token(Role::Player);
    assert_eq!(refusal(last, &token).await?, "too_far", "cold");
    for relay in others {
        sees(&mut relay.known(&broadcast.id).player().await?, &sent).await?;
    }
    assert_eq!(refusal(last, &token).await?, "too_far", "warm");
    let over_tcp = last.target().over(Carrier::WebSocket);
    let refused = Player::join(&over_tcp, &token).await;
    assert_eq!(refused.err().map(|e| e.to_string()), Some("too_far".into()));
    Ok(())
}

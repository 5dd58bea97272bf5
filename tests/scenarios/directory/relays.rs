//! Whole relays that are told of an engine.

use steadycast_tests::http::Request;
use steadycast_tests::nats::Server;
use steadycast_tests::relay::TestRelay;

use super::*;

async fn metrics(relay: &TestRelay) -> Result<String> {
    let request = Request {
        method: "GET",
        path: "/metrics",
        ..Request::default()
    };
    let at = relay.metrics().context("no address of metrics")?;
    Ok(request.send(at).await?.body)
}

pub(super) async fn start(server: &Server, name: &str) -> Result<TestRelay> {
    let (url, name) = (server.url(), name.parse()?);
    let servers = vec![url.parse()?];
    let advertise = "relay.example:4434".parse()?;
    TestRelay::with(|config| {
        config.metrics.listen = "127.0.0.1:0".parse().ok();
        config.cluster.nats = servers;
        config.cluster.id = Some(name);
        config.cluster.lease = LEASE;
        config.cluster.advertise = Some(advertise);
    })
    .await
}

/// Waits until a relay knows of so many.
pub(super) async fn knows(relay: &TestRelay, count: usize) -> Result<()> {
    let directory = &relay.site().directory;
    let mut listener = directory.listen();
    let known = async {
        while directory.state() != State::Joined || directory.census().relays != count {
            listener.next().await;
        }
    };
    timeout(CONVERGED, known)
        .await
        .context("others are not known")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_join_say_so_and_go() -> Result<()> {
    let mut server = Server::start().await?;
    let one = start(&server, "r1").await?;
    let two = start(&server, "r2").await?;
    for relay in [&one, &two] {
        knows(relay, 2).await?;
        let text = metrics(relay).await?;
        assert!(
            text.contains("steadycast_directory_state{state=\"joined\"} 1"),
            "{text}"
        );
        assert!(text.contains("steadycast_directory_relays 2"), "{text}");
    }
    let a = id("a")?;
    one.site().directory.claim(&a, newcomer(1)).await?;
    let lease = two.site().directory.relays();
    assert_eq!(lease[0].places.links.as_deref(), Some("relay.example:4434"));
    one.stop();
    knows(&two, 1).await?;
    // Without the engine it goes on, and says so.
    server.kill();
    let mut listener = two.site().directory.listen();
    let away = async {
        while two.site().directory.state() != State::Away {
            listener.next().await;
        }
    };
    timeout(CONVERGED, away).await?;
    let text = metrics(&two).await?;
    assert!(
        text.contains("steadycast_directory_state{state=\"away\"} 1"),
        "{text}"
    );
    // Nobody could know whether another relay makes one of the same id.
    let refused = two.broadcast().await.err().context("made unseen")?;
    assert!(refused.to_string().contains("engine"), "{refused:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_by_itself_asks_nobody() -> Result<()> {
    let relay =
        TestRelay::with(|config| config.metrics.listen = "127.0.0.1:0".parse().ok()).await?;
    let text = metrics(&relay).await?;
    assert!(
        text.contains("steadycast_directory_state{state=\"alone\"} 1"),
        "{text}"
    );
    assert!(text.contains("steadycast_directory_relays 1"), "{text}");
    Ok(())
}

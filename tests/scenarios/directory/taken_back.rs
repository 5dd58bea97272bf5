//! What is taken back at one relay is so at all.

use std::time::Instant;

use steadycast_relay::auth::Power;
use steadycast_tests::nats::Server;
use steadycast_tests::relay::TestRelay;

use super::relays::{knows, start};
use super::*;

/// Of which generation links to this broadcast are by now, as a relay knows.
fn generation(relay: &TestRelay, id: &BroadcastId) -> u64 {
    relay.site().gate.generation(id).current
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_end_at_one_relay_end_at_all_whether_the_engine_was_there_or_not() -> Result<()>
{
    let mut server = Server::start().await?;
    let one = start(&server, "r1").await?;
    let two = start(&server, "r2").await?;
    for relay in [&one, &two] {
        knows(relay, 2).await?;
    }
    let a = id("a")?;
    // What is told before the others listen is told to them once they do.
    one.site().renew(&a, &[Power::Play]).await?;
    two.until("the end of links", || generation(&two, &a) == 1)
        .await?;
    let begun = Instant::now();
    one.site().renew(&a, &[Power::Play]).await?;
    two.until("the end of links", || generation(&two, &a) == 2)
        .await?;
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    // Both at once, without the engine: what both take back is taken back.
    server.kill();
    one.site().renew(&a, &[Power::Play]).await?;
    two.site().renew(&a, &[Power::Publish]).await?;
    server.restart().await?;
    for relay in [&one, &two] {
        let ended = || {
            let known = relay.site().gate.generation(&a);
            [known.play, known.publish].map(|bound| bound.generation) == [3, 3]
        };
        relay.until("the end of both kinds", ended).await?;
    }
    // An engine that has forgotten it is told, and tells one that comes later.
    server.kill();
    server.forget()?;
    server.restart().await?;
    let three = start(&server, "r3").await?;
    three
        .until("the end of links", || generation(&three, &a) == 3)
        .await
}

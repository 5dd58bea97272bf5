//! Who of several publishers is let in, and who is told to go, at whichever relays they are.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use steadycast_codec_glue::wire::{Code, ResumeSecret, Role};
use steadycast_relay::broadcast::BroadcastId;
use steadycast_relay::directory::State;
use steadycast_tests::client::Publisher;
use steadycast_tests::cluster::Cluster;
use steadycast_tests::relay::TestRelay;

use super::{Show, TOLD, all_see, nobody_left, on_air, viewers};

/// A publisher that resumes a lineage.
async fn resumes(
    relay: &TestRelay,
    id: &BroadcastId,
    lineage: Option<ResumeSecret>,
) -> Result<Publisher> {
    let token = relay.known(id).token(Role::Publisher);
    Publisher::join(relay.target(), &token, lineage).await
}

fn is(code: Code, refused: &anyhow::Error) -> bool {
    refused.to_string() == code.name()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_publishers_who_come_to_two_relays_at_once_one_is_left_after_a_second() -> Result<()>
{
    let cluster = Cluster::of(3).await?;
    let id = cluster.broadcast().await?;
    let mut show = Show::default();
    let mut first = cluster.relays[2].known(&id).publisher().await?;
    let sent = show.keyframe(&mut first).await?;
    let mut viewers = viewers(&cluster, &id).await?;
    all_see(&mut viewers, &sent).await?;
    for round in 0..10 {
        let (one, two) = tokio::join!(
            resumes(&cluster.relays[0], &id, None),
            resumes(&cluster.relays[1], &id, None),
        );
        let both = Instant::now();
        let mut publisher = match (one, two) {
            (Ok(one), Err(refused)) | (Err(refused), Ok(one)) => {
                ensure!(is(Code::Superseded, &refused), "{refused}");
                one
            }
            (Ok(mut one), Ok(mut two)) => {
                let one_goes = tokio::select! {
                    said = one.control.goodbye() => said.map(|said| (said, true)),
                    said = two.control.goodbye() => said.map(|said| (said, false)),
                };
                let (said, is_one) = one_goes?;
                ensure!(said == (Code::Superseded, false), "{said:?}");
                ensure!(both.elapsed() < TOLD, "after {:?}", both.elapsed());
                if is_one { two } else { one }
            }
            (Err(one), Err(two)) => anyhow::bail!("round {round}: neither: {one}, {two}"),
        };
        let sent = show.keyframe(&mut publisher).await?;
        all_see(&mut viewers, &sent).await?;
        publisher.control.ping().await?;
    }
    nobody_left(&cluster, &id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_resumes_at_any_relay_until_another_has_taken_over() -> Result<()> {
    let cluster = Cluster::of(3).await?;
    let id = cluster.broadcast().await?;
    let mut show = Show::default();
    let mut publisher = cluster.relays[0].known(&id).publisher().await?;
    let lineage = publisher.welcome.resume;
    ensure!(lineage.is_some());
    let sent = show.keyframe(&mut publisher).await?;
    let mut viewers = viewers(&cluster, &id).await?;
    all_see(&mut viewers, &sent).await?;
    for at in [1, 2, 0, 0, 1] {
        // Its session before may be there still.
        publisher = resumes(&cluster.relays[at], &id, lineage).await?;
        ensure!(publisher.welcome.resume == lineage, "it goes on");
        let sent = show.keyframe(&mut publisher).await?;
        all_see(&mut viewers, &sent).await?;
    }
    let mut other = cluster.relays[2].known(&id).publisher().await?;
    ensure!(publisher.control.goodbye().await? == (Code::Superseded, false));
    for relay in &cluster.relays {
        let refused = resumes(relay, &id, lineage).await.err();
        let refused = refused.context("two hosts fight over a broadcast")?;
        ensure!(is(Code::Superseded, &refused), "{refused}");
    }
    let sent = show.keyframe(&mut other).await?;
    all_see(&mut viewers, &sent).await?;
    nobody_left(&cluster, &id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_engine_publishers_go_on_at_the_relay_that_has_the_claim_and_nowhere_else()
-> Result<()> {
    let mut cluster = Cluster::of(2).await?;
    let (id, mut show, mut publisher, mut viewers) = on_air(&cluster).await?;
    let lineage = publisher.welcome.resume;
    cluster.engine.kill();
    for relay in &cluster.relays {
        let away = || relay.site().directory.state() == State::Away;
        relay.until("the engine to be away", away).await?;
    }
    let sent = show.delta(&mut publisher).await?;
    all_see(&mut viewers, &sent).await?;
    let refused = resumes(&cluster.relays[1], &id, lineage).await.err();
    let refused = refused.context("a claim without the engine")?;
    ensure!(is(Code::Unclaimed, &refused), "{refused}");
    for lineage in [lineage, None] {
        publisher = resumes(&cluster.relays[0], &id, lineage).await?;
        let sent = show.keyframe(&mut publisher).await?;
        all_see(&mut viewers, &sent).await?;
    }
    cluster.engine.restart().await?;
    cluster.know_one_another().await?;
    let mut next = cluster.relays[1].known(&id).publisher().await?;
    let came = Instant::now();
    ensure!(publisher.control.goodbye().await? == (Code::Superseded, false));
    ensure!(came.elapsed() < TOLD, "after {:?}", came.elapsed());
    let sent = show.keyframe(&mut next).await?;
    all_see(&mut viewers, &sent).await?;
    nobody_left(&cluster, &id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_has_missed_a_move_tells_its_publisher_when_the_engine_is_back() -> Result<()>
{
    let mut cluster = Cluster::of(2).await?;
    let id = cluster.broadcast().await?;
    let mut show = Show::default();
    let mut cut_off = cluster.relays[0].known(&id).publisher().await?;
    let sent = show.keyframe(&mut cut_off).await?;
    let mut viewers = viewers(&cluster, &id).await?;
    all_see(&mut viewers, &sent).await?;
    cluster.engine.kill();
    for relay in &cluster.relays {
        let away = || relay.site().directory.state() == State::Away;
        relay.until("the engine to be away", away).await?;
    }
    // It asks for as long as it is refused.
    let token = cluster.relays[1].known(&id).token(Role::Publisher);
    let target = cluster.relays[1].target().clone();
    let coming = async {
        let mut tries = tokio::time::interval(Duration::from_millis(50));
        loop {
            tries.tick().await;
            match Publisher::join(&target, &token, None).await {
                Ok(publisher) => return anyhow::Ok(publisher),
                Err(refused) => ensure!(is(Code::Unclaimed, &refused), "{refused}"),
            }
        }
    };
    let back = async {
        cut_off.control.ping().await?;
        cluster.engine.restart().await?;
        anyhow::Ok(cut_off.control.goodbye().await?)
    };
    let (next, told) = tokio::join!(coming, back);
    ensure!(told? == (Code::Superseded, false));
    let mut next = next?;
    let sent = show.keyframe(&mut next).await?;
    all_see(&mut viewers, &sent).await?;
    nobody_left(&cluster, &id)
}

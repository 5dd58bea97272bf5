//! What both kinds of directory do alike.

use steadycast_relay::directory::{Alone, ClaimError, Lease, Standing};
use steadycast_tests::nats::Server;

use super::*;

fn alone() -> Result<Shared> {
    let lease = Lease {
        relay: "r1".parse()?,
        run: 1,
        places: Places::default(),
        load: Load::default(),
        standing: Standing::Ready,
        seconds: LEASE.as_secs(),
    };
    Ok(Arc::new(Alone::new(lease, RelayClock::start())))
}

/// Plays a scenario over both kinds.
macro_rules! over_both {
    ($($scenario:ident),* $(,)?) => {
        mod by_itself {
            $(#[tokio::test]
            async fn $scenario() -> anyhow::Result<()> {
                super::$scenario(super::alone()?).await
            })*
        }

        mod with_an_engine {
            $(#[tokio::test]
            async fn $scenario() -> anyhow::Result<()> {
                let server = super::Server::start().await?;
                let relay = super::Relay::join("r1", &[server.url()], 1).await?;
                super::$scenario(std::sync::Arc::new(relay.directory.clone())).await
            })*
        }
    };
}

over_both!(
    what_is_claimed_is_found_until_it_is_given_back,
    the_newest_publisher_wins_and_its_epoch_is_higher,
    a_publisher_resumes_its_own_lineage_and_no_other,
    a_home_keeps_the_lineage,
    a_relay_says_how_it_stands,
);

async fn what_is_claimed_is_found_until_it_is_given_back(directory: Shared) -> Result<()> {
    let a = id("a")?;
    assert_eq!(directory.find(&a), None);
    let claim = directory.claim(&a, newcomer(1)).await?;
    let found = directory.find(&a).context("not found")?;
    assert_eq!((found.epoch, found.is_own), (claim.epoch, true));
    assert_eq!(found.lease.context("no lease")?.relay, *directory.own());
    assert_eq!((directory.census().own, directory.census().claims), (1, 1));
    let mut listener = directory.listen();
    directory.release(&a, claim.epoch);
    let freed = timeout(CONVERGED, listener.next()).await?;
    assert_eq!(freed, Some(Ok(Event::Freed(a.clone()))));
    assert_eq!(directory.find(&a), None);
    let again = directory.claim(&a, newcomer(2)).await?;
    assert!(again.epoch > claim.epoch);
    Ok(())
}

async fn the_newest_publisher_wins_and_its_epoch_is_higher(directory: Shared) -> Result<()> {
    let a = id("a")?;
    let mut epochs = Vec::new();
    for byte in 0..5 {
        let claim = directory.claim(&a, newcomer(byte)).await?;
        assert_eq!(claim.lineage, Some(lineage(byte)));
        epochs.push(claim.epoch);
    }
    assert!(epochs.is_sorted_by(|a, b| a < b), "{epochs:?}");
    // What an older one gives back is nobody's any more.
    directory.release(&a, epochs[0]);
    assert!(directory.find(&a).is_some());
    Ok(())
}

async fn a_publisher_resumes_its_own_lineage_and_no_other(directory: Shared) -> Result<()> {
    let a = id("a")?;
    // Where none is known any is taken.
    let first = directory.claim(&a, returning(1)).await?;
    assert_eq!(first.lineage, Some(lineage(1)));
    directory.claim(&a, returning(1)).await?;
    directory.claim(&a, newcomer(2)).await?;
    let refused = directory.claim(&a, returning(1)).await;
    assert_eq!(refused, Err(ClaimError::Superseded));
    Ok(())
}

async fn a_home_keeps_the_lineage(directory: Shared) -> Result<()> {
    let a = id("a")?;
    assert_eq!(directory.claim(&a, Bid::Home).await?.lineage, None);
    directory.claim(&a, newcomer(1)).await?;
    let home = directory.claim(&a, Bid::Home).await?;
    assert_eq!(home.lineage, Some(lineage(1)));
    Ok(())
}

async fn a_relay_says_how_it_stands(directory: Shared) -> Result<()> {
    directory.stand(Standing::Draining);
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    let told = async {
        loop {
            if let [lease] = &directory.relays()[..]
                && lease.standing == Standing::Draining
            {
                return;
            }
            looks.tick().await;
        }
    };
    timeout(CONVERGED, told).await.context("nobody is told")
}

//! Links that are cut and healed between relays that have an engine: nobody is taken for dead, and nobody goes.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use steadycast_codec_glue::wire::{ClientMessage, Phase, RelayMessage};
use steadycast_relay::broadcast::BroadcastId;
use steadycast_tests::client::{PATIENCE, Publisher};
use steadycast_tests::cluster::{Cable, Cluster};
use steadycast_tests::picture::Picture;
use tokio::time::{interval, timeout};

use super::{Show, Viewer, all_see, nobody_left, viewers};

/// A lease that does not end while a scenario lasts, so that only the link says that a relay is dead.
const A_MINUTE: Duration = Duration::from_secs(60);

/// A publisher that is there, and sends a keyframe whenever it is asked for one.
pub(in super::super) struct Host {
    pub(in super::super) publisher: Publisher,
    pub(in super::super) show: Show,
}

impl Host {
    /// Goes on until that has come about.
    pub(in super::super) async fn until<T>(
        &mut self,
        what: &str,
        comes: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let going_on = async {
            let mut beats = interval(Duration::from_millis(100));
            tokio::pin!(comes);
            loop {
                tokio::select! {
                    come = &mut comes => return come,
                    _ = beats.tick() => {
                        let ping = ClientMessage::Ping { sequence: 1, sent_us: 2 };
                        self.publisher.control.send(&ping).await?;
                    }
                    message = self.publisher.control.next() => {
                        match message? {
                            RelayMessage::KeyframeRequest { .. } => {
                                self.show.keyframe(&mut self.publisher).await?;
                            }
                            RelayMessage::Goodbye { message, .. } => bail!("goodbye: {message}"),
                            _ => {}
                        }
                    }
                }
            }
        };
        let done = timeout(PATIENCE, going_on).await;
        done.unwrap_or_else(|_| bail!("waited in vain for {what}"))
    }

    pub(in super::super) async fn delta(&mut self) -> Result<Picture> {
        self.show.delta(&mut self.publisher).await
    }
}

/// Waits until all have seen that picture, or a newer one, and nothing before that they had seen already.
pub(in super::super) async fn have_seen(viewers: &mut [Viewer], sent: &Picture) -> Result<()> {
    for viewer in viewers {
        while viewer.seen < sent.len {
            let size = viewer.player.frame().await?.payload.len();
            let (at, seen) = (&viewer.at, viewer.seen);
            ensure!(size > seen, "{at}: picture {size} after {seen}");
            viewer.seen = size;
        }
    }
    Ok(())
}

/// Two relays, the second of which gets broadcasts of the first through a cable.
async fn joined_by_a_cable() -> Result<(Cluster, Cable)> {
    let listens = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let cable = Cable::to(listens).await?;
    let reached = cable.address();
    let cluster = Cluster::with(2, |number, config| {
        config.cluster.lease = A_MINUTE;
        if number == 0 {
            config.cluster.listen = Some(listens);
            config.cluster.advertise = Some(reached.into());
        }
    })
    .await?;
    Ok((cluster, cable))
}

/// The relay that has the publisher knows of no other that gets the broadcast there.
async fn is_given_up(cluster: &Cluster, id: &BroadcastId) -> Result<()> {
    let origin = &cluster.relays[0];
    let nobody = || {
        origin
            .known(id)
            .records()
            .is_ok_and(|records| records.relays == 0)
    };
    origin.until("the link to be given up", nobody).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_cut_and_healed_has_the_picture_go_on_and_the_publisher_stay() -> Result<()>
{
    let (cluster, cable) = joined_by_a_cable().await?;
    let id = cluster.broadcast().await?;
    let mut show = Show::default();
    let mut publisher = cluster.relays[0].known(&id).publisher().await?;
    let first = show.keyframe(&mut publisher).await?;
    let mut here = viewers(&cluster, &id).await?;
    all_see(&mut here, &first).await?;
    let mut behind = here.split_off(2);
    let mut host = Host { publisher, show };
    for round in 0..3 {
        cable.cut(true);
        for viewer in &mut behind {
            let held = viewer.player.control.phase(Phase::Held);
            host.until("the picture to be held", held).await?;
        }
        if round > 0 {
            // Now for so long that the session is given up on both sides.
            host.until("the end of the link", is_given_up(&cluster, &id))
                .await?;
        }
        // Its own players have what comes meanwhile.
        let sent = host.delta().await?;
        host.until(
            "a picture where nothing is cut",
            have_seen(&mut here, &sent),
        )
        .await?;
        cable.cut(false);
        for viewer in &mut behind {
            let live = viewer.player.control.phase(Phase::Live);
            host.until("the picture to go on", live).await?;
        }
        host.until("the picture that was missed", have_seen(&mut behind, &sent))
            .await?;
        let sent = host.delta().await?;
        host.until("what comes after it", have_seen(&mut behind, &sent))
            .await?;
        host.until("the same, here", have_seen(&mut here, &sent))
            .await?;
    }
    nobody_left(&cluster, &id)
}

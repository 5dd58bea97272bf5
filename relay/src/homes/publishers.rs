//! Publishers, who may come to any relay (PROTOCOL 3.5).

use std::sync::Arc;
use std::time::Duration;

use steadycast_codec_glue::wire::{Code, ResumeSecret};

use tokio::time::timeout;

use super::{Home, HomeError, Homes};
use crate::broadcast::{AttachError, Broadcast, PublisherSeat, Widths};
use crate::directory::{Bid, ClaimError, Lineage, State};
use crate::session::Comer;

/// How long a publisher waits for the engine before it is told to come again.
const BACK_WITHIN: Duration = Duration::from_secs(1);

impl Homes {
    /// Lets a publisher in at a broadcast that is here, its own or another relay's: it is claimed first, so that of two
    /// who come to two relays the newest wins. Everybody who is there stays.
    ///
    /// # Errors
    /// [`AttachError`].
    pub(crate) async fn let_in(
        &self,
        broadcast: &Arc<Broadcast>,
        comer: Comer,
    ) -> Result<PublisherSeat, AttachError> {
        let id = broadcast.id();
        let bid = Bid::Publisher {
            shown: comer.resume.as_ref().map(Lineage::of),
            fresh: Lineage::of(&comer.fresh),
        };
        let brought = match self.bring(id, bid).await {
            Err(HomeError::Claim(ClaimError::Away(_)))
                if !self.holds(id) && self.is_back().await =>
            {
                self.bring(id, bid).await
            }
            brought => brought,
        };
        let refused = match brought {
            Ok(home) => {
                let lineage = comer.resume.unwrap_or(comer.fresh);
                return self.seat(&home, lineage, comer.widths);
            }
            // Who has the claim goes on with it: nobody else can have been granted one.
            Err(HomeError::Claim(ClaimError::Away(_))) if self.holds(id) => {
                return comer.attach(broadcast, self.clock.now());
            }
            Err(refused) => refused,
        };
        tracing::info!(broadcast = %id, %refused, "a publisher is not let in");
        Err(match refused {
            HomeError::Unknown => AttachError::Ended(Code::BroadcastEnded),
            HomeError::Full => AttachError::Full,
            HomeError::Claim(ClaimError::Superseded) => AttachError::Superseded,
            HomeError::Claim(_) => AttachError::Unclaimed,
        })
    }

    /// Waits a little for an engine that may only be changing servers.
    async fn is_back(&self) -> bool {
        let mut events = self.directory.listen();
        let joined = async {
            while self.directory.state() != State::Joined {
                events.next().await;
            }
        };
        timeout(BACK_WITHIN, joined).await.is_ok()
    }

    /// Seats the publisher for whom a broadcast was claimed, unless another has claimed it since, here or elsewhere.
    fn seat(
        &self,
        home: &Home,
        lineage: ResumeSecret,
        widths: Widths,
    ) -> Result<PublisherSeat, AttachError> {
        let id = home.broadcast.id();
        let claims = self.claims.lock();
        let found = self.directory.find(id);
        let is_own = found.is_none_or(|found| found.is_own);
        match is_own && claims.get(id) == Some(&home.claim.epoch) {
            true => home
                .broadcast
                .attach_claimed(lineage, widths, self.clock.now()),
            false => Err(AttachError::Superseded),
        }
    }
}

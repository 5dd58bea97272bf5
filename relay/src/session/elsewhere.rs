//! Broadcasts that are at other relays, as sessions see them.

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use steadycast_codec_glue::wire::{Branch, Code, Hop, ResumeSecret};
use tokio::sync::watch;

use crate::broadcast::{AttachError, Broadcast, BroadcastId, PublisherSeat, RelayTime, Widths};

/// Brings broadcasts of other relays here.
pub(crate) trait Elsewhere: Send + Sync {
    /// Waits, where the relay has only just begun, until it knows whose links are good and which broadcasts there are; but
    /// not for long.
    fn begun(&self) -> Answer<'_, ()> {
        Box::pin(ready(()))
    }

    /// Brings a broadcast that is not here, for players, or for the relays that have asked for it, the last of them
    /// first. Waits until it is here, or it is known that it will not be.
    fn bring<'a>(
        &'a self,
        id: &'a BroadcastId,
        behind: &'a [Hop],
    ) -> Answer<'a, Result<Arc<Broadcast>, NotHere>>;

    /// The same for a publisher, to whom it matters less what there is to see than that it is let in: a relay that has the
    /// broadcast and does not answer is not waited for.
    fn bring_to_publish<'a>(
        &'a self,
        id: &'a BroadcastId,
    ) -> Answer<'a, Result<Arc<Broadcast>, NotHere>> {
        self.bring(id, &[])
    }

    /// The address of the relay that has a broadcast which is not here, where one may have it.
    fn whereabouts<'a>(&'a self, id: &'a BroadcastId) -> Answer<'a, Option<Arc<str>>>;

    /// Lets a publisher in at a broadcast that is here, once it is known that it is the newest at whichever relay.
    fn attach<'a>(
        &'a self,
        broadcast: &'a Arc<Broadcast>,
        comer: Comer,
    ) -> Answer<'a, Result<PublisherSeat, AttachError>>;

    /// Whether publishers may come to a broadcast that is got from another relay.
    fn takes_publishers(&self) -> bool;

    /// The relays through which a broadcast has come, this one last.
    fn way(&self, broadcast: &Broadcast) -> watch::Receiver<Vec<Hop>>;

    /// Has another relay get a broadcast that is here, for as long as what is given is kept.
    ///
    /// # Errors
    /// [`NotHere::At`] where it is to get it from one that gets it from here, and [`NotHere::NoRoom`].
    fn admit(
        &self,
        broadcast: &Broadcast,
        relay: Hop,
        about: &About,
    ) -> Result<Box<dyn Child>, NotHere>;
}

/// What a relay says of itself when it wants a broadcast (PROTOCOL 11.10).
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    /// `HOST:PORT` at which other relays reach it; `None`: it serves none.
    pub(crate) place: Option<String>,
    /// Its operator's word for where it is.
    pub(crate) region: Option<String>,
    /// Places of relays that it was sent to in vain.
    pub(crate) vain: Vec<String>,
    /// What is behind it.
    pub(crate) branch: Branch,
}

/// A relay that gets a broadcast from this one, until it is dropped.
pub(crate) trait Child: Send {
    /// It has given a sign of life.
    fn lives(&self);

    /// This is behind it by now.
    fn has_behind(&self, branch: Branch);

    /// Waits until it is to find another place. Cancel-safe.
    fn let_go(&mut self) -> Answer<'_, ()>;
}

/// Who comes to publish.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comer {
    /// The lineage that it resumes, if it does.
    pub(crate) resume: Option<ResumeSecret>,
    /// What it begins otherwise.
    pub(crate) fresh: ResumeSecret,
    /// What renditions it may be asked for.
    pub(crate) widths: Widths,
}

impl Comer {
    /// Lets it in at a broadcast that is at this relay and no other.
    pub(crate) fn attach(
        self,
        broadcast: &Arc<Broadcast>,
        now: RelayTime,
    ) -> Result<PublisherSeat, AttachError> {
        broadcast.attach_publisher(self.resume, self.fresh, self.widths, now)
    }
}

/// What is waited for.
pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why a broadcast is not here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotHere {
    /// Nobody has it.
    #[error("there is no such broadcast")]
    Unknown,
    /// Its publishers belong to another relay.
    #[error("publishers of this broadcast belong to the relay at {0}")]
    Elsewhere(Arc<str>),
    /// The relay that has it does not answer.
    #[error("the relay that has this broadcast is not reached")]
    Unreachable,
    /// It would pass through too many relays, or twice through one.
    #[error("the broadcast would pass through too many relays, or twice through one")]
    TooFar,
    /// There are as many broadcasts as there may be here.
    #[error("the relay has as many broadcasts as it may have")]
    Full,
    /// A relay that gets it from here has room for another.
    #[error("it is to be got from the relay at {0}")]
    At(Arc<str>),
    /// As many relays get it from here as may, and none of them has room for another.
    #[error("there is no room for another relay")]
    NoRoom,
    /// This relay stops, and has it from another one.
    #[error("the relay is about to go")]
    Leaving,
}

impl NotHere {
    /// The code of PROTOCOL 5.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Unknown => Code::UnknownBroadcast,
            Self::Unreachable => Code::Internal,
            Self::TooFar => Code::TooFar,
            Self::Elsewhere(_) | Self::At(_) => Code::Elsewhere,
            Self::Full | Self::NoRoom => Code::TooMany,
            Self::Leaving => Code::ShuttingDown,
        }
    }
}

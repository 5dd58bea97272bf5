//! What delivery needs of a transport.

use std::time::{Duration, Instant};

use bytes::Bytes;
use steadycast_codec_glue::wire::SoundPacket;

use super::pairs::Place;
use crate::broadcast::{Backlog, Moment};

/// One player's end of a transport.
///
/// A carrier never waits. What it cannot send yet it keeps, in order, and nothing more is given to
/// it meanwhile: so it holds one step of one player at most, and the cache holds the rest. When it
/// can go on, it says so: through whatever wakes its channel's driver, or by the time in
/// [`Carrier::due`].
pub(crate) trait Carrier {
    /// What a piece of the cache becomes here, the same for all players at one place.
    type Parcel;
    /// What a frame of sound becomes here, the same for all players.
    type Sound;
    /// What makes that of frames.
    type Sounder: Sounder<Sound = Self::Sound>;
    /// What makes parcels of pieces.
    type Packer: Packer<Parcel = Self::Parcel>;

    /// Begins a group. Of the one before everything was sent, or it was given up.
    fn open(&mut self);

    /// Takes parcels of the open group, to be sent.
    fn queue(&mut self, parcels: &[Self::Parcel], rush: Rush);

    /// Sends what may leave now.
    ///
    /// # Errors
    /// [`Gone`].
    fn send(&mut self, now: Moment) -> Result<Sent, Gone>;

    /// Sends a frame of sound as its place says, whatever else waits, or never. Whether it had room for it.
    fn hear(&mut self, sound: &Self::Sound, place: Place, now: Moment) -> bool;

    /// How far it is with what it was given.
    fn backlog(&self) -> Backlog;

    /// Gives up the open group, of which nothing is queued: what is on its way is not sent again,
    /// but for a keyframe that may not have arrived.
    fn give_up(&mut self);

    /// Gives up the open group with what is queued, and a keyframe that may not have arrived.
    fn cut(&mut self);

    /// What the path to the player carries, in bytes per second; `None` while nobody knows.
    fn carries(&self) -> Option<u64>;

    /// How long something takes to the player and back; `None` while nobody knows.
    fn round_trip(&self) -> Option<Duration>;

    /// Sends so many bytes that mean nothing, over a tenth of a second and beside what it is given, so that
    /// the path can show what it carries; instead of those that are left of the last call. Nothing where
    /// players would not know them for what they are.
    fn fill(&mut self, bytes: usize, now: Instant);

    /// Since when the player has acknowledged nothing although something is on its way to it;
    /// `None` while nothing is missed.
    fn unheard_since(&mut self, now: Instant) -> Option<Instant>;

    /// When [`Carrier::pass_time`] is due; `None`: time alone changes nothing.
    fn due(&self) -> Option<Instant>;

    /// Does what time alone makes due. True when sending may go on.
    fn pass_time(&mut self, now: Moment) -> bool;
}

/// Makes parcels of the cache's pieces, at one place of one track.
pub(crate) trait Packer: Clone {
    /// What pieces become.
    type Parcel;

    /// Makes parcels of the next pieces; of a frame that is still arriving perhaps none yet.
    fn pack(&mut self, pieces: Vec<Bytes>) -> Vec<Self::Parcel>;

    /// The rest of the frame that is arriving will not come.
    fn cut(&mut self);
}

/// Makes what players hear of frames of sound, one after the other and once for all players of a channel.
pub(crate) trait Sounder: Default {
    /// What a frame becomes.
    type Sound;

    /// Makes it of the next frame.
    fn sound(&mut self, packet: &SoundPacket) -> Self::Sound;
}

/// Whether parcels are new, or bring the player up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rush {
    /// They are sent as they come.
    Live,
    /// They were in the cache when the player came, or came back.
    CatchingUp,
}

/// How sending ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Nothing waits.
    All,
    /// The rest waits until the carrier can take more.
    Blocked,
}

/// The player cannot be sent to any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the player's connection is gone")]
pub(crate) struct Gone;

/// Why nothing more is written of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// The player takes no more of it, and goes on with the next one.
    Stopped,
    /// The player cannot be sent to any more.
    Gone,
}

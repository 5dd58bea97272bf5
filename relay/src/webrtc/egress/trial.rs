//! One player's sending by itself, without sockets, sessions or a clock: for benchmarks.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rtc_crypto::default_provider;
use rtc_shared::error::Error;
use rtc_srtp::config::SessionKeys;
use rtc_srtp::protection_profile::ProtectionProfile;

use super::assembly::Assembly;
use super::control::Control;
use super::datagrams::Datagrams;
use super::packets::{Packetizer, Packets};
use super::sender::{Exit, Sender};
use crate::broadcast::{Moment, RelayTime};
use crate::webrtc::sdp::{Media, Offer};
use crate::webrtc::srtp::{Keys, KeysError, Outgoing};

/// A player that is sent frames to nowhere.
pub struct Trial {
    sender: Sender,
    keys: Outgoing,
    control: Control,
    packets: Vec<Arc<Packets>>,
    now: Moment,
    out: Datagrams,
}

/// No such player can be.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TrialError(#[from] KeysError);

impl Trial {
    /// A player with this offer, whose keys were agreed on for this profile, and frames for it, each
    /// as it is on the wire (PROTOCOL 4.2). What the bridge does not send is left out.
    ///
    /// # Errors
    /// [`TrialError`] when there is no such protection.
    pub fn new(
        offer: &Offer,
        profile: ProtectionProfile,
        frames: impl IntoIterator<Item = Bytes>,
    ) -> Result<Self, TrialError> {
        let provider = default_provider()
            .map_err(|error| KeysError::Export(Error::Crypto(error.to_string())))?;
        let (keys, _) = Keys::of(profile, session_keys(profile)).contexts(provider)?;
        let media = Media {
            ssrc: 7,
            rtx_ssrc: 8,
            sound_ssrc: 9,
        };
        let (mut assembly, packetizer) = (Assembly::default(), Packetizer::default());
        let packets = |frame| packetizer.packets(&assembly.push(frame)?);
        Ok(Self {
            sender: Sender::new(offer, media, [0, 0]),
            keys,
            control: Control::new(false, Instant::now()),
            packets: frames.into_iter().filter_map(packets).collect(),
            now: Moment {
                relay: RelayTime::default(),
                instant: Instant::now(),
            },
            out: Datagrams::default(),
        })
    }

    /// Makes every packet of the frames, once each; returns their bytes.
    pub fn send(&mut self) -> usize {
        self.out.clear();
        let timed: Vec<_> = self.sender.time(&self.packets, false).collect();
        for mut frame in timed {
            while frame.next < frame.packets.payloads.len() {
                let mut exit = Exit {
                    keys: &mut self.keys,
                    control: &mut self.control,
                    out: &mut self.out,
                };
                self.sender
                    .send(&mut frame, usize::MAX, &mut exit, self.now);
            }
        }
        self.out.len()
    }
}

/// The keys of somebody who has nothing to keep from anybody, the same both ways.
pub(super) fn session_keys(profile: ProtectionProfile) -> SessionKeys {
    let key = || vec![7; profile.key_len()];
    let salt = || vec![7; profile.salt_len()];
    SessionKeys {
        local_master_key: key(),
        local_master_salt: salt(),
        remote_master_key: key(),
        remote_master_salt: salt(),
    }
}

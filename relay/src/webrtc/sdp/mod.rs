//! Offers and answers (RFC 8866, RFC 9429), as far as WHIP and WHEP need them.

mod answer;
mod audio;
mod carries;
mod codecs;
mod fragment;
mod offer;

pub(super) use answer::{Answer, Media, Place};
pub(super) use audio::{Opus, Red};
pub(super) use codecs::Format;
pub(super) use fragment::Restarted;
pub use fragment::{Fragment, FragmentError};
pub(super) use offer::Extension;
pub use offer::{Offer, OfferError};

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod offers;
#[cfg(test)]
mod tests;

//! The bytes of Steadycast, in one place.
//!
//! [`wire`] is what relay, publishers and players say to each other, clause by
//! clause as in PROTOCOL.md; its TypeScript twin is `codec-glue/ts`, and both
//! read the golden bytes in `codec-glue/vectors`. [`bitstream`] reads the few
//! facts that Steadycast needs from encoded video, and [`rtp`] cuts it for WebRTC.
//! [`privacy`] is how frames are sealed for people with the link.

pub mod bitstream;
pub mod privacy;
pub mod rtp;
pub mod wire;

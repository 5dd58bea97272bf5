//! Sound beside the picture: what publishers send, and what players hear of it.

mod ear;
mod heard;
mod report;
mod voice;

pub use ear::{Came, Ear, HEARD_WITHIN};
pub use heard::{Heard, listen};
pub use report::{SoundFigures, SoundReport};
pub use voice::{LASTS, Script, Voice};

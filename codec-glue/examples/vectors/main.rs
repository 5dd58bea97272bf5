//! Writes the golden vectors of the wire into `codec-glue/vectors`.
//!
//! Every file is a pure function of this program, so a second run changes
//! nothing; `tests/vectors.rs` refuses files that differ from it.

mod golden;

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    for (name, text) in golden::files() {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}

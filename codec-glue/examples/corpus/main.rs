//! Fills the corpora of the fuzz targets with seeds made from the vectors.
//!
//! Run it once before `cargo fuzz`; seeds that are there already stay as they are.

mod seeds;

use std::path::Path;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (number, (target, bytes)) in seeds::all().into_iter().enumerate() {
        let folder = corpus.join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("vector-{number:04}")), bytes)?;
    }
    Ok(())
}

//! Fills the corpora of the fuzz targets with seeds.
//!
//! Run it once before `cargo fuzz`; what the fuzzer has found meanwhile stays as it is.

use std::path::Path;

use steadycast_relay::webrtc::fuzzing::seeds;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (number, (target, bytes)) in seeds().into_iter().enumerate() {
        let folder = corpus.join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("seed-{number:04}")), bytes)?;
    }
    Ok(())
}

//! Has cargo embed the web pages anew when they have been built anew.

use std::fs;

fn main() {
    // A watched path that is missing would run this, and compile the relay, at every build.
    let _ = fs::create_dir_all("../web/dist");
    #[expect(clippy::print_stdout, reason = "this is how one speaks to cargo")]
    {
        println!("cargo::rerun-if-changed=../web/dist");
    }
}

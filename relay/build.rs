//! Has cargo embed the web pages anew when they have been built anew.

use std::fs;

fn main() {
    // A watched path that is missing would run this, and compile the relay, at every build.
    let _ = fs::create_dir_all("../web/dist");
    println!("cargo::rerun-if-changed=../web/dist");
}

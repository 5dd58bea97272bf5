//! A short run of faults: what players see of them, however long it takes on a crowded machine.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

const KINDS: &str = "kill origin,freeze origin,cut link of the origin,kill engine";

#[test]
fn nothing_is_lost_and_nobody_sees_an_older_publisher_whatever_dies() -> Result<()> {
    let ran = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["faults", "--json", "--count", "4", "--only", KINDS])
        .args(["--relays", "3", "--players", "9", "--broadcasts", "2"])
        .args(["--longest-s", "4"])
        .stderr(Stdio::inherit())
        .output()?;
    let report: Value =
        serde_json::from_slice(&ran.stdout).context("it does not come to its end")?;
    let outcomes = report["outcomes"].as_array().context("no outcomes")?;
    ensure!(outcomes.len() == 4, "{report}");
    for outcome in outcomes {
        let number = |name: &str| outcome[name].as_u64().with_context(|| name.to_owned());
        for never in ["broken", "outdated", "ended"] {
            ensure!(number(never)? == 0, "{never}: {outcome}");
        }
        ensure!(number("pictures")? > 0, "{outcome}");
    }
    Ok(())
}

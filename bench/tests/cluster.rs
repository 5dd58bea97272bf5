//! A cluster on one machine, as it is run, and what becomes of it under faults.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// A process that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn bench() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bench"))
}

#[test]
fn three_relays_come_up_with_links_and_end_with_ctrl_c() -> Result<()> {
    let cluster = bench()
        .args(["cluster", "--first-port", "0"])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut cluster = Running(cluster);
    let output = cluster.0.stdout.take().context("no output")?;
    let mut links = Vec::new();
    // What it says after that wants to be written as well.
    let mut lines = BufReader::new(output).lines();
    for line in lines.by_ref() {
        let line = line?;
        links.extend(
            line.split_whitespace()
                .find(|word| word.contains("#token="))
                .map(str::to_owned),
        );
        if links.len() == 4 {
            break;
        }
    }
    ensure!(links.len() == 4, "{links:?}");
    assert!(links[0].contains("/admin#token="), "{links:?}");
    for link in &links {
        let (page, _) = link.split_once('#').context("no fragment")?;
        let mut answer = ureq::get(page).call()?;
        let page = answer.body_mut().read_to_string()?;
        assert!(page.contains("<!doctype html>"), "{page}");
    }
    let pid = cluster.0.id().to_string();
    ensure!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()?
            .success()
    );
    let ended = cluster.0.wait()?;
    assert!(ended.success(), "{ended}");
    Ok(())
}

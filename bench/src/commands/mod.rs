//! What can be asked for on the command line, a file each.

pub mod catalog;
pub mod churn;
pub mod cluster;
pub mod directory;
pub mod fanout;
pub mod faults;
pub mod floor;
pub mod model;
pub mod network;
pub mod peer;
pub mod publish;
pub mod soak;
pub mod sweep;
pub mod watch;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// How a report is shown.
#[derive(Debug, Clone, Args)]
pub struct Output {
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Write a page with plots
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

impl Output {
    /// Shows a result as asked for: `json` or `text`.
    ///
    /// # Errors
    /// When the result is none in JSON.
    pub fn show(&self, json: &impl Serialize, text: &str) -> Result<()> {
        show(self.json, json, text)
    }

    /// Writes the page, where one is asked for.
    ///
    /// # Errors
    /// When a plot cannot be drawn or the file cannot be written.
    pub fn page(&self, page: impl FnOnce() -> Result<String>) -> Result<()> {
        let Some(path) = &self.html else {
            return Ok(());
        };
        std::fs::write(path, page()?).with_context(|| format!("writing {}", path.display()))
    }

    /// Finds out before all runs whether the page can be written after them.
    ///
    /// # Errors
    /// When its file cannot be opened.
    pub fn check(&self) -> Result<()> {
        let Some(path) = &self.html else {
            return Ok(());
        };
        let open = std::fs::File::options()
            .append(true)
            .create(true)
            .open(path);
        open.map(drop)
            .with_context(|| format!("writing {}", path.display()))
    }
}

fn show(as_json: bool, json: &impl Serialize, text: &str) -> Result<()> {
    if as_json {
        say(&serde_json::to_string(json)?);
    } else {
        say(text);
    }
    Ok(())
}

/// Shows on the terminal how far a run is.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Shows nothing where the output is for machines.
    pub fn new(quiet: bool) -> Self {
        if quiet {
            let bar = ProgressBar::hidden();
            return Self { bar };
        }
        let bar = ProgressBar::new(1);
        if let Ok(style) =
            ProgressStyle::with_template("{msg:<10} {wide_bar} {pos}/{len} {elapsed}")
        {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// A word on what happens, and how far it is, of how much.
    pub fn show(&self, what: &str, done: u64, all: u64) {
        self.bar.set_message(what.to_owned());
        self.bar.set_length(all);
        self.bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn say(text: &str) {
    println!("{text}");
}

/// Says something that is not the result.
#[expect(
    clippy::print_stderr,
    reason = "a program says on stderr how it gets on"
)]
fn remark(text: &str) {
    eprintln!("{text}");
}

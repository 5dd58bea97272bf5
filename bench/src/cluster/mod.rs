//! A cluster on this machine: relays that are processes of their own, with an engine and an authority made on the spot.

mod member;
mod ports;

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use anyhow::Result;
use steadycast_tests::cluster::{Authority, Cable};

pub use member::{ADMIN_KEY, Member, free_tcp};

/// Relays that know one another. Dropping it ends them.
pub struct Cluster {
    /// The relays.
    pub members: Vec<Member>,
    _files: Files,
}

/// How it is made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many relays.
    pub relays: usize,
    /// The port of the first one's pages, and how far apart they are; `None`: whatever is free.
    pub ports: Option<(u16, u16)>,
    /// The engine's servers, for each relay in its own order.
    pub engine: Vec<Vec<String>>,
    /// How many of them keep everything.
    pub replicas: usize,
    /// Whether links between relays can be cut.
    pub cables: bool,
    /// More flags for each relay.
    pub flags: Vec<String>,
}

/// Makes a directory that nobody else may look into.
fn private(directory: &Path) -> Result<()> {
    Ok(fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?)
}

/// A directory that goes with its owner.
struct Files(PathBuf);

impl Drop for Files {
    fn drop(&mut self) {
        // What is left behind in a temporary directory harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Cluster {
    /// Starts the relays one after another, and waits until all know of one another. Each one's tokens are good at all.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn start(plan: &Plan) -> Result<Self> {
        let directory = env::temp_dir().join(format!("steadycast-cluster-{}", process::id()));
        private(&directory)?;
        let files = Files(directory);
        let authority = Authority::new()?;
        let mut members: Vec<Member> = Vec::new();
        for number in 0..plan.relays {
            let state = files.0.join(format!("relay-{}", number + 1));
            private(&state)?;
            if let Some(first) = members.first() {
                fs::copy(first.state().join("token.key"), state.join("token.key"))?;
            }
            let papers = authority.write(&authority, &state)?;
            let mut member = Member::new(plan, number, state, &papers)?;
            if plan.cables {
                member.leads_through(Cable::to(member.links()).await?);
            }
            member.start()?;
            members.push(member);
        }
        for member in &mut members {
            member.joins().await?;
        }
        Ok(Self {
            members,
            _files: files,
        })
    }
    /// Cuts a relay off from all others, in both directions.
    ///
    /// # Errors
    /// When nothing lies between that could be cut.
    pub fn cut_off(&self, relay: usize) -> Result<()> {
        let own = self.members[relay].ports()?;
        for (number, member) in self.members.iter().enumerate() {
            match number == relay {
                true => member.cable()?.cut(true),
                false => member.cable()?.cut_from(own.clone()),
            }
        }
        Ok(())
    }

    /// Cuts the link between two relays, whichever has opened it.
    ///
    /// # Errors
    /// When nothing lies between that could be cut.
    pub fn cut_between(&self, one: usize, other: usize) -> Result<()> {
        for (to, from) in [(one, other), (other, one)] {
            let ports = self.members[from].ports()?;
            self.members[to].cable()?.cut_from(ports);
        }
        Ok(())
    }

    /// Everything comes through between all relays again.
    ///
    /// # Errors
    /// When nothing lies between that could be cut.
    pub fn heal(&self) -> Result<()> {
        let mut members = self.members.iter();
        members.try_for_each(|member| member.cable().map(|cable| cable.cut(false)))
    }
}

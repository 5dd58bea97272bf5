//! The relays that get a broadcast from this one (PROTOCOL 11.10).

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use steadycast_codec_glue::wire::{Branch, Hop};
use tokio::sync::watch;
use tokio::time::Instant;

use super::tree::{self, Asked, Asker, MOST_LINKS, Place, place};
use crate::session::{About, Answer, NotHere};

/// One that has been silent for so long has no place, until it is heard again: it may be dead.
const SILENT: Duration = Duration::from_secs(1);

/// A relay that was sent somewhere is there by then, or is not coming.
const COMES: Duration = Duration::from_secs(1);

/// What this relay is to others, and how many of them it serves.
#[derive(Debug, Clone, Default)]
pub(super) struct Own {
    /// `HOST:PORT` at which they reach it.
    pub(super) place: Option<Box<str>>,
    /// Its operator's word for where it is.
    pub(super) region: Option<Box<str>>,
    /// How many may get one broadcast from it; `None`: all that come.
    pub(super) children: Option<usize>,
}

/// Those that get one broadcast from this relay.
#[derive(Debug, Default)]
pub(super) struct Children {
    table: Mutex<Vec<Entry>>,
    /// What they are together.
    branch: watch::Sender<Branch>,
    /// Rises when they are to find another place.
    let_go: watch::Sender<u64>,
}

#[derive(Debug)]
struct Entry {
    relay: Hop,
    /// Its sessions: one for each track, and another one while it goes over to it.
    sessions: usize,
    place: Option<Arc<str>>,
    region: Option<Box<str>>,
    branch: Branch,
    /// Relays that were sent there since it said what is behind it, and when the last one was: some never come there.
    sent: u32,
    sent_at: Instant,
    /// When it gave the last sign of life.
    heard: Instant,
}

impl Entry {
    fn is(&mut self, about: &About) {
        self.place = about.place.as_deref().map(Into::into);
        self.region = about.region.as_deref().map(Into::into);
        self.branch = about.branch;
    }

    fn behind(&self) -> u32 {
        self.branch.relays.saturating_add(self.expected())
    }

    fn children(&self) -> u32 {
        self.branch.children.saturating_add(self.expected())
    }

    /// Relays that were sent there and may be about to come.
    fn expected(&self) -> u32 {
        match self.sent_at.elapsed() < COMES {
            true => self.sent,
            false => 0,
        }
    }
}

impl Children {
    /// Lets a relay in, or says where it is to get the broadcast that has come here over so many links. Whoever is a child
    /// already may have more sessions: what a relay needs besides the main track it gets from where it gets that, for
    /// numbers of epochs are each relay's own.
    pub(super) fn admit(
        self: &Arc<Self>,
        relay: Hop,
        about: &About,
        (own, links): (&Own, usize),
    ) -> Result<Child, NotHere> {
        let mut table = self.table.lock();
        match table.iter_mut().find(|entry| entry.relay == relay) {
            Some(entry) => {
                entry.sessions += 1;
                if about.place.is_some() {
                    entry.is(about);
                }
            }
            None => {
                if let Some(most) = own.children {
                    find_place(&mut table, about, own, (links, most))?;
                }
                let mut entry = Entry {
                    relay,
                    sessions: 1,
                    place: None,
                    region: None,
                    branch: Branch::default(),
                    sent: 0,
                    sent_at: Instant::now(),
                    heard: Instant::now(),
                };
                entry.is(about);
                table.push(entry);
            }
        }
        self.tell(&table);
        Ok(Child {
            children: self.clone(),
            relay,
            let_go: self.let_go.subscribe(),
        })
    }

    fn tell(&self, table: &[Entry]) {
        let branch = Branch {
            children: u32::try_from(table.len()).unwrap_or(u32::MAX),
            relays: table.iter().fold(0, |sum: u32, entry| {
                sum.saturating_add(1).saturating_add(entry.branch.relays)
            }),
            links: links_below(table.iter().map(|entry| entry.branch.links)),
        };
        self.branch.send_if_modified(|known| {
            let another = *known != branch;
            *known = branch;
            another
        });
    }

    fn change(&self, relay: Hop, change: impl FnOnce(&mut Entry)) {
        let mut table = self.table.lock();
        if let Some(entry) = table.iter_mut().find(|entry| entry.relay == relay) {
            change(entry);
        }
        table.retain(|entry| entry.sessions > 0);
        self.tell(&table);
    }

    /// What is behind this relay, and where to hear that it is something else.
    pub(super) fn branch(&self) -> watch::Receiver<Branch> {
        self.branch.subscribe()
    }

    /// All of them are to find another place, for with them there is none for this relay.
    pub(super) fn let_go(&self) {
        self.let_go.send_modify(|times| *times += 1);
    }
}

/// Links to the farthest of relays that are behind one, each of which has so many below itself. What is not true of a tree
/// is not believed.
fn links_below(below: impl Iterator<Item = u8>) -> u8 {
    let most = MOST_LINKS as u8;
    below.map(|links| links.min(most) + 1).max().unwrap_or(0)
}

/// Where a relay is to get the broadcast, by the rules of the tree.
fn find_place(
    table: &mut [Entry],
    about: &About,
    own: &Own,
    (links, most): (usize, usize),
) -> Result<(), NotHere> {
    let is_vain = |place: &str| about.vain.iter().any(|vain| vain == place);
    let mut living: Vec<_> = table
        .iter_mut()
        .filter(|entry| entry.heard.elapsed() < SILENT)
        .collect();
    let children: Vec<_> = living
        .iter()
        .map(|entry| tree::Child {
            region: entry.region.as_deref(),
            children: entry.children() as usize,
            behind: entry.behind() as usize,
            serves: entry.place.as_deref().is_some_and(|place| !is_vain(place)),
        })
        .collect();
    let asker = Asker {
        region: about.region.as_deref(),
        below: about.branch.links.into(),
    };
    let asked = Asked {
        region: own.region.as_deref(),
        links,
        most,
    };
    match place(asker, asked, &children) {
        Place::Here => Ok(()),
        Place::At(child) => {
            let entry = &mut living[child];
            entry.sent = entry
                .expected()
                .saturating_add(about.branch.relays.saturating_add(1));
            entry.sent_at = Instant::now();
            Err(entry.place.clone().map_or(NotHere::NoRoom, NotHere::At))
        }
        Place::Nowhere => Err(NotHere::NoRoom),
    }
}

/// One of a relay's sessions for a broadcast.
pub(super) struct Child {
    children: Arc<Children>,
    relay: Hop,
    let_go: watch::Receiver<u64>,
}

impl crate::session::Child for Child {
    fn lives(&self) {
        let mut table = self.children.table.lock();
        if let Some(entry) = table.iter_mut().find(|entry| entry.relay == self.relay) {
            entry.heard = Instant::now();
        }
    }

    fn has_behind(&self, branch: Branch) {
        self.children.change(self.relay, |entry| {
            (entry.branch, entry.sent) = (branch, 0);
        });
    }

    fn let_go(&mut self) -> Answer<'_, ()> {
        Box::pin(async {
            // The children outlive each of them.
            let _ = self.let_go.changed().await;
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.children
            .change(self.relay, |entry| entry.sessions -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Child as _;

    fn own(children: usize) -> Own {
        Own {
            children: Some(children),
            ..Own::default()
        }
    }

    fn at(place: &str) -> About {
        About {
            place: Some(place.to_owned()),
            ..About::default()
        }
    }

    fn admit(
        children: &Arc<Children>,
        number: u8,
        about: &About,
        most: usize,
    ) -> Result<Child, NotHere> {
        children.admit(Hop([number; 16]), about, (&own(most), 0))
    }

    fn sent_to(place: &str) -> Option<NotHere> {
        Some(NotHere::At(place.into()))
    }

    #[test]
    fn who_comes_when_there_is_no_room_is_sent_to_the_child_that_has_least_behind_it() {
        let children = Arc::default();
        let first = admit(&children, 1, &at("a:1"), 2).unwrap();
        let _second = admit(&children, 2, &at("b:1"), 2).unwrap();
        let third = |number| admit(&children, number, &at("c:1"), 2).err();
        // Those that have been sent count until the child says itself what is behind it.
        assert_eq!(third(3), sent_to("a:1"));
        assert_eq!(third(4), sent_to("b:1"));
        assert_eq!(third(5), sent_to("a:1"));
        first.has_behind(Branch::default());
        assert_eq!(third(6), sent_to("a:1"));
        // Another session of a child's is no other child.
        let again = admit(&children, 1, &at("a:1"), 2).unwrap();
        assert_eq!(children.branch().borrow().children, 2);
        drop(first);
        assert_eq!(children.branch().borrow().children, 2);
        drop(again);
        assert!(admit(&children, 7, &at("c:1"), 2).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_silent_makes_room_and_is_sent_nobody() {
        let children = Arc::default();
        let silent = admit(&children, 1, &at("a:1"), 2).unwrap();
        let lives = admit(&children, 2, &at("b:1"), 2).unwrap();
        tokio::time::advance(SILENT).await;
        lives.lives();
        let third = admit(&children, 3, &at("c:1"), 2).unwrap();
        assert_eq!(admit(&children, 4, &at("d:1"), 2).err(), sent_to("b:1"));
        drop(third);
        silent.lives();
        assert_eq!(admit(&children, 4, &at("d:1"), 2).err(), sent_to("a:1"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_sent_and_never_came_takes_no_room_for_long() {
        let children: Arc<Children> = Arc::default();
        let _only = admit(&children, 1, &at("a:1"), 1).unwrap();
        let second = |number| {
            let asked_at = children.admit(Hop([number; 16]), &at("c:1"), (&own(1), 1));
            asked_at.err()
        };
        assert_eq!(second(2), sent_to("a:1"));
        assert_eq!(second(3), Some(NotHere::NoRoom));
        tokio::time::advance(COMES / 2).await;
        children.change(Hop([1; 16]), |only| only.heard = Instant::now());
        tokio::time::advance(COMES / 2).await;
        assert_eq!(second(3), sent_to("a:1"));
    }

    #[test]
    fn nobody_is_sent_to_who_serves_none_or_was_tried_in_vain() {
        let children = Arc::default();
        let _silent = admit(&children, 1, &About::default(), 2).unwrap();
        assert_eq!(
            admit(&children, 3, &at("c:1"), 1).err(),
            Some(NotHere::NoRoom)
        );
        let _serves = admit(&children, 2, &at("b:1"), 2).unwrap();
        let mut about = at("c:1");
        assert_eq!(admit(&children, 3, &about, 2).err(), sent_to("b:1"));
        about.vain = vec!["b:1".to_owned()];
        assert_eq!(admit(&children, 3, &about, 2).err(), Some(NotHere::NoRoom));
    }

    #[test]
    fn what_is_behind_a_relay_is_what_its_children_say_and_no_more_than_can_be() {
        let children: Arc<Children> = Arc::default();
        assert_eq!(*children.branch().borrow(), Branch::default());
        let one = admit(&children, 1, &at("a:1"), 9).unwrap();
        one.has_behind(Branch {
            children: 2,
            relays: u32::MAX,
            links: u8::MAX,
        });
        let _two = admit(&children, 2, &at("b:1"), 9).unwrap();
        let behind = *children.branch().borrow();
        assert_eq!(
            (behind.children, behind.relays, behind.links),
            (2, u32::MAX, 4)
        );
        drop(one);
        let behind = *children.branch().borrow();
        assert_eq!((behind.children, behind.relays, behind.links), (1, 1, 1));
    }
}

//! Who gets each broadcast from whom, and who watches it there.

use super::outcome::Waits;

/// A broadcast at a relay.
#[derive(Debug, Default)]
pub(super) struct Here {
    pub(super) from: From,
    /// Links between the publisher's relay and this one.
    pub(super) links: usize,
    pub(super) children: Vec<usize>,
    /// How many get it through this relay.
    pub(super) behind: usize,
    pub(super) players: u64,
    /// Since when players wait for a picture, how many, and whether theirs was the relay that died.
    waiting: Vec<(u64, u64, bool)>,
    /// Whether the publisher's picture comes.
    pub(super) fed: bool,
    /// Which attempt to get it is under way; 0: none.
    pub(super) attempt: u64,
    /// When it is the relay's turn to claim it, where nobody has it that lives.
    pub(super) turn: Option<u64>,
    /// Whom it was asked for in vain while others were behind.
    pub(super) refused: u32,
}

/// Where a broadcast comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum From {
    /// From nobody yet.
    #[default]
    Nobody,
    /// The publisher is here.
    Publisher,
    /// From this relay.
    Relay(usize),
}

/// All of them.
#[derive(Debug)]
pub(super) struct Trees {
    relays: usize,
    here: Vec<Option<Box<Here>>>,
    pub(super) waits: Waits,
}

impl Trees {
    pub(super) fn new(relays: usize, broadcasts: usize) -> Self {
        let mut here = Vec::new();
        here.resize_with(relays * broadcasts, || None);
        Self {
            relays,
            here,
            waits: Waits::default(),
        }
    }

    pub(super) fn at(&self, id: usize, relay: usize) -> Option<&Here> {
        self.here[id * self.relays + relay].as_deref()
    }

    pub(super) fn at_mut(&mut self, id: usize, relay: usize) -> Option<&mut Here> {
        self.here[id * self.relays + relay].as_deref_mut()
    }

    /// The broadcast at a relay, where it is from now on, if it was not.
    pub(super) fn begin(&mut self, id: usize, relay: usize) -> &mut Here {
        self.here[id * self.relays + relay].get_or_insert_default()
    }

    /// Takes it out of a relay that has died.
    pub(super) fn lose(&mut self, id: usize, relay: usize) -> Option<Box<Here>> {
        self.here[id * self.relays + relay].take()
    }

    /// The relays that have a broadcast.
    pub(super) fn of(&self, id: usize) -> impl Iterator<Item = (usize, &Here)> {
        let row = &self.here[id * self.relays..][..self.relays];
        row.iter()
            .enumerate()
            .filter_map(|(relay, here)| Some((relay, here.as_deref()?)))
    }

    /// Links from a relay to the farthest of those that get it from there.
    pub(super) fn below(&self, id: usize, relay: usize) -> usize {
        let children = self.at(id, relay).map(|here| here.children.as_slice());
        let below = children.unwrap_or_default().iter();
        below
            .filter(|child| self.is_child(id, **child, relay))
            .map(|child| 1 + self.below(id, *child))
            .max()
            .unwrap_or(0)
    }

    fn is_child(&self, id: usize, child: usize, of: usize) -> bool {
        self.at(id, child)
            .is_some_and(|here| here.from == From::Relay(of))
    }

    /// Whether a broadcast comes to a relay through another.
    pub(super) fn comes_through(&self, id: usize, relay: usize, through: usize) -> bool {
        let mut at = relay;
        for _ in 0..self.relays {
            if at == through {
                return true;
            }
            match self.at(id, at).map(|here| here.from) {
                Some(From::Relay(parent)) => at = parent,
                _ => return false,
            }
        }
        true
    }

    /// A relay gets it from there from now on, and from nowhere else.
    pub(super) fn attach(&mut self, id: usize, relay: usize, from: From) {
        self.detach(id, relay);
        let links = match from {
            From::Relay(parent) => {
                let behind = 1 + self.at(id, relay).map_or(0, |here| here.behind);
                if let Some(here) = self.at_mut(id, parent) {
                    here.children.push(relay);
                }
                self.count(id, parent, |there| there + behind);
                self.at(id, parent).map_or(0, |here| here.links + 1)
            }
            From::Publisher | From::Nobody => 0,
        };
        if let Some(here) = self.at_mut(id, relay) {
            here.from = from;
            here.refused = 0;
        }
        self.number(id, relay, links);
    }

    /// It is got from nowhere.
    pub(super) fn detach(&mut self, id: usize, relay: usize) {
        let Some(here) = self.at_mut(id, relay) else {
            return;
        };
        let (before, behind) = (std::mem::take(&mut here.from), 1 + here.behind);
        if let From::Relay(parent) = before
            && let Some(there) = self.at_mut(id, parent)
        {
            there.children.retain(|child| *child != relay);
            self.count(id, parent, |there| there.saturating_sub(behind));
        }
    }

    /// Changes how many are behind a relay and those before it.
    fn count(&mut self, id: usize, relay: usize, change: impl Fn(usize) -> usize) {
        let mut at = relay;
        for _ in 0..self.relays {
            let Some(here) = self.at_mut(id, at) else {
                return;
            };
            here.behind = change(here.behind);
            match here.from {
                From::Relay(parent) => at = parent,
                _ => return,
            }
        }
    }

    fn number(&mut self, id: usize, relay: usize, links: usize) {
        let Some(here) = self.at_mut(id, relay) else {
            return;
        };
        here.links = links;
        for child in here.children.clone() {
            if self.is_child(id, child, relay) {
                self.number(id, child, links + 1);
            }
        }
    }

    /// Players come to a relay, which have had no picture since then.
    pub(super) fn join(&mut self, id: usize, relay: usize, (since, now): (u64, u64), lost: bool) {
        let here = self.begin(id, relay);
        here.players += 1;
        if here.fed {
            self.waits.over(now - since, 1, lost);
        } else {
            here.waiting.push((since, 1, lost));
        }
    }

    /// The publisher's picture comes to a relay; gives those to which it comes next.
    pub(super) fn feed(&mut self, id: usize, relay: usize, now: u64) -> Vec<usize> {
        let Some(here) = self.at_mut(id, relay).filter(|here| !here.fed) else {
            return Vec::new();
        };
        here.fed = true;
        let (waiting, children) = (std::mem::take(&mut here.waiting), here.children.clone());
        for (since, count, lost) in waiting {
            self.waits.over(now - since, count, lost);
        }
        children
    }

    /// It does not come any more: there, and wherever it went from there.
    pub(super) fn starve(&mut self, id: usize, relay: usize, now: u64) {
        let Some(here) = self.at_mut(id, relay).filter(|here| here.fed) else {
            return;
        };
        here.fed = false;
        let waiting: u64 = here.waiting.iter().map(|(_, count, _)| count).sum();
        let watching = here.players - waiting;
        if watching > 0 {
            here.waiting.push((now, watching, false));
        }
        for child in here.children.clone() {
            if self.is_child(id, child, relay) {
                self.starve(id, child, now);
            }
        }
    }

    /// Players that wait for a picture.
    pub(super) fn waiting(&self) -> u64 {
        let all = self.here.iter().flatten();
        all.flat_map(|here| &here.waiting)
            .map(|(_, count, _)| count)
            .sum()
    }
}

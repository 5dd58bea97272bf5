//! At whom a relay gets a broadcast: where many want it from one, that one sends some on to those that have it already.
//!
//! Everything is judged by what the relay that is asked knows of its own children. So whoever is sent on asks again
//! there, at most twice, and no relay has to know the whole tree.

/// Links between the publisher's relay and any other (PROTOCOL 11.3).
pub const MOST_LINKS: usize = 3;
/// One part of so many of an origin's places is kept for other regions, none of which has more than that.
const SHARE: usize = 4;

/// A relay that wants a broadcast.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Where it is; `None`: it does not say.
    pub region: Option<&'a str>,
    /// Links from it to the farthest of those that get the broadcast from it already.
    pub below: usize,
}

/// The relay that is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Where it is.
    pub region: Option<&'a str>,
    /// Links between the publisher's relay and it.
    pub links: usize,
    /// How many may get the broadcast from one relay.
    pub most: usize,
}

/// A relay that gets the broadcast from the one that is asked.
#[derive(Debug, Clone, Copy)]
pub struct Child<'a> {
    /// Where it is.
    pub region: Option<&'a str>,
    /// How many get the broadcast from it.
    pub children: usize,
    /// How many there are behind it in all.
    pub behind: usize,
    /// Whether others may be sent there.
    pub serves: bool,
}

/// Where a relay is to get the broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// From the relay that it has asked.
    Here,
    /// From this child, which it has to ask.
    At(usize),
    /// Nowhere here: it may ask again when nobody is behind it.
    Nowhere,
}

/// Whether a relay stays where it gets a broadcast whose publisher has moved: `from_home`: it gets it from the relay that the
/// publisher is at now; `links`: those between it and the relay that the publisher was at. Only those that got it from there
/// look for another place, with all that are behind them.
pub fn stays(from_home: bool, links: usize) -> bool {
    from_home || links > 1
}

/// Says where a relay is to get the broadcast.
///
/// Between regions it travels as seldom as may be, then over as few links as may be: a relay is sent on to a child of its
/// own region where the one that is asked is of another; else it is served here while there is room.
pub fn place(asker: Asker<'_>, asked: Asked<'_>, children: &[Child<'_>]) -> Place {
    let near = |child: &Child<'_>| child.region == asker.region;
    let is_far = asked.region != asker.region;
    let direct = |child: &Child<'_>| near(child) && child.children < asked.most;
    if is_far && let Some(at) = best(asker, asked, children, direct) {
        return Place::At(at);
    }
    if takes(asker, asked, children) {
        return Place::Here;
    }
    let sent_on = best(asker, asked, children, near);
    let sent_on = sent_on.or_else(|| best(asker, asked, children, |_| true));
    sent_on.map_or(Place::Nowhere, Place::At)
}

/// Whether the relay that is asked has room itself.
fn takes(asker: Asker<'_>, asked: Asked<'_>, children: &[Child<'_>]) -> bool {
    if asked.links + 1 + asker.below > MOST_LINKS || children.len() >= asked.most {
        return false;
    }
    // Who cannot be sent on is served before others, and regions meet at the origin alone.
    if asked.links > 0 || !may_be_sent_on(asker, asked) || asked.region.is_none() {
        return true;
    }
    let share = (asked.most / SHARE).max(1);
    let room = match asked.region == asker.region {
        true => asked.most.saturating_sub(share).max(1),
        false => share,
    };
    let there = children.iter();
    there.filter(|child| child.region == asker.region).count() < room
}

fn may_be_sent_on(asker: Asker<'_>, asked: Asked<'_>) -> bool {
    asked.links + 2 + asker.below <= MOST_LINKS
}

/// The child of these that has room and the fewest behind it.
fn best(
    asker: Asker<'_>,
    asked: Asked<'_>,
    children: &[Child<'_>],
    fits: impl Fn(&Child<'_>) -> bool,
) -> Option<usize> {
    if !may_be_sent_on(asker, asked) {
        return None;
    }
    let most = room(asked.most, MOST_LINKS - asked.links - 1);
    // Who is there at the end of its way has to be served by the child itself, which can send it no further.
    let goes_on = asked.links + 3 + asker.below <= MOST_LINKS;
    let has_room = |child: &Child<'_>| match goes_on {
        true => child.behind < most,
        false => child.children < asked.most,
    };
    let fitting = children.iter().enumerate();
    let fitting = fitting.filter(|(_, child)| child.serves && has_room(child) && fits(child));
    let best = fitting.min_by_key(|(at, child)| (child.behind, *at));
    best.map(|(at, _)| at)
}

/// How many relays there is room for over so many links behind one.
fn room(most: usize, links: usize) -> usize {
    (1..=links).fold(0, |sum: usize, link| {
        sum.saturating_add(most.saturating_pow(link as u32))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 16;

    /// A tree that grows: each relay with its region, and who gets the broadcast from it.
    struct Tree(Vec<Node>);

    struct Node {
        region: Option<&'static str>,
        links: usize,
        children: Vec<usize>,
    }

    impl Tree {
        fn new(region: Option<&'static str>) -> Self {
            Self(vec![Node {
                region,
                links: 0,
                children: Vec::new(),
            }])
        }

        fn behind(&self, at: usize) -> usize {
            let children = self.0[at].children.iter();
            children.map(|child| 1 + self.behind(*child)).sum()
        }

        /// Lets a relay in; gives how often it was sent on.
        fn join(&mut self, region: Option<&'static str>) -> usize {
            let (mut at, mut sent_on) = (0, 0);
            loop {
                let node = &self.0[at];
                let asked = Asked {
                    region: node.region,
                    links: node.links,
                    most: MOST,
                };
                let children = node.children.iter().map(|child| Child {
                    region: self.0[*child].region,
                    children: self.0[*child].children.len(),
                    behind: self.behind(*child),
                    serves: true,
                });
                let children: Vec<_> = children.collect();
                match place(Asker { region, below: 0 }, asked, &children) {
                    Place::Here => break,
                    Place::At(child) => at = node.children[child],
                    Place::Nowhere => panic!("no room for relay {}", self.0.len()),
                }
                sent_on += 1;
            }
            let links = self.0[at].links + 1;
            self.0.push(Node {
                region,
                links,
                children: Vec::new(),
            });
            let new = self.0.len() - 1;
            self.0[at].children.push(new);
            sent_on
        }
    }

    #[test]
    fn a_thousand_relays_of_three_regions_find_a_place() {
        let regions = [Some("a"), Some("b"), Some("c")];
        let mut tree = Tree::new(Some("a"));
        let sent_on = (1..1_000).map(|relay| tree.join(regions[relay % 3])).max();
        assert!(sent_on <= Some(2), "{sent_on:?}");
        for node in &tree.0 {
            assert!(node.links <= MOST_LINKS);
            assert!(node.children.len() <= MOST);
        }
        let crosses = |node: &Node| {
            let other = |child: &&usize| tree.0[**child].region != node.region;
            node.children.iter().filter(other).count()
        };
        // Two other regions get it from the origin, a few times each, and nowhere else.
        assert_eq!(crosses(&tree.0[0]), 4);
        assert_eq!(tree.0[1..].iter().map(crosses).sum::<usize>(), 0);
    }

    #[test]
    fn where_nobody_says_a_region_links_are_as_few_as_may_be() {
        let mut tree = Tree::new(None);
        let relays = MOST + MOST * MOST;
        (0..relays).for_each(|_| {
            tree.join(None);
        });
        let at = |links| tree.0.iter().filter(|node| node.links == links).count();
        assert_eq!((at(1), at(2), at(3)), (MOST, MOST * MOST, 0));
    }

    #[test]
    fn one_that_many_are_behind_is_served_by_the_origin_itself_or_lets_them_go() {
        let asked = Asked {
            region: Some("a"),
            links: 0,
            most: 4,
        };
        let child = Child {
            region: Some("b"),
            children: 0,
            behind: 0,
            serves: true,
        };
        let asker = |below| Asker {
            region: Some("b"),
            below,
        };
        assert_eq!(place(asker(0), asked, &[child]), Place::At(0));
        assert_eq!(place(asker(1), asked, &[child]), Place::At(0));
        assert_eq!(place(asker(2), asked, &[child]), Place::Here);
        assert_eq!(place(asker(2), asked, &[child; 4]), Place::Nowhere);
        assert_eq!(place(asker(3), asked, &[]), Place::Nowhere);
    }

    #[test]
    fn nobody_is_sent_where_there_is_no_room() {
        let asked = Asked {
            region: None,
            links: 2,
            most: 2,
        };
        let asker = Asker {
            region: None,
            below: 0,
        };
        let full = Child {
            region: None,
            children: 0,
            behind: 0,
            serves: true,
        };
        assert_eq!(place(asker, asked, &[full]), Place::Here);
        assert_eq!(place(asker, asked, &[full; 2]), Place::Nowhere);
        let asked = Asked { links: 1, ..asked };
        let busy = Child {
            children: 2,
            behind: 2,
            ..full
        };
        assert_eq!(place(asker, asked, &[busy, full]), Place::At(1));
        assert_eq!(place(asker, asked, &[busy; 2]), Place::Nowhere);
    }
}

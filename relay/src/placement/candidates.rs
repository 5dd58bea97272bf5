use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use steadycast_codec_glue::wire::limits;

use super::packing::{Leaver, Taker, pack};
use crate::auth::PublicUrl;
use crate::directory::{Lease, Mark, RelayId, Standing};

/// Of so many it is drawn where nobody says for which broadcast: those that are nearest, and have least to do.
const MOST: usize = 32;

/// Relays that take sessions: those that have room first, near ones among them, and of these the ones that have least to do.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidates {
    urls: Vec<PublicUrl>,
    takers: Vec<Taker>,
    /// The larger, the likelier one of the first is drawn.
    weights: Vec<f64>,
}

impl Candidates {
    /// Those among the relays that live which have pages elsewhere than this one, and take whoever comes. `before`: those
    /// that there were a moment ago.
    pub(super) fn among(leases: &[Arc<Lease>], own: &RelayId, before: &Self) -> Self {
        let pages = |lease: &Lease| lease.places.pages.clone();
        let own_lease = leases.iter().find(|lease| lease.relay == *own);
        // Of several behind one address nobody knows which one answers.
        let mut known: HashSet<_> = own_lease
            .and_then(|lease| pages(lease))
            .into_iter()
            .collect();
        let was_full = before.full();
        // Where it does not say where it is, all are as near.
        let region = own_lease.and_then(|lease| lease.places.region.clone());
        let mut others: Vec<(PublicUrl, Taker)> = leases
            .iter()
            .filter(|lease| lease.relay != *own && lease.standing == Standing::Ready)
            .filter_map(|lease| {
                let url = pages(lease)?;
                let short = url.len() <= limits::PLACE;
                let new = short && known.insert(url.clone());
                let was_full = was_full.contains(&*url);
                let mark = Mark::of_relay(&lease.relay);
                let near = region.is_none() || lease.places.region == region;
                let taker = Taker::new(mark, near, lease.load, was_full);
                Some((url.parse().ok().filter(|_| new)?, taker))
            })
            .collect();
        others.sort_by_key(|(_, taker)| (taker.full, !taker.near, taker.load.sessions));
        let sessions = |taker: &Taker| taker.load.sessions;
        let (urls, takers): (Vec<_>, Vec<_>) = others.into_iter().unzip();
        let first = &takers[..takers.len().min(MOST)];
        let usual = first.iter().map(sessions).sum::<u64>() as f64 / first.len().max(1) as f64;
        // One that has nothing to do is not to be overrun: it is twice as likely as a usual one.
        let weight = |taker: &Taker| 1.0 / (1.0 + usual + sessions(taker) as f64);
        let weights = first.iter().map(weight).collect();
        Self {
            urls,
            takers,
            weights,
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.urls.is_empty()
    }

    /// Where those are that are passed over.
    fn full(&self) -> HashSet<String> {
        let all = self.urls.iter().zip(&self.takers);
        let full = all.filter(|(_, taker)| taker.full);
        full.map(|(url, _)| url.to_string()).collect()
    }

    /// Whether they are at the same places as those, and the same are passed over.
    pub(super) fn are_as(&self, others: &Self) -> bool {
        let all = |candidates: &Self| -> HashMap<String, bool> {
            let all = candidates.urls.iter().zip(&candidates.takers);
            all.map(|(url, taker)| (url.to_string(), taker.full))
                .collect()
        };
        all(self) == all(others)
    }

    /// A handful of them in the order in which they are to be tried, by somebody of whom it is not known what they watch.
    /// What is drawn depends on `lot` alone, so that those who leave a relay at once go to different ones, most of them to
    /// those that have least to do. Near ones come first.
    pub(super) fn draw(&self, lot: u64) -> Vec<String> {
        let mut drawn: Vec<_> = self
            .urls
            .iter()
            .zip(self.takers.iter().zip(&self.weights))
            .map(|(url, (taker, weight))| {
                let url = url.to_string();
                // By weights without replacement (Efraimidis and Spirakis).
                let turn = share(lot, &url).ln() / weight;
                (!taker.near, Reverse(Turn(turn)), url)
            })
            .collect();
        drawn.sort();
        let urls = drawn.into_iter().map(|(_, _, url)| url);
        urls.take(limits::PLACES).collect()
    }

    /// The same for somebody who watches this broadcast: the relays at which all others are to be that watch it.
    pub(super) fn of(&self, broadcast: Mark, leaver: Leaver) -> Vec<String> {
        let order = pack(broadcast, &self.takers, leaver, limits::PLACES);
        let urls = order.into_iter().map(|at| self.urls[at].to_string());
        urls.collect()
    }
}

/// A number above 0 and below 1 that looks like chance.
fn share(lot: u64, url: &str) -> f64 {
    let mut hasher = DefaultHasher::new();
    (lot, url).hash(&mut hasher);
    ((hasher.finish() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

#[derive(PartialEq)]
struct Turn(f64);

impl Eq for Turn {}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Load, test_lease};

    fn lease(id: &str, pages: Option<&str>, sessions: u64) -> Lease {
        let mut lease = test_lease(id);
        lease.places.pages = pages.map(Into::into);
        lease.load = Load {
            sessions,
            players: sessions,
            ..Load::default()
        };
        lease
    }

    fn among(leases: impl IntoIterator<Item = Lease>) -> Candidates {
        let leases: Vec<_> = leases.into_iter().map(Arc::new).collect();
        Candidates::among(&leases, &"own".parse().unwrap(), &Candidates::default())
    }

    fn own() -> Lease {
        lease("own", Some("https://own.example"), 7)
    }

    #[test]
    fn who_takes_nobody_or_has_no_pages_is_no_candidate() {
        let mut draining = lease("b", Some("https://b.example"), 0);
        draining.standing = Standing::Draining;
        let long = format!("https://{}.example", "d".repeat(limits::PLACE));
        let all = [
            own(),
            draining,
            lease("c", None, 0),
            lease("d", Some(&long), 0),
            lease("e", Some("nonsense"), 0),
            lease("f", Some("https://own.example"), 0),
        ];
        assert!(among(all.clone()).is_empty());
        let more = [
            lease("g", Some("https://g.example/cast"), 0),
            lease("h", Some("https://g.example/cast"), 0),
        ];
        let candidates = among(all.into_iter().chain(more));
        assert_eq!(candidates.draw(1), ["https://g.example/cast"]);
    }

    #[test]
    fn the_same_lot_draws_the_same_and_others_draw_others() {
        let all = ["a", "b", "c", "d", "e", "f"];
        let lease = |id: &str| lease(id, Some(&format!("https://{id}.example")), 10);
        let candidates = among(all.map(lease).into_iter().chain([own()]));
        let mut firsts = HashSet::new();
        for lot in 0..200 {
            let drawn = candidates.draw(lot);
            assert_eq!(drawn, candidates.draw(lot));
            assert_eq!(drawn.len(), limits::PLACES);
            assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), limits::PLACES);
            firsts.insert(drawn[0].clone());
        }
        assert_eq!(firsts.len(), all.len(), "{firsts:?}");
    }

    #[test]
    fn most_go_where_there_is_least_to_do_and_none_is_overrun() {
        let candidates = among([
            own(),
            lease("idle", Some("https://idle.example"), 0),
            lease("busy", Some("https://busy.example"), 1_000),
            lease("busier", Some("https://busier.example"), 2_000),
        ]);
        let first = |url: &str| {
            let lots = 0..3_000;
            lots.filter(|lot| candidates.draw(*lot)[0] == url).count()
        };
        let [idle, busy, busier] =
            ["idle", "busy", "busier"].map(|id| first(&format!("https://{id}.example")));
        assert!(idle > busy && busy > busier, "{idle} {busy} {busier}");
        assert!(busier > 300, "{idle} {busy} {busier}");
    }

    #[test]
    fn those_of_the_own_region_come_first_and_others_where_there_are_no_more() {
        let of = |id: &str, region: Option<&str>, sessions| {
            let mut lease = lease(id, Some(&format!("https://{id}.example")), sessions);
            lease.places.region = region.map(Into::into);
            lease
        };
        let others = [
            of("near", Some("eu"), 900),
            of("far", Some("us"), 0),
            of("somewhere", None, 0),
        ];
        let near = among(others.clone().into_iter().chain([of("own", Some("eu"), 7)]));
        for lot in 0..50 {
            let drawn = near.draw(lot);
            assert_eq!((&*drawn[0], drawn.len()), ("https://near.example", 3));
        }
        // One that does not say where it is has no region of its own.
        let anywhere = among(others.into_iter().chain([of("own", None, 7)]));
        let first = |lot| anywhere.draw(lot)[0] == "https://near.example";
        assert!(!(0..50).all(first));
    }

    #[test]
    fn who_is_drawn_from_where_there_are_hundreds_has_least_to_do() {
        let lease = |n: u64| {
            let url = format!("https://r{n}.example");
            lease(&format!("r{n}"), Some(&url), n)
        };
        let candidates = among((0..200).map(lease).chain([own()]));
        for lot in 0..50 {
            for url in candidates.draw(lot) {
                let n: u64 = url["https://r".len()..]
                    .split('.')
                    .next()
                    .unwrap()
                    .parse()
                    .unwrap();
                assert!(n < MOST as u64, "{url}");
            }
        }
    }

    #[test]
    fn another_place_is_a_change_and_so_is_one_that_is_full_or_no_longer() {
        let b = |sessions| lease("b", Some("https://b.example"), sessions);
        let c = lease("c", Some("https://c.example"), 5);
        let of = |lease: Lease, before: &Candidates| {
            let leases = [own(), lease, c.clone()].map(Arc::new);
            Candidates::among(&leases, &"own".parse().unwrap(), before)
        };
        let taken = |taken| {
            let mut lease = b(1);
            (lease.load.taken, lease.load.most) = (taken, 100);
            lease
        };
        let first = of(b(1), &Candidates::default());
        assert!(of(b(90), &first).are_as(&first));
        assert!(!among([own(), c.clone()]).are_as(&first));
        assert!(of(taken(79), &first).are_as(&first));
        let full = of(taken(80), &first);
        assert!(!full.are_as(&first));
        assert!(of(taken(75), &full).are_as(&full));
        assert!(of(taken(69), &full).are_as(&first));
    }

    #[test]
    fn all_who_watch_the_same_are_told_the_same_at_whichever_relay_they_are() {
        let names = ["a", "b", "c", "d", "e", "f"];
        let all = names.map(|id| lease(id, Some(&format!("https://{id}.example")), 10));
        let all = all.map(Arc::new);
        let at = |own: &str| Candidates::among(&all, &own.parse().unwrap(), &Candidates::default());
        let mut firsts = HashSet::new();
        for number in 0..40 {
            let about = Mark::of_broadcast(&format!("b{number}").parse().unwrap());
            let alone = Leaver { of: 1, turn: 0.3 };
            let everywhere = at("elsewhere").of(about, alone);
            assert_eq!(everywhere.len(), limits::PLACES);
            firsts.insert(everywhere[0].clone());
            for own in names {
                let here = at(own).of(about, alone);
                let own = format!("https://{own}.example");
                let others = everywhere.iter().filter(|url| **url != own);
                assert!(here.iter().zip(others).all(|(here, other)| here == other));
            }
        }
        assert_eq!(firsts.len(), names.len(), "{firsts:?}");
    }
}

use std::cmp::Reverse;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use steadycast_codec_glue::wire::limits;

use crate::auth::PublicUrl;
use crate::directory::{Lease, RelayId, Standing};

/// Of so many it is drawn: those that are nearest, and have least to do.
const MOST: usize = 32;

/// Relays that take sessions, those that are near first, and of these the ones that have least to do.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidates(Vec<Candidate>);

#[derive(Debug, Clone)]
struct Candidate {
    url: PublicUrl,
    /// The larger, the likelier it is drawn.
    weight: f64,
}

impl Candidates {
    /// Those among the relays that live which have pages elsewhere than this one, and take whoever comes.
    pub(super) fn among(leases: &[Arc<Lease>], own: &RelayId) -> Self {
        let pages = |lease: &Lease| lease.places.pages.clone();
        let own_pages = leases.iter().find(|lease| lease.relay == *own);
        // Of several behind one address nobody knows which one answers.
        let mut known: HashSet<_> = own_pages
            .and_then(|lease| pages(lease))
            .into_iter()
            .collect();
        let mut others: Vec<_> = leases
            .iter()
            .filter(|lease| lease.relay != *own && lease.standing == Standing::Ready)
            .filter_map(|lease| {
                let url = pages(lease)?;
                let short = url.len() <= limits::PLACE;
                let new = short && known.insert(url.clone());
                Some((url.parse().ok().filter(|_| new)?, lease.load.sessions))
            })
            .collect();
        others.sort_by_key(|(_, sessions)| *sessions);
        others.truncate(MOST);
        let all: u64 = others.iter().map(|(_, sessions)| sessions).sum();
        let usual = all as f64 / others.len().max(1) as f64;
        let candidate = |(url, sessions)| Candidate {
            url,
            // One that has nothing to do is not to be overrun: it is twice as likely as a usual one.
            weight: 1.0 / (1.0 + usual + sessions as f64),
        };
        Self(others.into_iter().map(candidate).collect())
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they are at the same places as those.
    pub(super) fn are_where(&self, others: &Self) -> bool {
        let urls = |candidates: &Self| -> HashSet<String> {
            let urls = candidates.0.iter();
            urls.map(|candidate| candidate.url.to_string()).collect()
        };
        urls(self) == urls(others)
    }

    /// A handful of them in the order in which they are to be tried. What is drawn depends on `lot` alone, so that
    /// those who leave a relay at once go to different ones, most of them to those that have least to do.
    pub(super) fn draw(&self, lot: u64) -> Vec<String> {
        let mut drawn: Vec<_> = self
            .0
            .iter()
            .map(|Candidate { url, weight }| {
                let url = url.to_string();
                // By weights without replacement (Efraimidis and Spirakis).
                let turn = share(lot, &url).ln() / weight;
                (Reverse(Turn(turn)), url)
            })
            .collect();
        drawn.sort();
        let urls = drawn.into_iter().map(|(_, url)| url);
        urls.take(limits::PLACES).collect()
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
        };
        lease
    }

    fn among(leases: impl IntoIterator<Item = Lease>) -> Candidates {
        let leases: Vec<_> = leases.into_iter().map(Arc::new).collect();
        Candidates::among(&leases, &"own".parse().unwrap())
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
    fn only_another_place_is_a_change() {
        let b = |sessions| lease("b", Some("https://b.example"), sessions);
        let c = lease("c", Some("https://c.example"), 5);
        assert!(among([own(), b(1), c.clone()]).are_where(&among([own(), b(90), c.clone()])));
        assert!(!among([own(), b(1), c.clone()]).are_where(&among([own(), c])));
    }
}

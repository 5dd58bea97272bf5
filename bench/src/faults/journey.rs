//! Where a client goes next, as pages choose it: of the relays that it was told of, each once before any comes again.

use std::time::{Duration, Instant};

use super::ground::Ground;

/// Between two rounds in which all have failed; doubles, up to this.
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Which relays a client knows, and where it has been.
#[derive(Debug)]
pub(super) struct Journey {
    /// In the order in which they are to be tried.
    known: Vec<usize>,
    tried: Vec<usize>,
    rounds: u32,
    /// Not before then.
    from: Instant,
}

impl Journey {
    /// Knows nothing but that there are so many.
    pub(super) fn new(relays: usize, at: usize) -> Self {
        Self {
            known: (1..relays).map(|next| (at + next) % relays).collect(),
            tried: Vec::new(),
            rounds: 0,
            from: Instant::now(),
        }
    }

    /// It is told of these; none is no news.
    pub(super) fn knows(&mut self, urls: &[String], ground: &Ground) {
        let told: Vec<_> = urls.iter().filter_map(|url| ground.at(url)).collect();
        if !told.is_empty() {
            self.known = told;
        }
    }

    /// The next to be tried by one who is at `kept`; `None`: not now.
    pub(super) fn next(&mut self, kept: usize) -> Option<usize> {
        if Instant::now() < self.from {
            return None;
        }
        let known = self.known.iter().copied();
        let next = known
            .filter(|one| *one != kept)
            .find(|one| !self.tried.contains(one));
        match next {
            Some(next) => self.tried.push(next),
            None => {
                self.tried.clear();
                let pause = PAUSE * 2_u32.pow(self.rounds.min(4));
                self.from = Instant::now() + pause.min(LONGEST_PAUSE);
                self.rounds += 1;
            }
        }
        next
    }

    /// All is well where it is.
    pub(super) fn rests(&mut self) {
        self.tried.clear();
        self.rounds = 0;
        self.from = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use steadycast_tests::client::{Carrier, Target};

    use super::*;

    #[test]
    fn each_of_those_that_are_known_is_tried_once_and_then_there_is_a_pause() {
        let target = |port| Target {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            certificate: [0; 32],
            carrier: Carrier::WebTransport,
        };
        let ground = Ground::new((1..=4).map(target).collect());
        let mut journey = Journey::new(4, 1);
        assert_eq!(journey.next(1), Some(2));
        let urls = [3, 1, 9, 2].map(|port| format!("http://127.0.0.1:{port}/"));
        journey.knows(&urls, &ground);
        journey.knows(&[], &ground);
        journey.rests();
        assert_eq!([0; 3].map(|_| journey.next(0)), [Some(2), Some(1), None]);
        assert_eq!(journey.next(0), None, "not before the pause is over");
        journey.rests();
        assert_eq!(journey.next(2), Some(0));
    }
}

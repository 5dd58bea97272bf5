//! The ways to one peer, and which of them the peer itself has answered on.
//!
//! A check that carries the session's password shows that its sender knows the session, not that it
//! is where it says: whoever has a session can send one from any address. So nothing but answers goes to
//! an address before a check of the relay's own was answered from there (RFC 8445, 7.2), and what is
//! sent there goes on only while such checks are answered (RFC 7675).

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::allowance::Allowance;
use crate::shard::Remote;

/// Addresses of one peer that are remembered.
const PATHS: usize = 16;
/// A path is silent after this; browsers check theirs every 2.5 s, others every 5 s.
const SILENCE: Duration = Duration::from_secs(6);
/// How often a peer is asked whether it still wants what it is sent (RFC 7675, 5.1).
const CONSENT: Duration = Duration::from_secs(5);
/// So long it goes on without an answer.
const EXPIRY: Duration = Duration::from_secs(30);
/// A question is asked again after this, and after twice as long, when no answer came: packets are lost.
const AGAIN: Duration = Duration::from_millis(100);
/// Nor more often than this, however many checks come.
const LEAST: Duration = Duration::from_millis(40);
/// Questions to addresses that have not answered: so many at once, and one more after each time of this.
const AT_ONCE: u32 = 24;
const EVERY: Duration = Duration::from_millis(100);
/// Questions without a check of the peer's in between.
const UNASKED: u32 = 2;
/// To an address that has not answered goes at most so many times what came from there: it may be
/// somebody else's (as RFC 9000, 8.1 has it).
const AMPLIFIED: usize = 3;

/// A way to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::webrtc) struct Path {
    /// Where the peer is.
    pub(in crate::webrtc) remote: Remote,
    /// The relay's own, where it has several.
    pub(in crate::webrtc) local: Option<IpAddr>,
}

/// What a check of the relay's own is known by: its STUN transaction.
pub(in crate::webrtc) type QuestionId = [u8; 12];

#[derive(Debug, Clone, Copy)]
struct Known {
    path: Path,
    /// When a check of the peer's came from there last.
    heard: Instant,
    /// When it last answered there.
    answered: Option<Instant>,
    question: Option<Question>,
    /// Bytes that may be sent there before it answers.
    credit: usize,
}

#[derive(Debug, Clone, Copy)]
struct Question {
    id: QuestionId,
    /// When it was asked last.
    at: Instant,
    /// How often, since the peer was heard from there.
    times: u32,
}

/// The ways to one peer.
#[derive(Debug)]
pub(in crate::webrtc) struct Paths {
    known: Vec<Known>,
    selected: Option<Path>,
    /// What the peer has nominated and not answered on yet.
    wanted: Option<Path>,
    /// Whether the peer is asked at all: who is sent nothing but control packets is taken at its word.
    asks: bool,
    /// Where a peer that is not asked last sent something from that only it can send.
    spoke: Option<(Remote, Instant)>,
    /// Questions to where it has not answered.
    questions: Allowance,
}

impl Paths {
    /// Of a peer that is sent media (`asks`), or of one that sends it.
    pub(in crate::webrtc) fn new(asks: bool) -> Self {
        Self {
            known: Vec::new(),
            selected: None,
            wanted: None,
            asks,
            spoke: None,
            questions: Allowance::new(AT_ONCE, EVERY),
        }
    }

    /// Everywhere that the peer's checks came from.
    pub(in crate::webrtc) fn remotes(&self) -> impl Iterator<Item = Remote> {
        self.known.iter().map(|known| known.path.remote)
    }

    /// Where to send; `None` until the peer is known to be somewhere.
    pub(in crate::webrtc) fn selected(&self) -> Option<Path> {
        self.selected
    }

    fn get(&self, path: Path) -> Option<&Known> {
        self.known.iter().find(|known| known.path == path)
    }

    fn get_mut(&mut self, path: Path) -> Option<&mut Known> {
        self.known.iter_mut().find(|known| known.path == path)
    }

    /// Whether anything but answers may be sent there.
    pub(in crate::webrtc) fn is_open(&self, path: Path) -> bool {
        self.get(path)
            .is_some_and(|known| !self.asks || known.answered.is_some())
    }

    /// Whether the peer has lately shown that it is there.
    pub(in crate::webrtc) fn is_at(&self, remote: Remote, now: Instant) -> bool {
        let lately = |at: Instant| is_lately(at, now);
        let mut here = self
            .known
            .iter()
            .filter(|known| known.path.remote == remote);
        here.any(|known| known.answered.is_some_and(lately))
            || self
                .spoke
                .is_some_and(|(from, at)| from == remote && lately(at))
    }

    /// The peer has sent something from there that nobody else can send. That says who it is, and
    /// for one that is asked not where.
    pub(in crate::webrtc) fn spoke(&mut self, from: Remote, now: Instant) {
        if !self.asks {
            self.spoke = Some((from, now));
        }
    }

    /// Whether the peer has answered nothing for too long where it is sent to.
    pub(in crate::webrtc) fn has_expired(&self, now: Instant) -> bool {
        let selected = self.selected.filter(|_| self.asks);
        let answered = selected.and_then(|path| self.get(path)?.answered);
        answered.is_some_and(|answered| now.duration_since(answered) > EXPIRY)
    }

    /// Takes note of a verified check from there. Gives what is forgotten for it.
    pub(in crate::webrtc) fn hear(
        &mut self,
        path: Path,
        nominates: bool,
        now: Instant,
    ) -> Option<Remote> {
        let forgotten = match self.known.iter_mut().find(|known| known.path == path) {
            Some(known) => {
                known.heard = now;
                let stale = |at: Instant| now.duration_since(at) > CONSENT + SILENCE;
                if Some(path) != self.selected && known.answered.is_some_and(stale) {
                    // That it was there once is no proof that it is.
                    (known.answered, known.question, known.credit) = (None, None, 0);
                }
                if let Some(question) = &mut known.question {
                    question.times = 0;
                }
                None
            }
            None => self.remember(path, now),
        };
        if nominates {
            self.wanted = Some(path);
        }
        self.select(path, now);
        forgotten
    }

    fn remember(&mut self, path: Path, now: Instant) -> Option<Remote> {
        self.known.push(Known {
            path,
            heard: now,
            answered: None,
            question: None,
            credit: 0,
        });
        if self.known.len() <= PATHS {
            return None;
        }
        let others = self.known.iter().enumerate();
        let others =
            others.filter(|(_, known)| Some(known.path) != self.selected && known.path != path);
        // Where it has answered it is known to be; forged addresses make way before that.
        let oldest = others.min_by_key(|(_, known)| (known.answered.is_some(), known.heard));
        let oldest = oldest.map(|(at, _)| at)?;
        let gone = self.known.remove(oldest).path.remote;
        let left = self.known.iter().any(|known| known.path.remote == gone);
        (!left).then_some(gone)
    }

    /// Uses a path that may be used, where it is the one to use.
    fn select(&mut self, path: Path, now: Instant) {
        if !self.is_open(path) {
            return;
        }
        let silent = |selected: Path| {
            self.get(selected)
                .is_none_or(|known| now.duration_since(known.heard) > SILENCE)
        };
        // Whose address has changed under way (a NAT forgot it) checks the new one at once, and
        // may not nominate it for a while.
        if self.wanted == Some(path) || self.selected.is_none_or(silent) {
            self.selected = Some(path);
            self.wanted = None;
        }
    }

    /// A connection has ended: the peer is elsewhere, or nowhere for now.
    pub(in crate::webrtc) fn lose(&mut self, remote: Remote, now: Instant) {
        self.known.retain(|known| known.path.remote != remote);
        self.wanted.take_if(|wanted| wanted.remote == remote);
        self.spoke.take_if(|(from, _)| *from == remote);
        if self
            .selected
            .take_if(|path| path.remote == remote)
            .is_some()
        {
            let there = |known: &&Known| match self.asks {
                true => known.answered.is_some_and(|at| is_lately(at, now)),
                false => is_lately(known.heard, now),
            };
            let there = self.known.iter().filter(there);
            let newest = there.max_by_key(|known| known.heard);
            self.selected = newest.map(|known| known.path);
        }
    }

    /// A connection that is not used and by which nothing has come for long.
    pub(in crate::webrtc) fn idle_connection(&self, now: Instant) -> Option<Remote> {
        let mut known = self.known.iter();
        let idle = known.find(|known| {
            known.path.remote.connection.is_some()
                && Some(known.path) != self.selected
                && now.duration_since(known.heard) > EXPIRY
        })?;
        Some(idle.path.remote)
    }

    /// So many bytes of checks came from there.
    pub(in crate::webrtc) fn received(&mut self, path: Path, bytes: usize) {
        if let Some(known) = self.get_mut(path) {
            known.credit = known.credit.saturating_add(AMPLIFIED * bytes);
        }
    }

    /// So many bytes of answers and questions went there.
    pub(in crate::webrtc) fn sent(&mut self, path: Path, bytes: usize) {
        if let Some(known) = self.get_mut(path) {
            known.credit = known.credit.saturating_sub(bytes);
        }
    }

    /// The path on which the peer is to be asked now, with a question of `length` bytes; and the
    /// question's id where it is asked again.
    pub(in crate::webrtc) fn due(
        &self,
        length: usize,
        now: Instant,
    ) -> Option<(Path, Option<QuestionId>)> {
        if !self.asks {
            return None;
        }
        // Whoever has a session can name ever more addresses: what they get in all is little.
        let may_ask = self.questions.is_left(now);
        let due = self.known.iter().find(|known| match known.question {
            None | Some(_) if known.answered.is_none() && !(may_ask && known.credit >= length) => {
                false
            }
            None if known.answered.is_none() => true,
            None => {
                let consent = known.answered.map(|answered| answered + CONSENT);
                Some(known.path) == self.selected && consent.is_some_and(|due| due <= now)
            }
            // Consent is asked for in its own time, whatever is lost (RFC 7675, 5.1).
            Some(question) if known.answered.is_some() => {
                Some(known.path) == self.selected && question.at + CONSENT <= now
            }
            Some(Question { at, times: 0, .. }) => at + LEAST <= now,
            Some(Question { at, times, .. }) => times <= UNASKED && at + AGAIN * times <= now,
        })?;
        let again = due.question.filter(|_| due.answered.is_none());
        Some((due.path, again.map(|question| question.id)))
    }

    /// The peer is being asked there.
    pub(in crate::webrtc) fn asked(&mut self, path: Path, id: QuestionId, now: Instant) {
        if let Some(known) = self.known.iter_mut().find(|known| known.path == path) {
            if known.answered.is_none() {
                self.questions.spend(now);
            }
            let before = known.question.filter(|question| question.id == id);
            known.question = Some(Question {
                id,
                at: now,
                times: before.map_or(0, |before| before.times) + 1,
            });
        }
    }

    /// Whether this question is open there.
    pub(in crate::webrtc) fn awaits(&self, path: Path, id: QuestionId) -> bool {
        let mut open = self
            .known
            .iter()
            .filter(|known| known.path.remote == path.remote);
        open.any(|known| known.question.is_some_and(|question| question.id == id))
    }

    /// The peer has answered: it is there.
    pub(in crate::webrtc) fn answered(&mut self, id: QuestionId, now: Instant) {
        let asked = |known: &&mut Known| known.question.is_some_and(|open| open.id == id);
        let Some(known) = self.known.iter_mut().find(asked) else {
            return;
        };
        known.question = None;
        known.answered = Some(now);
        let path = known.path;
        self.select(path, now);
    }
}

fn is_lately(at: Instant, now: Instant) -> bool {
    now.duration_since(at) < CONSENT + SILENCE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(port: u16) -> Path {
        Path {
            remote: Remote::udp(([192, 0, 2, 1], port).into()),
            local: None,
        }
    }

    fn id(number: u8) -> QuestionId {
        [number; 12]
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// In a test that is not about bytes.
    fn due(paths: &Paths, now: Instant) -> Option<(Path, Option<QuestionId>)> {
        paths.due(0, now)
    }

    #[test]
    fn to_where_nothing_was_answered_goes_little_more_than_came_from_there() {
        const CHECK: usize = 100;
        const QUESTION: usize = 116;
        let now = Instant::now();
        let mut paths = Paths::new(true);
        let (mut came, mut went) = (0, 0);
        for check in 0..100 {
            let at = now + ms(500) * check;
            paths.hear(path(2), true, at);
            paths.received(path(2), CHECK);
            paths.sent(path(2), 64);
            (came, went) = (came + CHECK, went + 64);
            for tick in 0..25 {
                let at = at + ms(20) * tick;
                if let Some((due, again)) = paths.due(QUESTION, at)
                    && due == path(2)
                {
                    paths.asked(due, again.unwrap_or(id(2)), at);
                    paths.sent(due, QUESTION);
                    went += QUESTION;
                }
            }
            assert!(went <= AMPLIFIED * came, "{went} for {came}");
        }
        assert!(went > 2 * came, "a packet may be lost: it is asked twice");
    }

    /// A peer that has answered on port 1.
    fn connected(now: Instant) -> Paths {
        let mut paths = Paths::new(true);
        paths.hear(path(1), true, now);
        paths.asked(path(1), id(1), now);
        paths.answered(id(1), now);
        assert_eq!(paths.selected(), Some(path(1)));
        paths
    }

    #[test]
    fn nothing_is_sent_where_no_question_was_answered() {
        let now = Instant::now();
        let mut paths = Paths::new(true);
        paths.hear(path(1), true, now);
        assert_eq!(due(&paths, now), Some((path(1), None)));
        paths.asked(path(1), id(1), now);
        assert!(paths.selected().is_none() && !paths.is_open(path(1)));
        paths.answered(id(2), now);
        assert!(!paths.is_open(path(1)), "an answer to another question");
        paths.answered(id(1), now);
        assert!(paths.is_open(path(1)) && paths.selected() == Some(path(1)));
    }

    #[test]
    fn a_nominated_address_takes_over_when_it_answers_and_not_before() {
        let now = Instant::now();
        let mut paths = connected(now);
        paths.hear(path(2), true, now);
        paths.asked(path(2), id(2), now);
        assert_eq!(paths.selected(), Some(path(1)));
        paths.answered(id(2), now + ms(50));
        assert_eq!(paths.selected(), Some(path(2)));
    }

    #[test]
    fn an_address_that_never_answers_is_asked_little_and_never_used() {
        let now = Instant::now();
        let mut paths = connected(now);
        let mut asked = 0;
        for check in 0..30 {
            let at = now + Duration::from_secs(10) * check;
            paths.hear(path(1), false, at);
            paths.hear(path(2), true, at);
            for tick in 0..500 {
                let at = at + ms(20) * tick;
                if let Some((due, again)) = due(&paths, at) {
                    asked += u32::from(due == path(2));
                    let fresh = u8::from(due == path(2)) + 1;
                    paths.asked(due, again.unwrap_or(id(fresh)), at);
                    if due == path(1) {
                        paths.answered(id(1), at);
                    }
                }
            }
            assert_eq!(paths.selected(), Some(path(1)));
        }
        assert!(asked <= 30 * 3, "{asked}");
    }

    #[test]
    fn who_answers_no_more_has_withdrawn_its_consent() {
        let now = Instant::now();
        let mut paths = connected(now);
        let mut questions = 0;
        for tick in 1..=1_550 {
            let at = now + ms(20) * tick;
            assert_eq!(paths.has_expired(at), tick > 1_500);
            if let Some((due, _)) = due(&paths, at) {
                questions += 1;
                paths.asked(due, id(questions + 10), at);
            }
        }
        assert!((5..=7).contains(&questions), "{questions}");
    }

    #[test]
    fn forged_addresses_push_out_neither_the_one_in_use_nor_one_that_answered() {
        let now = Instant::now();
        let mut paths = connected(now);
        for port in 2..100 {
            paths.hear(path(port), true, now + ms(u64::from(port)));
        }
        assert!(paths.is_open(path(1)) && paths.known.len() == PATHS);
    }

    #[test]
    fn a_second_path_takes_over_on_a_new_answer_and_ends_nothing() {
        let now = Instant::now();
        let mut paths = connected(now);
        paths.hear(path(2), false, now);
        paths.asked(path(2), id(2), now);
        paths.answered(id(2), now);
        let later = now + Duration::from_secs(40);
        paths.hear(path(1), false, later);
        paths.asked(path(1), id(3), later);
        paths.answered(id(3), later);
        paths.hear(path(2), true, later);
        assert_eq!(paths.selected(), Some(path(1)), "an answer of long ago");
        assert_eq!(due(&paths, later), Some((path(2), None)));
        paths.asked(path(2), id(4), later);
        paths.answered(id(4), later);
        assert_eq!(paths.selected(), Some(path(2)));
        assert!(!paths.has_expired(later));
    }

    #[test]
    fn a_new_address_is_learnt_however_many_have_answered() {
        let now = Instant::now();
        let mut paths = Paths::new(true);
        for port in 1..=40 {
            let at = now + Duration::from_secs(u64::from(port));
            paths.hear(path(port), true, at);
            let (due, again) = due(&paths, at).unwrap();
            assert_eq!((due, again), (path(port), None));
            paths.asked(due, id(port as u8), at);
            paths.answered(id(port as u8), at);
            assert_eq!(paths.selected(), Some(path(port)));
        }
    }

    #[test]
    fn ever_more_addresses_are_asked_little_in_all() {
        let now = Instant::now();
        let mut paths = connected(now);
        let mut asked = 0;
        for number in 0..5_000u16 {
            let at = now + ms(2) * u32::from(number);
            paths.hear(path(100 + number), true, at);
            if let Some((due, again)) = due(&paths, at) {
                asked += u32::from(due != path(1));
                paths.asked(due, again.unwrap_or(id(9)), at);
            }
        }
        // Ten seconds of one in 100 ms, and those at once.
        assert!((100..=130).contains(&asked), "{asked}");
    }

    fn connection(number: u64) -> Path {
        let mut path = path(9);
        path.remote.connection = Some(number);
        path
    }

    /// A path answers a new question.
    fn answers(paths: &mut Paths, path: Path, number: u8, now: Instant) {
        paths.hear(path, false, now);
        paths.asked(path, id(number), now);
        paths.answered(id(number), now);
    }

    #[test]
    fn the_same_address_over_tcp_or_by_another_connection_is_another_path() {
        let now = Instant::now();
        let mut paths = Paths::new(true);
        answers(&mut paths, connection(1), 1, now);
        for other in [path(9), connection(2)] {
            assert!(paths.is_open(connection(1)) && !paths.is_open(other));
            paths.hear(other, true, now);
            assert!(!paths.is_open(other));
        }
        assert_eq!(paths.selected(), Some(connection(1)));
    }

    #[test]
    fn a_connection_that_ends_is_gone_at_once_and_another_path_goes_on() {
        let now = Instant::now();
        let mut paths = Paths::new(true);
        answers(&mut paths, connection(1), 1, now);
        answers(&mut paths, path(2), 2, now);
        paths.lose(connection(1).remote, now);
        assert_eq!(paths.selected(), Some(path(2)));
        assert!(!paths.is_open(connection(1)));
        let later = now + Duration::from_secs(20);
        answers(&mut paths, connection(3), 3, later);
        paths.hear(connection(3), true, later);
        assert_eq!(paths.selected(), Some(connection(3)));
        paths.lose(connection(3).remote, later);
        assert_eq!(paths.selected(), None, "it was there long ago");
        answers(&mut paths, connection(4), 4, later);
        assert_eq!(paths.selected(), Some(connection(4)));
    }

    #[test]
    fn a_connection_that_is_not_used_is_given_up_and_no_other() {
        let now = Instant::now();
        let mut paths = connected(now);
        answers(&mut paths, connection(1), 2, now);
        answers(&mut paths, path(3), 3, now);
        let later = now + EXPIRY;
        assert_eq!(paths.idle_connection(later), None);
        let later = later + ms(1);
        assert_eq!(paths.idle_connection(later), Some(connection(1).remote));
        paths.hear(connection(1), true, later);
        assert_eq!(paths.idle_connection(later), None);
    }

    #[test]
    fn who_sends_media_is_taken_at_its_word() {
        let now = Instant::now();
        let mut paths = Paths::new(false);
        paths.hear(path(1), false, now);
        assert_eq!((paths.selected(), due(&paths, now)), (Some(path(1)), None));
        paths.hear(path(2), true, now);
        assert_eq!(paths.selected(), Some(path(2)));
        assert!(!paths.has_expired(now + Duration::from_secs(600)));
    }
}

//! A player that goes by itself.

use std::time::{Duration, Instant};

use steadycast_codec_glue::wire::{Code, MediaKind};

use super::carrier::{Carrier, Gone, Packer, Rush, Sent};
use super::channel::{Channel, Player, Standing};
use super::given::Portion;
use crate::broadcast::{Before, Moment, Need, Step};

/// Nobody is looked at sooner than after this.
const TICK: Duration = Duration::from_millis(1);

/// A player that acknowledges nothing for so long, while something is on its way, is silent.
const SILENCE: Duration = Duration::from_secs(1);

impl<C: Carrier> Channel<C> {
    /// Brings a player what it has not got; it joins the others once it has everything.
    pub(super) fn advance_alone(&mut self, key: usize, now: Moment) {
        if self.players[key].standing != Standing::Alone {
            return;
        }
        loop {
            let player = &mut self.players[key];
            match player.carrier.send(now) {
                Err(Gone) => return self.end(key, Code::Done),
                Ok(Sent::Blocked) if !player.is_overtaken(now) => {
                    return self.check_stall(key, now.instant);
                }
                Ok(Sent::Blocked) => player.skip(now),
                Ok(Sent::All) => {
                    if player.take_next(now) {
                        continue;
                    }
                    if player.again.is_none() {
                        self.enter_cohort(key);
                    }
                    return;
                }
            }
        }
    }

    /// Ends a player that has acknowledged nothing for too long.
    pub(super) fn check_stall(&mut self, key: usize, now: Instant) {
        let player = &mut self.players[key];
        let stalled = |since| now.saturating_duration_since(since) >= self.limits.stall;
        if player.standing == Standing::Alone
            && player.carrier.unheard_since(now).is_some_and(stalled)
        {
            // What it does not take would be in the way of the goodbye.
            player.carrier.cut();
            self.end(key, Code::TooSlow);
        }
    }

    /// Sees to it that a player is looked at when time changes something for it.
    pub(super) fn set_timer(&mut self, key: usize, now: Moment) {
        let Some(player) = self.players.get_mut(key) else {
            return;
        };
        let mut due = player.carrier.due();
        if player.standing == Standing::Alone {
            let again = player.again.map(|again| now.instant + (again - now.relay));
            let unheard = player.carrier.unheard_since(now.instant);
            let stalls = unheard.map(|since| since + self.limits.stall);
            due = [due, again, stalls].into_iter().flatten().min();
        }
        if let Some(due) = due {
            self.timers.no_later(key, due.max(now.instant + TICK));
        }
    }
}

impl<C: Carrier> Player<C> {
    fn is_overtaken(&mut self, now: Moment) -> bool {
        let (backlog, carries) = (self.carrier.backlog(), self.carries(now.instant));
        self.seat
            .is_overtaken(MediaKind::Video, backlog, carries, now.relay)
    }

    /// What the path carries, in bytes per second. One from which nothing is heard may have carried
    /// much before, and says nothing of what it carries when it is back.
    fn carries(&mut self, now: Instant) -> Option<u64> {
        let silent = |since| now.saturating_duration_since(since) > SILENCE;
        match self.carrier.unheard_since(now).is_some_and(silent) {
            true => None,
            false => self.carrier.carries(),
        }
    }

    /// Gives up what waits: newer frames are worth more.
    fn skip(&mut self, now: Moment) {
        self.carrier.cut();
        self.packer.cut();
        self.skipped = Some(now.instant);
        self.seat.abandon(MediaKind::Video, Need::Lag, now.relay);
    }

    /// Takes the next step; false when there is nothing to send now.
    fn take_next(&mut self, now: Moment) -> bool {
        self.again = None;
        let carries = self.carries(now.instant);
        match self.seat.step(MediaKind::Video, carries, now.relay) {
            Step::Continue(pieces) => {
                self.given.add(Portion::of(&pieces), now.relay);
                let parcels = self.packer.pack(pieces);
                self.carrier.queue(&parcels, Rush::Live);
            }
            Step::Open { before, frames } => {
                if before == Before::Skip {
                    self.given.skips += 1;
                    self.carrier.give_up();
                }
                self.given.add(Portion::of(&frames), now.relay);
                self.packer.cut();
                let parcels = self.packer.pack(frames);
                self.carrier.open();
                self.carrier.queue(&parcels, Rush::CatchingUp);
            }
            Step::Abandon => {
                self.skipped = Some(now.instant);
                self.carrier.give_up();
                self.packer.cut();
            }
            Step::Cut => {
                self.carrier.cut();
                self.packer.cut();
            }
            Step::Wait { until, .. } => {
                self.again = until;
                return false;
            }
        }
        true
    }
}

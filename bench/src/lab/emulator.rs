//! Carries packets between the relay and the players, as their paths say.

use std::num::NonZeroU64;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::setpriority_process;
use rustix::thread::{gettid, set_current_timer_slack};
use steadycast_lab::{Path, Ways};

use super::lateness::Watchman;
use super::record::{Moment, PathRecord, Record};
use super::rtp::{Packet, Repeats};
use super::tunnel::Tunnel;
use super::world::{Tunnels, World};

/// How long it sleeps at most.
const DOZE: Duration = Duration::from_millis(20);
/// It does not sleep for less than this: the clock's interrupt comes later than that.
const SPIN: Duration = Duration::from_micros(60);
/// From one look at the counters to the next.
const LOOK: Duration = Duration::from_millis(100);
/// Packets that are read from one device before others have their turn.
const TURN: usize = 64;
/// Among the threads with a fixed priority, which go before all others.
const PRIORITY: &str = "10";

/// An emulator at work, on a thread of its own.
pub struct Emulator {
    begun: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
    lost_before: u64,
    thread: Option<JoinHandle<Result<Carrier>>>,
}

impl Emulator {
    /// Begins to carry packets: those of each namespace of players over a path of its own. Paths
    /// that change do so from [`Emulator::begin`] on.
    ///
    /// # Errors
    /// When there are other namespaces than `ways`.
    pub fn start(world: &World, ways: &[Ways], seed: u64) -> Result<Self> {
        ensure!(
            ways.len() == world.players().len(),
            "a path for each namespace of players"
        );
        let (begun, over) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let mut carrier = Carrier::new(world.tunnels.clone(), ways, seed);
        let (begin, stop) = (begun.clone(), over.clone());
        let lost_before = world.lost()?;
        keep_awake(&over);
        let thread = std::thread::Builder::new().name("emulator".to_owned());
        let thread = thread.spawn(move || {
            be_prompt();
            carrier.run(&begin, &stop)?;
            Ok(carrier)
        })?;
        Ok(Self {
            begun,
            over,
            lost_before,
            thread: Some(thread),
        })
    }

    /// From now on paths change as they say, with their times counted from now. What was counted
    /// before is forgotten.
    pub fn begin(&self) {
        self.begun.store(true, Ordering::Relaxed);
    }

    /// Ends it, and says what it has carried.
    ///
    /// # Errors
    /// When a device failed.
    pub fn stop(mut self, world: &World) -> Result<Record> {
        self.over.store(true, Ordering::Relaxed);
        let thread = self.thread.take().context("an emulator ends once")?;
        let carrier = thread.join();
        let carrier = carrier.map_err(|_| anyhow::anyhow!("the emulator panicked"))??;
        let lost = world.lost()?.saturating_sub(self.lost_before);
        Ok(carrier.record(lost))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Has this thread run as soon as it is ready to. What is not allowed is left out: how late the
/// emulator is gets measured in any case.
fn be_prompt() {
    let _ = set_current_timer_slack(NonZeroU64::new(1));
    let _ = setpriority_process(None, -20);
    let thread = gettid().as_raw_nonzero().to_string();
    let _ = Command::new("chrt")
        .args(["--fifo", "--pid", PRIORITY, &thread])
        .stderr(Stdio::null())
        .status();
}

/// Has the processors do something all the time, at the lowest priority there is: a virtual one
/// that sleeps is woken a millisecond late and more.
fn keep_awake(over: &Arc<AtomicBool>) {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..processors {
        let over = over.clone();
        let idle = move || {
            let thread = gettid().as_raw_nonzero().to_string();
            let _ = Command::new("chrt")
                .args(["--idle", "--pid", "0", &thread])
                .stderr(Stdio::null())
                .status();
            while !over.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        };
        // Without it the emulator may be late, and says so.
        let _ = std::thread::Builder::new()
            .name("awake".to_owned())
            .spawn(idle);
    }
}

/// One path, and what is counted of it.
struct Lane {
    path: Path<Bytes>,
    ways: Ways,
    repeats: Repeats,
    record: PathRecord,
}

struct Carrier {
    tunnels: Arc<Tunnels>,
    lanes: Vec<Lane>,
    started: Instant,
    watchman: Watchman,
    /// When paths began to change.
    begun: Duration,
    next_look: Duration,
    buffer: Vec<u8>,
}

impl Carrier {
    fn new(tunnels: Arc<Tunnels>, ways: &[Ways], seed: u64) -> Self {
        let lanes = ways.iter().enumerate().map(|(at, ways)| Lane {
            // Paths beside each other have nothing in common.
            path: Path::new(
                &Ways::of(ways.down.start, ways.up.start),
                seed.wrapping_add(at as u64 * 1_000),
            ),
            ways: ways.clone(),
            repeats: Repeats::default(),
            record: PathRecord::default(),
        });
        Self {
            tunnels,
            lanes: lanes.collect(),
            started: Instant::now(),
            watchman: Watchman::default(),
            begun: Duration::ZERO,
            next_look: Duration::ZERO,
            buffer: vec![0; 1 << 16],
        }
    }

    fn run(&mut self, begun: &AtomicBool, over: &AtomicBool) -> Result<()> {
        let tunnels = self.tunnels.clone();
        let mut changing = false;
        while !over.load(Ordering::Relaxed) {
            self.wait(&tunnels)?;
            self.take_from_relay(&tunnels.relay)?;
            for (at, tunnel) in tunnels.players.iter().enumerate() {
                self.take_from_players(at, tunnel)?;
            }
            self.give(&tunnels);
            self.look();
            if !changing && begun.load(Ordering::Relaxed) {
                changing = true;
                self.begin();
            }
        }
        Ok(())
    }

    /// Has paths change from now on, and counts from now.
    fn begin(&mut self) {
        let now = self.now();
        for lane in &mut self.lanes {
            lane.path.down.follow(now, &lane.ways.down.changes);
            lane.path.up.follow(now, &lane.ways.up.changes);
            lane.path.down.count_anew();
            lane.path.up.count_anew();
            lane.record = PathRecord::default();
        }
        self.begun = now;
        self.next_look = now;
        self.watchman = Watchman::default();
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Sleeps until a packet comes or is due, and not longer.
    fn wait(&self, tunnels: &Tunnels) -> Result<()> {
        let due = self.lanes.iter().filter_map(|lane| lane.path.next_due());
        let now = self.now();
        let left = due.min().map_or(DOZE, |due| due.saturating_sub(now));
        // A shorter sleep ends late: it is awake through the rest.
        let left = left.min(DOZE).saturating_sub(SPIN);
        let tunnels = std::iter::once(&tunnels.relay).chain(&tunnels.players);
        let mut ready: Vec<_> = tunnels
            .map(|tunnel| PollFd::new(tunnel, PollFlags::IN))
            .collect();
        let left = Timespec {
            tv_sec: 0,
            tv_nsec: left.as_nanos() as i64,
        };
        match poll(&mut ready, Some(&left)) {
            Err(rustix::io::Errno::INTR) => Ok(()),
            polled => polled.map(|_| ()).context("waiting for packets"),
        }
    }

    fn take_from_relay(&mut self, tunnel: &Tunnel) -> Result<()> {
        for _ in 0..TURN {
            let Some(len) = tunnel.take(&mut self.buffer)? else {
                return Ok(());
            };
            let now = self.now();
            let Some(packet) = Packet::of(&self.buffer[..len]) else {
                continue;
            };
            let Some(lane) = World::player_at(packet.to()).and_then(|at| self.lanes.get_mut(at))
            else {
                continue;
            };
            if packet.is_tcp() {
                lane.record.tcp_bytes += len as u64;
            } else {
                lane.record.udp_packets += 1;
                let again = lane.repeats.is_again(packet);
                lane.record.again_bytes += if again { len as u64 } else { 0 };
            }
            let bytes = Bytes::copy_from_slice(&self.buffer[..len]);
            lane.path.down.send(now, len, bytes);
        }
        Ok(())
    }

    fn take_from_players(&mut self, at: usize, tunnel: &Tunnel) -> Result<()> {
        for _ in 0..TURN {
            let Some(len) = tunnel.take(&mut self.buffer)? else {
                return Ok(());
            };
            let now = self.now();
            if Packet::of(&self.buffer[..len]).is_some() {
                let bytes = Bytes::copy_from_slice(&self.buffer[..len]);
                self.lanes[at].path.up.send(now, len, bytes);
            }
        }
        Ok(())
    }

    /// Has arrive what is due.
    fn give(&mut self, tunnels: &Tunnels) {
        let now = self.now();
        for (lane, tunnel) in self.lanes.iter_mut().zip(&tunnels.players) {
            let Path { down, up } = &mut lane.path;
            for (link, tunnel) in [(down, tunnel), (up, &tunnels.relay)] {
                while let Some(arrival) = link.poll(now) {
                    // Where nobody takes it, it is lost, as on a network.
                    let _ = tunnel.give(&arrival.packet);
                    self.watchman.arrived(arrival.at, self.started.elapsed());
                }
            }
        }
    }

    fn look(&mut self) {
        let now = self.now();
        if now < self.next_look {
            return;
        }
        self.next_look = now + LOOK;
        for lane in &mut self.lanes {
            let counters = lane.path.down.counters();
            lane.record.moments.push(Moment {
                at_ms: (now - self.begun).as_millis() as u64,
                offered_bytes: counters.offered_bytes,
                delivered_bytes: counters.delivered_bytes,
                dropped_bytes: counters.queue_drop_bytes,
                queued_bytes: lane.path.down.backlog() as u64,
            });
        }
    }

    fn record(self, lost: u64) -> Record {
        let paths = self.lanes.into_iter().map(|lane| PathRecord {
            down: lane.path.down.counters().clone(),
            up: lane.path.up.counters().clone(),
            ..lane.record
        });
        Record {
            paths: paths.collect(),
            lateness: self.watchman.lateness(),
            lost,
        }
    }
}

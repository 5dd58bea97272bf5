//! One path, and what is sent over it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn_proto::StreamId;
use quinn_proto::congestion::ControllerFactory;
use steadycast_lab::{Path, Ways};

use super::quic::{End, pair};
use super::tcp::{self, Tcp};

/// IP and UDP headers.
const HEADERS: usize = 48;

pub(crate) type Control = Arc<dyn ControllerFactory + Send + Sync>;

/// What a sender has to send.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// Video: so many bits a second at 30 frames a second, with a keyframe of so many bytes now
    /// and then; a frame is left out while older ones are too late.
    Video {
        bits: f64,
        keyframe: usize,
        every: Duration,
    },
    /// Once so many bytes, and nothing more.
    Once(usize),
    /// Always more.
    Bulk,
}

#[derive(Clone)]
enum Packet {
    Quic { flow: usize, data: Vec<u8> },
    Tcp(u64),
}

pub(crate) struct Frame {
    pub(crate) at: Duration,
    pub(crate) keyframe: bool,
    pub(crate) arrived: Option<Duration>,
}

pub(crate) struct Flow {
    server: End,
    client: End,
    source: Source,
    /// When it begins and ends.
    begin: Duration,
    end: Duration,
    next: Duration,
    number: u64,
    streams: HashMap<StreamId, usize>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) skipped: usize,
    /// Bytes that have arrived in each 100 ms.
    pub(crate) arrived: Vec<u64>,
    outstanding: u64,
    oldest: usize,
}

pub(crate) struct World {
    zero: Instant,
    now: Duration,
    path: Path<Packet>,
    pub(crate) flows: Vec<Flow>,
    tcp: Option<(Tcp, Duration, Duration)>,
    /// The queue in each 10 ms, in seconds.
    pub(crate) queue: Vec<f64>,
    pub(crate) tcp_arrived: Vec<u64>,
}

impl World {
    pub(crate) fn new(ways: &Ways, seed: u64) -> Self {
        Self {
            zero: Instant::now(),
            now: Duration::ZERO,
            path: Path::new(ways, seed),
            flows: Vec::new(),
            tcp: None,
            queue: Vec::new(),
            tcp_arrived: Vec::new(),
        }
    }

    pub(crate) fn tcp(&mut self, begin: Duration, end: Duration) {
        self.tcp = Some((Tcp::new(), begin, end));
    }

    pub(crate) fn flow(
        &mut self,
        control: Control,
        lazy_acks: bool,
        source: Source,
        begin: Duration,
        end: Duration,
    ) {
        let (server, client) = pair(self.zero + begin, control, lazy_acks);
        self.flows.push(Flow {
            server,
            client,
            source,
            begin,
            end,
            next: begin,
            number: 0,
            streams: HashMap::new(),
            frames: Vec::new(),
            skipped: 0,
            arrived: Vec::new(),
            outstanding: 0,
            oldest: 0,
        });
    }

    pub(crate) fn counters(&self) -> &steadycast_lab::Counters {
        self.path.down.counters()
    }

    /// The model of a flow's path, where it has one.
    pub(crate) fn model(&self, flow: usize) -> Option<steadycast_relay::path::Model> {
        let state = self.flows[flow].server.connection()?.congestion_state();
        let any = state.clone_box().into_any();
        any.downcast::<steadycast_relay::quic::congestion::PathController>()
            .ok()
            .map(|c| c.model().clone())
    }

    pub(crate) fn lost(&self, flow: usize) -> u64 {
        self.flows[flow]
            .server
            .connection()
            .map_or(0, |c| c.stats().path.lost_packets)
    }

    pub(crate) fn run(&mut self, until: Duration) {
        while self.now < until {
            self.step();
            let due = self.due().min(until);
            // The queue is looked at every 10 ms.
            let look = Duration::from_millis(10 * self.queue.len() as u64);
            if look <= self.now {
                let rate = self.path.down.shape().rate;
                let waits = rate.map_or(0.0, |rate| {
                    rate.takes(self.path.down.backlog()).as_secs_f64()
                });
                self.queue.push(waits);
                continue;
            }
            self.now = due.min(look).max(self.now);
        }
    }

    fn due(&mut self) -> Duration {
        let mut due = self.path.next_due().unwrap_or(Duration::MAX);
        for flow in &mut self.flows {
            for end in [&mut flow.server, &mut flow.client] {
                if let Some(at) = end.due() {
                    due = due.min(at.saturating_duration_since(self.zero));
                }
            }
            if flow.begin > self.now {
                due = due.min(flow.begin);
            } else if flow.client.connected && flow.server.connected {
                due = due.min(flow.next);
            }
        }
        if let Some((tcp, begin, end)) = &self.tcp {
            if self.now < *begin {
                due = due.min(*begin);
            } else if self.now < *end {
                due = due.min(tcp.due());
            }
        }
        due
    }

    fn step(&mut self) {
        let (now, instant) = (self.now, self.zero + self.now);
        while let Some(arrival) = self.path.down.poll(now) {
            match arrival.packet {
                Packet::Quic { flow, data } => self.flows[flow].client.receive(instant, &data),
                Packet::Tcp(number) => {
                    self.path.up.send(now, 40, Packet::Tcp(number));
                }
            }
        }
        while let Some(arrival) = self.path.up.poll(now) {
            match arrival.packet {
                Packet::Quic { flow, data } => self.flows[flow].server.receive(instant, &data),
                Packet::Tcp(number) => {
                    if let Some((tcp, _, _)) = &mut self.tcp {
                        tcp.acked(now, number);
                        add(&mut self.tcp_arrived, now, tcp::PACKET as u64);
                    }
                }
            }
        }
        for index in 0..self.flows.len() {
            let flow = &mut self.flows[index];
            if now < flow.begin {
                continue;
            }
            flow.arrivals(now);
            flow.produce(now);
            for data in flow.server.drive(instant) {
                self.path.down.send(
                    now,
                    data.len() + HEADERS,
                    Packet::Quic { flow: index, data },
                );
            }
            for data in flow.client.drive(instant) {
                self.path.up.send(
                    now,
                    data.len() + HEADERS,
                    Packet::Quic { flow: index, data },
                );
            }
        }
        if let Some((tcp, begin, end)) = &mut self.tcp
            && (*begin..*end).contains(&now)
        {
            tcp.timeout(now);
            while let Some(number) = tcp.send(now) {
                self.path.down.send(now, tcp::PACKET, Packet::Tcp(number));
            }
        }
    }
}

fn add(series: &mut Vec<u64>, now: Duration, bytes: u64) {
    let at = (now.as_millis() / 100) as usize;
    if series.len() <= at {
        series.resize(at + 1, 0);
    }
    series[at] += bytes;
}

impl Flow {
    fn arrivals(&mut self, now: Duration) {
        for (id, bytes, end) in self.client.arrivals() {
            add(&mut self.arrived, now, bytes as u64);
            self.outstanding = self.outstanding.saturating_sub(bytes as u64);
            if end && let Some(frame) = self.streams.get(&id) {
                self.frames[*frame].arrived = Some(now);
            }
        }
        // The server's own events.
        self.server.arrivals();
        while self
            .frames
            .get(self.oldest)
            .is_some_and(|frame| frame.arrived.is_some())
        {
            self.oldest += 1;
        }
    }

    fn produce(&mut self, now: Duration) {
        if !self.client.connected || !self.server.connected {
            return;
        }
        match self.source {
            Source::Bulk => {
                while now < self.end && self.outstanding < 400_000 {
                    self.push(now, 100_000, false);
                }
                self.next = Duration::MAX;
            }
            Source::Once(bytes) => {
                if self.number == 0 {
                    self.push(now, bytes, true);
                }
                self.next = Duration::MAX;
            }
            Source::Video {
                bits,
                keyframe,
                every,
            } => {
                while self.next <= now && self.next < self.end {
                    let frame = bits / 8.0 / 30.0;
                    let per = (every.as_secs_f64() * 30.0) as u64;
                    let at = self.next;
                    self.next += Duration::from_nanos(33_333_333);
                    let is_key = self.number.is_multiple_of(per);
                    let late = self
                        .frames
                        .get(self.oldest)
                        .is_some_and(|frame| now - frame.at > Duration::from_millis(250));
                    self.number += 1;
                    if late && !is_key {
                        self.skipped += 1;
                        continue;
                    }
                    let bytes = if is_key { keyframe } else { frame as usize };
                    self.push(at, bytes, is_key);
                }
                if self.next >= self.end {
                    self.next = Duration::MAX;
                }
            }
        }
    }

    fn push(&mut self, at: Duration, bytes: usize, keyframe: bool) {
        self.number = self.number.max(1);
        let id = self.server.send(bytes);
        self.outstanding += bytes as u64;
        self.streams.insert(id, self.frames.len());
        self.frames.push(Frame {
            at,
            keyframe,
            arrived: None,
        });
    }
}

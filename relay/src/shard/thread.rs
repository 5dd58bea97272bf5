//! The threads, and what each has to serve with.

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::driver::ShardRuntime;
use super::packet::Inlet;
use super::routing::{self, Routing, ShardIds};
use super::socket::ShardSocket;

/// How long sessions have to part when the relay stops.
pub(crate) const DRAIN: Duration = Duration::from_secs(3);

/// A running shard.
pub(crate) struct Thread {
    over: oneshot::Receiver<()>,
    pulse: Pulse,
}

/// Whether a shard's thread gets on with its work.
#[derive(Clone)]
pub(crate) struct Pulse {
    runtime: Handle,
    answered: Arc<AtomicBool>,
}

impl Pulse {
    /// How long its thread has been busy since it started.
    pub(crate) fn busy(&self) -> Duration {
        self.runtime.metrics().worker_total_busy_duration(0)
    }

    /// Whether it has answered the question before this one. The first has its answer.
    pub(crate) fn beats(&self) -> bool {
        let beats = self.answered.swap(false, Ordering::Relaxed);
        if beats {
            let answered = self.answered.clone();
            self.runtime
                .spawn(async move { answered.store(true, Ordering::Relaxed) });
        }
        beats
    }
}

/// What a shard serves with.
pub(crate) struct Shard {
    socket: Arc<ShardSocket>,
    ids: ShardIds,
}

/// Starts a shard on each of `sockets`, which share an address. Each calls `serve` once, within
/// its runtime, and runs what it gives until that ends; then its socket is closed.
///
/// # Errors
/// When the system gives no thread, or a socket cannot be used.
pub(crate) fn start<S, F>(sockets: Vec<UdpSocket>, serve: S) -> io::Result<Vec<Thread>>
where
    S: Fn(Shard) -> io::Result<F> + Clone + Send + 'static,
    F: Future<Output = ()>,
{
    let places = routing::places(sockets.len());
    let numbered = sockets.into_iter().zip(places).enumerate();
    numbered
        .map(|(number, (socket, routing))| Thread::start(number, socket, routing, serve.clone()))
        .collect()
}

impl Thread {
    fn start<S, F>(number: usize, socket: UdpSocket, routing: Routing, serve: S) -> io::Result<Self>
    where
        S: FnOnce(Shard) -> io::Result<F> + Send + 'static,
        F: Future<Output = ()>,
    {
        let (started, starting) = mpsc::channel();
        let (ended, over) = oneshot::channel();
        let thread = move || {
            match begin(socket, routing, serve) {
                Ok((runtime, serving)) => {
                    // The thread that started this one waits for it.
                    let _ = started.send(Ok(runtime.handle().clone()));
                    runtime.block_on(serving);
                }
                Err(error) => drop(started.send(Err(error))),
            }
            drop(ended);
        };
        std::thread::Builder::new()
            .name(format!("shard-{number}"))
            .spawn(thread)?;
        let runtime = starting.recv().map_err(io::Error::other)??;
        let pulse = Pulse {
            runtime,
            answered: Arc::new(AtomicBool::new(true)),
        };
        Ok(Self { over, pulse })
    }

    /// Whether it gets on with its work.
    pub(crate) fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Waits until the shard has ended and its socket is closed.
    pub(crate) async fn over(self) {
        // It says so by dropping its end.
        let _ = self.over.await;
    }
}

fn begin<S, F>(
    socket: UdpSocket,
    routing: Routing,
    serve: S,
) -> io::Result<(tokio::runtime::Runtime, F)>
where
    S: FnOnce(Shard) -> io::Result<F>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let within = runtime.enter();
    let ids = routing.ids();
    let socket = Arc::new(ShardSocket::new(socket, routing)?);
    let serving = serve(Shard { socket, ids })?;
    drop(within);
    Ok((runtime, serving))
}

impl Shard {
    /// The socket, for what is not QUIC.
    pub(crate) fn socket(&self) -> &Arc<ShardSocket> {
        &self.socket
    }

    /// From now on, packets that are not QUIC's go to `inlet`. To be called once, before the
    /// first packet is read.
    pub(crate) fn divert(&self, inlet: Inlet) {
        self.socket.divert(inlet);
    }

    /// The shard's QUIC endpoint. Its connection ids tell the shard.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub(crate) fn quic(&self, server: quinn::ServerConfig) -> io::Result<quinn::Endpoint> {
        let mut config = quinn::EndpointConfig::default();
        // What tells QUIC from other packets is the bit that this would take (RFC 9443, 3).
        config.grease_quic_bit(false);
        let ids = self.ids.clone();
        config.cid_generator(move || Box::new(ids.clone()));
        quinn::Endpoint::new_with_abstract_socket(
            config,
            Some(server),
            self.socket.clone(),
            Arc::new(ShardRuntime::new(self.socket.clone())),
        )
    }
}

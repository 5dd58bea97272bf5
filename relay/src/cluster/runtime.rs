//! The thread on which all links of this relay to others run.
//!
//! One thread, because wtransport reads the first bytes of each stream in a task of its own: on several, of two streams
//! that come together the later one may be handed out first.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use wtransport::endpoint::endpoint_side::Client;
use wtransport::{Endpoint, VarInt};

use std::sync::Arc;

use super::upstream::endpoint;

/// How long other relays have to hear that this one goes.
const PARTING: Duration = Duration::from_millis(500);

/// The running thread.
pub(super) struct Runtime {
    pub(super) handle: Handle,
    pub(super) endpoint: Arc<Endpoint<Client>>,
    /// Resolves when it has ended.
    pub(super) over: oneshot::Receiver<()>,
}

impl Runtime {
    /// Starts it, until the shutdown.
    ///
    /// # Errors
    /// When the system gives no thread or no socket.
    pub(super) fn start(
        tls: rustls::ClientConfig,
        shutdown: CancellationToken,
    ) -> io::Result<Self> {
        let (started, starting) = mpsc::channel();
        let (ended, over) = oneshot::channel();
        let run = move || {
            match begin(tls) {
                Ok((runtime, endpoint)) => {
                    let endpoint = Arc::new(endpoint);
                    // The thread that started this one waits for it.
                    let _ = started.send(Ok((runtime.handle().clone(), endpoint.clone())));
                    runtime.block_on(async {
                        shutdown.cancelled().await;
                        endpoint.close(VarInt::from_u32(0), b"");
                        let _ = tokio::time::timeout(PARTING, endpoint.wait_idle()).await;
                    });
                }
                Err(error) => drop(started.send(Err(error))),
            }
            drop::<oneshot::Sender<()>>(ended);
        };
        std::thread::Builder::new()
            .name("relays".to_owned())
            .spawn(run)?;
        let (handle, endpoint) = starting.recv().map_err(io::Error::other)??;
        Ok(Self {
            handle,
            endpoint,
            over,
        })
    }
}

fn begin(tls: rustls::ClientConfig) -> io::Result<(tokio::runtime::Runtime, Endpoint<Client>)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let within = runtime.enter();
    let endpoint = endpoint(tls)?;
    drop(within);
    Ok((runtime, endpoint))
}

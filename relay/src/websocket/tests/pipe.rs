//! Both ends of a WebSocket, in memory.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::ws::Message;
use futures_util::{Sink, Stream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// One end. It answers pings by itself, as browsers do, unless it is `mute`.
pub(super) struct Pipe {
    to: UnboundedSender<Message>,
    from: UnboundedReceiver<Message>,
    pub(super) mute: Arc<AtomicBool>,
}

pub(super) fn pair() -> (Pipe, Pipe) {
    let (to_one, one) = unbounded_channel();
    let (to_other, other) = unbounded_channel();
    let end = |to, from| Pipe {
        to,
        from,
        mute: Arc::default(),
    };
    (end(to_other, one), end(to_one, other))
}

impl Stream for Pipe {
    type Item = Result<Message, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.from.poll_recv(context).map(|message| {
            let message = message?;
            if let Message::Ping(payload) = &message
                && !self.mute.load(Ordering::Relaxed)
            {
                // Nobody minds where the other end is gone.
                let _ = self.to.send(Message::Pong(payload.clone()));
            }
            Some(Ok(message))
        })
    }
}

impl Sink<Message> for Pipe {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Infallible> {
        let _ = self.to.send(message);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        let _ = self.to.send(Message::Close(None));
        Poll::Ready(Ok(()))
    }
}

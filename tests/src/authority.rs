//! An outside authority, over plain HTTP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// What it answers: a status and a body; `None`: nothing, ever.
pub type Answer = Option<(u16, String)>;
type Judge = Box<dyn Fn(&Value) -> Answer + Send>;

/// An authority that answers as a test says, and remembers what it was asked.
pub struct Authority {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    task: AbortHandle,
}

/// A request's headers, by their names in small letters, and its body.
pub type Asked = (BTreeMap<String, String>, String);

struct Shared {
    judge: Judge,
    asked: Vec<Value>,
    requests: Vec<Asked>,
}

impl Authority {
    /// Begins to answer, on this host.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(judge: impl Fn(&Value) -> Answer + Send + 'static) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Mutex::new(Shared {
            judge: Box::new(judge),
            asked: Vec::new(),
            requests: Vec::new(),
        }));
        let served = shared.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = served.clone();
                tokio::spawn(async move {
                    let _ = answer(stream, &shared).await;
                });
            }
        });
        Ok(Self {
            address,
            shared,
            task: serving.abort_handle(),
        })
    }

    /// Where it is asked.
    pub fn url(&self) -> String {
        format!("http://{}/auth", self.address)
    }

    /// It answers otherwise from now on.
    pub fn judges(&self, judge: impl Fn(&Value) -> Answer + Send + 'static) {
        self.shared.lock().judge = Box::new(judge);
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Value> {
        self.shared.lock().asked.clone()
    }
}

impl Authority {
    /// What it was asked so far, word for word.
    pub fn requests(&self) -> Vec<Asked> {
        self.shared.lock().requests.clone()
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, shared: &Mutex<Shared>) -> Result<()> {
    let mut request = Vec::new();
    let (headers, body) = loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let headers: BTreeMap<_, _> = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.get("content-length");
        let length = length.and_then(|length| length.parse::<usize>().ok());
        if body.len() >= length.unwrap_or(0) {
            break (headers, body.to_owned());
        }
    };
    // Who only fetches something asks nothing.
    let question: Value = serde_json::from_str(&body).unwrap_or_default();
    let answer = {
        let mut shared = shared.lock();
        shared.asked.push(question.clone());
        shared.requests.push((headers, body));
        (shared.judge)(&question)
    };
    let Some((status, body)) = answer else {
        std::future::pending::<()>().await;
        return Ok(());
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    Ok(())
}

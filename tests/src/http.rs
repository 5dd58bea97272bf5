//! HTTP as a client speaks it, over plain TCP: a development relay takes that too.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::soon;

/// A request to be sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// `GET` or the like.
    pub method: &'a str,
    /// The path, from its first slash on.
    pub path: &'a str,
    /// A token, or nothing.
    pub bearer: &'a str,
    /// More headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
}

impl Reply {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The code of a problem.
    ///
    /// # Errors
    /// When the answer is none.
    pub fn problem(&self) -> Result<String> {
        let json: Value = serde_json::from_str(&self.body)?;
        Ok(json["code"].as_str().context("no code")?.to_owned())
    }
}

impl Request<'_> {
    /// Sends it on a connection of its own.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, to: SocketAddr) -> Result<Reply> {
        let mut stream = self.begin(to, "HTTP/1.1").await?;
        let mut answer = Vec::new();
        soon("an answer", stream.read_to_end(&mut answer)).await??;
        let answer = String::from_utf8(answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers = lines.filter_map(|line| line.split_once(": "));
        Ok(Reply {
            status: status.context("no status")?.parse()?,
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        })
    }

    async fn begin(&self, to: SocketAddr, version: &str) -> Result<TcpStream> {
        let mut head = format!(
            "{} {} {version}\r\nhost: localhost:{}\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.method,
            self.path,
            to.port(),
            self.body.len()
        );
        if !self.bearer.is_empty() {
            head += &format!("authorization: Bearer {}\r\n", self.bearer);
        }
        for (name, value) in self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut stream = soon("a connection", TcpStream::connect(to)).await??;
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(b"\r\n").await?;
        stream.write_all(self.body).await?;
        Ok(stream)
    }
}

/// A page that listens to server-sent events.
pub struct Events {
    stream: TcpStream,
    text: String,
}

impl Events {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn open(to: SocketAddr, path: &str) -> Result<Self> {
        Self::open_as(to, path, "").await
    }

    /// Begins to listen, with a token.
    ///
    /// # Errors
    /// When the relay refuses.
    pub async fn open_as(to: SocketAddr, path: &str, bearer: &str) -> Result<Self> {
        let request = Request {
            method: "GET",
            path,
            bearer,
            ..Request::default()
        };
        // Without chunks: its end is that of the connection.
        let stream = request.begin(to, "HTTP/1.0").await?;
        let mut events = Self {
            stream,
            text: String::new(),
        };
        let head = loop {
            if let Some((head, rest)) = events.text.split_once("\r\n\r\n") {
                let head = head.to_owned();
                events.text = rest.to_owned();
                break head;
            }
            ensure!(events.read().await?, "no events");
        };
        ensure!(head.split(' ').nth(1) == Some("200"), "refused: {head}");
        Ok(events)
    }

    async fn read(&mut self) -> Result<bool> {
        let mut chunk = [0; 4_096];
        let len = soon("events", self.stream.read(&mut chunk)).await??;
        self.text.push_str(std::str::from_utf8(&chunk[..len])?);
        Ok(len > 0)
    }

    /// The next event and its data; `None` at the end.
    ///
    /// # Errors
    /// When it makes no sense.
    pub async fn next(&mut self) -> Result<Option<(String, Value)>> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                // A comment: it lives.
                if event.starts_with(':') {
                    continue;
                }
                let find = |begin| event.lines().find_map(|line| line.strip_prefix(begin));
                let name = find("event: ").context("an event without a name")?;
                let data = find("data: ").context("an event without data")?;
                return Ok(Some((name.to_owned(), serde_json::from_str(data)?)));
            }
            if !self.read().await? {
                return Ok(None);
            }
        }
    }

    /// The next event of this name for which `pick` holds.
    ///
    /// # Errors
    /// When the events end before.
    pub async fn find(&mut self, name: &str, pick: impl Fn(&Value) -> bool) -> Result<Value> {
        let search = async {
            loop {
                let (found, data) = self.next().await?.context("no more events")?;
                if found == name && pick(&data) {
                    return Ok(data);
                }
            }
        };
        soon(name, search).await?
    }

    /// The last event: why it is over, and whether the page may come again.
    ///
    /// # Errors
    /// When something follows it.
    pub async fn ended(&mut self) -> Result<(String, bool)> {
        let data = self.find("ended", |_| true).await?;
        let after = soon("the end", self.next()).await??;
        ensure!(after.is_none(), "{after:?} after the end");
        let code = data["code"].as_str().context("no code")?;
        Ok((code.to_owned(), !data["retryAfterMs"].is_null()))
    }
}

use std::io;
use std::sync::Arc;

use axum::http::Method;
use parking_lot::Mutex;
use tracing_subscriber::filter::LevelFilter;

use super::{ADMIN, Relay, request};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_leaves_one_line_without_anything_secret() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let relay = Relay::new();
    {
        let _guard = tracing::subscriber::set_default(subscriber);
        relay.get("/api/broadcasts?token=eyJsecret", ADMIN).await;
        relay
            .send(request(Method::GET, "/api/nothing", "eyJsecret", ""))
            .await;
        relay.get("/admin", "").await;
    }
    let bytes = lines.0.lock().clone();
    let text = String::from_utf8(bytes).unwrap();
    let logged: Vec<_> = text
        .lines()
        .filter(|line| line.contains("steadycast_relay::access"))
        .collect();
    assert_eq!(logged.len(), 2, "{text}");
    assert!(logged[0].contains("INFO"), "{text}");
    assert!(
        logged[0].contains("method=GET path=\"/api/broadcasts\" status=200 ms="),
        "{text}"
    );
    assert!(
        logged[1].contains("path=\"/api/nothing\" status=404"),
        "{text}"
    );
    assert!(!text.contains("secret") && !text.contains(ADMIN), "{text}");
}

//! A fake Slack that accepts every request and records when it arrived.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::Result;

/// One response that fits all the methods that the plugin calls.
const ANSWER: &str = r#"{"ok":true,"ts":"1790000000.000100","channel":{"id":"C0BENCH","name":"inc"},
"channels":[],"messages":[],"user_id":"U0BOT","response_metadata":{"next_cursor":""}}"#;

/// When a request had fully arrived, and its body.
pub(super) type Request = (Instant, String);

/// A running server; it listens until the program ends.
pub(super) struct Slack {
    /// Where it listens, `127.0.0.1:PORT`.
    pub(super) address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Slack {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?.to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let keep = Arc::clone(&keep);
                // Errors only mean that the client closed the connection.
                thread::spawn(move || drop(answer_all(stream, &keep)));
            }
        });
        Ok(Self { address, requests })
    }

    /// Every request so far, in the order of arrival.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn answer_all(stream: TcpStream, requests: &Mutex<Vec<Request>>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut length = 0;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let at = Instant::now();
        let body = String::from_utf8_lossy(&body).into_owned();
        requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((at, body));
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json";
        let length = ANSWER.len();
        stream
            .write_all(format!("{head}\r\ncontent-length: {length}\r\n\r\n{ANSWER}").as_bytes())?;
    }
}

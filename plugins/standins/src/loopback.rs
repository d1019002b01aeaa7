//! A stand-in on a port of this machine. One connection at a time is enough for tests.

use crate::{Answered, Asked, Service};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Largest request body, in bytes.
const BODY_BYTES_MAX: u64 = 1 << 20;

/// A running stand-in. Its thread ends with the process.
#[derive(Debug)]
pub struct Loopback<S> {
    url: String,
    service: Arc<Mutex<S>>,
}

impl<S: Service + Send + 'static> Loopback<S> {
    /// Serves on a free port.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(service: S) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let url = format!("http://{}", listener.local_addr()?);
        let service = Arc::new(Mutex::new(service));
        let serving = Self { url, service };
        let answering = Self {
            url: String::new(),
            service: Arc::clone(&serving.service),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that hangs up is its own problem.
                let _ = answering.serve(&stream);
            }
        });
        Ok(serving)
    }

    /// Without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The stand-in, to prepare it or to see what it received.
    pub fn service(&self) -> MutexGuard<'_, S> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let asked = read(stream)?;
        let answered = self.service().answer(&asked);
        write(stream, &answered)
    }
}

fn read(stream: &TcpStream) -> io::Result<Asked> {
    let mut reader = BufReader::new(stream.take(BODY_BYTES_MAX));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next(), words.next());
    let mut asked = Asked::new(method.unwrap_or_default(), target.unwrap_or_default());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        asked.set_header(&name.to_ascii_lowercase(), value);
    }
    let length = asked.headers.get("content-length");
    let length = length.and_then(|it| it.parse().ok()).unwrap_or(0);
    reader.take(length).read_to_end(&mut asked.body)?;
    Ok(asked)
}

fn write(mut stream: &TcpStream, answered: &Answered) -> io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {} -\r\nconnection: close\r\ncontent-length: {}\r\n",
        answered.status,
        answered.body.len()
    );
    for (name, value) in &answered.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n{}", answered.body).as_bytes())
}

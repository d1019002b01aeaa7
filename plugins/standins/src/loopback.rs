//! A stand-in on a port of this machine. One connection at a time is enough for tests.

use crate::{Answered, Asked, Service};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Largest request body, in bytes.
const BODY_BYTES_MAX: u64 = 1 << 20;

/// When a watch is told of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The stand-in has read it and done nothing yet.
    Arrived,
    /// It has done what was asked, and not answered yet.
    Taken,
    /// The answer is on its way.
    Answered,
}

/// What becomes of a request at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    GoesOn,
    /// The connection breaks: nothing of what follows happens.
    Lost,
}

/// Sees every request, and may hold it up or lose it.
pub type Watch = Box<dyn FnMut(Moment, &Asked) -> Fate + Send>;

/// A running stand-in. Its thread ends with the process.
pub struct Loopback<S> {
    url: String,
    served: Arc<Served<S>>,
}

struct Served<S> {
    service: Mutex<S>,
    watch: Mutex<Option<Watch>>,
}

impl<S: Service + Send + 'static> Loopback<S> {
    /// Serves on a free port.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(service: S) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let url = format!("http://{}", listener.local_addr()?);
        let served = Arc::new(Served {
            service: Mutex::new(service),
            watch: Mutex::new(None),
        });
        let serving = Arc::clone(&served);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that hangs up is its own problem.
                let _ = serving.serve(&stream);
            }
        });
        Ok(Self { url, served })
    }

    /// Without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The stand-in, to prepare it or to see what it received.
    pub fn service(&self) -> MutexGuard<'_, S> {
        locked(&self.served.service)
    }

    /// From now on, `watch` is told of every request.
    pub fn watch(&self, watch: Watch) {
        *locked(&self.served.watch) = Some(watch);
    }
}

impl<S: Service> Served<S> {
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let asked = read(stream)?;
        if self.fate(Moment::Arrived, &asked) == Fate::Lost {
            return Ok(());
        }
        let mut service = locked(&self.service);
        service.set_time(since_1970_s());
        let answered = service.answer(&asked);
        drop(service);
        if self.fate(Moment::Taken, &asked) == Fate::Lost {
            return Ok(());
        }
        write(stream, &answered)?;
        self.fate(Moment::Answered, &asked);
        Ok(())
    }

    fn fate(&self, moment: Moment, asked: &Asked) -> Fate {
        let mut watch = locked(&self.watch);
        let fate = watch.as_mut().map(|it| it(moment, asked));
        fate.unwrap_or(Fate::GoesOn)
    }
}

/// The content, even if a thread panicked while it held the lock.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn since_1970_s() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| it.as_secs())
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

//! A mail relay that stores every mail. It speaks minimal SMTP (RFC 5321), and refuses and records
//! unexpected commands.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Longest line that is read, in bytes, and longest mail.
const MAIL_BYTES_MAX: usize = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The recipient.
    pub to: String,
    /// Headers and body, with quoted-printable undone.
    pub text: String,
}

/// A relay on a loopback port.
pub struct Relay {
    port: u16,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    addresses: BTreeSet<String>,
    mails: Vec<Mail>,
    unexpected: Vec<String>,
    accepts: bool,
}

impl Relay {
    /// Listens; mails to other `addresses` are refused.
    ///
    /// # Errors
    /// When no port is available.
    pub async fn start(addresses: BTreeSet<String>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Mutex::new(Shared {
            addresses,
            mails: Vec::new(),
            unexpected: Vec::new(),
            accepts: true,
        }));
        let keep = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let keep = Arc::clone(&keep);
                tokio::spawn(async move {
                    // A client that disconnects early has delivered nothing.
                    let _hung_up = serve(stream, &keep).await;
                });
            }
        });
        Ok(Self { port, shared })
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Every mail so far, in order.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.shared).mails.clone()
    }

    /// Unexpected commands and recipients.
    #[must_use]
    pub fn unexpected(&self) -> Vec<String> {
        lock(&self.shared).unexpected.clone()
    }

    /// Sets whether it accepts mail, or refuses it temporarily.
    pub fn set_accepts(&self, accepts: bool) {
        lock(&self.shared).accepts = accepts;
    }
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(stream: TcpStream, shared: &Mutex<Shared>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    write.write_all(b"220 relay.test ESMTP\r\n").await?;
    let mut to = String::new();
    loop {
        let mut line = String::new();
        if read.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = command(line.trim_end(), &mut to, shared);
        write.write_all(answer.as_bytes()).await?;
        if answer.starts_with("221") {
            return Ok(());
        }
        if answer.starts_with("354") {
            let text = data(&mut read).await?;
            let mail = Mail {
                to: std::mem::take(&mut to),
                text,
            };
            lock(shared).mails.push(mail);
            write.write_all(b"250 ok\r\n").await?;
        }
    }
}

fn command(line: &str, to: &mut String, shared: &Mutex<Shared>) -> &'static str {
    let mut shared = lock(shared);
    let upper = line.to_ascii_uppercase();
    if upper.starts_with("EHLO") {
        return "250-relay.test\r\n250 8BITMIME\r\n";
    }
    if upper.starts_with("MAIL FROM:") {
        return match shared.accepts {
            true => "250 ok\r\n",
            false => "451 try again later\r\n",
        };
    }
    if upper.starts_with("RCPT TO:") {
        let address = line.split(['<', '>']).nth(1).unwrap_or_default();
        if !shared.addresses.contains(address) {
            shared
                .unexpected
                .push(format!("a mail to the unknown address `{address}`"));
            return "550 no such mailbox\r\n";
        }
        address.clone_into(to);
        return "250 ok\r\n";
    }
    match upper.as_str() {
        "DATA" => "354 start mail input\r\n",
        "QUIT" => "221 bye\r\n",
        "RSET" | "NOOP" => "250 ok\r\n",
        _ => {
            shared.unexpected.push(format!("the SMTP command `{line}`"));
            "500 unknown command\r\n"
        }
    }
}

async fn data<R: AsyncBufReadExt + Unpin>(read: &mut R) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if read.read_line(&mut line).await? == 0 || text.len() > MAIL_BYTES_MAX {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(readable(&text));
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

/// Decodes quoted-printable (RFC 2045, 6.7) if the mail uses it.
fn readable(text: &str) -> String {
    if !text.contains("quoted-printable") {
        return text.to_owned();
    }
    let joined = text.replace("=\r\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let pair = tail.get(..2).and_then(|it| hex::decode(it).ok());
        match (first, pair) {
            (b'=', Some(byte)) => {
                bytes.extend(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

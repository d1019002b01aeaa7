use std::time::Duration;

use tocsin_core::Timestamp;
use tocsin_plugin_host::wit::{Attachment, Email};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::config::{Config, MailConfig, MailTls, SecretRef};
use crate::sample_pages::{matches_file, sample_pages, sample_questions};

/// How the fake relay behaves at a step.
#[derive(Clone, Copy)]
enum Relay {
    Accepts,
    Answers(&'static str, &'static str),
    HangsUpAt(&'static str),
    SilentAt(&'static str),
}

/// A relay for one session: its port and, at the end, everything that it received.
async fn relay(behavior: Relay) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let session = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut received = String::new();
        let (mut in_text, mut step) = (false, "CONNECT".to_owned());
        loop {
            let usual = match step.as_str() {
                "CONNECT" => "220 relay",
                "EHLO" => "250-relay\r\n250 8BITMIME",
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                _ => "250 ok queued as 7",
            };
            let answer = match behavior {
                Relay::Answers(at, answer) if at == step => answer,
                Relay::HangsUpAt(at) if at == step => return received,
                Relay::SilentAt(at) if at == step => "",
                _ => usual,
            };
            if !answer.is_empty() {
                write
                    .write_all(format!("{answer}\r\n").as_bytes())
                    .await
                    .unwrap();
            }
            in_text = in_text && step != "." || step == "DATA" && answer.starts_with('3');
            loop {
                let Ok(Some(line)) = lines.next_line().await else {
                    return received;
                };
                received.push_str(&line);
                received.push('\n');
                if in_text && line != "." {
                    continue;
                }
                step = line
                    .split([' ', ':'])
                    .next()
                    .unwrap_or_default()
                    .to_uppercase();
                break;
            }
        }
    });
    (port, session)
}

fn config(port: u16) -> MailConfig {
    MailConfig {
        host: "127.0.0.1".into(),
        port: Some(port),
        tls: MailTls::None,
        ca_file: None,
        username: None,
        password: None,
        from: "tocsin <tocsin@example.com>".into(),
    }
}

fn page() -> PageMail {
    mail_of("hostile")
}

fn mail_of(name: &str) -> PageMail {
    let mut samples = sample_pages().into_iter().chain(sample_questions());
    let sample = samples.find(|it| it.name == name).unwrap();
    PageMail {
        key: "page-1/email/ada".into(),
        to: "ada@example.com".into(),
        name: "Ada".into(),
        at: Timestamp(1_780_000_000_000),
        content: sample.content,
    }
}

async fn send(behavior: Relay) -> (Result<Receipt, MailError>, String) {
    send_mail(&page(), behavior).await
}

async fn send_mail(mail: &PageMail, behavior: Relay) -> (Result<Receipt, MailError>, String) {
    let (port, session) = relay(behavior).await;
    let limit = match behavior {
        Relay::SilentAt(_) => Duration::from_millis(200),
        _ => SEND_TIMEOUT,
    };
    let mailer = Mailer::new(&config(port)).unwrap().with_timeout(limit);
    let sent = mailer.send(mail).await;
    drop(mailer);
    (sent, session.await.unwrap())
}

#[tokio::test]
async fn a_page_arrives_with_grade_title_reason_and_the_link() {
    let (sent, received) = send_mail(&mail_of("critical"), Relay::Accepts).await;
    let receipt = sent.unwrap();
    assert!(receipt.reply.contains("queued as 7"), "{receipt:?}");
    // Undo quoted-printable's soft line breaks.
    let received = received.replace("=\n", "");
    for expected in [
        "MAIL FROM:<tocsin@example.com>",
        "RCPT TO:<ada@example.com>",
        &format!("Message-ID: {}", receipt.message_id),
        "Auto-Submitted: auto-generated",
        "Subject: CRITICAL checkout: error rate 40 %",
        "severity is critical",
        "https://tocsin.example/ack/ALL",
    ] {
        assert!(
            received.contains(expected),
            "{expected} is missing in\n{received}"
        );
    }
}

#[test]
fn each_mail_is_as_committed() {
    for sample in sample_pages().into_iter().chain(sample_questions()) {
        let mail = mail_of(sample.name);
        let plain = format!("Subject: {}\n\n{}", mail.subject(), mail.plain());
        matches_file(&format!("{}.mail.txt", sample.name), &plain);
        matches_file(&format!("{}.mail.html", sample.name), &mail.html());
    }
}

#[test]
fn a_mail_that_is_a_test_says_so() {
    let mail = mail_of("test");
    assert!(mail.subject().starts_with("Test: "), "{}", mail.subject());
    for text in [mail.plain(), mail.html()] {
        assert!(text.contains("this is a test of the way to you"), "{text}");
    }
}

#[tokio::test]
async fn a_title_cannot_add_a_header_or_a_recipient() {
    let (_, received) = send(Relay::Accepts).await;
    let headers = received.split("\n\n").next().unwrap();
    assert!(
        !headers.lines().any(|line| line.starts_with("Bcc:")),
        "{headers}"
    );
    assert_eq!(received.matches("RCPT TO").count(), 1);
}

#[tokio::test]
async fn one_key_gives_one_message_id() {
    let (first, second) = (send(Relay::Accepts).await.0, send(Relay::Accepts).await.0);
    assert_eq!(first.unwrap().message_id, second.unwrap().message_id);
    let other = PageMail {
        key: "page-2/email/ada".into(),
        ..page()
    };
    assert_ne!(
        other.message_id("example.com"),
        page().message_id("example.com")
    );
}

#[tokio::test]
async fn the_outcome_depends_on_the_step_that_failed() {
    let cases = [
        // the relay's behavior, the outcome
        (Relay::Answers("CONNECT", "554 not now"), "temporary"),
        (Relay::Answers("MAIL", "451 later"), "temporary"),
        (Relay::Answers("RCPT", "452 full"), "temporary"),
        (Relay::Answers("RCPT", "550 no such user"), "rejected"),
        (Relay::Answers(".", "451 try again"), "temporary"),
        (Relay::Answers(".", "554 spam"), "rejected"),
        (Relay::HangsUpAt("CONNECT"), "temporary"),
        (Relay::HangsUpAt("RCPT"), "temporary"),
        (Relay::HangsUpAt("DATA"), "temporary"),
        (Relay::HangsUpAt("."), "unknown"),
        (Relay::SilentAt("EHLO"), "temporary"),
        (Relay::SilentAt("."), "unknown"),
    ];
    for (number, (behavior, expected)) in cases.into_iter().enumerate() {
        let (sent, _) = send(behavior).await;
        let outcome = match sent.as_ref().unwrap_err() {
            MailError::Temporary { .. } => "temporary",
            MailError::Rejected { .. } => "rejected",
            MailError::Unknown { .. } => "unknown",
        };
        assert_eq!(outcome, expected, "case {number}: {sent:?}");
    }
}

#[tokio::test]
async fn a_login_without_a_page_says_whether_the_relay_answers() {
    let (port, session) = relay(Relay::Accepts).await;
    let mailer = Mailer::new(&config(port)).unwrap();
    assert_eq!(mailer.log_in(SEND_TIMEOUT).await, Ok(()));
    let received = session.await.unwrap();
    assert!(
        received.contains("QUIT") && !received.contains("MAIL"),
        "{received}"
    );
    let gone = mailer.log_in(SEND_TIMEOUT).await.unwrap_err().to_string();
    assert!(gone.contains(&format!("127.0.0.1:{port}")), "{gone}");
    let (port, _session) = relay(Relay::SilentAt("CONNECT")).await;
    let silent = Mailer::new(&config(port)).unwrap();
    let limit = Duration::from_millis(200);
    let silent = silent.log_in(limit).await.unwrap_err().to_string();
    assert!(silent.contains("no answer"), "{silent}");
}

#[tokio::test]
async fn an_unreachable_relay_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = Mailer::new(&config(port))
        .unwrap()
        .send(&page())
        .await
        .unwrap_err();
    assert!(matches!(error, MailError::Temporary { .. }), "{error:?}");
    assert!(
        error.to_string().contains(&format!("127.0.0.1:{port}")),
        "{error}"
    );
}

#[tokio::test]
async fn nothing_is_sent_unencrypted_to_a_relay_without_starttls() {
    let (port, session) = relay(Relay::Accepts).await;
    let mailer = Mailer::new(&MailConfig {
        tls: MailTls::Starttls,
        ..config(port)
    })
    .unwrap();
    let error = mailer.send(&page()).await.unwrap_err().to_string();
    assert!(error.contains("STARTTLS"), "{error}");
    assert!(!session.await.unwrap().contains("MAIL FROM"));
}

#[test]
fn a_mailer_does_not_show_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "canary-password").unwrap();
    let (username, password) = (Some("tocsin".to_owned()), Some(SecretRef::File(path)));
    let mailer = Mailer::new(&MailConfig {
        username,
        password,
        ..config(25)
    })
    .unwrap();
    assert!(!format!("{mailer:?}").contains("canary"));
}

fn email() -> Email {
    Email {
        relay: "updates".into(),
        sender: None,
        to: vec!["Ada <ada@example.com>".into(), "bob@example.com".into()],
        cc: Vec::new(),
        bcc: vec!["eve@example.com".into()],
        reply_to: Some("war-room@example.com".into()),
        subject: "[INC-1] Shop down\r\nBcc: mallory@example.com".into(),
        text: "We are on it.".into(),
        html: Some("<p>We are on it.</p>".into()),
        attachments: Vec::new(),
        once: None,
        in_reply_to: Some("incident/1".into()),
        extra: "{}".into(),
    }
}

fn of_plugin(email: Email) -> PluginMail {
    PluginMail {
        plugin: "email".into(),
        key: "email/1".into(),
        email,
        at: Timestamp(1_780_000_000_000),
    }
}

async fn send_of_plugin(email: Email, relay_: Relay) -> (Result<Receipt, MailError>, String) {
    let (port, session) = relay(relay_).await;
    let mailer = Mailer::new(&config(port)).unwrap();
    let sent = mailer.send(&of_plugin(email)).await;
    drop(mailer);
    (sent, session.await.unwrap())
}

/// The lines that begin with a header's name.
fn header<'a>(received: &'a str, name: &str) -> Vec<&'a str> {
    let prefix = format!("{name}: ");
    let lines = received.lines();
    lines
        .filter_map(|line| line.strip_prefix(&prefix))
        .collect()
}

#[tokio::test]
async fn a_plugins_mail_goes_to_all_and_shows_no_blind_copy() {
    let (sent, received) = send_of_plugin(email(), Relay::Accepts).await;
    let receipt = sent.unwrap();
    assert_eq!(header(&received, "Message-ID"), [receipt.message_id]);
    assert_eq!(received.matches("RCPT TO").count(), 3, "{received}");
    assert_eq!(header(&received, "Bcc"), [""; 0], "{received}");
    for expected in [
        "RCPT TO:<eve@example.com>",
        "MAIL FROM:<tocsin@example.com>",
        "To: Ada <ada@example.com>, bob@example.com",
        "Reply-To: war-room@example.com",
        "Subject: [INC-1] Shop down Bcc: mallory@example.com",
        "We are on it.",
        "<p>We are on it.</p>",
    ] {
        assert!(
            received.contains(expected),
            "{expected} is missing in\n{received}"
        );
    }
}

#[tokio::test]
async fn mails_of_one_thread_refer_to_the_same_id_and_other_plugins_to_another() {
    let (_, first) = send_of_plugin(email(), Relay::Accepts).await;
    let thread = header(&first, "References");
    assert_eq!(thread, header(&first, "In-Reply-To"));
    assert!(thread[0].ends_with("@example.com>"), "{thread:?}");
    let message_id = |mail: PluginMail| mail.written(&from()).unwrap().0.formatted();
    let references = |mail: PluginMail| {
        let text = String::from_utf8(message_id(mail))
            .unwrap()
            .replace('\r', "");
        header(&text, "References")[0].to_owned()
    };
    let second = PluginMail {
        key: "email/2".into(),
        ..of_plugin(email())
    };
    assert_eq!(references(second), thread[0]);
    let other = PluginMail {
        plugin: "other".into(),
        ..of_plugin(email())
    };
    assert_ne!(references(other), thread[0]);
    for (given, want) in [
        ("<1@example.com>", "<1@example.com>"),
        ("1@example.com", "<1@example.com>"),
    ] {
        let in_reply_to = Some(given.to_owned());
        let mail = of_plugin(Email {
            in_reply_to,
            ..email()
        });
        assert_eq!(references(mail), want);
    }
}

fn from() -> lettre::message::Mailbox {
    config(25).from.parse().unwrap()
}

#[test]
fn a_plugins_mail_that_cannot_be_written_says_why() {
    let attachment = |media_type: &str| Attachment {
        name: "a.ics".into(),
        media_type: media_type.into(),
        content: b"BEGIN".to_vec(),
    };
    type Change = fn(&mut Email);
    let wrong: [(Change, &str); 5] = [
        (
            |it| it.to = vec!["ada".into()],
            "`ada` is not a mail address",
        ),
        (
            |it| it.sender = Some("x@example.com".into()),
            "is not that of the relay",
        ),
        (
            |it| it.in_reply_to = Some("a b@c".into()),
            "is not a Message-ID",
        ),
        (
            |it| it.in_reply_to = Some("<a@b>\r\nX: y@".into()),
            "is not a Message-ID",
        ),
        (
            |it| it.reply_to = Some("nobody".into()),
            "is not a mail address",
        ),
    ];
    for (change, says) in wrong {
        let mut mail = email();
        change(&mut mail);
        let why = of_plugin(mail).written(&from()).unwrap_err();
        assert!(why.contains(says), "{why}");
    }
    let with = |media_type: &str| {
        let attachments = vec![attachment(media_type)];
        of_plugin(Email {
            attachments,
            ..email()
        })
        .written(&from())
    };
    assert!(with("text").unwrap_err().contains("not a media type"));
    let (message, _) = with("text/calendar").unwrap();
    let text = String::from_utf8(message.formatted()).unwrap();
    assert!(text.contains("filename=\"a.ics\""), "{text}");
    let sender = Some("Incidents <tocsin@example.com>".to_owned());
    let (message, _) = of_plugin(Email { sender, ..email() })
        .written(&from())
        .unwrap();
    let text = String::from_utf8(message.formatted()).unwrap();
    assert!(
        text.contains("From: Incidents <tocsin@example.com>"),
        "{text}"
    );
}

#[tokio::test]
async fn a_relay_of_that_name_takes_a_mail_and_without_one_the_main_one_does() {
    let (port, session) = relay(Relay::Accepts).await;
    let main = MailConfig {
        host: "main.invalid".into(),
        ..config(25)
    };
    let updates = config(port);
    let relays = Relays::new(&Config {
        mail: Some(main),
        relays: [("updates".to_owned(), updates)].into(),
        ..Config::default()
    });
    let relays = relays.unwrap();
    let named = relays.named("updates").unwrap();
    named.send(&of_plugin(email())).await.unwrap();
    drop(named);
    assert!(session.await.unwrap().contains("RCPT TO"));
    let main = format!("{:?}", relays.main().unwrap());
    assert_eq!(format!("{:?}", relays.named("pages").unwrap()), main);
    assert!(Relays::default().named("pages").is_none());
}

//! Requests that are oversized, truncated, malformed or half-closed, each on its own connection.

use tocsin::http::Limits;

use super::daemon::{Answer, BODY_BYTES_MAX, Daemon};

/// Size limit of the response to a refused request, in bytes.
const ANSWER_BYTES_MAX: usize = 32 * 1_024;

/// A request that the daemon must refuse.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    /// Whether the client closes its side.
    close: bool,
    /// The status; 0: the connection ends without a response.
    status: u16,
    /// Text that the response must contain, so that its reader knows what to do.
    says: &'static str,
}

fn case(name: &'static str, bytes: impl Into<Vec<u8>>, status: u16, says: &'static str) -> Case {
    Case {
        name,
        bytes: bytes.into(),
        close: false,
        status,
        says,
    }
}

fn oversized(daemon: &Daemon) -> Vec<Case> {
    let head = daemon.head();
    let sized = |body: &str| format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let long = "x".repeat(BODY_BYTES_MAX + 1);
    let headers: String = (0..200).map(|it| format!("x-{it}: y\r\n")).collect();
    let depth = BODY_BYTES_MAX / 2;
    let elements = ",{}".repeat(BODY_BYTES_MAX / 3 - 10);
    vec![
        case(
            "a body that says that it is a gigabyte",
            format!("{head}content-length: 1073741824\r\n\r\n{{"),
            413,
            "65536 bytes",
        ),
        case(
            "a body over the limit in chunks",
            format!("{head}transfer-encoding: chunked\r\n\r\n10001\r\n{long}\r\n0\r\n\r\n"),
            413,
            "65536 bytes",
        ),
        case(
            "a header of a megabyte",
            format!("{head}x-long: {}\r\n\r\n", "y".repeat(1_000_000)),
            431,
            "",
        ),
        case("200 headers", format!("{head}{headers}\r\n"), 431, ""),
        case(
            "a URL of a megabyte",
            format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(1_000_000)),
            431,
            "",
        ),
        case(
            "JSON that is nested too deeply",
            sized(&"[".repeat(depth)),
            400,
            "recursion limit",
        ),
        case(
            "objects that are nested too deeply",
            sized(&"{\"a\":".repeat(BODY_BYTES_MAX / 6)),
            400,
            "recursion limit",
        ),
        case(
            "more alerts than one request may contain",
            sized(&format!("[{{}}{elements}]")),
            400,
            "9900 further alerts",
        ),
    ]
}

fn malformed(daemon: &Daemon) -> Vec<Case> {
    let head = daemon.head();
    vec![
        case("no HTTP at all", "\u{16}\u{3}\u{1}\r\n\r\n", 400, ""),
        case(
            "HTTP/2 without having asked",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            0,
            "",
        ),
        case(
            "a length that is not a number",
            format!("{head}content-length: -1\r\n\r\n"),
            400,
            "",
        ),
        case(
            "a length over every number",
            format!("{head}content-length: 99999999999999999999\r\n\r\n"),
            400,
            "",
        ),
        case(
            "two lengths, as a smuggler writes them",
            format!("{head}content-length: 2\r\ncontent-length: 40\r\n\r\n{{}}"),
            400,
            "",
        ),
        case(
            "a chunk whose length is not a number",
            format!("{head}transfer-encoding: chunked\r\n\r\nxyz\r\n"),
            400,
            "ended early",
        ),
        case(
            "a header with a NUL in it",
            format!("{head}x-nul: \0\r\n\r\n"),
            400,
            "",
        ),
        case(
            "a header in a header",
            format!("{head}x-folded: a\r\n b: c\r\n\r\n"),
            400,
            "",
        ),
        case(
            "a body that is not valid JSON",
            format!("{head}content-length: 3\r\n\r\n\0\u{1}\u{2}"),
            400,
            "JSON",
        ),
    ]
}

fn cut(daemon: &Daemon) -> Vec<Case> {
    let head = daemon.head();
    let cut = |name, bytes: String, status, says| Case {
        close: true,
        ..case(name, bytes, status, says)
    };
    vec![
        cut("nothing", String::new(), 0, ""),
        cut("half a request line", "POST /ing".to_owned(), 0, ""),
        cut("half a header", head.trim_end().to_owned(), 0, ""),
        cut(
            "half a body",
            format!("{head}content-length: 100\r\n\r\n{{\"title\""),
            400,
            "ended early",
        ),
        cut(
            "half a chunk",
            format!("{head}transfer-encoding: chunked\r\n\r\n20\r\n{{\"title\""),
            400,
            "ended early",
        ),
    ]
}

#[tokio::test]
async fn a_hostile_request_is_refused_with_a_reason_and_affects_nobody_else() {
    let daemon = Daemon::open(Limits::default()).await;
    let cases = [oversized(&daemon), malformed(&daemon), cut(&daemon)];
    let mut wrong = Vec::new();
    for case in cases.into_iter().flatten() {
        let name = case.name;
        let Answer { status, text } = daemon.send(&case.bytes, case.close).await;
        let is_right = status == case.status && text.contains(case.says);
        if !is_right || text.len() > ANSWER_BYTES_MAX {
            let head: String = text.chars().take(600).collect();
            let length = text.len();
            wrong.push(format!("{name}: {length} bytes, {}: {head}", case.status));
        }
        assert_eq!(daemon.alerts(), 0, "{name} left something behind");
        daemon.health().await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let good = daemon.send(&daemon.post("down"), false).await;
    assert_eq!(good.status, 202, "{}", good.text);
    assert_eq!(daemon.alerts(), 1);
}

#[tokio::test]
async fn a_client_that_has_closed_its_side_still_gets_its_answer() {
    let daemon = Daemon::open(Limits::default()).await;
    let answer = daemon.send(&daemon.post("down"), true).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(daemon.alerts(), 1);
}

#[tokio::test]
async fn pipelined_requests_are_separate_requests() {
    let daemon = Daemon::open(Limits::default()).await;
    let both = [daemon.post("one"), daemon.post("two")].concat();
    let mut stream = daemon.connect().await;
    tokio::io::AsyncWriteExt::write_all(&mut stream, &both)
        .await
        .unwrap();
    for name in ["the first", "the second"] {
        let answer = super::daemon::answer(&mut stream).await;
        assert_eq!(answer.status, 202, "{name}: {}", answer.text);
    }
    assert_eq!(daemon.alerts(), 2);
}

//! Outgoing requests: rights, addresses, redirects, credentials.

use super::fakes::Server;
use super::rig::{Rig, SECRET, deliver, last_line};
use crate::guests::{Guest, Request};
use crate::wit::{LogLevel, Outcome};

async fn rig_with(server: &Server) -> Rig {
    Rig {
        base: server.origin.clone(),
        ..Rig::new()
    }
}

fn get<'r>(url: &'r str) -> Request<'r> {
    Request {
        method: "GET",
        url,
        ..Request::default()
    }
}

/// Sends one request; returns the response or error that the guest logged.
async fn line(rig: &Rig, request: &Request<'_>) -> String {
    let plugin = rig.load(&Guest::default().sends(request)).await;
    let result = deliver(&plugin).await;
    assert_eq!(result.outcome, Ok(Outcome::Done));
    last_line(&result).to_owned()
}

#[tokio::test]
async fn a_granted_request_goes_out_with_the_hosts_credential() {
    let server = Server::start().await;
    let rig = rig_with(&server).await;
    let url = format!("{}/echo", server.origin);
    let request = Request {
        method: "POST",
        url: &url,
        headers: &[("content-type", "text/plain")],
        body: Some("hello"),
        auth: Some("api"),
        ..Request::default()
    };
    let plugin = rig.load(&Guest::default().sends(&request)).await;
    let result = deliver(&plugin).await;
    let seen = server.seen.lock()[0].clone();
    assert!(seen.starts_with("POST /echo HTTP/1.1"), "{seen}");
    assert!(
        seen.contains(&format!("authorization: Bearer {SECRET}")),
        "{seen}"
    );
    assert!(seen.ends_with("\r\n\r\nhello"), "{seen}");
    // The echo does not contain the secret, which the guest never had.
    assert!(
        last_line(&result).contains("Bearer [secret:token]"),
        "{}",
        last_line(&result)
    );
    assert_eq!(result.stats.http_requests, 1);
    assert!(result.stats.redactions >= 1);
}

#[tokio::test]
async fn without_naming_a_right_no_credential_is_added() {
    let server = Server::start().await;
    let rig = rig_with(&server).await;
    line(&rig, &get(&format!("{}/echo", server.origin))).await;
    assert!(!server.seen.lock()[0].contains("authorization"));
}

#[tokio::test]
async fn a_secret_in_a_response_never_reaches_the_guest() {
    let server = Server::start().await;
    let rig = rig_with(&server).await;
    let url = format!("{}/leak", server.origin);
    let request = Request {
        auth: Some("api"),
        ..get(&url)
    };
    let line = line(&rig, &request).await;
    assert_eq!(line, "your header was authorization: Bearer [secret:token]");
}

#[tokio::test]
async fn an_ungranted_request_is_denied_with_the_line_that_would_grant_it() {
    let server = Server::start().await;
    let mut rig = rig_with(&server).await;
    rig.grant = "grant = { events = [\"job\"] }\nallow-networks = [\"loopback\"]".into();
    let url = format!("{}/echo", server.origin);
    let plugin = rig.load(&Guest::default().sends(&get(&url))).await;
    let result = deliver(&plugin).await;
    let line = last_line(&result);
    assert!(
        line.contains("grant = { http = [\"api\"], events = [\"job\"] }"),
        "{line}"
    );
    assert_eq!(result.log[0].level, LogLevel::Error);
    assert_eq!(result.denials.len(), 1);
    assert!(server.seen.lock().is_empty());
}

#[tokio::test]
async fn loopback_is_closed_until_the_operator_allows_it() {
    let server = Server::start().await;
    let port = server.origin.rsplit(':').next().unwrap().to_owned();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
    ] {
        let mut rig = rig_with(&server).await;
        rig.base = format!("http://{host}:{port}");
        rig.grant = rig.grant.replace("allow-networks = [\"loopback\"]", "");
        let line = line(&rig, &get(&format!("{}/echo", rig.base))).await;
        assert!(
            line.contains("allow-networks = [\"loopback\"]"),
            "{host}: {line}"
        );
    }
    assert!(server.seen.lock().is_empty());
}

#[tokio::test]
async fn a_name_is_resolved_and_its_addresses_checked_before_anything_is_sent() {
    let server = Server::start().await;
    let port = server.origin.rsplit(':').next().unwrap().to_owned();
    let rig = Rig {
        base: format!("http://localhost:{port}"),
        ..Rig::new()
    };
    let line = line(&rig, &get(&format!("{}/echo", rig.base))).await;
    assert!(line.starts_with("GET /echo"), "{line}");
}

#[tokio::test]
async fn a_redirect_is_followed_only_where_the_plugin_has_a_right() {
    let server = Server::start().await;
    let cases = [
        ("/echo", "GET /echo"),
        (
            "http://169.254.169.254/latest/meta-data/",
            "GET http://169.254.169.254/latest/meta-data/",
        ),
        ("http://evil.example/", "does not ask for it"),
        ("file:///etc/passwd", "only http and https"),
        ("http://u:p@127.0.0.1/", "user name"),
    ];
    for (to, want) in cases {
        let rig = rig_with(&server).await;
        let line = line(&rig, &get(&format!("{}/to?{to}", server.origin))).await;
        assert!(line.contains(want), "{to}: {line}");
    }
}

#[tokio::test]
async fn a_redirect_to_the_metadata_address_is_refused_even_by_a_right_that_names_it() {
    let server = Server::start().await;
    let mut rig = rig_with(&server).await;
    rig.manifest.push_str(
        "\n[[http]]\nname = \"meta\"\norigin = \"http://169.254.169.254\"\npaths = [\"*\"]\n\
         methods = [\"GET\"]\n",
    );
    let line = line(
        &rig,
        &get(&format!("{}/to?http://169.254.169.254/x", server.origin)),
    )
    .await;
    assert!(
        line.contains("allow-networks = [\"loopback\", \"metadata\"]"),
        "{line}"
    );
}

#[tokio::test]
async fn a_credential_is_dropped_when_a_redirect_changes_the_origin() {
    let (first, second) = (Server::start().await, Server::start().await);
    let mut rig = rig_with(&first).await;
    rig.manifest.push_str(&format!(
        "\n[[http]]\nname = \"other\"\norigin = \"{}\"\npaths = [\"*\"]\nmethods = [\"GET\"]\n",
        second.origin
    ));
    let url = format!("{}/to?{}/echo", first.origin, second.origin);
    line(
        &rig,
        &Request {
            auth: Some("api"),
            ..get(&url)
        },
    )
    .await;
    assert!(first.seen.lock()[0].contains("authorization"));
    assert!(
        !second.seen.lock()[0].contains("authorization"),
        "{}",
        second.seen.lock()[0]
    );
}

#[tokio::test]
async fn a_secret_in_a_redirects_target_reaches_neither_guest_nor_report() {
    let server = Server::start().await;
    let rig = rig_with(&server).await;
    let url = format!("{}/away", server.origin);
    let request = Request {
        auth: Some("api"),
        ..get(&url)
    };
    let plugin = rig.load(&Guest::default().sends(&request)).await;
    let result = deliver(&plugin).await;
    let line = last_line(&result);
    assert!(line.contains("evil.example/[secret:token]"), "{line}");
    let all = format!("{:?} {:?} {:?}", result.denials, result.http, result.log);
    assert!(!all.contains(SECRET), "{all}");
}

#[tokio::test]
async fn redirects_are_limited() {
    let server = Server::start().await;
    let rig = rig_with(&server).await;
    let to = format!("{}/to?", server.origin);
    let four = format!("{to}/to?/to?/to?/to?/echo");
    let line = line(&rig, &get(&four)).await;
    assert_eq!(line, "more than 3 redirects");
    assert_eq!(server.seen.lock().len(), 4);
}

#[tokio::test]
async fn smuggled_headers_are_refused_before_anything_is_sent() {
    let server = Server::start().await;
    let url = format!("{}/echo", server.origin);
    let cases = [
        ("Host", "evil.example"),
        ("Transfer-Encoding", "chunked"),
        ("Authorization", "Bearer mine"),
        ("x-a", "1\r\nhost: evil.example"),
        ("proxy-authorization", "x"),
    ];
    for (name, value) in cases {
        let rig = rig_with(&server).await;
        let request = Request {
            headers: &[(name, value)],
            ..get(&url)
        };
        let line = line(&rig, &request).await;
        assert!(
            line.contains("header") || line.contains("value of"),
            "{name}: {line}"
        );
    }
    assert!(server.seen.lock().is_empty());
}

#[tokio::test]
async fn a_response_that_is_too_long_is_refused() {
    let server = Server::start().await;
    let rig = rig_with(&server).await;
    let line = line(&rig, &get(&format!("{}/big", server.origin))).await;
    assert_eq!(line, "too-large");
}

#[tokio::test]
async fn requests_per_minute_are_limited() {
    let server = Server::start().await;
    let mut rig = rig_with(&server).await;
    rig.grant.push_str("\nlimits = { http-per-min = 2 }");
    let url = format!("{}/echo", server.origin);
    let plugin = rig.load(&Guest::default().sends(&get(&url))).await;
    let mut lines = Vec::new();
    for _ in 0..3 {
        lines.push(last_line(&deliver(&plugin).await).to_owned());
    }
    assert!(lines[1].starts_with("GET /echo"), "{lines:?}");
    assert_eq!(lines[2], "throttled");
}

#[tokio::test]
async fn a_server_that_never_responds_costs_the_guest_a_timeout_and_no_cpu() {
    let server = Server::start().await;
    let rig = rig_with(&server).await;
    let url = format!("{}/hang", server.origin);
    let request = Request {
        timeout_ms: Some(300),
        ..get(&url)
    };
    let plugin = rig.load(&Guest::default().sends(&request)).await;
    let result = deliver(&plugin).await;
    assert_eq!(result.outcome, Ok(Outcome::Done));
    assert_eq!(last_line(&result), "timeout");
    assert!(result.stats.wall_us >= 300_000, "{:?}", result.stats);
    assert!(result.stats.cpu_us < 100_000, "{:?}", result.stats);
}

#[tokio::test]
async fn a_guest_sends_no_requests_after_its_deadline() {
    use crate::guests::{ANSWER, REQUEST};
    let server = Server::start().await;
    let mut rig = rig_with(&server).await;
    rig.manifest = rig.manifest.replace("wall-ms = 5000", "wall-ms = 300");
    let url = format!("{}/hang", server.origin);
    let mut guest = Guest::default().sends(&get(&url));
    guest.on_event = format!(
        "(loop $l (call $http_send (i32.const {REQUEST}) (i32.const {ANSWER})) (br $l))
         (i32.const 512)"
    );
    let plugin = rig.load(&guest).await;
    let result = deliver(&plugin).await;
    let report = super::rig::report(&result);
    assert_eq!(report.limit, Some("wall-ms"), "{report}");
    assert!(report.remedy.contains("timeout-ms"), "{report}");
    assert!(result.stats.wall_us < 3_000_000, "{:?}", result.stats);
    let sent = server.seen.lock().len();
    assert!(
        sent <= 2,
        "the remaining time is not enough for more: {sent}"
    );
}

#[tokio::test]
async fn a_missing_secret_is_reported_and_nothing_is_sent() {
    let server = Server::start().await;
    let rig = rig_with(&server).await;
    let url = format!("{}/echo", server.origin);
    let plugin = rig
        .load(&Guest::default().sends(&Request {
            auth: Some("api"),
            ..get(&url)
        }))
        .await;
    std::fs::remove_file(rig.folder.path().join("token")).unwrap();
    let result = deliver(&plugin).await;
    assert!(last_line(&result).contains("the secret `token` cannot be read"));
    assert!(server.seen.lock().is_empty());
}

#[tokio::test]
async fn requests_per_call_are_limited() {
    use crate::guests::{ANSWER, REQUEST};
    let server = Server::start().await;
    let rig = rig_with(&server).await;
    let url = format!("{}/status/204", server.origin);
    let mut guest = Guest::default().sends(&get(&url));
    guest.more = "(global $n (mut i32) (i32.const 0))".into();
    guest.on_event = format!(
        "(loop $l
           (call $http_send (i32.const {REQUEST}) (i32.const {ANSWER}))
           (global.set $n (i32.add (global.get $n) (i32.const 1)))
           (br_if $l (i32.lt_u (global.get $n) (i32.const 31))))
         (call $log_answer) (i32.const 512)"
    );
    let plugin = rig.load(&guest).await;
    let result = deliver(&plugin).await;
    assert!(
        last_line(&result).contains("at most 30 requests per call"),
        "{result:?}"
    );
    assert_eq!(server.seen.lock().len(), 30);
}

#[tokio::test]
async fn a_compressed_response_is_redacted_and_limited_while_decompressing() {
    let server = Server::start().await;
    for (path, want) in [("zipped", "zipped [secret:token]"), ("bomb", "too-large")] {
        let rig = rig_with(&server).await;
        let line = line(&rig, &get(&format!("{}/{path}", server.origin))).await;
        assert_eq!(line, want);
    }
}

/// A guest that searches all its memory for the secret's first four bytes, and traps if it finds
/// them. The bytes it compares with are in its code, not in its memory.
fn searches_its_memory(request: &Request<'_>) -> Guest {
    let mut guest = Guest::default().sends(request);
    let prefix = i32::from_le_bytes(SECRET.as_bytes()[..4].try_into().unwrap());
    guest.more = format!(
        "(func $search (local $at i32)
           (loop $l
             (if (i32.eq (i32.load align=1 (local.get $at)) (i32.const {prefix}))
               (then unreachable))
             (local.set $at (i32.add (local.get $at) (i32.const 1)))
             (br_if $l (i32.lt_u (local.get $at)
               (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4))))))"
    );
    guest.on_event = format!("(call $search) {} (call $search)", guest.on_event);
    guest
}

#[tokio::test]
async fn no_secret_is_ever_in_a_guests_memory() {
    let server = Server::start().await;
    for (path, once) in [
        ("echo", None),
        ("leak", None),
        ("zipped", None),
        ("leak", Some("x")),
    ] {
        let rig = rig_with(&server).await;
        let url = format!("{}/{path}", server.origin);
        let request = Request {
            auth: Some("api"),
            once,
            ..get(&url)
        };
        let plugin = rig.load(&searches_its_memory(&request)).await;
        for _ in 0..2 {
            let result = deliver(&plugin).await;
            assert_eq!(result.outcome, Ok(Outcome::Done), "{path}");
        }
    }
    // The search finds what is there.
    let rig = rig_with(&server).await;
    let url = format!("{}/echo", server.origin);
    let mut guest = searches_its_memory(&get(&url));
    guest.put(3000, &SECRET.as_bytes()[..4]);
    let plugin = rig.load(&guest).await;
    assert!(deliver(&plugin).await.outcome.is_err());
}

#[tokio::test]
async fn every_request_leaves_a_trace_without_its_query() {
    let server = Server::start().await;
    let rig = rig_with(&server).await;
    let url = format!("{}/echo?key=1", server.origin);
    let plugin = rig.load(&Guest::default().sends(&get(&url))).await;
    let trace = deliver(&plugin).await.http;
    assert_eq!(trace.len(), 1);
    assert_eq!(
        (trace[0].method.as_str(), &trace[0].outcome),
        ("GET", &Ok(200))
    );
    assert_eq!(trace[0].url, format!("{}/echo", server.origin));
}

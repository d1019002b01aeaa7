//! Tests of error messages when the daemon refuses a request or cannot be reached.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use clap::Parser;

use super::{Client, ClientArgs, path_part};
use crate::cli::Exit;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    client: ClientArgs,
}

/// A client of a server that sends one response, and the request that the server received.
fn answered(answer: &'static str) -> (Client, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut asked = Vec::new();
        let mut buffer = [0; 1024];
        while !asked.windows(4).any(|it| it == b"\r\n\r\n") {
            let count = stream.read(&mut buffer).expect("a request");
            assert!(count > 0, "the connection closed before the request ended");
            asked.extend_from_slice(&buffer[..count]);
        }
        stream.write_all(answer.as_bytes()).expect("answered");
        String::from_utf8_lossy(&asked).into_owned()
    });
    (client(&["--url", &url, "--token", "secret"]), asked)
}

fn client(args: &[&str]) -> Client {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let args = std::iter::once("line").chain(args.iter().copied());
    let line = Line::try_parse_from(args).expect("a command line");
    Client::new(&line.client).expect("a client")
}

#[test]
fn a_problem_is_shown_with_its_detail_and_status() {
    let (client, asked) = answered(
        "HTTP/1.1 409 Conflict\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\
         \r\n{\"title\": \"no\", \
         \"detail\": \"incident 1 is \\u001bclosed\", \"remedy\": \"reopen\"}",
    );
    let failure = client.get("/api/v1/incidents/1").expect_err("refused");
    assert_eq!(failure.exit, Exit::Failed);
    assert_eq!(failure.text, "incident 1 is  closed; reopen (409)");
    let asked = asked.join().expect("a request");
    assert!(
        asked.starts_with("GET /api/v1/incidents/1 HTTP/1.1"),
        "{asked}"
    );
    assert!(asked.contains("authorization: Bearer secret"), "{asked}");
}

#[test]
fn a_refused_token_says_how_to_get_one() {
    let (client, asked) =
        answered("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
    let failure = client.get("/api/v1/tokens").expect_err("refused");
    assert!(
        failure.text.contains("the token is unknown or revoked"),
        "{}",
        failure.text
    );
    assert!(failure.text.contains("admin.token"), "{}", failure.text);
    asked.join().expect("a request");
}

#[test]
fn a_server_that_is_not_a_tocsin_daemon_is_named() {
    let (client, asked) =
        answered("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n<html");
    let failure = client.get("/api/v1/alerts").expect_err("not valid JSON");
    assert!(
        failure.text.contains("is it a tocsin daemon?"),
        "{}",
        failure.text
    );
    asked.join().expect("a request");
}

#[test]
fn without_a_daemon_the_remedy_is_to_start_one() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let failure = client(&["--url", &url])
        .get("/healthz")
        .expect_err("no daemon");
    assert!(failure.text.contains("tocsin serve"), "{}", failure.text);
}

#[test]
fn an_id_cannot_lead_to_another_path() {
    assert_eq!(path_part("a/../b?c#d é"), "a%2F..%2Fb%3Fc%23d%20%C3%A9");
}

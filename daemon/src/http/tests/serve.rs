use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::rig::test_app;
use crate::http::serve::{Limits, serve};

/// Reads until what was read ends with `end`.
async fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let byte = stream.read_u8().await.unwrap();
        read.push(byte);
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn a_request_in_progress_is_answered_after_the_stop_and_no_new_one_is_accepted() {
    let rig = test_app().await;
    let token = rig.sender("any").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let served = serve(
        Limits::default(),
        Arc::clone(&rig.app),
        listener,
        stop.clone().cancelled_owned(),
    );
    let served = tokio::spawn(served);
    let mut stream = TcpStream::connect(at).await.unwrap();
    let body = "{\"title\":\"down\"}";
    let head = format!(
        "POST /ingest/any HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let go_on = read_to(&mut stream, "\r\n\r\n").await;
    assert!(go_on.contains("100 Continue"), "{go_on}");
    stop.cancel();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    served.await.unwrap();
    assert!(
        TcpStream::connect(at).await.is_err(),
        "the listener is closed"
    );
    assert_eq!(rig.open_incidents(), 1);
}

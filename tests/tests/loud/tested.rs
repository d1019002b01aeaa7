//! `tocsin page test` goes the whole way, and the command shows how far it has come.

use crate::night::Night;
use crate::way::{self, Make, Press};

async fn is_tested(make: Make) {
    let way = make();
    let name = format!("{} is tested", way.kind());
    let Some(night) = Night::start(&name, &[(&*way, way.url())], "").await else {
        return;
    };
    let shown = night.page_test("ada", way.kind());
    for address in way.addresses() {
        let arrived = async || {
            way.notice();
            (way.shown_at(address) == 1).then_some(())
        };
        night.until("the test page", arrived).await;
        if let Press::Request(press) = way.press(address) {
            assert!(night.post(&press).await);
        }
    }
    let shown = shown.await.unwrap();
    let said = String::from_utf8_lossy(&shown.stdout).into_owned();
    let passed = said.matches("→ pressed").count();
    assert_eq!(passed, 2, "both contacts: {said}");
    assert!(said.contains("queued → accepted"), "{said}");
    assert!(shown.status.success(), "{said}");
    let taken_back = async || way.is_taken_back().then_some(());
    night.until("the test to be taken back", taken_back).await;
    let log = night.shown().await.unwrap().log;
    assert!(log.is_empty(), "a test is no incident: {log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_page_by_ntfy_is_shown_until_its_button_is_pressed() {
    is_tested(way::NTFY_BUTTON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_page_by_pushover_is_shown_until_it_is_acknowledged_there() {
    is_tested(way::PUSHOVER).await;
}

use serde_json::json;

use super::rig::test_app;

#[tokio::test]
async fn a_webhook_of_an_unknown_plugin_is_not_found() {
    let rig = test_app().await;
    let answer = rig
        .post("/hooks/slack/events", "", &json!({}))
        .await
        .is(404);
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

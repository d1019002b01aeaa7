//! Clients that disconnect while the daemon writes: hyper then drops the handler's future.

use serde_json::json;

use super::rig::{NOW, test_app};
use crate::auth::{Scope, Token};

/// Polls the handler once, until its write has started, and drops it.
async fn hang_up<T>(handler: impl Future<Output = T>) {
    tokio::select! {
        biased;
        _ = handler => panic!("the handler finished before the client hung up"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn a_token_is_revoked_although_the_client_hung_up() {
    let rig = test_app().await;
    let text = rig.token(Scope::Admin).await;
    let token = Token::parse(&text).unwrap();
    let id = rig.app.tokens.find(&token).unwrap().id.clone();
    let _keeper = rig.token(Scope::Admin).await;
    hang_up(rig.app.tokens.revoke(&id, &rig.app.writer)).await;
    // The next change waits for the one before it.
    let _later = rig.token(Scope::Read).await;
    assert!(rig.app.tokens.find(&token).is_none());
}

#[tokio::test]
async fn a_silence_expires_although_the_client_hung_up() {
    let rig = test_app().await;
    let app = &rig.app;
    let silences = &app.silences;
    let set = |id: &'static str, name: &'static str| {
        let posted = serde_json::from_value(json!({
            "matchers": [{ "name": "a", "value": name, "isRegex": false }],
            "startsAt": "2026-01-31T12:00:00Z",
            "endsAt": "2026-01-31T14:00:00Z",
            "createdBy": "ada",
            "comment": "upgrade",
        }));
        silences.set(posted.unwrap(), id, NOW, &app.writer)
    };
    let id = set("one", "b").await.unwrap();
    let labels = [("a".to_owned(), "b".to_owned())].into();
    assert_eq!(silences.matching(&labels, NOW), std::slice::from_ref(&id));
    hang_up(silences.expire(&id, NOW, &app.writer)).await;
    set("two", "other").await.unwrap();
    assert!(silences.matching(&labels, NOW).is_empty());
}

//! Two daemons on one store change what both keep in memory.

use std::path::Path;

use serde_json::json;
use tocsin_store::{Batch, RowChange, RowValue};

use super::*;
use crate::app::App;
use crate::auth::{NewToken, TokenRefusal};
use crate::rig::{NOW, Rig};
use crate::runtime::TokenError;
use crate::runtime::state::tables::silence::SILENCES;

async fn two() -> [Arc<App>; 2] {
    let one = Rig::new("", Path::new("/nowhere")).await;
    let other = one.another().await;
    [one.app, other.app]
}

#[tokio::test]
async fn two_daemons_do_not_revoke_the_last_two_admin_tokens_at_once() {
    let [one, other] = two().await;
    let mut ids = Vec::new();
    for name in ["a", "b"] {
        let wanted = NewToken::admin(name);
        let made = one.tokens.create(wanted, &one.config, NOW, &one.writer);
        ids.push(made.await.unwrap().1.id.clone());
    }
    let (first, second) = tokio::join!(
        one.tokens.revoke(&ids[0], &one.writer),
        other.tokens.revoke(&ids[1], &other.writer),
    );
    let refusals = [first, second].into_iter().filter_map(Result::err);
    let refusals: Vec<_> = refusals.collect();
    assert!(
        matches!(
            refusals.as_slice(),
            [TokenError::Refused(TokenRefusal::LastAdmin)]
        ),
        "{refusals:?}"
    );
    one.tokens.follow().unwrap();
    assert_eq!(one.tokens.list().len(), 1);
}

#[tokio::test]
async fn two_daemons_that_start_at_once_make_one_admin_token() {
    let [one, other] = two().await;
    let (first, second) = tokio::join!(
        one.tokens.create_first_admin(&one.config, NOW, &one.writer),
        other
            .tokens
            .create_first_admin(&other.config, NOW, &other.writer),
    );
    let made = [first.unwrap(), second.unwrap()];
    assert_eq!(made.iter().flatten().count(), 1);
    for app in [&one, &other] {
        app.tokens.follow().unwrap();
        assert_eq!(app.tokens.list().len(), 1);
    }
}

#[tokio::test]
async fn a_stored_change_is_answered_even_if_it_cannot_be_read_back() {
    let rig = Rig::new("", Path::new("/nowhere")).await;
    let read = |store: &dyn Store| {
        let damaged = || EngineError::Damaged("a row".to_owned());
        match store.row(Table::Token, "damaged")? {
            Some(_) => Err(damaged()),
            None => Ok(()),
        }
    };
    let store = rig.store.clone() as Arc<dyn Store>;
    let cache = Cache::load(store, (Table::Token, Mark::TOKENS), read).unwrap();
    let changed = cache.change(&rig.app.writer, |()| -> Result<_, EngineError> {
        let row = RowChange {
            table: Table::Token,
            key: "damaged".to_owned(),
            value: Some(RowValue::text_of(&"damaged").unwrap()),
            expires_at: None,
        };
        let batch = Batch {
            rows: vec![row],
            ..Batch::default()
        };
        rig.store.commit(vec![batch]).unwrap()[0].clone().unwrap();
        Ok((SILENCES.remove("none"), "the only text"))
    });
    assert_eq!(changed.await.unwrap(), "the only text");
}

#[tokio::test]
async fn a_silence_is_changed_as_the_other_daemon_left_it() {
    let [one, other] = two().await;
    let posted = |id: Option<&str>| {
        serde_json::from_value(json!({
            "id": id,
            "matchers": [{ "name": "service", "value": "shop", "isRegex": false }],
            "startsAt": "2026-01-31T12:00:00Z",
            "endsAt": "2026-01-31T14:00:00Z",
            "createdBy": "ada",
            "comment": "upgrade",
        }))
        .unwrap()
    };
    let set = one.silences.set(posted(None), "s1", NOW, &one.writer);
    let id = set.await.unwrap();
    other
        .silences
        .expire(&id, NOW, &other.writer)
        .await
        .unwrap();
    // It has ended, so the change makes a new one.
    let set = one.silences.set(posted(Some(&id)), "s2", NOW, &one.writer);
    assert_eq!(set.await.unwrap(), "s2");
    assert_eq!(one.silences.all().len(), 2);
}

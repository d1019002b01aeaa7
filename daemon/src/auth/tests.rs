use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tocsin_core::{IntegrationId, Timestamp};

use super::*;

fn token(scope: Scope, byte: u8) -> Token {
    Token::new(scope, [byte; RANDOM_BYTES])
}

fn row(token: &Token, integration: Option<&str>) -> TokenRow {
    let integration = integration.map(IntegrationId::from);
    TokenRow::new(
        token,
        "t1".into(),
        "Prometheus".into(),
        integration,
        Timestamp(7),
    )
}

#[test]
fn a_token_has_its_scope_and_is_parsed_back() {
    for scope in Scope::ALL {
        let made = token(scope, 7);
        assert!(
            made.reveal().starts_with(&format!("tocsin_{scope}_")),
            "{scope}"
        );
        let read = Token::parse(&format!(" {}\n", made.reveal())).unwrap();
        assert_eq!((read.scope(), read.hash()), (scope, made.hash()));
    }
}

#[test]
fn text_that_is_not_a_token_is_refused_and_not_repeated() {
    let good = token(Scope::Read, 7).reveal().to_owned();
    let long = format!("{good}{}", "A".repeat(TOKEN_BYTES_MAX));
    let short = &good[..good.len() - 1];
    for text in [
        "",
        "tocsin_",
        "tocsin_read_",
        "tocsin_root_AAAA",
        "hunter2",
        short,
        &long,
    ] {
        let error = Token::parse(text).unwrap_err().to_string();
        assert!(error.contains("tocsin token create"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_token_in_place_of_a_name_is_redacted() {
    let made = token(Scope::Ingest, 7);
    for (text, shown) in [(made.reveal(), "tocsin_…"), ("curl", "curl")] {
        assert_eq!(redact_token(text), shown);
    }
}

#[test]
fn neither_debug_nor_the_row_shows_a_token() {
    let made = token(Scope::Admin, 0xab);
    let random = made.reveal().trim_start_matches("tocsin_admin_");
    let row = row(&made, None);
    let shown = format!("{made:?} {row:?} {}", serde_json::to_string(&row).unwrap());
    assert!(
        !shown.contains(random) && !shown.contains(made.reveal()),
        "{shown}"
    );
    let carried = Carried {
        query: Some(made.reveal()),
        ..Carried::default()
    };
    assert!(!format!("{carried:?}").contains(random));
}

#[test]
fn a_row_matches_only_its_token() {
    let (mine, other) = (token(Scope::Ingest, 1), token(Scope::Ingest, 2));
    let row = row(&mine, Some("curl"));
    assert!(row.matches(&mine) && !row.matches(&other));
    assert_eq!(row.last4, mine.reveal()[mine.reveal().len() - 4..]);
    let stored: TokenRow = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap();
    assert_eq!(stored, row);
}

#[test]
fn a_scope_includes_the_scopes_below() {
    use Scope::{Admin, Ingest, Read, Respond};
    for (has, opens) in [
        (Ingest, vec![Ingest]),
        (Read, vec![Read]),
        (Respond, vec![Read, Respond]),
        (Admin, vec![Read, Respond, Admin]),
    ] {
        for wanted in Scope::ALL {
            assert_eq!(
                has.allows(wanted),
                opens.contains(&wanted),
                "{has} → {wanted}"
            );
        }
    }
}

#[test]
fn an_ingest_token_is_valid_only_for_its_integration() {
    let bound = row(&token(Scope::Ingest, 1), Some("curl"));
    assert!(bound.may_ingest(&"curl".into()) && !bound.may_ingest(&"grafana".into()));
    assert!(!row(&token(Scope::Admin, 1), Some("curl")).may_ingest(&"curl".into()));
    assert!(!row(&token(Scope::Ingest, 1), None).may_ingest(&"curl".into()));
}

#[test]
fn a_token_is_found_wherever_a_sender_can_put_it() {
    let made = token(Scope::Ingest, 7);
    let text = made.reveal();
    let bearer = format!("Bearer {text}");
    let lower = format!("bearer {text}");
    let basic = format!("Basic {}", STANDARD.encode(format!("prometheus:{text}")));
    let query = format!("a=b&key={text}");
    let none = Carried::default();
    for places in [
        Carried {
            authorization: Some(&bearer),
            ..none
        },
        Carried {
            authorization: Some(&lower),
            ..none
        },
        Carried {
            authorization: Some(&basic),
            ..none
        },
        Carried {
            tocsin_key: Some(text),
            ..none
        },
        Carried {
            query: Some(&query),
            ..none
        },
        Carried {
            authorization: Some(&bearer),
            query: Some(&query),
            ..none
        },
    ] {
        assert_eq!(
            carried(places).unwrap().unwrap().hash(),
            made.hash(),
            "{places:?}"
        );
    }
    assert!(carried(none).unwrap().is_none());
    assert!(
        carried(Carried {
            query: Some("page=2"),
            ..none
        })
        .unwrap()
        .is_none()
    );
}

#[test]
fn an_unreadable_or_second_token_is_refused() {
    let (one, two) = (token(Scope::Read, 1), token(Scope::Read, 2));
    let bearer = format!("Bearer {}", one.reveal());
    let query = format!("key={}", two.reveal());
    let both = Carried {
        authorization: Some(&bearer),
        query: Some(&query),
        ..Carried::default()
    };
    assert_eq!(carried(both).unwrap_err(), UnreadableToken::Different);
    let long = format!("Bearer {}", "A".repeat(2_000));
    for header in [
        "Bearer",
        "Digest x",
        "Basic !!!",
        "Basic bm9jb2xvbg==",
        "Bearer x",
        &long,
    ] {
        let places = Carried {
            authorization: Some(header),
            ..Carried::default()
        };
        assert_eq!(
            carried(places).unwrap_err(),
            UnreadableToken::Bad(BadToken),
            "{header}"
        );
    }
}

#[test]
fn the_last_admin_token_cannot_be_revoked_and_the_number_is_limited() {
    let rows = |scope, count: u16| {
        (0..count).map(move |at| {
            let mut random = [0; RANDOM_BYTES];
            random[..2].copy_from_slice(&at.to_be_bytes());
            let token = Token::new(scope, random);
            let (id, name) = (format!("{scope}-{at}"), "x".to_owned());
            Arc::new(TokenRow::new(
                &token,
                id,
                name,
                None,
                Timestamp(i64::from(at)),
            ))
        })
    };
    let mut index = TokenIndex::default();
    rows(Scope::Admin, 1).for_each(|row| index.insert(row));
    let refused = index.revocable("admin-0").unwrap_err();
    assert_eq!(refused, TokenRefusal::LastAdmin);
    let unknown = index.revocable("admin-1").unwrap_err();
    assert_eq!(unknown, TokenRefusal::Unknown("admin-1".to_owned()));
    rows(Scope::Admin, 2).for_each(|row| index.insert(row));
    assert_eq!(index.revocable("admin-0").unwrap().id, "admin-0");
    rows(Scope::Read, 998).for_each(|row| index.insert(row));
    assert_eq!(index.list().len(), TOKENS_MAX);
    assert_eq!(index.may_grow(), Err(TokenRefusal::TooMany));
}

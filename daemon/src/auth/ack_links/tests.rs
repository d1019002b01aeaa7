use super::*;

fn claim() -> AckClaim {
    AckClaim {
        of: AckTarget::Page {
            incident: "i-1".into(),
            page: "i-1-p1".into(),
        },
        person: "ada".into(),
        via: "ntfy".to_owned(),
        expires_at: Timestamp(1_000 + 24 * 3_600_000),
    }
}

#[test]
fn an_acknowledge_link_names_the_person_and_the_page() {
    let key = AckKey::new([7; KEY_BYTES]);
    let links = AckLinks::new(key, "https://tocsin.example.com".to_owned());
    let link = links.url(&claim());
    let token = link
        .strip_prefix("https://tocsin.example.com/ack/")
        .unwrap();
    assert!(
        token
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
        "{token}"
    );
    assert_eq!(links.read(token, Timestamp(1_000)), Ok(claim()));
}

#[test]
fn a_link_says_whether_it_acknowledges_a_message_or_answers_it() {
    let key = AckKey::new([7; KEY_BYTES]);
    let message = || tocsin_core::MessageId::parse("message-7-ada").unwrap();
    let choice = "yes".to_owned();
    let answer = AckTarget::Answer {
        message: message(),
        choice,
    };
    let all = AckTarget::Message { message: message() };
    for of in [answer, all] {
        let claim = AckClaim { of, ..claim() };
        let token = key.sign(&claim);
        assert_eq!(key.verify(&token, Timestamp(1_000)), Ok(claim));
    }
}

#[test]
fn a_link_of_a_release_that_sent_them_only_by_mail_is_read() {
    let old = r#"{"i":"i-1","p":"i-1-p1","u":"ada","e":86401000}"#;
    let read: AckClaim = serde_json::from_str(old).unwrap();
    let via = "mail".to_owned();
    assert_eq!(read, AckClaim { via, ..claim() });
}

#[test]
fn a_link_is_refused_once_it_has_expired() {
    let key = AckKey::new([7; KEY_BYTES]);
    let token = key.sign(&claim());
    let end = claim().expires_at;
    assert!(key.verify(&token, end.minus_ms(1)).is_ok());
    assert_eq!(key.verify(&token, end), Err(AckRefusal::Expired));
}

#[test]
fn a_link_with_any_character_changed_is_refused() {
    let key = AckKey::new([7; KEY_BYTES]);
    let token = key.sign(&claim());
    for position in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(
            key.verify(&changed, Timestamp(0)).is_err(),
            "position {position}"
        );
    }
}

#[test]
fn a_link_of_another_key_or_another_claim_is_forged() {
    let (key, other) = (AckKey::new([7; KEY_BYTES]), AckKey::new([8; KEY_BYTES]));
    let token = other.sign(&claim());
    assert_eq!(key.verify(&token, Timestamp(0)), Err(AckRefusal::Forged));
    let eve = key.sign(&AckClaim {
        person: "eve".into(),
        ..claim()
    });
    let (claim_of_eve, _) = eve.split_once('.').unwrap();
    let signed = key.sign(&claim());
    let (_, mac_of_ada) = signed.split_once('.').unwrap();
    let mixed = format!("{claim_of_eve}.{mac_of_ada}");
    assert_eq!(key.verify(&mixed, Timestamp(0)), Err(AckRefusal::Forged));
}

#[test]
fn text_that_is_not_a_token_is_malformed() {
    let key = AckKey::new([7; KEY_BYTES]);
    let long = "A".repeat(ACK_TOKEN_BYTES_MAX + 1);
    for token in ["", ".", "abc", "a b.c", "%%%.%%%", &long] {
        assert!(key.verify(token, Timestamp(0)).is_err(), "{token}");
    }
    assert_eq!(key.verify("abc", Timestamp(0)), Err(AckRefusal::Malformed));
    assert!(!format!("{key:?}").contains('7'));
}

use super::*;
use crate::rights::SecretSource;
use crate::rights::manifest::Manifest;
use reqwest::Method;
use std::collections::BTreeMap;

const TOKEN: &str = "12:to/k&n =";

/// A right with this `inject`, and its secrets.
fn credential(inject: &str) -> (Credential, SecretSet) {
    let manifest = Manifest::parse(&format!(
        "schema = 1\nid = \"p\"\nversion = \"0.1.0\"\nname = \"P\"\n\
         [[config]]\nkey = \"account\"\nkind = \"string\"\n\
         [[secret]]\nname = \"token\"\n[[secret]]\nname = \"user\"\n\
         [[http]]\nname = \"api\"\norigin = \"https://api.example\"\npaths = [\"*\"]\n\
         methods = [\"GET\", \"POST\"]\ninject = {{ secret = \"token\", {inject} }}"
    ))
    .unwrap();
    let settings = Settings::from([("account".to_owned(), "AC1".into())]);
    let credential = Credential::of(&manifest.http[0], &settings).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut sources = BTreeMap::new();
    for (name, value) in [("token", TOKEN), ("user", "robot")] {
        let path = folder.path().join(name);
        std::fs::write(&path, value).unwrap();
        sources.insert(name.to_owned(), SecretSource::File(path));
    }
    (credential, SecretSet::read(&sources))
}

fn request(url: &str, form: Option<&str>) -> Outgoing {
    let mut headers = HeaderMap::new();
    if form.is_some() {
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        headers.insert(CONTENT_TYPE, kind);
    }
    Outgoing {
        method: Method::POST,
        url: Url::parse(url).unwrap(),
        headers,
        body: form.unwrap_or_default().as_bytes().to_vec(),
        auth: Some("api".into()),
        deadline: tokio::time::Instant::now(),
        down_bytes_max: 0,
    }
}

#[test]
fn a_secret_is_encoded_as_its_place_in_the_request_demands() {
    let bare = "https://api.example/v1";
    let basic = |user: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{TOKEN}")));
    let cases = [
        (
            "header = \"x-key\", format = \"Key {}\"",
            request(bare, None),
            (bare, Some(("x-key", format!("Key {TOKEN}"))), ""),
        ),
        (
            "query = \"token\"",
            request("https://api.example/v1?a=%20b", None),
            (
                "https://api.example/v1?a=%20b&token=12%3Ato%2Fk%26n+%3D",
                None,
                "",
            ),
        ),
        (
            "query = \"token\"",
            request("https://api.example/v1?token=old&a=1", None),
            (
                "https://api.example/v1?a=1&token=12%3Ato%2Fk%26n+%3D",
                None,
                "",
            ),
        ),
        (
            "form = \"token\"",
            request(bare, Some("a=1")),
            (bare, None, "a=1&token=12%3Ato%2Fk%26n+%3D"),
        ),
        (
            "form = \"token\"",
            request(bare, Some("")),
            (bare, None, "token=12%3Ato%2Fk%26n+%3D"),
        ),
        (
            "path = \":token\"",
            request("https://api.example/bot:token/send?a=1", None),
            (
                "https://api.example/bot12:to%2Fk%26n%20%3D/send?a=1",
                None,
                "",
            ),
        ),
        (
            "basic = \"user\"",
            request(bare, None),
            (bare, Some(("authorization", basic("robot"))), ""),
        ),
        (
            "basic = \"config:account\"",
            request(bare, None),
            (bare, Some(("authorization", basic("AC1"))), ""),
        ),
    ];
    for (inject, request, (url, header, body)) in cases {
        let (credential, secrets) = credential(inject);
        let wire = credential
            .add(&request, &secrets)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(wire.url.as_str(), url, "{inject}");
        assert_eq!(String::from_utf8(wire.body).unwrap(), body, "{inject}");
        if let Some((name, value)) = header {
            assert_eq!(wire.headers[name], value, "{inject}");
            assert!(wire.headers[name].is_sensitive(), "{inject}");
        }
        // Whatever a server repeats is redacted before the guest reads it.
        let mut secrets = secrets;
        let encoded = credential.encoded(&secrets);
        secrets.also_redact(encoded.into_iter().collect());
        let sent = format!("{} {body} {:?}", wire.url, wire.headers);
        let (shown, _) = secrets.redact_text(&sent);
        for part in ["to%2Fk", "to/k", &STANDARD.encode(format!("AC1:{TOKEN}"))] {
            assert!(!shown.contains(part), "{inject}: {shown}");
        }
    }
}

#[test]
fn a_guest_leaves_the_place_of_the_secret_free() {
    let cases = [
        (
            "query = \"token\"",
            request("https://a.example/?to%6ben=1", None),
            "remove it",
        ),
        (
            "query = \"token\"",
            request("https://a.example/?tokens=1", None),
            "",
        ),
        (
            "form = \"token\"",
            request("https://a.example/", Some("a=1&token=2")),
            "remove it",
        ),
        (
            "form = \"token\"",
            request("https://a.example/", Some("a=1")),
            "",
        ),
        (
            "form = \"token\"",
            request("https://a.example/", None),
            "must be of type",
        ),
        (
            "path = \":token\"",
            request("https://a.example/bot/send", None),
            "once",
        ),
        (
            "path = \":token\"",
            request("https://a.example/:token/:token", None),
            "once",
        ),
        (
            "path = \":token\"",
            request("https://a.example/:token", None),
            "",
        ),
        ("basic = \"user\"", request("https://a.example/", None), ""),
    ];
    for (inject, request, want) in cases {
        let got = credential(inject).0.check(&request);
        match want {
            "" => assert_eq!(got, Ok(()), "{inject}"),
            _ => assert!(
                got.as_ref().is_err_and(|it| it.contains(want)),
                "{inject}: {got:?}"
            ),
        }
    }
}

use super::*;
use crate::grant::{GlobalPolicy, PluginGrant};
use crate::manifest::Manifest;

const MANIFEST: &str = r#"
schema = 1
id = "p"
version = "0.1.0"
name = "P"
[[config]]
key = "base"
kind = "string"
[[secret]]
name = "token"
[[http]]
name = "bot"
origin = "https://api.example"
paths = ["/v1/chat.*", "/v1/users"]
methods = ["POST"]
inject = { secret = "token", header = "authorization", format = "Bearer {}" }
[[http]]
name = "files"
origin = "https://files.example:8443"
paths = ["*"]
methods = ["GET", "PUT"]
[[http]]
name = "own"
origin = "config:base"
paths = ["/*"]
methods = ["GET"]
[[http]]
name = "ungranted"
origin = "https://other.example"
paths = ["*"]
methods = ["GET"]
"#;

fn policy(networks: &str) -> OutboundPolicy {
    let grant: PluginGrant = toml::from_str(&format!(
        "path = \"x\"\ngrant = {{ http = [\"bot\", \"files\", \"own\"] }}\n{networks}"
    ))
    .unwrap();
    let manifest = std::sync::Arc::new(Manifest::parse(MANIFEST).unwrap());
    let base = toml::Value::String("http://chat.internal:8055/api".into());
    let settings = BTreeMap::from([("base".to_owned(), base)]);
    let rights = Rights::new("p", manifest, &grant, &settings, GlobalPolicy::default());
    let networks = grant.allow_networks.clone();
    OutboundPolicy::new(&rights, &settings, networks)
}

#[test]
fn requests_within_a_right_pass_and_all_others_say_why_not() {
    let policy = policy("");
    // (method, URL, auth, Ok(right) or Err(part of the remedy))
    type Case = (
        &'static str,
        &'static str,
        Option<&'static str>,
        Result<&'static str, &'static str>,
    );
    let cases: Vec<Case> = vec![
        (
            "POST",
            "https://api.example/v1/chat.post",
            Some("bot"),
            Ok("bot"),
        ),
        ("POST", "https://api.example/v1/chat.post", None, Ok("bot")),
        (
            "POST",
            "https://API.example:443/v1/users?x=1",
            None,
            Ok("bot"),
        ),
        ("PUT", "https://files.example:8443/a/b/c", None, Ok("files")),
        (
            "GET",
            "http://chat.internal:8055/anything",
            Some("own"),
            Ok("own"),
        ),
        // other path, method, scheme, port, host
        (
            "POST",
            "https://api.example/v1/users/1",
            None,
            Err("\"/v1/users/1\" in paths"),
        ),
        (
            "POST",
            "https://api.example/v2/chat.post",
            None,
            Err("other paths or methods"),
        ),
        (
            "GET",
            "https://api.example/v1/users",
            None,
            Err("\"GET\" in methods"),
        ),
        (
            "POST",
            "http://api.example/v1/users",
            None,
            Err("origin = \"http://api.example\""),
        ),
        (
            "POST",
            "https://api.example:444/v1/users",
            None,
            Err("https://api.example:444"),
        ),
        (
            "GET",
            "https://files.example/a",
            None,
            Err("origin = \"https://files.example\""),
        ),
        (
            "POST",
            "https://evil.example/v1/users",
            None,
            Err("https://evil.example"),
        ),
        (
            "POST",
            "https://api.example.evil.example/v1/users",
            None,
            Err("does not ask"),
        ),
        // a credential goes only where its own right leads
        (
            "GET",
            "https://files.example:8443/a",
            Some("bot"),
            Err("does not ask"),
        ),
        (
            "GET",
            "https://files.example:8443/a",
            Some("nobody"),
            Err("name = \"nobody\""),
        ),
        // asked, not granted
        (
            "GET",
            "https://other.example/",
            None,
            Err("\"own\", \"ungranted\"]"),
        ),
        // tricks
        (
            "POST",
            "https://api.example@evil.example/v1/users",
            None,
            Err("user name"),
        ),
        (
            "POST",
            "https://u:p@api.example/v1/users",
            None,
            Err("user name"),
        ),
        (
            "POST",
            "https://api.example/v1/chat.x/../../v2/admin",
            None,
            Err("other paths"),
        ),
        (
            "POST",
            "https://api.example/v1/chat.%2e%2e/%2e%2e/admin",
            None,
            Err("other paths"),
        ),
        (
            "POST",
            "https://api.example/v1/chat.%2f..%2f..%2fadmin",
            None,
            Err("encoded"),
        ),
        (
            "POST",
            "https://api.example/v1/chat.%5C..%5Cadmin",
            None,
            Err("encoded"),
        ),
        (
            "POST",
            "https://api.example/v1/chat.%252e%252e",
            None,
            Err("encoded"),
        ),
        (
            "GET",
            "ftp://files.example:8443/a",
            None,
            Err("http and https"),
        ),
        ("GET", "file:///etc/passwd", None, Err("http and https")),
    ];
    for (method, url, auth, want) in cases {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let got = policy.check(&Url::parse(url).unwrap(), &method, auth);
        match (got, want) {
            (Ok(allowed), Ok(right)) => {
                assert_eq!(allowed.right, right, "{url}");
                assert_eq!(allowed.inject.is_some(), auth == Some("bot"), "{url}");
            }
            (Err(denied), Err(part)) => {
                assert!(denied.remedy.contains(part), "{method} {url}: {denied}");
            }
            (got, want) => panic!("{method} {url}: got {got:?}, want {want:?}"),
        }
    }
}

#[test]
fn a_denial_does_not_repeat_the_query() {
    let url = Url::parse("https://evil.example/?token=secret").unwrap();
    let denied = policy("").check(&url, &Method::GET, None).unwrap_err();
    assert!(!denied.to_string().contains("secret"), "{denied}");
}

#[test]
fn the_inside_is_closed_until_the_operator_opens_it_by_name() {
    let closed = policy("");
    let denied = closed
        .check_address("a.example", "127.0.0.1".parse().unwrap())
        .unwrap_err();
    assert!(
        denied.remedy.contains("allow-networks = [\"loopback\"]"),
        "{denied}"
    );
    assert!(
        closed
            .check_address("a.example", "1.1.1.1".parse().unwrap())
            .is_ok()
    );

    let open = policy("allow-networks = [\"loopback\"]");
    assert!(
        open.check_address("a.example", "127.0.0.1".parse().unwrap())
            .is_ok()
    );
    let denied = open
        .check_address("a.example", "169.254.169.254".parse().unwrap())
        .unwrap_err();
    assert!(
        denied.remedy.contains("[\"loopback\", \"metadata\"]"),
        "{denied}"
    );
    let never = open
        .check_address("a.example", "0.0.0.0".parse().unwrap())
        .unwrap_err();
    assert_eq!(never.layer, Layer::Host);
}

#[test]
fn globs_match_whole_paths() {
    let cases = [
        ("/a", "/a", true),
        ("/a", "/ab", false),
        ("/a*", "/ab/c", true),
        ("*", "/anything/at/all", true),
        ("/a/*/c", "/a/b/c", true),
        ("/a/*/c", "/a/c", false),
        ("/a*b*c", "/a1b2c", true),
        ("/a*b*c", "/a1c2b", false),
        ("/*a", "/aa", true),
        ("/ab*ba", "/aba", false),
    ];
    for (glob, path, want) in cases {
        assert_eq!(glob_matches(glob, path), want, "{glob} {path}");
    }
}

use super::*;
use crate::rights::manifest::Manifest;
use crate::rights::{GlobalPolicy, PluginGrant};

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
    let settings = Settings::from([("base".to_owned(), base)]);
    let rights = Rights::new("p", manifest, &grant, GlobalPolicy::default());
    OutboundPolicy::new(&rights, &settings)
}

/// Method, URL, the right that `auth` names or `-`, and then the right that allows it or a part of
/// the remedy.
const CASES: &str = r#"
POST https://api.example/v1/chat.post bot => ok bot
POST https://api.example/v1/chat.post - => ok bot
POST https://API.example:443/v1/users?x=1 - => ok bot
PUT https://files.example:8443/a/b/c - => ok files
GET http://chat.internal:8055/anything own => ok own
// another path, method, scheme, port or host
POST https://api.example/v1/users/1 - => "/v1/users/1" in paths
POST https://api.example/v2/chat.post - => other paths or methods
GET https://api.example/v1/users - => "GET" in methods
POST http://api.example/v1/users - => origin = "http://api.example"
POST https://api.example:444/v1/users - => https://api.example:444
GET https://files.example/a - => origin = "https://files.example"
POST https://evil.example/v1/users - => https://evil.example
POST https://api.example.evil.example/v1/users - => does not ask
POST https://api.example./v1/users - => does not ask
// a credential goes only where its own right leads
GET https://files.example:8443/a bot => does not ask
GET https://files.example:8443/a nobody => name = "nobody"
// asked for, not granted
GET https://other.example/ - => "own", "ungranted"]
// tricks
POST https://api.example@evil.example/v1/users - => user name
POST https://u:p@api.example/v1/users - => user name
POST https://api.example/v1/chat.x/../../v2/admin - => other paths
POST https://api.example/v1/chat.%2e%2e/%2e%2e/admin - => other paths
POST https://api.example/v1/chat.%2f..%2f..%2fadmin - => encoded
POST https://api.example/v1/chat.%5C..%5Cadmin - => encoded
POST https://api.example/v1/chat.x/%252e%252e/%252e%252e/admin - => encoded
POST https://api.example/v1/chat.%252f..%252fadmin - => encoded
POST https://api.example/v1/chat.%25252e%25252e/..;/admin - => encoded
POST https://api.example/v1/chat.x%00 - => encoded
GET ftp://files.example:8443/a - => http and https
GET file:///etc/passwd - => http and https
"#;

#[test]
fn requests_within_a_right_pass_and_all_others_have_a_remedy() {
    let policy = policy("");
    for case in CASES.lines().filter(|line| line.contains(" => ")) {
        let (request, want) = case.split_once(" => ").unwrap();
        let [method, url, auth] = request.split(' ').collect::<Vec<_>>()[..] else {
            panic!()
        };
        let auth = (auth != "-").then_some(auth);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        match policy.check(&Url::parse(url).unwrap(), &method, auth) {
            Ok(allowed) => {
                assert_eq!(format!("ok {}", allowed.right.ask.name), want, "{case}");
                assert_eq!(
                    allowed.credential().is_some(),
                    auth == Some("bot"),
                    "{case}"
                );
            }
            Err(denied) => assert!(denied.remedy.contains(want), "{case}: {denied}"),
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
fn internal_networks_are_closed_until_the_operator_allows_them_by_name() {
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
    assert_eq!(never.layer, DeniedBy::Host);
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

/// The path as the most lenient server would see it: decodes until nothing changes.
fn leniently(path: &str) -> String {
    let mut path = path.as_bytes().to_vec();
    for _ in 0..DECODINGS_MAX {
        path = percent_decoded(&path);
    }
    let text = String::from_utf8_lossy(&path).replace('\\', "/");
    let mut kept: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        match segment.split(';').next().unwrap_or_default() {
            ".." => drop(kept.pop()),
            "." | "" => {}
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[test]
fn no_encoding_of_a_path_leaves_the_granted_folder() {
    let parts = [
        "..", ".", "/", "%2f", "%2F", "%2e", "%2E%2e", "\\", "%5c", "%252e", "%252f", "%25", "2e",
        ";", "a", "%", "?", "#", "//", "%25252f",
    ];
    let policy = policy("");
    let (mut seed, mut passed) = (1_u64, 0);
    for _ in 0..20_000 {
        let mut text = "https://files.example:8443/a/".to_owned();
        for _ in 0..7 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(parts[(seed >> 33) as usize % parts.len()]);
        }
        let url = Url::parse(&text).unwrap();
        // The parser's own view is what the globs see; only then does leniency matter.
        if url.path().starts_with("/a/") && policy.check(&url, &Method::GET, None).is_ok() {
            passed += 1;
            let lands = format!("{}/", leniently(url.path()));
            assert!(lands.starts_with("/a/"), "{text} resolves to {lands}");
        }
    }
    assert!(passed > 1_000, "{passed} spellings passed");
}

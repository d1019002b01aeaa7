//! What `tocsin check` finds.

use super::*;

#[test]
fn wrong_settings_are_refused_before_anybody_is_paged() {
    let good = settings(RECIPES[0].0);
    let cases = [
        (
            "url",
            json!("https://{{ address }}/"),
            "url",
            "name the host itself",
        ),
        (
            "url",
            json!("https://a.example/{{ adress }}"),
            "url",
            "undefined",
        ),
        ("method", json!("post"), "method", "POST, PUT, GET"),
        (
            "body",
            json!("{\"a\": \"{{ title }}\"}"),
            "body",
            "is not JSON once it is filled in",
        ),
        ("body", json!("{\"a\": {{ titel }}}"), "body", "undefined"),
        ("body", json!("{\"a\": {{ title }"), "body", "template"),
        (
            "headers",
            json!(["X-Grade {{ grade }}"]),
            "headers",
            "Name: value",
        ),
        (
            "headers",
            json!(["X-Grade: {{ gade }}"]),
            "headers",
            "undefined",
        ),
        (
            "url",
            json!("https://{% if test %}a{% endif %}.example"),
            "url",
            "name the host itself",
        ),
        (
            "url",
            json!("gotify.example/message"),
            "url",
            "must begin with https://",
        ),
        (
            "url",
            json!("https://ada:word@gotify.example/"),
            "url",
            "user or password",
        ),
        // Found by the pages with little and with much.
        (
            "body",
            json!("{\"a\": {{ items[0].links[0].url }}}"),
            "body",
            "undefined",
        ),
        (
            "body",
            json!("{\"a\": {{ title }}{% if ack_url %}, {% endif %}\"b\": 1}"),
            "body",
            "is not JSON",
        ),
        (
            "url",
            json!("https://sms.example/?text={{ body }}"),
            "url",
            "is over 8192 bytes for a long page",
        ),
        (
            "headers",
            json!(["X Grade: 1"]),
            "headers",
            "not the name of a header",
        ),
        (
            "headers",
            json!(["Authorization: Bearer x"]),
            "headers",
            "`authorization` is not set here",
        ),
        (
            "headers",
            json!(["Content-Type: text/plain"]),
            "headers",
            "`content-type` is not set here",
        ),
        (
            "credential",
            json!("header"),
            "credential",
            "must be one of none, bearer",
        ),
        ("credential", json!("none"), "credential", "nowhere"),
        ("credential", json!("basic"), "user", "is missing"),
        (
            "credential",
            json!("path"),
            "url",
            "`:secret` once in its path",
        ),
    ];
    let short = json!("https://sms.example/?text={{ body | cut(300) }}&title={{ title }}");
    let mut fits = good.clone();
    fits["url"] = short;
    let (host, _) = start(Kind::Gotify, &good);
    assert_eq!(ThePlugin::check_config(&fits), []);
    for (key, value, path, why) in cases {
        let mut bad = good.clone();
        bad[key] = value.clone();
        let issues = ThePlugin::check_config(&bad);
        let [issue] = &issues[..] else {
            panic!("{key} {value}: {issues:?}")
        };
        assert_eq!(issue.path, path, "{value}");
        assert!(issue.message.contains(why), "{value}: {}", issue.message);
    }
    for (credential, url, why) in [
        (
            "path",
            "https://sms.example/send?key=:secret",
            "once in its path",
        ),
        (
            "query",
            "https://sms.example/send?a=1&token=x",
            "the parameter `token`",
        ),
    ] {
        let mut bad = good.clone();
        (bad["credential"], bad["url"]) = (credential.into(), url.into());
        let issues = ThePlugin::check_config(&bad);
        assert!(issues[0].message.contains(why), "{issues:?}");
    }
    host.unset_secret("secret");
    let issues = ThePlugin::check_config(&good);
    assert_eq!(issues[0].message, "needs the secret `secret`");
    let mut open = good.clone();
    open["credential"] = "none".into();
    assert_eq!(ThePlugin::check_config(&open), []);
}

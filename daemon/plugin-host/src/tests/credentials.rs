//! Credentials in every place of a request: they reach the server and nobody else.

use super::fakes::Server;
use super::rig::{Rig, deliver, last_line};
use crate::capability::effects::EffectState;
use crate::guests::{Guest, Request};
use crate::wit::Outcome;
use crate::{CallResult, LoadedPlugin};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Has characters that every encoding changes.
const ODD_SECRET: &str = "xoxb very/secret&12=34";
const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded")];
const HEADER: &str = "header = \"authorization\", format = \"Bearer {}\"";

/// A plugin whose right adds the secret here, and a server.
async fn rig_with(inject: &str) -> (Rig, Server) {
    let server = Server::start().await;
    let mut rig = Rig {
        base: server.origin.clone(),
        ..Rig::new()
    };
    rig.manifest = rig.manifest.replace(HEADER, inject);
    std::fs::write(rig.folder.path().join("token"), ODD_SECRET).unwrap();
    (rig, server)
}

async fn send(rig: &Rig, url: &str, once: Option<&str>) -> CallResult<Outcome> {
    let request = Request {
        method: "POST",
        url,
        headers: FORM,
        body: Some("a=1"),
        auth: Some("api"),
        once,
        ..Request::default()
    };
    let plugin: LoadedPlugin = rig.load(&Guest::default().sends(&request)).await;
    deliver(&plugin).await
}

/// The `inject`, the path that the guest asks for, and what the server receives.
fn places() -> [(&'static str, &'static str, String); 4] {
    let encoded = "xoxb+very%2Fsecret%2612%3D34";
    let basic = STANDARD.encode(format!("{0}:{0}", ODD_SECRET));
    [
        (
            "query = \"token\"",
            "/echo?b=2",
            format!("POST /echo?b=2&token={encoded} "),
        ),
        (
            "form = \"token\"",
            "/echo",
            format!("\r\n\r\na=1&token={encoded}"),
        ),
        (
            "path = \":token\"",
            "/echo/:token/b",
            format!("POST /echo/{}/b ", encoded.replace('+', "%20")),
        ),
        (
            "basic = \"token\"",
            "/echo",
            format!("authorization: Basic {basic}\r\n"),
        ),
    ]
}

#[tokio::test]
async fn a_credential_reaches_the_server_in_its_place_and_no_spelling_of_it_comes_back() {
    for (inject, path, want) in places() {
        let (rig, server) = rig_with(inject).await;
        // The server repeats the whole request, under `once` also into the effect's record.
        let url = format!("{}{path}", server.origin);
        let results = [
            send(&rig, &url, None).await,
            send(&rig, &url, Some("x")).await,
        ];
        for seen in server.seen.lock().iter() {
            assert!(seen.contains(&want), "{inject}: {seen}");
        }
        for result in &results {
            assert_eq!(result.outcome, Ok(Outcome::Done));
            assert!(
                last_line(result).contains("[secret:token]"),
                "{inject}: {result:?}"
            );
        }
        let effects = rig.services.effects.lock();
        let all = format!("{results:?} {effects:?}");
        let records = effects.values().map(|it| match it {
            EffectState::Finished(bytes) => decoded(bytes),
            other => format!("{other:?}"),
        });
        let all = format!("{all} {}", records.collect::<String>());
        for part in [
            "very/secret",
            "very%2Fsecret",
            &STANDARD.encode(ODD_SECRET)[..24],
        ] {
            assert!(!all.contains(part), "{inject}: {part} in {all}");
        }
    }
}

/// The body of a stored response.
fn decoded(record: &[u8]) -> String {
    let record: serde_json::Value = serde_json::from_slice(record).unwrap();
    let body = STANDARD.decode(record["body"].as_str().unwrap()).unwrap();
    String::from_utf8(body).unwrap()
}

#[tokio::test]
async fn no_credential_follows_a_redirect_to_another_server() {
    for (inject, _, _) in places() {
        let (mut rig, server) = rig_with(inject).await;
        let other = Server::start().await;
        rig.manifest.push_str(&format!(
            "\n[[http]]\nname = \"other\"\norigin = \"{}\"\npaths = [\"*\"]\n\
             methods = [\"GET\"]\n",
            other.origin
        ));
        let path = if inject.starts_with("path") {
            "/to/:token"
        } else {
            "/to"
        };
        // A parameter of the redirect's own target, so that ours is appended to that of `/to`.
        let url = format!("{}{path}?{}/echo?c=3", server.origin, other.origin);
        if inject.starts_with("query") {
            continue; // `/to` would redirect to what the host appended.
        }
        let result = send(&rig, &url, None).await;
        assert!(
            last_line(&result).starts_with("GET /echo"),
            "{inject}: {result:?}"
        );
        assert!(server.seen.lock()[0].contains("xoxb") || inject.starts_with("basic"));
        let seen = other.seen.lock()[0].clone();
        assert!(
            !seen.contains("xoxb") && !seen.contains("Basic"),
            "{inject}: {seen}"
        );
    }
}

#[tokio::test]
async fn a_request_without_room_for_the_credential_is_refused_before_it_is_sent() {
    for (inject, path, want) in [
        (
            "query = \"token\"",
            "/echo?token=mine",
            "`token` is added by the host",
        ),
        ("form = \"a\"", "/echo", "`a` is added by the host"),
        ("path = \":token\"", "/echo", "must contain `:token` once"),
    ] {
        let (rig, server) = rig_with(inject).await;
        let result = send(&rig, &format!("{}{path}", server.origin), Some("x")).await;
        assert!(last_line(&result).contains(want), "{inject}: {result:?}");
        assert!(server.seen.lock().is_empty());
        assert!(rig.services.effects.lock().is_empty(), "it had no effect");
    }
}

#[tokio::test]
async fn an_optional_secret_that_is_needed_and_not_set_is_reported() {
    let mut rig = Rig::new();
    rig.manifest = rig
        .manifest
        .replace("name = \"token\"", "name = \"token\"\noptional = true");
    let mut grant = rig.grant();
    let report = async |rig: &Rig, grant| {
        let folder = rig.plugin_folder();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("plugin.toml"), &rig.manifest).unwrap();
        std::fs::write(folder.join("plugin.wasm"), Guest::default().component()).unwrap();
        rig.host.load("probe", grant).await.unwrap().inspect()
    };
    let set = report(&rig, grant.clone()).await;
    assert_eq!(
        (set.warnings, set.secrets),
        (vec![], vec!["token".to_owned()])
    );

    grant.secrets.clear();
    let unset = report(&rig, grant.clone()).await;
    assert_eq!(unset.secrets, Vec::<String>::new());
    let [right, route] = &unset.warnings[..] else {
        panic!("{:?}", unset.warnings)
    };
    for part in [
        "under its right `api`",
        "secrets.token = { env = \"VARIABLE\" }",
    ] {
        assert!(right.contains(part), "{right}");
    }
    assert!(route.contains("/hooks/probe/in` are refused"), "{route}");

    // Another right to the same server needs no secret: the plugin can do without.
    rig.manifest.push_str(
        "\n[[http]]\nname = \"open\"\norigin = \"config:base\"\npaths = [\"*\"]\n\
         methods = [\"POST\"]\n",
    );
    let [route] = &report(&rig, grant).await.warnings[..] else {
        panic!()
    };
    assert!(route.contains("/hooks/probe/in"), "{route}");
}

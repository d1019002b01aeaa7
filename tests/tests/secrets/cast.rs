//! The configuration of the test, and plugins that leak what they can.

use std::path::Path;

use tocsin_plugin_host::guests::{Guest, Request};
use tocsin_tests::support::Home;

use crate::IN_A_URL;

pub(crate) const ADDITIONS: &str = r#"
[escalation]
contact-wait = "1s"
[heartbeat]
url = { env = "CANARY_HEARTBEAT" }
every = "10s"
[plugins.slack]
limits = { http-per-min = 240 }
"#;
/// The relay has no TLS, so every mail fails with the password at hand.
pub(crate) const MAIL_WITH_PASSWORD: &str = r#"
[mail]
tls = "starttls"
username = "tocsin"
password = { env = "CANARY_MAIL" }
"#;

/// A server that echoes the credential: in the body, in a header, and in a redirect.
pub(crate) async fn echo_server() -> String {
    use axum::http::{HeaderMap, StatusCode, header};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let said = |headers: &HeaderMap| {
        let value = headers.get("authorization").and_then(|it| it.to_str().ok());
        value.unwrap_or("nothing").replace("Bearer ", "")
    };
    let echo = axum::routing::get(async move |headers: HeaderMap| {
        let said = said(&headers);
        ([("x-said", said.clone())], format!("you said {said}"))
    });
    let away = axum::routing::get(async move |headers: HeaderMap| {
        let to = format!("http://127.0.0.1:1/{0}?key={0}", said(&headers));
        (StatusCode::FOUND, [(header::LOCATION, to)])
    });
    let app = axum::Router::new()
        .route("/echo", echo)
        .route("/away", away);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// A plugin that calls the echo server with its credential whenever it can, and logs the response.
pub(crate) fn install_leaking(home: &Home, id: &str, origin: &str, path: &str) -> String {
    let url = format!("{origin}{path}");
    let mut guest = Guest::default().sends(&Request {
        method: "GET",
        url: &url,
        auth: Some("far"),
        once: Some("o"),
        ..Request::default()
    });
    guest.on_webhook = guest.on_event.replace("(i32.const 512)", "(i32.const 640)");
    guest.describes(id, "0.1.0", &["incident-opened"]);
    let manifest = format!(
        "schema = 1\nid = \"{id}\"\nversion = \"0.1.0\"\nname = \"{id}\"\n\
         events = [\"incident-opened\"]\n[[secret]]\nname = \"api\"\n[[secret]]\nname = \"hook\"\n\
         [[http]]\nname = \"far\"\norigin = \"{origin}\"\npaths = [\"*\"]\nmethods = [\"GET\"]\n\
         inject = {{ secret = \"api\", header = \"authorization\", format = \"Bearer {{}}\" }}\n\
         [[webhook]]\nroute = \"in\"\nmethods = [\"POST\"]\n\
         verify = {{ scheme = \"gitlab-token\", secret = \"hook\" }}\n"
    );
    home.write(&format!("{id}/plugin.wasm"), guest.component())
        .unwrap();
    home.write(&format!("{id}/plugin.toml"), manifest).unwrap();
    format!(
        "[plugins.{id}]\npath = \"{id}\"\nallow-networks = [\"loopback\"]\n\
         secrets = {{ api = {{ env = \"CANARY_PLUGIN\" }}, hook = {{ env = \"CANARY_HOOK\" }} }}\n\
         grant = {{ http = [\"*\"], webhook = [\"*\"], events = [\"*\"] }}\n"
    )
}

/// A Slack plugin whose operator wrote a password into its URL.
pub(crate) fn misguided(plugin: &Path) -> String {
    format!(
        "[plugins.misguided]\npath = {plugin:?}\n\
         settings = {{ base-url = \"http://user:{IN_A_URL}@127.0.0.1:1/api\" }}\n\
         secrets = {{ bot-token = {{ file = \"bot-token\" }}, \
         signing-secret = {{ env = \"CANARY_SIGNING\" }} }}\ngrant = {{ http = [\"*\"] }}\n"
    )
}

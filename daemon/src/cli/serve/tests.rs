//! Tests of how the admin token is created at the first start and replaced later.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use super::{TOKEN_FILE, build, first_token};
use crate::app::App;
use crate::auth::{Scope, Token};
use crate::config::{Config, StoreConfig};
use crate::runtime::SystemClock;

async fn started(folder: &Path) -> Arc<App> {
    // The TLS provider is global to the process; the first caller sets it.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let config = Config {
        store: StoreConfig {
            path: folder.to_owned(),
        },
        ..Config::default()
    };
    let app = build(config, Arc::new(SystemClock), folder)
        .await
        .expect("a daemon");
    first_token(&app, folder).await.expect("a token");
    app
}

fn token_in(folder: &Path) -> Token {
    let text = std::fs::read_to_string(folder.join(TOKEN_FILE)).expect("a file");
    Token::parse(&text).expect("a token")
}

#[tokio::test]
async fn the_first_start_writes_an_admin_token_that_only_its_owner_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("data");
    let app = started(&folder).await;
    let row = app.tokens.find(&token_in(&folder)).expect("a valid token");
    assert_eq!(row.scope, Scope::Admin);
    let mode = |path: &Path| {
        let it = std::fs::metadata(path).expect("the file exists");
        it.permissions().mode() & 0o777
    };
    assert_eq!(mode(&folder.join(TOKEN_FILE)), 0o600);
    assert_eq!(mode(&folder), 0o700);
}

#[tokio::test]
async fn a_removed_token_file_is_not_created_again_and_an_empty_one_is_filled() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let app = started(folder).await;
    let first = token_in(folder);
    let file = folder.join(TOKEN_FILE);
    std::fs::remove_file(&file).expect("removed");
    first_token(&app, folder).await.expect("nothing to do");
    assert!(
        !file.exists(),
        "no token is created while another admin token exists"
    );
    std::fs::write(&file, "").expect("emptied");
    first_token(&app, folder).await.expect("a token");
    assert!(app.tokens.find(&token_in(folder)).is_some());
    assert!(
        app.tokens.find(&first).is_some(),
        "the old one is still valid"
    );
    assert_eq!(app.tokens.list().len(), 2);
}

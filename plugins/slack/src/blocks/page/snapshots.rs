//! The pages of the daemon's tests as Slack's blocks, compared with committed files.

use super::*;
use tocsin_plugin_sdk::serde_json;
use tocsin_standins::snapshots;

#[test]
fn each_page_in_slack_is_as_committed() {
    let contact = ("slack", "U0ADA");
    snapshots::check(env!("CARGO_MANIFEST_DIR"), "slack.json", contact, |shown| {
        let message = page(shown);
        let shown = json!({ "text": message.text, "blocks": message.blocks });
        serde_json::to_string_pretty(&shown).unwrap()
    });
}

//! War rooms, pages and buttons in Slack.
#![forbid(unsafe_code)]
use tocsin_plugin_sdk::{Plugin, export_plugin, types::*};
struct Slack;
impl Plugin for Slack {
    fn describe() -> Descriptor {
        Descriptor {
            id: "slack".into(),
            version: "0.1.0".into(),
            events: vec![],
        }
    }
}
export_plugin!(Slack);

//! Guests that acknowledge pages and report receipts.

use super::rig::{Rig, deliver};
use crate::guests::Guest;

/// Acknowledges page `p1` and reports that it was pressed, both by a Slack user.
fn guest() -> Guest {
    let actor = "(i32.const 900) (i32.const 5) (i32.const 908) (i32.const 2)
                 (i32.const 0) (i32.const 0) (i32.const 0)";
    let mut guest = Guest::on_event(&format!(
        "(call $commands_acknowledge (i32.const 912) (i32.const 2)
           (i32.const 0) (i32.const 0) (i32.const 0) {actor} (i32.const 1536))
         (call $commands_receipt (i32.const 912) (i32.const 2) (i32.const 1)
           (i32.const 1) {actor} (i32.const 1536))"
    ));
    guest.put(900, b"slack");
    guest.put(908, b"U1");
    guest.put(912, b"p1");
    guest
}

#[tokio::test]
async fn a_plugin_needs_a_verb_to_acknowledge_pages_and_one_to_report_receipts() {
    let cases = [
        // granted, denied
        ("signal", vec!["ack", "receipt"]),
        ("ack", vec!["receipt"]),
        ("run", vec!["receipt"]),
        ("receipt", vec!["ack"]),
    ];
    for (granted, denied) in cases {
        let mut rig = Rig::new();
        let verbs = "verbs = [\"signal\", \"ack\", \"run\", \"receipt\"]";
        rig.manifest = rig.manifest.replace("verbs = [\"signal\"]", verbs);
        let grant = format!("commands = [\"{granted}\"]");
        rig.grant = rig.grant.replace("commands = [\"*\"]", &grant);
        let plugin = rig.load(&guest()).await;
        let result = deliver(&plugin).await;
        let denials = &result.denials;
        assert_eq!(denials.len(), denied.len(), "{granted}: {denials:?}");
        for (denial, verb) in denials.iter().zip(denied) {
            let remedy = format!("\"{verb}\"]");
            assert!(denial.remedy.contains(&remedy), "{granted}: {denial:?}");
        }
    }
}

//! What a call says and a text shows of each page of the daemon's tests, compared with committed
//! files.

use super::{ADA, PHONE, SMS, World, spoken};
use tocsin_standins::snapshots;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn each_page_in_a_call_is_as_committed() {
    snapshots::check(HERE, "call.txt", (PHONE, ADA), |page| {
        let world = World::public();
        // It rings.
        let _ringing = world.page("d", page.clone());
        let spoken = spoken(&world.calls()[0].body);
        let plain = [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&apos;", "'"),
            ("&amp;", "&"),
        ];
        plain
            .iter()
            .fold(spoken, |text, (from, to)| text.replace(from, to))
    });
}

#[test]
fn each_page_in_a_text_is_as_committed() {
    snapshots::check(HERE, "sms.txt", (SMS, ADA), |page| {
        let world = World::start();
        world.page("d", page.clone()).unwrap();
        world.texts()[0].body.clone()
    });
}

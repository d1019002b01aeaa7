//! What a phone shows of each page of the daemon's tests, compared with committed files.

use super::{World, shown};
use tocsin_plugin_sdk::types::EventBody;
use tocsin_standins::snapshots;

#[test]
fn each_page_on_a_phone_is_as_committed() {
    let contact = ("ntfy", "ada-x7Kq");
    snapshots::check(env!("CARGO_MANIFEST_DIR"), "ntfy.txt", contact, |page| {
        let world = World::start();
        world.deliver("d", EventBody::Page(page.clone())).unwrap();
        shown(&world.messages()[0])
    });
}

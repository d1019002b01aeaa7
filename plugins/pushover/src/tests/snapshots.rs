//! What Pushover's app shows of each page of the daemon's tests, compared with committed files.

use super::{USERS, World};
use tocsin_standins::snapshots;

#[test]
fn each_page_in_the_app_is_as_committed() {
    let contact = ("pushover", USERS[0]);
    snapshots::check(
        env!("CARGO_MANIFEST_DIR"),
        "pushover.txt",
        contact,
        |page| {
            let world = World::start();
            world.page("d", page.clone()).unwrap();
            let message = world.message();
            let field = |name: &str| message.get(name).map_or("", String::as_str);
            let how = match (field("priority"), field("retry"), field("expire")) {
                ("2", retry, expire) => format!("again every {retry} s for {expire} s"),
                (priority, ..) => format!("once, priority {priority}"),
            };
            let (title, body) = (field("title"), field("message"));
            let link = match field("url") {
                "" => String::new(),
                url => format!("[{}] {url}", field("url_title")),
            };
            format!("sounds {how}\n{title}\n{body}\n{link}")
        },
    );
}

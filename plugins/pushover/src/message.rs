//! A page as a Pushover message, within Pushover's limits.

use crate::{EXPIRE_S_MAX, RETRY_S_MIN};
use tocsin_plugin_sdk::types::{Failure, Page, Urgency};
use tocsin_plugin_sdk::{config, text};

/// The contact kind.
pub(crate) const KIND: &str = "pushover";
pub(crate) const TITLE_CHARS_MAX: usize = 250;
pub(crate) const MESSAGE_CHARS_MAX: usize = 1024;
pub(crate) const URL_CHARS_MAX: usize = 512;
pub(crate) const URL_TITLE_CHARS_MAX: usize = 100;
/// Of a user or group key.
const KEY_CHARS: usize = 30;
/// Sounds until it is acknowledged.
const EMERGENCY: i64 = 2;
/// How long a test sounds, in seconds: as long as it is open.
const TEST_EXPIRE_S: i64 = 600;
/// The sound of any message, outside of the person's quiet hours.
const ORDINARY: i64 = 0;
/// No sound.
const SILENT: i64 = -1;

/// The fields of a message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) fields: Vec<(&'static str, String)>,
    /// By which a message that sounds can be found, when its receipt is lost.
    pub(crate) tag: Option<String>,
}

/// The user or group key of the paged person.
///
/// # Errors
/// When the person has none.
pub(crate) fn address(page: &Page) -> Result<String, Failure> {
    let address = page.contact(&[KIND]).map(|it| it.1);
    let is_key =
        |it: &String| it.len() == KEY_CHARS && it.bytes().all(|it| it.is_ascii_alphanumeric());
    address.filter(is_key).ok_or_else(|| {
        let id = &page.to.id;
        let why = format!("{id} has no contact of kind {KIND} with a key of 30 letters and digits");
        Failure::Permanent(why)
    })
}

pub(crate) fn message(page: &Page, address: &str) -> Message {
    let priority = priority(page);
    // An empty message is refused.
    let body = Some(text::body(page)).filter(|it| !it.is_empty());
    let body = body.unwrap_or_else(|| text::title(page));
    let mut fields = vec![
        ("user", address.to_string()),
        ("title", text::cut(&text::title(page), TITLE_CHARS_MAX)),
        ("message", text::cut(&body, MESSAGE_CHARS_MAX)),
        ("priority", priority.to_string()),
    ];
    let sound = config::get("sound").filter(|it| !it.is_empty());
    fields.extend(sound.map(|it| ("sound", it)));
    if let Some((url, title)) = link(page, priority) {
        fields.push(("url", url.into()));
        fields.push(("url_title", text::cut(&title, URL_TITLE_CHARS_MAX)));
    }
    let mut tag = None;
    if priority == EMERGENCY {
        // A test is over after ten minutes, also if nobody tells Pushover so.
        let longest_s = if page.test { TEST_EXPIRE_S } else { i64::MAX };
        let expire_s = seconds("expire-s", 3600).min(longest_s);
        let retry_s = seconds("retry-s", 60).clamp(RETRY_S_MIN, expire_s);
        fields.push(("retry", retry_s.to_string()));
        fields.push(("expire", expire_s.to_string()));
        let name = tag_of(&page.id);
        fields.push(("tags", name.clone()));
        tag = Some(name);
    }
    Message { fields, tag }
}

fn seconds(key: &str, default: i64) -> i64 {
    let set = config::get(key).and_then(|it| it.parse().ok());
    set.unwrap_or(default).clamp(RETRY_S_MIN, EXPIRE_S_MAX)
}

pub(crate) fn priority(page: &Page) -> i64 {
    match page.urgency {
        Urgency::Silent => SILENT,
        Urgency::Ordinary => ORDINARY,
        Urgency::Minor => {
            let set = config::get("priority-minor").and_then(|it| it.parse().ok());
            set.unwrap_or(1).clamp(-2, 1)
        }
        Urgency::Major | Urgency::Critical => EMERGENCY,
    }
}

/// The link under a message: of one that cannot be acknowledged in the app, to do that.
fn link(page: &Page, priority: i64) -> Option<(&str, String)> {
    let fits = |it: &&str| it.chars().count() <= URL_CHARS_MAX;
    let ack = page.ack_url.as_deref();
    if let Some(url) = ack.filter(fits).filter(|_| priority != EMERGENCY) {
        return Some((url, "Acknowledge".into()));
    }
    let url = text::first_link(page).filter(fits)?;
    let titles = page.items.iter().flat_map(|it| &it.links);
    let title = titles
        .filter(|it| it.url == url)
        .map(|it| text::one_line(&it.title))
        .next();
    Some((url, title.unwrap_or_default()))
}

fn tag_of(page: &str) -> String {
    let allowed = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    page.chars()
        .map(|it| if allowed(it) { it } else { '-' })
        .collect()
}

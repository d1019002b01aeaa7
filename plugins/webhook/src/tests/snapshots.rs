//! What services of the recipes show of each page of the daemon's tests, compared with committed
//! files.

use super::{Kind, RECIPES, deliver, settings, start};
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_standins::snapshots;

/// The message that a recipe makes of each page.
fn check(kind: Kind, extension: &str, shown: impl Fn(&Value) -> String) {
    let found = RECIPES.iter().find(|it| it.1 == kind).unwrap();
    let (recipe, _, address, _) = *found;
    let contact = ("webhook", address);
    snapshots::check(env!("CARGO_MANIFEST_DIR"), extension, contact, |page| {
        let (host, chat) = start(kind, &settings(recipe));
        deliver(&host, page).unwrap();
        shown(&chat.borrow().messages[0])
    });
}

#[test]
fn each_page_in_telegram_is_as_committed() {
    check(Kind::Telegram, "telegram.txt", |message| {
        let text = message["text"].as_str().unwrap();
        let button = &message["reply_markup"]["inline_keyboard"][0][0];
        let at = |name: &str| button[name].as_str().unwrap_or_default();
        format!("{text}\n[{}] {}", at("text"), at("url"))
    });
}

#[test]
fn each_page_in_discord_is_as_committed() {
    check(Kind::Discord, "discord.json", |message| {
        serde_json::to_string_pretty(message).unwrap()
    });
}

#[test]
fn each_page_as_a_text_from_a_phone_is_as_committed() {
    check(Kind::Sms, "sms.txt", |message| {
        message["textMessage"]["text"].as_str().unwrap().into()
    });
}

//! What is wrong in chat is answered with one sentence that says what to type instead.

use std::fs;
use std::path::PathBuf;

use tocsin_tests::paths;

use crate::chat::{ADA, BOB, Chat, EVE};

/// Set to write the answers into the document.
const BLESS: &str = "TOCSIN_BLESS";
/// Bytes that a person reads before they give up.
const ANSWER_BYTES_MAX: usize = 240;

/// A line that somebody types.
struct Typed<'a> {
    is_right: bool,
    member: &'static str,
    place: &'a str,
    text: String,
}

fn document() -> PathBuf {
    paths::root().join("tests/tests/slack/wrong.txt")
}

/// A line of the document as typed; `None` for another line.
fn typed(line: &str) -> Option<Typed<'_>> {
    let (is_right, line) = match line.strip_prefix("+ ") {
        Some(line) => (true, line),
        None => (false, line),
    };
    let (whose, text) = line.split_once(": ")?;
    let (who, place) = whose.split_once(' ')?;
    let member = match who {
        "ada" => ADA,
        "bob" => BOB,
        "eve" => EVE,
        _ => return None,
    };
    let text = expanded(text);
    Some(Typed {
        is_right,
        member,
        place,
        text,
    })
}

/// With `{9 x}` written out.
fn expanded(text: &str) -> String {
    let Some((before, rest)) = text.split_once('{') else {
        return text.to_owned();
    };
    let (times, after) = rest.split_once('}').unwrap();
    let (count, letter) = times.split_once(' ').unwrap();
    format!("{before}{}{after}", letter.repeat(count.parse().unwrap()))
}

/// The channel of an incident's war room, once commands in it are about the incident.
async fn room(chat: &Chat, number: &str) -> String {
    let prefix = format!("inc-{number}-");
    let linked = async || {
        let mut rooms = chat.slack.channels().into_iter();
        let room = rooms.find(|it| it.name.starts_with(&prefix))?;
        let said = chat.say(ADA, &room.id, "status").await?;
        said.starts_with(&format!("incident {number}:"))
            .then_some(room.id)
    };
    chat.until(&format!("the room of incident {number}"), linked)
        .await
}

#[tokio::test]
async fn a_wrong_command_is_answered_as_committed_with_what_to_type_instead() {
    let Some(chat) = Chat::start("wrong commands", |_| String::new()).await else {
        return;
    };
    for service in ["checkout", "search"] {
        chat.pagerduty("trigger", service).await;
    }
    let rooms = [room(&chat, "1").await, room(&chat, "2").await];
    chat.secret("vault").await;
    let committed = fs::read_to_string(document()).unwrap();
    let (mut said, mut wrong) = (String::new(), Vec::new());
    for line in committed.lines().filter(|it| !it.starts_with("  ")) {
        said += &format!("{line}\n");
        let Some(typed) = typed(line) else { continue };
        let channel = match typed.place {
            "#1" => &rooms[0],
            "#2" => &rooms[1],
            _ => "D0",
        };
        let told = chat.say(typed.member, channel, &typed.text).await.unwrap();
        said += &format!("  {told}\n");
        // What is to be typed may be sentences.
        let own: String = told.split('`').step_by(2).collect();
        let is_sentence = !own.contains(". ") && !told.contains('\n');
        let is_sentence = is_sentence && told.len() <= ANSWER_BYTES_MAX;
        let is_helpful = told.contains('`') || told.contains("shorten it");
        if !(typed.is_right || is_sentence && is_helpful) {
            wrong.push(format!("{line}: {told}"));
        }
    }
    if std::env::var_os(BLESS).is_some() {
        fs::write(document(), &said).unwrap();
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let committed = fs::read_to_string(document()).unwrap();
    assert_eq!(
        committed, said,
        "run it with {BLESS}=1, and read the difference"
    );
}

//! Announcements as text.

use super::Readers;
use super::entry::{Entry, Rank};
use crate::blocks::{Message, context, section};
use crate::{room, text};

/// Most incidents that a message names; the others are counted.
const LINES_MAX: usize = 15;
/// Most that a reply names.
const NEWS_LINES_MAX: usize = 5;
/// Lines in one block: Slack refuses a block with more than 3000 characters.
const LINES_PER_BLOCK: usize = 5;
/// What remains of a message that names no incident any more.
const REMOVED: &str = "_Removed_";

/// The message, with the worst first.
pub(super) fn message(readers: Readers, entries: &[Entry]) -> Message {
    if entries.is_empty() {
        return Message::block(REMOVED);
    }
    let head = head(readers, entries);
    let mut lines: Vec<String> = entries
        .iter()
        .take(LINES_MAX)
        .map(|it| line(readers, it))
        .collect();
    let rest = entries.get(LINES_MAX..).unwrap_or_default();
    if !rest.is_empty() {
        lines.push(format!("and {} more: {}", rest.len(), counted(rest)));
    }
    let mut blocks = vec![section(&head)];
    let chunks = lines.chunks(LINES_PER_BLOCK);
    blocks.extend(chunks.map(|it| section(&it.join("\n"))));
    let foot = foot(readers, entries);
    blocks.extend(foot.as_deref().map(context));
    let text = [head].into_iter().chain(lines).chain(foot);
    Message {
        text: text.collect::<Vec<_>>().join("\n"),
        blocks,
    }
}

/// The reply once all incidents of a message are over.
pub(super) fn all_over(readers: Readers, entries: &[Entry]) -> String {
    match entries {
        [only] => over(readers, only),
        several => format!(
            ":white_check_mark: All {} incidents of this message are over",
            several.len()
        ),
    }
}

/// The reply when some incidents of a message are over, or open again.
pub(super) fn some_changed(readers: Readers, entries: &[Entry]) -> String {
    let mut lines: Vec<String> = entries
        .iter()
        .take(NEWS_LINES_MAX)
        .map(|it| match it.ended_at {
            Some(_) => over(readers, it),
            None => format!(":rotating_light: {} is open again", name(readers, it)),
        })
        .collect();
    let more = entries.len().saturating_sub(NEWS_LINES_MAX);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

fn head(readers: Readers, entries: &[Entry]) -> String {
    let over = entries.iter().filter(|it| it.ended_at.is_some()).count();
    let all = entries.len();
    let (what, icon) = match (readers, over == all) {
        (_, true) => ("is over", ":white_check_mark:"),
        (Readers::Engineering, false) => ("has begun", ":rotating_light:"),
        (Readers::Company, false) => ("is being looked after", ":rotating_light:"),
    };
    if all == 1 {
        return format!("{icon} *An incident {what}*");
    }
    let what = what.replacen("is ", "are ", 1).replacen("has ", "have ", 1);
    let mut head = format!("{icon} *{all} incidents {what}*: {}", counted(entries));
    if over > 0 && over < all {
        head.push_str(&format!("; {over} of them over"));
    }
    head
}

/// As "3 critical, 20 minor".
fn counted(entries: &[Entry]) -> String {
    let ranks = [Rank::Critical, Rank::Major, Rank::Minor];
    let counts = ranks.map(|rank| (rank, entries.iter().filter(|it| it.rank == rank).count()));
    let counts = counts.iter().filter(|it| it.1 > 0);
    let counts: Vec<String> = counts
        .map(|(rank, count)| format!("{count} {}", rank.grade().as_str()))
        .collect();
    counts.join(", ")
}

fn line(readers: Readers, entry: &Entry) -> String {
    if entry.ended_at.is_some() {
        return over(readers, entry);
    }
    let grade = entry.rank.grade();
    let mut facts = vec![grade.as_str().to_string()];
    if entry.mitigated {
        facts.push("mitigated".into());
    }
    facts.push(match (&entry.operator, entry.attended) {
        (Some(person), _) => format!("{} looks after it", text::escape(person)),
        (None, true) => "is being looked after".into(),
        (None, false) => "people are being called".into(),
    });
    if let Readers::Engineering = readers {
        let speaker = entry.spokesperson.as_ref();
        facts.extend(speaker.map(|it| format!("{} tells how it goes", text::escape(it))));
        let room = entry.room.as_ref().filter(|_| !room::are_private());
        facts.extend(room.map(|it| format!("<#{it}>")));
    }
    facts.push(format!("since {}", text::moment(entry.opened_at)));
    let due = match readers {
        Readers::Engineering => entry.engineering_due,
        Readers::Company => entry.company_due,
    };
    facts.extend(due.map(|it| format!("next update by {}", text::moment(it))));
    format!(
        "{} *{}* · {}",
        text::emoji(grade),
        name(readers, entry),
        facts.join(" · ")
    )
}

fn over(readers: Readers, entry: &Entry) -> String {
    let name = name(readers, entry);
    let ended_at = entry.ended_at.unwrap_or(entry.opened_at);
    let after = text::span(ended_at.saturating_sub(entry.opened_at));
    match entry.merged_into {
        Some(number) => format!(":twisted_rightwards_arrows: {name} is part of #{number} now"),
        None => format!(":white_check_mark: {name} is resolved after {after}"),
    }
}

/// "DRILL #42 Checkout is down": the company hears which services, as titles are for engineers.
fn name(readers: Readers, entry: &Entry) -> String {
    let drill = if entry.drill { "DRILL " } else { "" };
    let what = match readers {
        Readers::Engineering => &entry.title,
        Readers::Company => &entry.services,
    };
    format!("{drill}#{} {}", entry.number, text::escape(what))
        .trim_end()
        .into()
}

/// How to join, or that there is more to come.
fn foot(readers: Readers, entries: &[Entry]) -> Option<String> {
    if entries.iter().all(|it| it.ended_at.is_some()) {
        return None;
    }
    let has_room = entries.iter().any(|it| it.room.is_some());
    Some(match readers {
        Readers::Company => "This message is kept current, and more is said here".into(),
        Readers::Engineering if !has_room => return None,
        Readers::Engineering if room::are_private() => {
            "To help, type `/incident join NUMBER`: it invites you to the war room".into()
        }
        Readers::Engineering => "To follow or to help, join the war room".into(),
    })
}

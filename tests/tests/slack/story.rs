//! An incident in which people are asked everything that a press answers, one after the other.

use tocsin::runtime::{Clock as _, SystemClock};
use tocsin_tests::paths;
use tocsin_tests::support::{Home, MovedClock};

use crate::chat::{ADA, BOB, Chat, clock_file};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// A Tuesday at noon: nobody sleeps, and Ada is on call until 14:20.
const TUESDAY_MS: i64 = 1_767_700_800_000;
/// A little more than the time in which messages to a person are gathered.
const GATHERED_MS: i64 = 25 * SECOND_MS;

/// The shipped policies, but these: the operator is asked how bad it is, and two hours later
/// whether they are still on it.
const POLICIES: [(&str, &str); 2] = [
    (
        "grading",
        r#"fn grade(incident, alert) { #{ grade: "minor", unsure: true, reason: "who knows" } }"#,
    ),
    (
        "escalation",
        r#"fn escalate(incident) {
            let steps = [#{ page: person("ada"), wait: hours(24) }];
            #{ steps: steps, hold: hours(2), reason: "it is Ada's" }
        }"#,
    ),
];
const CONFIG: &str = r#"
policy.path = "policies"
[incidents]
resolve-after = "5m"
ask-approach-after = "5m"
[escalation]
contact-wait = "10m"
loud = ["slack"]
[rotations.primary]
timezone = "UTC"
[[rotations.primary.layers]]
people = ["ada"]
handover = "00:00"
every = "1 day"
start = "2026-01-01"
restrict = { hours = "00:00-14:20" }
[[rotations.primary.layers]]
people = ["bob"]
handover = "00:00"
every = "1 day"
start = "2026-01-01"
"#;

/// What has to happen before somebody is asked.
#[derive(Clone, Copy)]
pub(crate) enum Cause {
    /// An alert fires, or is over.
    Alert(&'static str),
    /// Somebody types a command.
    Command(&'static str, &'static str),
    /// Some milliseconds pass, and the log says something.
    Time(i64, &'static str),
    /// What somebody answered before.
    Answer,
}

/// What somebody is asked, and what their answer does.
pub(crate) struct Asked {
    pub(crate) name: &'static str,
    pub(crate) cause: Cause,
    /// How long after the cause it is asked, in milliseconds.
    pub(crate) after_ms: i64,
    /// How long messages to the person are gathered after that, in milliseconds.
    pub(crate) gathered_ms: i64,
    /// The member's id in Slack.
    pub(crate) to: &'static str,
    /// How the message begins, or what it says.
    pub(crate) says: &'static str,
    /// What the log says once it is asked, and once it was sent.
    pub(crate) asked: &'static str,
    pub(crate) sent: &'static str,
    /// The button, and what the log says of the answer; nobody answers if there is none.
    pub(crate) answer: Option<(&'static str, &'static str)>,
}

const WHAT_TO_TELL: &str = "What do you tell the company?";
const NOTHING_NEW: &str = "Say: nothing new yet";
const BOB_SENT: &str = "the question to bob was sent by slack";
const ADA_SENT: &str = "the question to ada was sent by slack";
const BOB_ASKED: &str = "asked bob by slack: What do you tell the company?";

pub(crate) const STORY: [Asked; 14] = [
    Asked {
        name: "a page",
        cause: Cause::Alert("trigger"),
        after_ms: 0,
        gathered_ms: 0,
        to: ADA,
        says: "checkout is down",
        asked: "paged ada by slack",
        sent: "the page to ada was sent by slack",
        answer: Some(("Acknowledge", "ada acknowledged through slack")),
    },
    Asked {
        name: "how bad it is",
        cause: Cause::Answer,
        after_ms: 0,
        gathered_ms: GATHERED_MS,
        to: ADA,
        says: "How bad is it?",
        asked: "asked ada by slack: How bad is it?",
        sent: ADA_SENT,
        answer: Some(("Unreachable", "ada answered: Unreachable")),
    },
    Asked {
        name: "who speaks",
        cause: Cause::Answer,
        after_ms: 0,
        gathered_ms: GATHERED_MS,
        to: BOB,
        says: "Will you be the spokesperson?",
        asked: "asked bob by slack: Will you be the spokesperson?",
        sent: BOB_SENT,
        answer: Some(("Accept", "bob is the spokesperson")),
    },
    Asked {
        name: "how to go about it",
        cause: Cause::Answer,
        after_ms: 6 * MINUTE_MS,
        gathered_ms: GATHERED_MS,
        to: ADA,
        says: "must it be mitigated first?",
        asked: "asked ada by slack: Can it be resolved directly",
        sent: ADA_SENT,
        answer: Some(("Mitigate first", "ada decided: Mitigate first")),
    },
    Asked {
        name: "who does a task",
        cause: Cause::Command(ADA, "task roll back to 2.3"),
        after_ms: 11 * MINUTE_MS,
        gathered_ms: GATHERED_MS,
        to: ADA,
        says: "A task has no owner.",
        asked: "asked ada by slack: A task has no owner.",
        sent: ADA_SENT,
        answer: Some(("I take it", "ada does task 1")),
    },
    Asked {
        name: "whether they are still on it",
        cause: Cause::Answer,
        after_ms: 105 * MINUTE_MS,
        gathered_ms: GATHERED_MS,
        to: ADA,
        says: "Are you still on it?",
        asked: "asked ada by slack: Are you still on it?",
        sent: ADA_SENT,
        answer: Some(("Still on it", "ada answered: Still on it")),
    },
    Asked {
        name: "whether they hand over",
        cause: Cause::Time(12 * MINUTE_MS, "the shift of ada ends"),
        after_ms: 12 * MINUTE_MS,
        gathered_ms: GATHERED_MS,
        to: ADA,
        says: "Your shift is over.",
        asked: "asked ada by slack: Your shift is over.",
        sent: ADA_SENT,
        answer: Some(("I stay on it", "ada answered: I stay on it")),
    },
    Asked {
        name: "an update before it is due",
        cause: Cause::Command(BOB, "update company Payments fail. next 30m"),
        after_ms: 25 * MINUTE_MS,
        gathered_ms: GATHERED_MS,
        to: BOB,
        says: WHAT_TO_TELL,
        asked: BOB_ASKED,
        sent: BOB_SENT,
        answer: Some((
            NOTHING_NEW,
            "bob told company (next in 30m): There is nothing new",
        )),
    },
    Asked {
        name: "an update before it is due that nobody sends",
        cause: Cause::Answer,
        after_ms: 25 * MINUTE_MS,
        gathered_ms: GATHERED_MS,
        to: BOB,
        says: WHAT_TO_TELL,
        asked: BOB_ASKED,
        sent: BOB_SENT,
        answer: None,
    },
    Asked {
        name: "an update that is due",
        cause: Cause::Answer,
        after_ms: 5 * MINUTE_MS,
        gathered_ms: GATHERED_MS,
        to: BOB,
        says: WHAT_TO_TELL,
        asked: BOB_ASKED,
        sent: BOB_SENT,
        answer: Some((
            NOTHING_NEW,
            "bob told company (next in 30m): There is nothing new",
        )),
    },
    Asked {
        name: "a broken promise",
        cause: Cause::Answer,
        after_ms: 36 * MINUTE_MS,
        gathered_ms: GATHERED_MS,
        to: ADA,
        says: WHAT_TO_TELL,
        asked: "asked ada by slack: What do you tell the company?",
        sent: ADA_SENT,
        answer: Some((
            NOTHING_NEW,
            "ada told company (next in 30m): There is nothing new",
        )),
    },
    Asked {
        name: "who operates",
        cause: Cause::Command(ADA, "handoff operator @bob"),
        after_ms: 0,
        gathered_ms: GATHERED_MS,
        to: BOB,
        says: "Will you take over as the operator?",
        asked: "asked bob by slack: Will you take over as the operator?",
        sent: BOB_SENT,
        answer: Some(("Accept", "bob is the operator")),
    },
    Asked {
        name: "who speaks instead of who operates now",
        cause: Cause::Answer,
        after_ms: 0,
        gathered_ms: GATHERED_MS,
        to: ADA,
        says: "Will you be the spokesperson?",
        asked: "asked ada by slack: Will you be the spokesperson?",
        sent: ADA_SENT,
        answer: Some(("Accept", "ada is the spokesperson")),
    },
    Asked {
        name: "whether it is solved",
        cause: Cause::Alert("resolve"),
        after_ms: 6 * MINUTE_MS,
        gathered_ms: GATHERED_MS,
        to: BOB,
        says: "Is it solved?",
        asked: "asked bob by slack: Nothing fires any more. Is it solved?",
        sent: BOB_SENT,
        answer: Some(("Solved", "bob answered: Solved")),
    },
];

/// Starts the program on the last Tuesday that was: Slack keeps the time itself, and nothing may be
/// posted there in the program's past.
pub(crate) async fn begin(test: &str) -> Option<Chat> {
    let chat = Chat::start(test, |home| {
        write_policies(home);
        let since_ms = SystemClock.now().0 - TUESDAY_MS - DAY_MS;
        let ago_ms = since_ms.rem_euclid(7 * DAY_MS) + DAY_MS;
        MovedClock::of(&clock_file(home)).move_by(-ago_ms).unwrap();
        CONFIG.to_owned()
    });
    chat.await
}

fn write_policies(home: &Home) {
    for name in ["routing", "communication"] {
        let shipped = paths::root().join(format!("policies/{name}.rhai"));
        let text = std::fs::read_to_string(shipped).unwrap();
        home.write(&format!("policies/{name}.rhai"), text).unwrap();
    }
    for (name, text) in POLICIES {
        home.write(&format!("policies/{name}.rhai"), text).unwrap();
    }
}

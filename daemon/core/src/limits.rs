//! Every limit of the engine, with its unit in its name, so that nothing a sender or a policy does
//! grows without bound.

use crate::time::{HOUR_MS, MINUTE_MS, SECOND_MS};

/// Longest title of an alert or incident, in bytes.
pub const TITLE_BYTES_MAX: usize = 256;
/// Longest summary, in bytes.
pub const SUMMARY_BYTES_MAX: usize = 2_048;
/// Longest reason of a verdict, in bytes.
pub const REASON_BYTES_MAX: usize = 512;
/// Largest input stored with a verdict, in bytes of JSON.
pub const VERDICT_INPUT_BYTES_MAX: usize = 2_048;
/// Most labels, and most annotations, per signal.
pub const LABELS_MAX: usize = 64;
/// Longest name of a label, in bytes.
pub const LABEL_NAME_BYTES_MAX: usize = 128;
/// Longest value of a label, in bytes.
pub const LABEL_VALUE_BYTES_MAX: usize = 1_024;
/// Most links of an alert, besides its own one, that an incident keeps.
pub const ALERT_LINKS_MAX: usize = 4;
/// Most bytes of their URLs and titles.
pub const ALERT_LINKS_BYTES_MAX: usize = 1_536;
/// Longest fingerprint, incident key or other name, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// Longest entry of the incident log, in bytes.
pub const LOG_BODY_BYTES_MAX: usize = 4_096;
/// Longest link to where an entry of the incident log was written, in bytes.
pub const LOG_LINK_BYTES_MAX: usize = 1_024;

/// Most steps of an escalation plan.
pub const PLAN_STEPS_MAX: usize = 16;
/// Most targets of one step.
pub const STEP_TARGETS_MAX: usize = 16;
/// Most people paged by one step.
pub const STEP_PEOPLE_MAX: usize = 32;
/// Most targets that an escalation remembers to have paged; further ones are paged again if another
/// plan names them.
pub const PAGED_TARGETS_MAX: usize = PLAN_STEPS_MAX * STEP_TARGETS_MAX;
/// Shortest wait between two steps, in milliseconds.
pub const STEP_WAIT_MS_MIN: u64 = SECOND_MS;
/// Longest wait between two steps, in milliseconds: longer than a long weekend.
pub const STEP_WAIT_MS_MAX: u64 = 7 * 24 * HOUR_MS;
/// Most pages kept per incident; older ones that are no longer in progress are dropped.
pub const PAGES_MAX: usize = 64;

/// After this many repeats of the last step, a repeat waits at least
/// [`LATE_REPEAT_WAIT_MS_MIN`]: after a hundred unanswered pages, one a minute does not help.
pub const EARLY_REPEATS_MAX: u32 = 100;
/// Shortest wait between late repeats, in milliseconds.
pub const LATE_REPEAT_WAIT_MS_MIN: u64 = 15 * MINUTE_MS;

/// A page that no channel has accepted within this goes to the next contact, in milliseconds.
pub const CONTACT_WAIT_MS: u64 = 30 * SECOND_MS;
/// How long an acknowledgement of a critical incident holds, unless the plan says otherwise, in
/// milliseconds.
pub const HOLD_CRITICAL_MS: u64 = HOUR_MS;
/// As [`HOLD_CRITICAL_MS`], of a major incident.
pub const HOLD_MAJOR_MS: u64 = 4 * HOUR_MS;
/// As [`HOLD_CRITICAL_MS`], of a minor incident.
pub const HOLD_MINOR_MS: u64 = 24 * HOUR_MS;
/// Shortest hold or snooze, in milliseconds.
pub const HOLD_MS_MIN: u64 = MINUTE_MS;
/// Longest hold or snooze, in milliseconds: longer than a long weekend.
pub const HOLD_MS_MAX: u64 = 7 * 24 * HOUR_MS;
/// Longest request for help, in bytes.
pub const HELP_BYTES_MAX: usize = 300;
/// Most people who join an incident.
pub const RESPONDERS_MAX: usize = 32;
/// Longest task, in bytes.
pub const TASK_BYTES_MAX: usize = 300;
/// Most open tasks of an incident, and most that are kept.
pub const TASKS_MAX: usize = 64;
/// How long a task waits for an owner before the operator is asked to take it, in milliseconds.
pub const TASK_OWNER_WAIT_MS: u64 = 10 * MINUTE_MS;
/// How long a question to the operator waits for an answer, in milliseconds.
pub const OPERATOR_ANSWER_WAIT_MS: u64 = 30 * MINUTE_MS;
/// How long the operator of an incident in which nothing fires any more has to say whether it is
/// solved, in milliseconds; then it is resolved.
pub const SOLVED_WAIT_MS: u64 = 24 * HOUR_MS;
/// Most changes that an incident which opens suspects; further ones are counted.
pub const SUSPECTS_MAX: usize = 5;
/// Most changes that an incident lists.
pub const CHANGES_MAX: usize = 64;
/// Longest time before an incident in which a change may have caused it, in milliseconds.
pub const SUSPECT_WITHIN_MS_MAX: u64 = 7 * 24 * HOUR_MS;
/// Longest update to an audience, in bytes.
pub const UPDATE_BYTES_MAX: usize = 3_000;
/// Shortest and longest time until the next update, in milliseconds.
pub const PROMISE_MS_MIN: u64 = 5 * MINUTE_MS;
pub const PROMISE_MS_MAX: u64 = 7 * 24 * HOUR_MS;
/// How long before a promised update is due whoever speaks is reminded, in milliseconds; at most a
/// third of the time that was promised.
pub const PROMISE_NOTICE_MS: u64 = 5 * MINUTE_MS;
/// How long after it was due a promise counts as broken, in milliseconds.
pub const PROMISE_GRACE_MS: u64 = 5 * MINUTE_MS;
/// Most people who are asked to take a role, one after the other.
pub const RESPONSE_PEOPLE_MAX: usize = 8;
/// Most people of whom an incident remembers that they refused a role.
pub const REFUSED_MAX: usize = 64;
/// How long somebody who is asked to take a role has to answer, in milliseconds.
pub const HANDOFF_WAIT_MS: u64 = 10 * MINUTE_MS;
/// How long the question whether somebody is still on it waits for an answer, in milliseconds.
pub const PROMPT_WAIT_MS: u64 = 10 * MINUTE_MS;
/// Shortest time to confirm that an incident has risen, in milliseconds; otherwise the wait of the
/// plan's first step.
pub const CONFIRM_WAIT_MS_MIN: u64 = MINUTE_MS;
/// Longest time to confirm it, in milliseconds.
pub const CONFIRM_WAIT_MS_MAX: u64 = 15 * MINUTE_MS;
/// Shortest time between two messages with the same question through one channel, in milliseconds.
pub const QUESTIONS_EVERY_MS: u64 = 2 * MINUTE_MS;
/// A question that no channel has accepted within this goes to the next contact, in milliseconds;
/// while it waits to go out with others, the wait begins when it leaves.
pub const QUESTION_CONTACT_WAIT_MS: u64 = 3 * MINUTE_MS;
/// Most questions kept per incident.
pub const PROMPTS_MAX: usize = 16;
/// What waits for a person within this goes out as one message, in milliseconds.
pub const BUNDLE_WINDOW_MS: u64 = 20 * SECOND_MS;
/// Most messages that a person's row keeps: twice the highest limit of messages in ten minutes, as
/// critical ones go out beyond it.
pub const SENT_MESSAGES_MAX: usize = 40;
/// Longest address in that row, in bytes.
pub const SENT_ADDRESS_BYTES_MAX: usize = 48;
/// Most pages that one message brings; further ones wait for the next.
pub const BUNDLE_PAGES_MAX: usize = 500;
/// Most messages that a person gets in [`PAGES_PERIOD_MS`], besides those about critical incidents.
pub const PERSON_PAGES_MAX: u32 = 6;
/// The time in which a person's messages are counted, in milliseconds.
pub const PAGES_PERIOD_MS: u64 = 10 * MINUTE_MS;
/// Shortest time between two messages about critical incidents through one channel, once a person
/// has got as many messages as they may, in milliseconds.
pub const CRITICAL_EVERY_MS: u64 = 2 * MINUTE_MS;
/// How long a test page may be sent, and waits for a press, in milliseconds.
pub const TEST_WAIT_MS: u64 = 10 * MINUTE_MS;
/// Most test pages that a person gets within an hour: a few tests of all of their contacts.
pub const TESTS_PER_HOUR_MAX: usize = 24;
/// Most warnings in a reminder of a shift.
pub const SHIFT_WARNINGS_MAX: usize = 4;
/// Most open incidents that a reminder of a shift knows.
pub const SHIFT_INCIDENTS_MAX: usize = 50;
/// How long a press proves that a contact reaches its person, in milliseconds: 90 days. Phones are
/// replaced and applications lose their permissions more often than once a year.
pub const PROVEN_MS: u64 = 90 * 24 * HOUR_MS;
/// How long a rung waits for an acknowledgement before the next one follows, unless a ladder says
/// otherwise, in milliseconds.
pub const RUNG_WAIT_MS: u64 = 2 * MINUTE_MS;
/// Shortest wait of a rung, in milliseconds.
pub const RUNG_WAIT_MS_MIN: u64 = 10 * SECOND_MS;
/// Longest wait of a rung, in milliseconds.
pub const RUNG_WAIT_MS_MAX: u64 = HOUR_MS;
/// Most rungs of a ladder.
pub const LADDER_RUNGS_MAX: usize = 8;
/// Most contacts of one page; a ladder may name a kind more than once.
pub const PAGE_CONTACTS_MAX: usize = 16;
/// Most unserved contacts that one decision skips; beyond that, a page waits as usual.
pub const SKIPPED_CONTACTS_MAX: usize = 64;
/// Shortest time between two tallies in an incident's stream, in milliseconds.
pub const TALLY_EVERY_MS: u64 = 30 * SECOND_MS;
/// Most alerts named in one tally.
pub const TALLY_SAMPLE_MAX: usize = 5;
/// Most bytes of JSON of each title that the row of a tally keeps for it.
pub const SAMPLE_BYTES_MAX: usize = 200;
/// Most groups of alerts whose verdicts are kept for one incident; the policies are asked about
/// every alert of further ones.
pub const ALERT_GROUPS_MAX: usize = 64;
/// Most bytes of JSON of these groups: the row of a tally must fit into a store's largest value,
/// with its sample and its silences.
pub const ALERT_GROUPS_BYTES_MAX: usize = 4_608;
/// Shortest time between two reviews of an incident's verdicts, in milliseconds.
pub const REVIEW_EVERY_MS: u64 = MINUTE_MS;
/// Most silences that an incident names.
pub const SILENCES_NAMED_MAX: usize = 4;
/// Most silences that the row of an alert names.
pub const SILENCED_BY_MAX: usize = 16;
/// Longest author of a silence in an incident, in bytes of JSON; the rest is left out.
pub const SILENCE_AUTHOR_BYTES_MAX: usize = 100;
/// Longest comment of a silence in an incident, in bytes of JSON; the rest is left out.
pub const SILENCE_COMMENT_BYTES_MAX: usize = 200;
/// Most times that one incident reopens; after that a new one opens.
pub const REOPENS_MAX: u32 = 20;
/// How long before an incident those that routing says are part of it may have opened, in
/// milliseconds.
pub const MERGES_BACK_MS: u64 = HOUR_MS;
/// Most keys that one merge takes over: of an incident, and of those merged into it before.
pub const KEYS_PER_MERGE_MAX: usize = 16;
/// Most keys of incidents that were merged into one.
pub const ABSORBED_KEYS_MAX: usize = 64;
/// Most references to other systems per incident.
pub const REFS_MAX: usize = 32;
/// Most tallies written at the fast rate.
pub const TALLIES_FAST_MAX: u32 = 20;
/// Most alerts that a routing policy may wait for.
pub const WAIT_COUNT_MAX: u32 = 50;
/// Longest window that a routing policy may wait in, in milliseconds.
pub const WAIT_WINDOW_MS_MAX: u64 = 24 * HOUR_MS;
/// Most bytes of text in one signal; annotations are truncated first, then labels.
pub const SIGNAL_BYTES_MAX: usize = 5 * 1_024;
/// Most bytes of alert names that wait under one key; at this size the wait is over.
pub const WAIT_BYTES_MAX: usize = 5 * 1_024;
/// Most starts of an alert that its row keeps besides the current one.
pub const STARTS_MAX: usize = 32;
/// How long they are kept, in milliseconds; an alert that is over is kept as long.
pub const STARTS_KEPT_MS: u64 = HOUR_MS;
/// For this long after an alert's end, a firing signal with the same start time counts as late,
/// not as firing again, in milliseconds.
pub const LATE_FIRING_MS: u64 = 30 * SECOND_MS;

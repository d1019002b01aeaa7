//! The program is killed between each two steps of everything that it asks, and started again on
//! the same data: each question reaches its person once, and its answer counts once.

use tocsin::standin::slack::{Fault, FaultRule, Message};

use crate::chat::{ADA, BOB, Chat};
use crate::story::{Asked, Cause, STORY, begin};

const POST: &str = "chat.postMessage";
const EDIT: &str = "chat.update";

/// When the program is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Before it is time to ask; that time passes while it is dead.
    Before,
    /// Once it is noted what is asked, before it is sent.
    Asked,
    /// Slack has read the message, and done nothing yet.
    Posting,
    /// Slack has posted the message, and not answered yet.
    Posted,
    /// Once it is noted that the message was sent.
    Sent,
    /// The person has pressed, and it cannot be noted yet.
    Pressing,
    /// The press is answered.
    Pressed,
    /// Slack is told to take the buttons away, and has done nothing yet.
    Settling,
    /// Slack has taken the buttons away, and not answered yet.
    Settled,
}

impl Cut {
    /// The request to Slack that is cut off, and how.
    fn fault(self) -> Option<(&'static str, Fault)> {
        match self {
            Self::Posting => Some((POST, Fault::Hang)),
            Self::Posted => Some((POST, Fault::LoseAnswer)),
            Self::Settling => Some((EDIT, Fault::Hang)),
            Self::Settled => Some((EDIT, Fault::LoseAnswer)),
            _ => None,
        }
    }

    fn needs_answer(self) -> bool {
        use Cut::{Pressed, Pressing, Settled, Settling};
        matches!(self, Pressing | Pressed | Settling | Settled)
    }
}

/// How often something happened for a question, and for those before that look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    messages: usize,
    asked: usize,
    sent: usize,
    answered: usize,
}

struct Step<'a> {
    chat: &'a Chat,
    cut: Cut,
    asked: &'a Asked,
    /// What was asked before.
    earlier: &'a [Asked],
}

impl Step<'_> {
    async fn counts(&self) -> Option<Counts> {
        let log = self.chat.log().await?;
        let count = |text: &str| log.iter().filter(|it| it.contains(text)).count();
        Some(Counts {
            messages: self.messages(),
            asked: count(self.asked.asked),
            sent: count(self.asked.sent),
            answered: self.asked.answer.map_or(0, |it| count(it.1)),
        })
    }

    /// How often it happens if nothing is lost and nothing happens twice.
    fn once(&self, is_answered: bool) -> Counts {
        let asked = self.asked;
        let count = |is: &dyn Fn(&Asked) -> bool| self.earlier.iter().filter(|it| is(it)).count();
        let effect = |it: &Asked| it.answer.map(|it| it.1);
        let before = count(&|it| effect(it).is_some() && effect(it) == effect(asked));
        Counts {
            messages: 1 + count(&|it| it.to == asked.to),
            asked: 1 + count(&|it| it.asked == asked.asked),
            sent: 1 + count(&|it| it.sent == asked.sent),
            answered: before + usize::from(is_answered),
        }
    }

    /// How many messages the person got.
    fn messages(&self) -> usize {
        messages_to(self.chat, self.asked.to).len()
    }

    async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let what = format!("{what} of {} ({:?})", self.asked.name, self.cut);
        self.chat.until(&what, look).await
    }

    async fn until_counts(&self, what: &str, is: impl Fn(Counts) -> bool) {
        let look = async || self.counts().await.filter(|it| is(*it));
        self.until(what, look).await;
    }

    /// Fails unless all has happened exactly once.
    async fn check(&self, is_answered: bool) {
        let counts = self.until("the state", async || self.counts().await).await;
        let once = self.once(is_answered);
        assert_eq!(
            counts,
            once,
            "{}\n{}",
            self.asked.name,
            self.chat.report().await
        );
    }

    /// What is said in the message, or in its edit.
    fn said(&self, method: &str) -> String {
        match self.asked.answer {
            Some(("Acknowledge", _)) if method == EDIT => "Acknowledged by".to_owned(),
            Some((label, _)) if method == EDIT => format!("answered: {label}"),
            _ => self.asked.says.to_owned(),
        }
    }

    /// How often Slack was asked to do what may be cut off.
    fn requests(&self, method: &str) -> usize {
        let said = self.said(method);
        let all = self.chat.slack.requests();
        let has = |field: Option<&str>, text: &str| field.is_some_and(|it| it.contains(text));
        let all = all.iter().filter(|it| it.method() == method);
        let all = all.filter(|it| has(it.field("channel"), "D"));
        all.filter(|it| has(it.field("blocks"), &said)).count()
    }

    fn kill_at(&self, cut: Cut) {
        if self.cut == cut {
            self.chat.lives.kill();
        }
    }

    /// Kills the program while Slack holds a request of it, if that is to be cut off.
    async fn kill_during(&self, method: &str, requests: usize) {
        if self.cut.fault().is_none_or(|(it, _)| it != method) {
            return;
        }
        let held = async || (self.requests(method) > requests).then_some(());
        self.until("a request to Slack", held).await;
        self.chat.lives.kill();
        self.chat.slack.heal();
    }

    async fn happen(&self) {
        let chat = self.chat;
        match self.asked.cause {
            Cause::Alert(action) => chat.pagerduty(action, "checkout").await,
            Cause::Command(member, line) => {
                let room = chat.until_room().await;
                let said = async || chat.say(member, &room, line).await;
                self.until("the command", said).await;
            }
            Cause::Time(ms, line) => {
                chat.clock.move_by(ms).unwrap();
                let says = async || {
                    let log = chat.log().await?;
                    log.iter().any(|it| it.contains(line)).then_some(())
                };
                self.until("what precedes it", says).await;
            }
            Cause::Answer => {}
        }
    }

    /// Somebody is asked, once.
    async fn ask(&self) {
        let (once, posts) = (self.once(false), self.requests(POST));
        if let Some((method, fault)) = self.cut.fault() {
            let rule = FaultRule::times(1, fault).on(method);
            self.chat.slack.fail(rule.saying(&self.said(method)));
        }
        self.happen().await;
        self.kill_at(Cut::Before);
        self.chat.clock.move_by(self.asked.after_ms).unwrap();
        self.until_counts("the question", |it| it.asked >= once.asked)
            .await;
        self.kill_at(Cut::Asked);
        self.chat.clock.move_by(self.asked.gathered_ms).unwrap();
        self.kill_during(POST, posts).await;
        self.until_counts("the message", |it| it.sent >= once.sent)
            .await;
        self.kill_at(Cut::Sent);
        self.check(false).await;
        let messages = messages_to(self.chat, self.asked.to);
        let newest = messages.last().map(Message::shown).unwrap_or_default();
        assert!(newest.contains(self.asked.says), "{newest}");
    }

    /// The person presses a button, until the press is answered.
    async fn answer(&self, button: &str) {
        let (chat, member) = (self.chat, self.asked.to);
        let edits = self.requests(EDIT);
        if self.cut == Cut::Pressing {
            let press = chat.press(member, button).unwrap();
            let form = "application/x-www-form-urlencoded".to_owned();
            let headers = [
                ("content-type", form),
                ("x-slack-request-timestamp", press.timestamp),
                ("x-slack-signature", press.signature),
            ];
            let posted =
                chat.lives
                    .post_and_kill("/hooks/slack/interactions", &headers, &press.body);
            posted.unwrap();
        }
        let pressed = async || match chat.press(member, button) {
            Ok(press) => {
                let (status, _) = chat.send("interactions", &press).await?;
                (status == 200).then_some(())
            }
            // Nothing is left to press.
            Err(_) => Some(()),
        };
        self.until("the press", pressed).await;
        self.kill_at(Cut::Pressed);
        self.kill_during(EDIT, edits).await;
        let once = self.once(true);
        self.until_counts("the answer", |it| it.answered >= once.answered)
            .await;
        let gone = async || chat.press(member, button).err();
        self.until("the end of the buttons", gone).await;
        self.check(true).await;
    }
}

/// What a person is asked, without what they are told of their shifts.
fn messages_to(chat: &Chat, member: &str) -> Vec<Message> {
    let mut messages = chat.slack.direct_messages(member);
    messages.retain(|it| !it.shown().contains("Your on-call shift"));
    messages
}

/// The whole story, in which the program is killed at one point of each question.
async fn survives(cut: Cut) {
    let Some(chat) = begin(&format!("Slack: killed at {cut:?}")).await else {
        return;
    };
    let mut kills = 0;
    for (at, asked) in STORY.iter().enumerate() {
        let step = Step {
            chat: &chat,
            cut,
            asked,
            earlier: &STORY[..at],
        };
        step.ask().await;
        if let Some((button, _)) = asked.answer {
            step.answer(button).await;
        }
        chat.slack.heal();
        kills += usize::from(!cut.needs_answer() || asked.answer.is_some());
        assert_eq!(chat.lives.kills(), kills, "{}", asked.name);
    }
    // Nothing came later either.
    for member in [ADA, BOB] {
        let messages = messages_to(&chat, member);
        let asked = STORY.iter().filter(|it| it.to == member);
        assert_eq!(
            messages.len(),
            asked.count(),
            "{messages:#?}\n{}",
            chat.report().await
        );
    }
    assert_eq!(chat.slack.unexpected(), Vec::<String>::new());
}

#[tokio::test]
async fn before_it_is_time_to_ask() {
    survives(Cut::Before).await;
}

#[tokio::test]
async fn between_the_question_and_its_message() {
    survives(Cut::Asked).await;
}

#[tokio::test]
async fn while_slack_posts_the_message() {
    survives(Cut::Posting).await;
}

#[tokio::test]
async fn after_slack_posted_the_message_and_before_that_is_known() {
    survives(Cut::Posted).await;
}

#[tokio::test]
async fn between_the_message_and_its_answer() {
    survives(Cut::Sent).await;
}

#[tokio::test]
async fn while_somebody_presses() {
    survives(Cut::Pressing).await;
}

#[tokio::test]
async fn between_the_answer_and_what_follows() {
    survives(Cut::Pressed).await;
}

#[tokio::test]
async fn while_slack_takes_the_buttons_away() {
    survives(Cut::Settling).await;
}

#[tokio::test]
async fn after_slack_took_the_buttons_away_and_before_that_is_known() {
    survives(Cut::Settled).await;
}

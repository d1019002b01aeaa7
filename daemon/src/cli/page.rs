//! `tocsin page`: tests the way to a person.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};

use super::client::{Client, ClientArgs};
use super::failure::{Exit, Failure};
use super::output::{Format, Out, OutputArg, cell, clean};
use crate::api::{TestLine, TestList, TestOrder, TestQuery, TestStateLine};
use crate::config::Span;
use crate::runtime::{Clock as _, SystemClock};

const PATH: &str = "/api/v1/page-tests";
/// Time between two looks at the tests, in milliseconds.
const LOOK_EVERY_MS: u64 = 500;

/// `tocsin page …`.
#[derive(Debug, Subcommand)]
pub(super) enum PageCommand {
    /// Send a test page to a person, and wait until they press its button
    ///
    /// The test takes the whole way of a page, through every contact of the person's ladders at the
    /// same time, says that it is a test, and is as loud as a critical page. A contact whose test
    /// was pressed counts as proven for 90 days. To wake somebody for an incident, use
    /// `tocsin incident page`.
    #[command(after_help = "Examples:\n  tocsin page test ada\n  \
                            tocsin page test ada --channel ntfy\n\n\
                            Exit codes: 0 when every test was pressed, 1 when one was not.")]
    Test(TestArgs),
}

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// Whom to page
    person: String,
    /// Only contacts of this kind, such as ntfy or email
    #[arg(long, value_name = "KIND")]
    channel: Option<String>,
    /// How long to wait for the buttons to be pressed, at most 10m
    #[arg(long, default_value = "3m", value_name = "TIME")]
    wait: Span,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

/// Runs `tocsin page …`.
///
/// # Errors
/// When the daemon cannot be reached or refuses. Exit code 1 when a test was not pressed; what
/// became of it was printed.
pub(super) fn run(command: &PageCommand, out: &mut Out<'_>) -> Result<(), Failure> {
    let PageCommand::Test(args) = command;
    let client = Client::new(&args.client)?;
    let order = TestOrder {
        person: args.person.clone(),
        channel: args.channel.clone(),
    };
    let mut list: TestList = client.post(PATH, &order)?.read()?;
    let ids: Vec<String> = list.tests.iter().map(|it| it.id.clone()).collect();
    let until = SystemClock.now().plus_ms(args.wait.as_ms());
    let mut told = Told::default();
    loop {
        if args.output.output == Format::Text {
            list.tests.iter().try_for_each(|it| told.tell(it, out))?;
        }
        let is_over = list.tests.iter().all(|it| it.state.is_final());
        if is_over || SystemClock.now() >= until {
            break;
        }
        client.pause(LOOK_EVERY_MS);
        let person = args.person.clone();
        list = client.list(PATH, &TestQuery { person })?.read()?;
        list.tests.retain(|it| ids.contains(&it.id));
    }
    match args.output.output {
        Format::Json => out.json(&list)?,
        Format::Text => list.tests.iter().try_for_each(|it| conclude(it, out))?,
    }
    match list
        .tests
        .iter()
        .all(|it| it.state == TestStateLine::Pressed)
    {
        true => Ok(()),
        false => Err(Failure {
            exit: Exit::Failed,
            text: String::new(),
        }),
    }
}

/// What was printed of each test.
#[derive(Default)]
struct Told(BTreeMap<String, (TestStateLine, Option<String>)>);

impl Told {
    /// Prints a test if something about it is new.
    fn tell(&mut self, test: &TestLine, out: &mut Out<'_>) -> Result<(), Failure> {
        let now = (test.state, test.fault.clone());
        if self.0.get(&test.id) == Some(&now) {
            return Ok(());
        }
        let passed = passed(test).join(" → ");
        let fault = test.fault.as_deref().map(clean);
        let fault = fault.map_or(String::new(), |it| format!(": {it}"));
        self.0.insert(test.id.clone(), now);
        out.line(format!("{}  {passed}{fault}", contact(test)))
    }
}

/// The states that a test has gone through.
fn passed(test: &TestLine) -> Vec<&'static str> {
    let mut passed = vec!["queued"];
    passed.extend(test.accepted_at.as_ref().map(|_| "accepted"));
    passed.extend(test.seen_at.as_ref().map(|_| "seen"));
    passed.extend(match test.state {
        TestStateLine::Pressed => Some("pressed"),
        TestStateLine::Failed => Some("failed"),
        TestStateLine::Unanswered => Some("unanswered"),
        TestStateLine::Queued | TestStateLine::Accepted | TestStateLine::Seen => None,
    });
    passed
}

fn conclude(test: &TestLine, out: &mut Out<'_>) -> Result<(), Failure> {
    match &test.remedy {
        Some(remedy) => out.line(format!("{}  ! {}", contact(test), clean(remedy))),
        None if test.state == TestStateLine::Queued => out.line(format!(
            "{}  ! its channel has not accepted it yet; `tocsin doctor` says why",
            contact(test)
        )),
        None => Ok(()),
    }
}

fn contact(test: &TestLine) -> String {
    format!("{:<10} {:<24}", cell(&test.channel), cell(&test.address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(state: TestStateLine, fault: Option<&str>) -> TestLine {
        let at = |is: bool| is.then(|| "2026-01-31T12:10:00.000Z".to_owned());
        TestLine {
            id: "test-1-ada".to_owned(),
            person: "ada".to_owned(),
            channel: "ntfy".to_owned(),
            address: "ada-x7".to_owned(),
            by: "bob".to_owned(),
            at: "2026-01-31T12:10:00.000Z".to_owned(),
            state,
            accepted_at: at(fault.is_none() && state != TestStateLine::Queued),
            seen_at: None,
            pressed_at: at(state == TestStateLine::Pressed),
            fault: fault.map(str::to_owned),
            remedy: fault.map(|_| "correct it".to_owned()),
        }
    }

    #[test]
    fn each_state_is_printed_once_with_the_way_to_it_and_what_failed_with_the_remedy() {
        let mut text = Vec::new();
        let mut out = Out::plain(&mut text);
        let mut told = Told::default();
        let failed = test(TestStateLine::Failed, Some("no such topic"));
        for it in [
            test(TestStateLine::Queued, None),
            test(TestStateLine::Queued, None),
            test(TestStateLine::Accepted, None),
            test(TestStateLine::Pressed, None),
            failed.clone(),
        ] {
            told.tell(&it, &mut out).unwrap();
        }
        conclude(&failed, &mut out).unwrap();
        conclude(&test(TestStateLine::Pressed, None), &mut out).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<_> = text.lines().map(|it| it[37..].to_owned()).collect();
        let wanted = [
            "queued",
            "queued → accepted",
            "queued → accepted → pressed",
            "queued → failed: no such topic",
            "! correct it",
        ];
        assert_eq!(lines, wanted, "{text}");
    }
}

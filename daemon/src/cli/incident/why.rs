//! `tocsin incident why`: what policies decided about an incident, and what they read.

use super::{PATH, ShowArgs};
use crate::api::{DecisionLine, DecisionList};
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::output::{Out, cell, clean};
use crate::cli::policy::print_reads;

pub(super) fn run(args: &ShowArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let path = format!("{PATH}/{}/decisions", args.number);
    let answer = Client::new(&args.common.client)?.get(&path)?;
    answer.show(args.common.output, out, |list: &DecisionList, out| {
        if list.decisions.is_empty() {
            return out.line("Only people with clearance may see why.");
        }
        list.decisions.iter().try_for_each(|it| print(it, out))
    })
}

fn print(decision: &DecisionLine, out: &mut Out<'_>) -> Result<(), Failure> {
    let (at, about) = (cell(&decision.at), cell(&decision.about));
    out.line(format!("{at}  {about}: {}", clean(&decision.answer)))?;
    if !decision.reason.is_empty() {
        out.line(format!("  reason: {}", clean(&decision.reason)))?;
    }
    let Some(policy) = &decision.policy else {
        return out.line(format!("  by: {}", clean(&decision.by)));
    };
    let hash = match policy.hash.as_str() {
        "" => String::new(),
        hash => format!(" ({hash})"),
    };
    out.line(format!("  policy: {}{hash}", clean(&policy.place())))?;
    if let Some(failure) = &policy.failure {
        out.line(format!("  failed: {}", clean(failure)))?;
    }
    print_reads(&policy.read, out)
}

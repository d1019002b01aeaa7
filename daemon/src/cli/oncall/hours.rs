//! `tocsin oncall hours`: how long people were on call in a month.

use clap::Args;

use super::super::failure::Failure;
use super::super::output::Out;
use super::{Client, Common, PATH};
use crate::api::{HoursQuery, HoursReport};
use crate::people::Month;

#[derive(Debug, Args)]
pub(super) struct HoursArgs {
    /// The month; the running one counts up to now
    #[arg(long, value_name = "YYYY-MM")]
    month: Month,
    #[command(flatten)]
    common: Common,
}

impl HoursArgs {
    pub(super) fn run(&self, out: &mut Out<'_>) -> Result<(), Failure> {
        let query = HoursQuery {
            month: self.month,
            key: None,
        };
        let client = Client::new(&self.common.client)?;
        let answer = client.list(&format!("{PATH}/hours"), &query)?;
        // Its lines end with CR LF, which is part of the format.
        answer.show(self.common.output, out, |report: &HoursReport, out| {
            out.raw(&report.csv())
        })
    }
}

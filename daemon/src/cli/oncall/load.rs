//! `tocsin oncall load`: how much people had to do.

use clap::Args;

use super::super::failure::Failure;
use super::super::output::{Out, cell, clean};
use super::{Client, Common, PATH};
use crate::api::{LoadLine, LoadQuery, LoadReport};
use crate::config::Span;

#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// Only the members of this team
    #[arg(long, value_name = "ID")]
    team: Option<String>,
    /// How far back, at most 366d
    #[arg(long, value_name = "SPAN", default_value = "28d")]
    since: Span,
    #[command(flatten)]
    common: Common,
}

impl LoadArgs {
    pub(super) fn run(&self, out: &mut Out<'_>) -> Result<(), Failure> {
        let query = LoadQuery {
            team: self.team.clone(),
            since: Some(self.since),
            key: None,
        };
        let client = Client::new(&self.common.client)?;
        let answer = client.list(&format!("{PATH}/load"), &query)?;
        answer.show(self.common.output, out, print)
    }
}

fn print(report: &LoadReport, out: &mut Out<'_>) -> Result<(), Failure> {
    let header = [
        "PERSON",
        "LOAD",
        "INCIDENTS",
        "PAGES",
        "AT NIGHT",
        "OPERATOR MIN",
        "SPOKESPERSON MIN",
    ];
    let rows: Vec<_> = report.people.iter().map(row).collect();
    out.table(&header, &rows, "Nobody is asked about.")?;
    out.line(clean(&report.concentration.says))
}

fn row(line: &LoadLine) -> Vec<String> {
    let numbers = [
        line.load,
        line.incidents,
        line.pages,
        line.night_pages,
        line.operator_minutes,
        line.spokesperson_minutes,
    ];
    let numbers = numbers.iter().map(ToString::to_string);
    std::iter::once(cell(&line.person)).chain(numbers).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn the_load_is_a_table_with_one_sentence_on_how_unequal_it_is() {
        let report = from_value(json!({
            "from": "2026-01-03T12:10:00.000Z", "until": "2026-01-31T12:10:00.000Z", "team": null,
            "people": [
                { "person": "ada", "name": "Ada", "load": 135, "incidents": 2, "pages": 3,
                  "night_pages": 1, "operator_minutes": 45, "spokesperson_minutes": 0 },
                { "person": "bob", "name": "Bob", "load": 0, "incidents": 0, "pages": 0,
                  "night_pages": 0, "operator_minutes": 0, "spokesperson_minutes": 0 },
            ],
            "concentration": { "gini": 0.5, "top": { "person": "ada", "share": 1.0 },
                "top_at_night": null, "says": "Ada had 100 % of the load; Gini 0.50." },
        }));
        let mut out = Vec::new();
        let printed = print(&report.expect("a report"), &mut Out::plain(&mut out));
        assert!(printed.is_ok(), "it is written");
        let expected = "\
PERSON  LOAD  INCIDENTS  PAGES  AT NIGHT  OPERATOR MIN  SPOKESPERSON MIN
ada     135   2          3      1         45            0
bob     0     0          0      0         0             0
Ada had 100 % of the load; Gini 0.50.
";
        assert_eq!(String::from_utf8(out).expect("text"), expected);
    }
}

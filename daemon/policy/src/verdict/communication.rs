//! Decodes the results of `cadence` and `respond`.

use rhai::Dynamic;
use tocsin_core::limits::{PROMISE_MS_MAX, PROMISE_MS_MIN, RESPONSE_PEOPLE_MAX};
use tocsin_core::{Audience, Cadence, PersonId, Response};

use super::{Decoded, Fault, Fields};
use crate::describe::describe;
use crate::text::cut;
use crate::trace::{Answer, Facts, Read, read};

const CADENCE_EXAMPLE: &str = "return a map like `#{ engineering: minutes(15), company: \
     minutes(30), public: minutes(30), reason: \"why\" }`; an audience may be left out";
const RESPONSE_EXAMPLE: &str = "return a map like `#{ spokesperson: [candidates[0].id], shadow: \
     [], reason: \"why\" }`; each list has ids of candidates in the order in which they are asked";

/// Most candidates that a fault names.
const LISTED_MAX: usize = 8;

pub(crate) fn cadence(answer: Dynamic) -> Decoded<Cadence> {
    let known = ["engineering", "company", "public", "reason"];
    let mut fields = Fields::of("cadence", answer, &known, CADENCE_EXAMPLE)?;
    let reason = fields.reason()?;
    let mut cadence = Cadence::default();
    for audience in Audience::ALL {
        let field = audience.as_str();
        if let Some(every) = fields.take(field) {
            let ms = fields.duration(field, &every, PROMISE_MS_MIN, PROMISE_MS_MAX)?;
            cadence.every_ms.insert(audience, ms);
        }
    }
    Ok((cadence, reason))
}

/// Whoever is named must be a candidate: anybody else could not answer.
pub(crate) fn response(answer: Dynamic, facts: Facts<'_>) -> Decoded<Response> {
    let known = ["commander", "spokesperson", "shadow", "reason"];
    let mut fields = Fields::of("respond", answer, &known, RESPONSE_EXAMPLE)?;
    let reason = fields.reason()?;
    let response = Response {
        commander: people(&mut fields, "commander", facts)?,
        spokesperson: people(&mut fields, "spokesperson", facts)?,
        shadow: people(&mut fields, "shadow", facts)?,
    };
    Ok((response, reason))
}

fn people(fields: &mut Fields, field: &str, facts: Facts<'_>) -> Result<Vec<PersonId>, Fault> {
    let Some(names) = fields.take(field) else {
        return Ok(Vec::new());
    };
    let found = describe(&names);
    let names = names.into_array().map_err(|_| {
        fields.fault(format!(
            "`{field}` is {found}; expected a list of candidates' ids"
        ))
    })?;
    if RESPONSE_PEOPLE_MAX < names.len() {
        let count = names.len();
        return Err(fields.fault(format!(
            "`{field}` names {count} people; at most {RESPONSE_PEOPLE_MAX}"
        )));
    }
    let mut people: Vec<PersonId> = Vec::with_capacity(names.len());
    for (at, name) in names.into_iter().enumerate() {
        let found = describe(&name);
        let id = name.into_string().map_err(|_| {
            fields.fault(format!(
                "`{field}[{at}]` is {found}; expected the id of a candidate"
            ))
        })?;
        if read(Read::IsCandidate(id.clone()), facts) != Answer::Flag(true) {
            let all = facts.candidates.iter().flat_map(|it| it.0.iter());
            let known: Vec<&str> = all.map(|it| it.id.as_str()).take(LISTED_MAX).collect();
            let known = match known.is_empty() {
                true => "there are none".to_owned(),
                false => format!("known are {}", known.join(", ")),
            };
            let id = cut(&id, 64);
            return Err(fields.fault(format!("`{field}[{at}]`: no candidate is `{id}`; {known}")));
        }
        let id = PersonId::from(id.as_str());
        if !people.contains(&id) {
            people.push(id);
        }
    }
    Ok(people)
}

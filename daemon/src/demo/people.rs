//! What the people of the demo do in Slack, and what the senders send.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::world::World;
use crate::standin::slack::{Press, SIGNING_SECRET, SignedRequest, Typed};
use crate::time::format_time;

/// Somebody in the demo's workspace: the member's id and name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
}

pub(super) const ADA: Person = Person {
    id: "U0ADA",
    name: "Ada",
};
pub(super) const BOB: Person = Person {
    id: "U0BOB",
    name: "Bob",
};
pub(super) const EVE: Person = Person {
    id: "U0EVE",
    name: "Eve",
};

impl World {
    /// Sends a request of Alertmanager.
    pub(super) async fn alerts(&self, body: &'static str) -> Result<()> {
        let request = self
            .http
            .post(format!("{}/ingest/alertmanager", self.url))
            .bearer_auth(&self.alertmanager_token)
            .header("content-type", "application/json");
        accepted(request.body(body)).await
    }

    /// Sends a change event as PagerDuty's clients do.
    pub(super) async fn deployment(&self, summary: &str) -> Result<()> {
        let body = json!({
            "routing_key": self.pagerduty_token,
            "payload": {
                "summary": summary, "timestamp": format_time(self.now()),
                "custom_details": { "service": "checkout" },
            },
        });
        let request = self.http.post(format!("{}/v2/change/enqueue", self.url));
        accepted(request.json(&body)).await
    }

    /// Presses the newest such button that somebody sees.
    pub(super) async fn press(&self, person: Person, button: &str) -> Result<()> {
        let press = Press::newest(person.id, button);
        let request = self.slack.press_request(&press);
        let request =
            request.with_context(|| format!("{} sees no button {button}", person.name))?;
        self.slack_sends("interactions", request.body).await?;
        Ok(())
    }

    /// Types a command in the war room, and returns the answer, which only that person sees.
    pub(super) async fn types(&self, person: Person, line: &str) -> Result<String> {
        let channels = self.slack.channels();
        let room = channels.iter().find(|it| is_room(&it.name));
        let typed = Typed {
            member: person.id.to_owned(),
            channel: room.map(|it| it.id.clone()),
            line: line.to_owned(),
        };
        let request = self.slack.typed_request(&typed)?;
        let answer = self.slack_sends("commands", request.body).await?;
        let answer: Value = serde_json::from_str(&answer)?;
        let text = answer["text"].as_str();
        Ok(text.context("the command has no answer")?.to_owned())
    }

    async fn slack_sends(&self, route: &str, body: String) -> Result<String> {
        let request = SignedRequest::at(SIGNING_SECRET, body, self.seconds());
        let url = format!("{}/hooks/slack/{route}", self.url);
        let answer = request.send(&url).await?;
        if answer.status != 200 {
            let (status, why) = (answer.status, answer.body);
            bail!("the daemon responds to Slack with {status}: {why}");
        }
        Ok(answer.body)
    }
}

/// Whether a channel is a war room.
pub(super) fn is_room(name: &str) -> bool {
    !matches!(name, "" | "engineering" | "company")
}

async fn accepted(request: reqwest::RequestBuilder) -> Result<()> {
    let answer = request.send().await?;
    let status = answer.status();
    if !status.is_success() {
        bail!(
            "the daemon refuses it with {status}: {}",
            answer.text().await?
        );
    }
    Ok(())
}

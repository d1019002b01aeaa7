//! The steps of the demo: a deployment breaks a service at night; one person operates, another
//! speaks, everybody hears when there is more, and the log writes itself.

use anyhow::{Result, bail};
use serde_json::Value;

use super::people::{ADA, BOB, EVE};
use super::watch::Watch;
use super::world::World;

const FIRING: &str = include_str!("alerts/firing.json");
const RESOLVED: &str = include_str!("alerts/resolved.json");

/// What the log must contain at the end, in this order.
const LOG: &[&str] = &[
    "opened, graded critical",
    "paged ada by slack",
    "not acknowledged: escalation step 2",
    "paged bob by slack",
    "bob is the operator",
    "asked eve by slack: Will you be the spokesperson?",
    "eve is the spokesperson",
    "eve told company (next in 30m)",
    "bob saw: errors began with the deployment",
    "bob asked ada to do task 1",
    "bob decided: Mitigate first",
    "the update for company came in time",
    "eve told company (next in 5m)",
    "the update for company is due soon",
    "the promise to company is broken",
    "asked bob by slack: What do you tell the company?",
    "bob asks ada to be the operator",
    "ada is the operator",
    "ada finished task 1",
    "ada mitigated it",
    "2 alerts so far, 0 firing",
    "asked ada by slack: Nothing fires any more. Is it solved?",
    "resolved by ada",
    "eve told company: Payments work again.",
];

pub(super) async fn tell(world: &World) -> Result<()> {
    let mut watch = Watch::of(world);
    alarm(world, &mut watch).await?;
    respond(world, &mut watch).await?;
    inform(world, &mut watch).await?;
    hand_over(world, &mut watch).await?;
    end(world, &mut watch).await?;
    conclude(world, &watch)
}

async fn alarm(world: &World, watch: &mut Watch<'_>) -> Result<()> {
    let printer = &world.printer;
    printer
        .part("It is 3 a.m. Ada is on call for payments; Bob is on the same team. Eve is awake.");
    world.deployment("Deploy checkout 2.4").await?;
    printer.line("deployment", "checkout 2.4 is deployed");
    world.alerts(FIRING).await?;
    printer.line(
        "Alertmanager",
        "sends 2 alerts: HighErrorRate on checkout, severity critical",
    );

    printer.part("The policies grade the incident; Ada is paged, and everybody may know.");
    let opened = watch
        .until("the incident opens", |it| it["status"] == "open")
        .await?;
    expect(&opened, "/grade", "critical")?;
    watch.until_asked(ADA, "Acknowledge").await?;
    watch.until_said("engineering", "12 % of checkouts").await?;

    printer.part("Ada is asleep. Nobody acknowledges for five minutes, so Bob is paged.");
    watch.until_asked(BOB, "Acknowledge").await
}

async fn respond(world: &World, watch: &mut Watch<'_>) -> Result<()> {
    let printer = &world.printer;
    printer
        .part("Bob acknowledges, which makes him the operator. Somebody else is asked to speak.");
    watch.presses(BOB, "Acknowledge").await?;
    let is_acknowledged = |it: &Value| it["acknowledged"] == true;
    let acknowledged = watch
        .until("the incident is acknowledged", is_acknowledged)
        .await?;
    expect(&acknowledged, "/operator", "bob")?;
    watch.presses(EVE, "Accept").await?;
    watch.until_logged("the spokesperson").await?;
    watch.until_said("company", "Bob looks after it").await
}

async fn inform(world: &World, watch: &mut Watch<'_>) -> Result<()> {
    let printer = &world.printer;
    printer.part("Eve tells the company, and promises when it will hear more. Bob works.");
    let update = "/incident update company Payments fail since 3:00. We look for the cause.";
    watch.types(EVE, &format!("{update} next 30m")).await?;
    watch.until_said("company", "We look for the cause").await?;
    watch
        .types(BOB, "/incident log seen errors began with the deployment")
        .await?;
    watch
        .types(BOB, "/incident task @ada roll checkout back to 2.3")
        .await?;
    watch.presses(BOB, "Mitigate first").await?;
    watch.until_logged("Mitigate first").await?;

    printer.part("Her second update is in time. The third is not: she is reminded, then Bob is.");
    let update = "/incident update company We roll the deployment back.";
    watch.types(EVE, &format!("{update} next 5m")).await?;
    watch.until_logged("is broken").await?;
    let update = "/incident update company The rollback is half way.";
    watch.types(EVE, &format!("{update} next 1h")).await
}

async fn hand_over(world: &World, watch: &mut Watch<'_>) -> Result<()> {
    let printer = &world.printer;
    printer.part("Ada is up. Bob hands over; it is still his until she accepts.");
    watch.types(BOB, "/incident handoff operator @ada").await?;
    watch.presses(ADA, "Accept").await?;
    watch
        .until("Ada is the operator", |it| it["operator"] == "ada")
        .await?;
    watch.types(ADA, "/incident task done 1").await?;
    watch
        .types(ADA, "/incident mitigate rolled back to 2.3")
        .await
}

async fn end(world: &World, watch: &mut Watch<'_>) -> Result<()> {
    let printer = &world.printer;
    printer.part("The alerts end. Ada has the incident, so she is asked whether it is solved.");
    world.alerts(RESOLVED).await?;
    printer.line("Alertmanager", "reports that both alerts are resolved");
    watch.presses(ADA, "Solved").await?;
    let is_over = |it: &Value| it["status"] == "resolved";
    watch.until("the incident is resolved", is_over).await?;
    watch
        .types(EVE, "/incident update company Payments work again.")
        .await?;
    watch.until_said("company", "Payments work again").await?;
    watch.until_said("engineering", "is resolved").await
}

fn conclude(world: &World, watch: &Watch<'_>) -> Result<()> {
    let unexpected = world.slack.unexpected();
    if !unexpected.is_empty() {
        bail!(
            "the Slack plugin sent requests that Slack would reject: {}",
            unexpected.join("; ")
        );
    }
    watch.expect_in_order(LOG)?;
    world.printer.part("What remains in the war room:");
    watch.show_summary()?;
    println!(
        "\nEverything above really happened: daemon, store, policies and Slack plugin are the\n\
         real ones; only the Slack workspace was a stand-in. The incident has {} events,\n\
         each on disk before anybody was notified.",
        watch.log().len()
    );
    Ok(())
}

fn expect(incident: &Value, pointer: &str, wanted: &str) -> Result<()> {
    let found = incident.pointer(pointer).and_then(Value::as_str);
    let found = found.unwrap_or("nothing");
    if found != wanted {
        bail!("{pointer} should be {wanted}, but is {found}");
    }
    Ok(())
}

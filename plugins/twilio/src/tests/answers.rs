//! What people reply and press, and what it acknowledges.

use super::*;
use tocsin_plugin_sdk::commands::CommandError;
use tocsin_plugin_sdk::testing::prompt;

impl World {
    fn set_time(&self, time: &str) {
        self.twilio.borrow_mut().now = format!("Fri, 02 Jan 2026 {time} +0000");
    }

    /// The pages that were acknowledged, in order.
    fn acknowledged_pages(&self) -> Vec<String> {
        let commands = self.host.commands().into_iter();
        let acknowledged = commands.filter(|it| it.verb == "acknowledge");
        acknowledged.filter_map(|it| it.id).collect()
    }
}

#[test]
fn a_reply_to_a_text_acknowledges_once_whoever_brings_it() {
    let world = World::start();
    assert_eq!(world.page("d", alone("p/1", SMS)), Ok(Outcome::Done));
    let [job] = &world.host.jobs()[..] else {
        panic!()
    };
    assert_eq!((job.topic.as_str(), job.delay_ms), ("replies", 10_000));
    world.read("r1");
    world.twilio.borrow_mut().receive(ADA, "what?");
    world.twilio.borrow_mut().receive("+15550000000", "1");
    world.read("r2");
    assert_eq!(world.commands(), [""; 0]);
    world.twilio.borrow_mut().receive(ADA, " Ack\n");
    world.read("r3");
    world.read("r4");
    assert_eq!(world.commands(), acknowledged(SMS));
    let sid = world.texts().last().unwrap().sid.clone();
    let body = format!("From=%2B15557654321&Body=Ack&MessageSid={sid}");
    let answer = world.post("sms", "", &body);
    assert!(
        answer.contains("<Message>Reply 1 to acknowledge"),
        "{answer}"
    );
    assert_eq!(world.commands().len(), 2);
    assert_eq!(
        world.host.jobs().len(),
        5,
        "it is read until the page is over"
    );
    world.settle("p/1").unwrap();
    world.read("r5");
    assert_eq!(world.host.jobs().len(), 5);
}

#[test]
fn twilio_may_bring_a_reply_at_once() {
    let world = World::start();
    world
        .host
        .answer_commands(Ok("Acknowledged & noted.".into()));
    world.page("d", alone("p/1", SMS)).unwrap();
    let answer = world.post("sms", "", "From=%2B15557654321&Body=1&MessageSid=SM9");
    assert!(
        answer.contains("<Message>Acknowledged &amp; noted.</Message>"),
        "{answer}"
    );
    assert_eq!(world.commands(), acknowledged(SMS));
}

#[test]
fn a_reply_means_the_latest_page_before_it_and_the_next_one_the_page_before() {
    // By Twilio's clock alone: the daemon's is wrong by some minutes.
    for off_ms in [0, 300_000] {
        let world = World::start();
        world.host.advance_ms(off_ms);
        for (time, id) in [("12:00:00", "a"), ("12:05:00", "b"), ("12:06:30", "c")] {
            world.set_time(time);
            let mut event = event(id, EventBody::Page(alone(id, SMS)));
            event.at += off_ms;
            ThePlugin::on_event(event, &world.host.begin(id)).unwrap();
        }
        // Both were sent before the third page, and are read after it.
        for (time, text) in [("12:06:00", "1"), ("12:06:10", "ack")] {
            world.set_time(time);
            world.twilio.borrow_mut().receive(ADA, text);
        }
        world.read("r");
        assert_eq!(world.acknowledged_pages(), ["b", "a"], "{off_ms}");
    }
}

#[test]
fn a_reply_means_a_test_only_if_no_real_page_waits() {
    for (first, second) in [(false, true), (true, false)] {
        let world = World::start();
        for (time, is_test) in [("12:00:00", first), ("12:00:20", second)] {
            world.set_time(time);
            let id = if is_test { "test" } else { "real" };
            let mut page = alone(id, SMS);
            page.test = is_test;
            world.page(id, page).unwrap();
        }
        world.twilio.borrow_mut().receive(ADA, "1");
        world.read("r1");
        assert_eq!(world.acknowledged_pages(), ["real"]);
        world.twilio.borrow_mut().receive(ADA, "1");
        world.read("r2");
        assert_eq!(world.acknowledged_pages(), ["real", "test"]);
    }
}

#[test]
fn a_reply_answers_a_question_before_a_test_that_came_later() {
    let world = World::start();
    let question = prompt("m", &[incident()], &person("ada", SMS, ADA));
    world.deliver("q", EventBody::Prompt(question)).unwrap();
    world.set_time("12:05:00");
    let mut test = alone("test", SMS);
    test.test = true;
    world.page("test", test).unwrap();
    for _ in 0..2 {
        world.twilio.borrow_mut().receive(ADA, "1");
    }
    world.read("r");
    let commands = world.host.commands();
    let verbs: Vec<_> = commands.iter().map(|it| it.verb).collect();
    assert_eq!(verbs, ["answer", "receipt", "acknowledge"]);
}

#[test]
fn a_reply_that_could_not_be_carried_out_is_tried_again_for_the_same_page() {
    let world = World::start();
    for id in ["a", "b"] {
        world.page(id, alone(id, SMS)).unwrap();
    }
    world.twilio.borrow_mut().receive(ADA, "1");
    let down = CommandError::Unavailable("down".into());
    world.host.answer_commands(Err(down));
    world.read("r1");
    world.read("r2");
    world.host.answer_commands(Ok("Acknowledged.".into()));
    world.read("r3");
    world.read("r4");
    assert_eq!(world.acknowledged_pages(), ["b"; 3]);
}

#[test]
fn a_reply_that_cannot_be_carried_out_does_not_hold_up_the_next() {
    let world = World::start();
    for id in ["a", "b"] {
        world.page(id, alone(id, SMS)).unwrap();
        world.twilio.borrow_mut().receive(ADA, "1");
    }
    let denied = CommandError::Denied(format!("nobody has the contact {ADA}"));
    world.host.answer_commands(Err(denied));
    world.read("r1");
    assert_eq!(world.acknowledged_pages(), ["b", "a"]);
    assert!(!format!("{:?}", world.host.logs()).contains("5557654321"));
}

#[test]
fn every_reply_is_read_at_once_however_many_pages_wait_and_whatever_became_of_the_texts() {
    let world = World::start();
    for at in 0..12 {
        let number = format!("+155500011{at:02}");
        let to = page(
            &format!("p{at:02}"),
            &incident(),
            &person("x", SMS, &number),
        );
        world.page(&to.id.clone(), to).unwrap();
        world.twilio.borrow_mut().messages[at * 2].sid = format!("gone{at}");
        world
            .twilio
            .borrow_mut()
            .receive(&number, "\u{201c}1.\u{201d}");
    }
    world.read("r");
    assert_eq!(world.acknowledged_pages().len(), 12);
}

#[test]
fn a_refused_acknowledgement_is_not_called_one() {
    let world = World::public();
    let refused = CommandError::Invalid("incident 42 is closed".into());
    world.host.answer_commands(Err(refused));
    world.page("d", alone("p/1", PHONE)).unwrap_err();
    let said = world.post("gather", "page=p%2F1", "Digits=1&CallSid=CA0");
    let want = "Not acknowledged: incident 42 is closed. Goodbye.";
    assert_eq!(spoken(&said), want);

    let world = World::public();
    world.page("d", alone("p/1", PHONE)).unwrap_err();
    let down = CommandError::Unavailable("down".into());
    world.host.answer_commands(Err(down));
    let said = world.post("gather", "page=p%2F1", "Digits=1&CallSid=CA0");
    let again = "That did not work. Press 1 to acknowledge.\nGoodbye.";
    assert_eq!(spoken(&said), again);
    // Twilio sends the same again, which the daemon would not pass on.
    assert!(said.contains("?page=p%2F1&amp;try=1\""), "{said}");
    let said = world.post("gather", "page=p%2F1&try=5", "Digits=1&CallSid=CA0");
    assert_eq!(spoken(&said), "The escalation continues. Goodbye.");
    world.host.answer_commands(Ok("Acknowledged.".into()));
    let said = world.post("gather", "page=p%2F1&try=1", "Digits=1&CallSid=CA0");
    assert_eq!(spoken(&said), "Acknowledged. Goodbye.");
}

#[test]
fn a_key_counts_though_the_answer_about_the_call_is_lost() {
    let world = World::public();
    world.host.lose_answer("/Calls.json");
    world.page("d", alone("p/1", PHONE)).unwrap_err();
    world.post("gather", "page=p%2F1", "Digits=1&CallSid=CA0");
    assert_eq!(world.commands(), acknowledged(PHONE));
}

#[test]
fn a_call_that_cannot_be_placed_leaves_its_text_and_without_one_the_next_contact() {
    let world = World::start();
    world.twilio.borrow_mut().barred.push(ADA.into());
    assert_eq!(world.page("d", alone("p/1", PHONE)), Ok(Outcome::Done));
    world.twilio.borrow_mut().receive(ADA, "1");
    world.read("r");
    assert_eq!(world.commands(), acknowledged(PHONE));

    let world = World::public();
    world.twilio.borrow_mut().barred.push(ADA.into());
    let Err(Failure::Permanent(why)) = world.page("d", alone("p/1", PHONE)) else {
        panic!()
    };
    assert!(why.contains("not authorized to call +…"), "{why}");
}

#[test]
fn a_call_ends_when_its_text_is_answered() {
    let world = World::start();
    world.page("d", alone("p/1", PHONE)).unwrap();
    world.set_call("ringing");
    world.twilio.borrow_mut().receive(ADA, "1");
    world.read("r");
    world.settle("p/1").unwrap();
    assert_eq!(world.calls()[0].status, "completed");
}

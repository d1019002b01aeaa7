//! Questions, which are always texts.

use tocsin_plugin_sdk::testing::prompt;

use super::*;

#[test]
fn a_question_is_a_text_and_never_a_call_and_a_reply_answers_it() {
    for (kind, reply, choice) in [(PHONE, "1", "yes"), (SMS, "2", "no")] {
        let world = World::start();
        let many = prompt("m", &vec![incident(); 300], &person("ada", kind, ADA));
        assert_eq!(
            world.deliver("d", EventBody::Prompt(many)),
            Ok(Outcome::Done)
        );
        assert_eq!(world.calls().len(), 0, "nobody is called to be asked");
        let want = "\
Are you still on it? MAJOR checkout: Checkout is down and 299 more
Since: 12:00 (6 min ago)
Runbook: https://wiki.example/checkout
Incident: #42 and 299 more
Please answer by 12:10. Without an answer the escalation starts again.
One answer counts for all 300.
Reply 1: Still on it, or open https://tocsin.example/ack/m-yes
Reply 2: Page somebody else, or open https://tocsin.example/ack/m-no";
        assert_eq!(world.texts()[0].body, want);
        world.twilio.borrow_mut().receive(ADA, "ack");
        world.twilio.borrow_mut().receive(ADA, "7");
        world.twilio.borrow_mut().receive(ADA, reply);
        world.read("r1");
        world.read("r2");
        let want = format!("answer m {choice} by {kind} {ADA}");
        assert_eq!(world.commands(), [want]);
    }
}

#[test]
fn a_reply_means_the_latest_text_that_it_fits_and_that_has_none_yet() {
    for replies in [["1", "1"], ["ack", "2"]] {
        let world = World::start();
        world.page("d", alone("p/1", SMS)).unwrap();
        let one = prompt("m", &[incident()], &person("ada", SMS, ADA));
        world.deliver("q", EventBody::Prompt(one)).unwrap();
        for reply in replies {
            world.twilio.borrow_mut().receive(ADA, reply);
        }
        world.read("r");
        let commands = world.host.commands();
        let mut verbs: Vec<_> = commands.iter().map(|it| it.verb).collect();
        verbs.sort_unstable();
        assert_eq!(verbs, ["acknowledge", "answer", "receipt"], "{replies:?}");
    }
}

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

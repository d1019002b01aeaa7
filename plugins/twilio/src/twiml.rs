//! What a call says, in TwiML.

use tocsin_plugin_sdk::http::Header;
use tocsin_plugin_sdk::text;
use tocsin_plugin_sdk::types::{Page, WebhookResponse};

/// Twilio refuses longer TwiML in a request for a call.
const TWIML_CHARS_MAX: usize = 4000;
/// Of the page's text. It is said twice, and escaping makes a character up to six: the first that
/// fits is taken.
const SPOKEN_CHARS_MAX: [usize; 3] = [700, 300, 150];
/// Of a fact: nobody listens longer.
const FACT_CHARS_MAX: usize = 160;
/// Of an answer to a key.
const ANSWER_CHARS_MAX: usize = 300;
/// Seconds to press a key after a prompt.
const PRESS_S: u32 = 8;

/// What a call says to a person.
pub(crate) struct Script<'a> {
    pub(crate) language: &'a str,
    /// Where a pressed key is posted, if Twilio can reach the daemon.
    pub(crate) action: Option<String>,
    /// Whether a text message comes with the call.
    pub(crate) has_text: bool,
}

impl Script<'_> {
    /// The whole call: the page twice, with time to press a key.
    pub(crate) fn page(&self, page: &Page) -> String {
        let scripts = SPOKEN_CHARS_MAX.iter().map(|max| self.twice(page, *max));
        let mut scripts = scripts.skip_while(|it| it.chars().count() > TWIML_CHARS_MAX);
        scripts.next().unwrap_or_else(|| self.again(""))
    }

    fn twice(&self, page: &Page, chars_max: usize) -> String {
        let told = text::cut(&told(page), chars_max);
        let total = page.items.len() + page.others.len();
        match &self.action {
            Some(_) => {
                let press = match total {
                    0 | 1 => "Press 1 to acknowledge.".to_string(),
                    total => format!("Press 1 to acknowledge all {total} incidents."),
                };
                let prompt = self.gather(&format!("{told} {press}"));
                let follows = unanswered(page.test);
                let end = self.say(&format!("No key was pressed. {follows} Goodbye."));
                response(&format!("{prompt}{prompt}{end}"))
            }
            None => {
                let how = match self.has_text {
                    true => {
                        "To acknowledge, reply 1 to the text message that comes with this call, or \
                         open its link."
                    }
                    false => "Please acknowledge it in chat or by the link in your mail.",
                };
                let prompt = self.say(&format!("{told} {how}"));
                response(&format!("{prompt}<Pause length=\"1\"/>{prompt}"))
            }
        }
    }

    /// After a wrong key, or one that did not work.
    pub(crate) fn again(&self, why: &str) -> String {
        let prompt = self.gather(format!("{why} Press 1 to acknowledge.").trim_start());
        response(&format!("{prompt}{}", self.say("Goodbye.")))
    }

    /// The end of a call.
    pub(crate) fn goodbye(&self, what: &str) -> String {
        let what = text::cut(&text::one_line(what), ANSWER_CHARS_MAX);
        response(&self.say(&format!("{what} Goodbye.")))
    }

    fn gather(&self, prompt: &str) -> String {
        let action = escape(self.action.as_deref().unwrap_or_default());
        format!(
            "<Gather numDigits=\"1\" timeout=\"{PRESS_S}\" method=\"POST\" action=\"{action}\">{}\
             </Gather>",
            self.say(prompt)
        )
    }

    fn say(&self, what: &str) -> String {
        format!(
            "<Say language=\"{}\">{}</Say>",
            escape(self.language),
            escape(what)
        )
    }
}

/// What follows if the person does not acknowledge.
pub(crate) fn unanswered(is_test: bool) -> &'static str {
    match is_test {
        true => "This was only a test.",
        false => "The escalation continues.",
    }
}

pub(crate) fn answer(twiml: String) -> WebhookResponse {
    WebhookResponse {
        status: 200,
        headers: vec![Header {
            name: "content-type".into(),
            value: "text/xml".into(),
        }],
        body: twiml.into_bytes(),
    }
}

/// The answer to a text message.
pub(crate) fn message(what: &str) -> String {
    response(&format!("<Message>{}</Message>", escape(what)))
}

fn told(page: &Page) -> String {
    let kind = if page.test { "a test page" } else { "a page" };
    let name = text::one_line(&page.to.name);
    let mut told = vec![
        format!("This is tocsin with {kind} for {name}."),
        sentence(&page.summary),
    ];
    let facts = text::brief_facts(page).into_iter();
    told.extend(facts.map(|it| {
        let fact = format!("{}: {}", it.name, it.text);
        sentence(&text::cut(&fact, FACT_CHARS_MAX))
    }));
    // By which it is found, as a link cannot be said.
    let which = text::which(page).map(|it| it.replace('#', ""));
    told.extend(which.map(|it| sentence(&format!("Incident {it}"))));
    told.join(" ")
}

/// A pause after it, and no links.
fn sentence(what: &str) -> String {
    let line = text::one_line(what);
    let words = line.split(' ').filter(|it| !it.contains("://"));
    let line = words.collect::<Vec<_>>().join(" ");
    format!("{}.", line.trim_end_matches(['.', '…']))
}

fn response(inner: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{inner}</Response>")
}

fn escape(what: &str) -> String {
    // XML cannot name the last two in any way.
    let allowed = |it: &char| !it.is_control() && !matches!(it, '\u{fffe}' | '\u{ffff}');
    let escaped = what.chars().filter(allowed).map(|it| match it {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&apos;".into(),
        other => String::from(other),
    });
    escaped.collect()
}

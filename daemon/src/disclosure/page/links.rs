//! The links of an item: the alert's own, its runbook and dashboards, and the last change's. The
//! incident's address in the API is left out, as a phone has no token for it.

use std::fmt::Write as _;

use super::{PageLink, facts};
use crate::disclosure::Disclosed;
use crate::text::{cut, one_line};

/// Longest URL that is shown, in bytes.
const URL_BYTES_MAX: usize = 2_000;
/// Longest title of a link, in bytes.
const TITLE_BYTES_MAX: usize = 60;

pub(super) fn of(seen: &Disclosed) -> Vec<PageLink> {
    let alert = seen.link.iter().map(|url| ("Alert", url));
    let named = seen.links.iter().map(|it| (it.title.as_str(), &it.url));
    let change = seen.changes.foremost().and_then(|it| {
        let url = it.brief.link.as_ref()?;
        Some((facts::name_of_change(it.status), url))
    });
    let all = alert.chain(named).chain(change);
    all.filter_map(|(title, url)| link(title, url)).collect()
}

fn link(title: &str, url: &str) -> Option<PageLink> {
    let url = web_url(url)?;
    let title = cut(one_line(title), TITLE_BYTES_MAX).0;
    let title = Some(title).filter(|it| !it.is_empty());
    Some(PageLink {
        title: title.unwrap_or_else(|| "Link".to_owned()),
        url,
    })
}

/// The URL with every character escaped that markup, a space or a line could begin with; `None`
/// when it is not an http or https URL.
fn web_url(url: &str) -> Option<String> {
    let url = url.trim();
    let is_web = ["https://", "http://"].iter().any(|it| {
        let head = url.get(..it.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(it)) && url.len() > it.len()
    });
    if !is_web {
        return None;
    }
    let mut safe = String::with_capacity(url.len());
    for c in url.chars() {
        let means_something = matches!(c, '<' | '>' | '"' | '\'' | '|' | '\\' | '`' | '(' | ')');
        if means_something || c.is_whitespace() || c.is_control() || !c.is_ascii() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(safe, "%{byte:02X}");
            }
        } else {
            safe.push(c);
        }
    }
    (safe.len() <= URL_BYTES_MAX).then_some(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_characters_that_mean_something_in_markup() {
        let cases = [
            (
                "https://e.com/a?b=1&c=2#d",
                Some("https://e.com/a?b=1&c=2#d"),
            ),
            (" HTTP://e.com ", Some("HTTP://e.com")),
            ("https://e.com/a|b<c>", Some("https://e.com/a%7Cb%3Cc%3E")),
            (
                "https://e.com/a\n\u{202e}b",
                Some("https://e.com/a%0A%E2%80%AEb"),
            ),
            ("https://e.com/\"x' y", Some("https://e.com/%22x%27%20y")),
            ("https://", None),
            ("javascript:alert(1)", None),
            ("ftp://e.com", None),
            ("e.com", None),
            ("", None),
        ];
        for (url, shown) in cases {
            assert_eq!(web_url(url).as_deref(), shown, "{url}");
        }
        assert_eq!(
            web_url(&format!("https://e.com/{}", "x".repeat(URL_BYTES_MAX))),
            None
        );
    }
}

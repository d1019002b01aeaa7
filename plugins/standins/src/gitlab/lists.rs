//! Lists with their filters, a page at a time.

use super::texts::searchable;
use super::{Answer, Answered, BOT, GitLab, Issue, error};
use crate::Asked;
use chrono::DateTime;
use serde_json::{Value, json};

const PER_PAGE: usize = 20;
const PER_PAGE_MAX: usize = 100;
const ISSUE_FILTERS: [&str; 12] = [
    "state",
    "labels",
    "issue_type",
    "scope",
    "author_username",
    "search",
    "in",
    "created_after",
    "order_by",
    "sort",
    "page",
    "per_page",
];

impl GitLab {
    pub(super) fn list_users(&self, asked: &Asked) -> Answer {
        let Some(name) = asked.query.get("username") else {
            return self.page(asked, self.users.iter().map(|it| self.user(&it.username)));
        };
        let same = |it: &str| it.eq_ignore_ascii_case(name);
        let found = self.users.iter().filter(|it| same(&it.username));
        self.page(asked, found.map(|it| self.user(&it.username)))
    }

    pub(super) fn list_issues(&self, asked: &Asked, project: u64) -> Answer {
        let unknown = asked.query.keys();
        let unknown: Vec<_> = unknown
            .filter(|it| !ISSUE_FILTERS.contains(&it.as_str()))
            .collect();
        assert!(unknown.is_empty(), "GitLab ignores {unknown:?}");
        let filter = |name: &str| asked.query.get(name).map(String::as_str);
        check(asked, "state", &["opened", "closed", "all"])?;
        check(asked, "scope", &["created_by_me", "assigned_to_me", "all"])?;
        check(asked, "order_by", &["created_at", "updated_at"])?;
        check(asked, "sort", &["asc", "desc"])?;
        let after_s = match filter("created_after") {
            None => 0,
            Some(text) => DateTime::parse_from_rfc3339(text)
                .map_err(|_| error(400, "created_after is invalid"))?
                .timestamp(),
        };
        let is_wanted = |it: &&Issue| {
            let state = filter("state").filter(|it| *it != "all");
            let author = match filter("scope") {
                Some("created_by_me") => Some(BOT),
                _ => filter("author_username"),
            };
            let has_label = |label: &str| it.labels.iter().any(|it| it == label);
            it.project == project
                && state.is_none_or(|state| (state == "closed") == it.is_closed)
                && author.is_none_or(|author| author == it.author)
                && filter("issue_type").is_none_or(|kind| kind == it.issue_type)
                && filter("labels").is_none_or(|all| all.split(',').all(has_label))
                && it.created_s >= u64::try_from(after_s).unwrap_or(0)
                && self.is_found(asked, it)
        };
        let mut found: Vec<&Issue> = self.issues.iter().filter(is_wanted).collect();
        found.sort_by_key(|it| match filter("order_by") {
            Some("updated_at") => (it.updated_s, it.id),
            _ => (it.created_s, it.id),
        });
        if filter("sort") != Some("asc") {
            found.reverse();
        }
        self.page(asked, found.into_iter().map(|it| self.shown_issue(it)))
    }

    /// Whether every word of a search begins a word of the fields that it names.
    fn is_found(&self, asked: &Asked, issue: &Issue) -> bool {
        let Some(search) = asked.query.get("search") else {
            return true;
        };
        let fields = asked.query.get("in").map_or("title,description", |it| it);
        let mut text = String::new();
        for field in fields.split(',') {
            text.push_str(match field {
                "title" => &issue.title,
                _ => &issue.description,
            });
            text.push(' ');
        }
        let text = searchable(&text);
        let is_word = |it: char| it.is_alphanumeric() || it == '-';
        let words: Vec<&str> = text.split(|it| !is_word(it)).collect();
        let search = search.to_lowercase();
        let mut sought = search.split(|it| !is_word(it)).filter(|it| !it.is_empty());
        sought.all(|part| words.iter().any(|it| it.starts_with(part)))
    }

    pub(super) fn list_notes(&self, asked: &Asked, at: usize) -> Answer {
        check(asked, "order_by", &["created_at", "updated_at"])?;
        check(asked, "sort", &["asc", "desc"])?;
        let issue = &self.issues[at];
        let mut notes: Vec<Value> = issue
            .notes
            .iter()
            .map(|it| self.shown_note(it, issue))
            .collect();
        if asked.query.get("sort").is_none_or(|it| it != "asc") {
            notes.reverse();
        }
        self.page(asked, notes.into_iter())
    }

    pub(super) fn list_links(&self, at: usize) -> Answered {
        let id = self.issues[at].id;
        let other = |pair: &(u64, u64)| match *pair {
            (from, to) if from == id => Some(to),
            (from, to) if to == id => Some(from),
            _ => None,
        };
        let others: Vec<u64> = self.links.iter().filter_map(other).collect();
        let linked = self.issues.iter().filter(|it| others.contains(&it.id));
        let linked = linked.map(|it| {
            let mut shown = self.shown_issue(it);
            shown["link_type"] = json!("relates_to");
            shown
        });
        Answered::json(200, &linked.collect())
    }

    /// The page that was asked for, with what GitLab says of the others.
    fn page(&self, asked: &Asked, all: impl Iterator<Item = Value>) -> Answer {
        let number = |name: &str, otherwise: usize| match asked.query.get(name) {
            None => Ok(otherwise),
            Some(text) => text
                .parse()
                .map_err(|_| error(400, &format!("{name} is invalid"))),
        };
        let page = number("page", 1)?.max(1);
        let per_page = number("per_page", PER_PAGE)?.clamp(1, PER_PAGE_MAX);
        let all: Vec<Value> = all.collect();
        let end = (page * per_page).min(all.len());
        let begin = ((page - 1) * per_page).min(end);
        let next = match end < all.len() {
            true => (page + 1).to_string(),
            false => String::new(),
        };
        let link = match next.is_empty() {
            true => String::new(),
            false => format!("<{}>; rel=\"next\"", self.next_url(asked, &next)),
        };
        let shown = Value::from(all[begin..end].to_vec());
        let pages = all.len().div_ceil(per_page).max(1);
        Ok(Answered::json(200, &shown)
            .with("x-page", &page.to_string())
            .with("x-per-page", &per_page.to_string())
            .with("x-total", &all.len().to_string())
            .with("x-total-pages", &pages.to_string())
            .with("x-next-page", &next)
            .with("link", &link))
    }

    fn next_url(&self, asked: &Asked, page: &str) -> String {
        let others = asked.query.iter().filter(|it| it.0 != "page");
        let query: String = others
            .map(|(name, value)| format!("&{name}={value}"))
            .collect();
        format!("{}{}?page={page}{query}", self.url, asked.path)
    }
}

fn check(asked: &Asked, name: &str, values: &[&str]) -> Result<(), Answered> {
    let given = asked.query.get(name);
    match given.is_none_or(|it| values.contains(&it.as_str())) {
        true => Ok(()),
        false => Err(error(400, &format!("{name} does not have a valid value"))),
    }
}

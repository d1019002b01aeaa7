//! War rooms, pages and buttons in Slack.

//! A workspace's state: members, channels, messages, and the ids that it assigns.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::message::Message;

/// The bot's own user id.
pub(super) const BOT: &str = "U0TOCSIN";
/// The workspace's id.
pub(super) const TEAM: &str = "T0STANDIN";

/// A person in the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The user id, `U…`.
    pub id: String,
    /// The display name.
    pub name: String,
    /// For `users.lookupByEmail`.
    pub email: String,
}

impl Member {
    /// A member whose email address is derived from the name.
    #[must_use]
    pub fn new(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            email: format!("{}@example.com", name.to_lowercase()),
        }
    }
}

/// A channel, or a direct conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// `C…`, or `D…` for a direct one.
    pub id: String,
    /// The name without `#`; empty for a direct one.
    pub name: String,
    pub topic: String,
    pub purpose: String,
    /// When it was created, in seconds since 1970.
    pub created_s: u64,
    /// Whether only members may see it.
    pub private: bool,
    pub archived: bool,
    /// User ids, including the bot's.
    pub members: Vec<String>,
    /// Oldest first.
    pub messages: Vec<Message>,
}

impl Channel {
    fn is_direct(&self) -> bool {
        self.id.starts_with('D')
    }
}

/// Where something is visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the channel of this name.
    Channel(String),
    /// In the direct messages of these members, by name.
    Direct(Vec<String>),
}

/// A change that people can see.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    ChannelCreated {
        channel: String,
        /// Whether only members may see it.
        private: bool,
    },
    TopicSet {
        /// The channel's name.
        channel: String,
        topic: String,
    },
    /// A member was added to a channel.
    Invited {
        /// The channel's name.
        channel: String,
        /// The member's name.
        member: String,
    },
    /// A message appeared.
    Posted {
        place: Place,
        message: Message,
    },
    /// An ephemeral message appeared, for one member only.
    PostedEphemeral {
        place: Place,
        /// The member's name.
        member: String,
        text: String,
    },
    Edited {
        place: Place,
        /// The message after the edit.
        message: Message,
    },
    Archived {
        channel: String,
    },
    /// A form was opened for the person who interacted.
    FormOpened {
        /// The view, as sent.
        view: Value,
    },
}

pub(super) struct Workspace {
    pub(super) members: Vec<Member>,
    pub(super) channels: Vec<Channel>,
    issued: u64,
}

impl Workspace {
    pub(super) fn new(members: Vec<Member>, channels: &[String]) -> Self {
        let mut workspace = Self {
            members,
            channels: Vec::new(),
            issued: 0,
        };
        for name in channels {
            workspace.add_channel(name, false);
        }
        workspace
    }

    /// A new number, for ids.
    pub(super) fn next(&mut self) -> u64 {
        self.issued += 1;
        self.issued
    }

    /// A message's timestamp, which is its unique id.
    pub(super) fn next_ts(&mut self) -> String {
        let serial = self.next();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        format!("{}.{:06}", now.as_secs(), serial % 1_000_000)
    }

    pub(super) fn add_channel(&mut self, name: &str, private: bool) -> &mut Channel {
        let id = format!("C{:07}", self.next());
        self.push(id, name.to_owned(), private, vec![BOT.to_owned()])
    }

    /// The direct conversation with these members, opened if necessary; and whether it was open.
    pub(super) fn open_direct(&mut self, users: &[String]) -> (&mut Channel, bool) {
        let found = self
            .channels
            .iter()
            .position(|it| it.is_direct() && it.members[1..] == *users);
        if let Some(index) = found {
            return (&mut self.channels[index], true);
        }
        let id = format!("D{:07}", self.next());
        let members = std::iter::once(BOT.to_owned())
            .chain(users.iter().cloned())
            .collect();
        (self.push(id, String::new(), true, members), false)
    }

    fn push(
        &mut self,
        id: String,
        name: String,
        private: bool,
        members: Vec<String>,
    ) -> &mut Channel {
        let (topic, purpose, messages) = (String::new(), String::new(), Vec::new());
        let archived = false;
        let index = self.channels.len();
        self.channels.push(Channel {
            id,
            name,
            topic,
            purpose,
            created_s: now_s(),
            private,
            archived,
            members,
            messages,
        });
        &mut self.channels[index]
    }

    pub(super) fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|it| it.id == id)
    }

    pub(super) fn public(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter().filter(|it| !it.is_direct())
    }

    /// The direct conversation with this member alone.
    pub(super) fn direct(&self, member: &str) -> Option<&Channel> {
        self.channels
            .iter()
            .find(|it| it.is_direct() && it.members[1..] == [member.to_owned()])
    }

    /// The index of the channel with this id.
    ///
    /// # Errors
    /// `channel_not_found`.
    pub(super) fn index(&self, id: &str) -> Result<usize, &'static str> {
        self.channels
            .iter()
            .position(|it| it.id == id)
            .ok_or("channel_not_found")
    }

    pub(super) fn place(&self, channel: &Channel) -> Place {
        if !channel.is_direct() {
            return Place::Channel(channel.name.clone());
        }
        let name = |id: &String| {
            self.member(id)
                .map_or_else(|| id.clone(), |it| it.name.clone())
        };
        Place::Direct(channel.members[1..].iter().map(name).collect())
    }

    /// A channel as the API returns it.
    pub(super) fn shown(&self, channel: &Channel) -> Value {
        if channel.is_direct() {
            return json!({ "id": channel.id, "is_im": true, "user": channel.members[1] });
        }
        json!({
            "id": channel.id, "name": channel.name, "is_channel": !channel.private,
            "is_group": channel.private, "is_im": false, "is_private": channel.private,
            "is_archived": channel.archived, "is_member": true, "creator": BOT,
            "created": channel.created_s,
            "context_team_id": TEAM, "num_members": channel.members.len(),
            "topic": { "value": channel.topic, "creator": BOT, "last_set": 0 },
            "purpose": { "value": channel.purpose, "creator": BOT, "last_set": 0 },
        })
    }
}

fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

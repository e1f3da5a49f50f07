//! What clients read of accounts: one's own, where it is signed in, and how others get one.

use serde::Serialize;

use crate::auth::device_id;
use crate::domain::{self, Export, ExportState, Timestamp, User};
use crate::store::Session;

/// One's account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Account)]
pub struct AccountJson {
    username: String,
    /// Empty if there is none.
    email: String,
    /// RFC 3339, UTC.
    date_joined: String,
}

impl From<&User> for AccountJson {
    fn from(user: &User) -> Self {
        let (username, email) = (user.username.clone(), user.email.clone());
        Self { username, email, date_joined: user.date_joined.to_string() }
    }
}

/// Whether one can make an account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SignUpState)]
pub struct SignUpJson {
    /// `open`, `invite` or `closed`.
    pub signup: &'static str,
    /// Whether an account can be made now, with the invite that was named.
    pub open: bool,
    /// Whether an address is needed: a link is sent to it, which makes the account.
    pub email_required: bool,
}

/// An invite.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Invite)]
pub struct InviteJson {
    id: i64,
    /// The name of who made it; null is the operator.
    made_by: Option<String>,
    note: String,
    created_at: String,
    expires_at: String,
    /// How many accounts may be made with it.
    most_uses: i64,
    /// How many have been.
    uses: i64,
    revoked_at: Option<String>,
    /// Whether an account can be made with it now.
    open: bool,
}

impl InviteJson {
    pub fn new(invite: domain::Invite, now: Timestamp) -> Self {
        Self {
            open: invite.is_open(now),
            id: invite.id,
            made_by: invite.made_by,
            note: invite.note,
            created_at: invite.created_at.to_string(),
            expires_at: invite.expires_at.to_string(),
            most_uses: invite.most_uses,
            uses: invite.uses,
            revoked_at: invite.revoked_at.map(|time| time.to_string()),
        }
    }
}

/// An invite that was just made.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = NewInvite)]
pub struct NewInviteJson {
    #[serde(flatten)]
    pub invite: InviteJson,
    /// The link, which is told this once.
    pub url: String,
}

/// Invites.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Invites)]
pub struct InvitesJson {
    /// Newest first; at most 200.
    pub results: Vec<InviteJson>,
}

/// What one takes along.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Export)]
pub struct ExportJson {
    /// `none`, `waiting`, `running`, `ready` or `failed`.
    state: &'static str,
    /// From 0 to 1.
    progress: f64,
    id: Option<i64>,
    created_at: Option<String>,
    /// Until when it can be fetched.
    expires_at: Option<String>,
    /// The path of the file for programs, JSON Lines, when it is ready.
    lines: Option<String>,
    /// The path of the page to be read, when it is ready.
    page: Option<String>,
}

impl ExportJson {
    /// `path` makes a path on this host.
    pub fn new(export: Option<&Export>, path: impl Fn(&str) -> String) -> Self {
        let state = export.map(|export| export.state);
        let ready = export.filter(|export| export.state == ExportState::Ready);
        let file = |name: &str| ready.map(|export| path(&format!("api/v1/account/export/{}/{name}/", export.id)));
        Self {
            state: match state {
                None => "none",
                Some(ExportState::Waiting) => "waiting",
                Some(ExportState::Running) => "running",
                Some(ExportState::Ready) => "ready",
                Some(ExportState::Failed) => "failed",
            },
            progress: if ready.is_some() { 1.0 } else { export.map_or(0.0, so_far) },
            id: export.map(|export| export.id),
            created_at: export.map(|export| export.created_at.to_string()),
            expires_at: export.map(|export| export.expires_at.to_string()),
            lines: file("data.jsonl"),
            page: file("index.html"),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a part of a whole, to be shown")]
fn so_far(export: &Export) -> f64 {
    (export.done as f64 / export.total.max(1) as f64).clamp(0.0, 1.0)
}

/// Where one is signed in.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Devices)]
pub struct DevicesJson {
    /// Used last first; at most 200.
    pub results: Vec<DeviceJson>,
}

/// A session.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Device)]
pub struct DeviceJson {
    id: String,
    /// What the client called itself when it signed in.
    user_agent: String,
    created_at: String,
    /// To within a quarter of an hour.
    last_used_at: String,
    /// Whether it is the one that asks.
    current: bool,
}

impl DeviceJson {
    pub fn new(session: &Session, own: Option<&str>) -> Self {
        let id = device_id(session);
        Self {
            id: id.to_owned(),
            user_agent: session.user_agent.clone(),
            created_at: session.created_at.to_string(),
            last_used_at: session.last_used_at.to_string(),
            current: own == Some(id),
        }
    }
}

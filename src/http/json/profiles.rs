//! What clients read of people: what they say of themselves.

use serde::Serialize;

use crate::domain::{self, Face, User};

/// What one says of oneself.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OwnProfile)]
pub struct OwnProfileJson {
    /// Empty: the username.
    display_name: String,
    about: String,
    /// Its name in the IANA database, or empty.
    time_zone: String,
    /// `en`, `de`, `ar`; empty: as the browser wishes. Nobody else reads it.
    language: String,
    /// The name of the picture, which is at `avatar/NAME/`; or null.
    avatar: Option<String>,
    /// One more with each change.
    version: i64,
}

impl From<domain::Profile> for OwnProfileJson {
    fn from(p: domain::Profile) -> Self {
        Self {
            display_name: p.display_name,
            about: p.about,
            time_zone: p.time_zone,
            language: p.language,
            avatar: p.avatar,
            version: p.version,
        }
    }
}

/// What somebody says of themself.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Profile)]
pub struct ProfileJson {
    username: String,
    /// Empty: the username.
    display_name: String,
    about: String,
    /// The name of the picture, which is at `avatar/NAME/`; or null.
    avatar: Option<String>,
    /// Its name in the IANA database, or empty.
    time_zone: String,
}

impl From<(User, domain::Profile)> for ProfileJson {
    fn from((user, p): (User, domain::Profile)) -> Self {
        Self {
            username: user.username,
            display_name: p.display_name,
            about: p.about,
            avatar: p.avatar,
            time_zone: p.time_zone,
        }
    }
}

/// Somebody who was found.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Person)]
pub struct PersonJson {
    username: String,
    /// Empty: the username.
    display_name: String,
    /// The name of the picture, which is at `avatar/NAME/`; or null.
    avatar: Option<String>,
}

impl From<(User, Face)> for PersonJson {
    fn from((user, face): (User, Face)) -> Self {
        Self { username: user.username, display_name: face.display_name, avatar: face.avatar }
    }
}

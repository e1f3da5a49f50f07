//! `account/profile/`, `profile/`: what people say of themselves; `account/avatar/`, `avatar/`: their pictures.

use rocket::data::Data;
use rocket::http::{Method, Status};

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::fields::Fields;
use super::json::{OwnProfileJson, ProfileJson};
use super::read_body;
use super::reply::Reply;
use crate::domain::{About, DisplayName, InvalidProfile, Language, ProfileChange, TimeZone};
use crate::picture::{MOST_SENT, PictureError};
use crate::store::Avatar;

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["account", "profile"],
        name: "Account Profile",
        access: Access::Session,
        methods: &[(Method::Get, own), (Method::Patch, change)],
        allow: "GET, PATCH, HEAD, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["account", "avatar"],
        name: "Account Avatar",
        access: Access::Session,
        methods: &[(Method::Put, put_avatar), (Method::Delete, remove_avatar)],
        allow: "PUT, DELETE, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["profile", "<>"],
        name: "Profile",
        access: Access::Session,
        methods: &[(Method::Get, show)],
        allow: "GET, HEAD, OPTIONS",
        suffix: false,
        form: false,
    },
    Endpoint {
        path: &["avatar", "<>"],
        name: "Avatar",
        access: Access::Session,
        methods: &[(Method::Get, avatar)],
        allow: "GET, HEAD, OPTIONS",
        suffix: false,
        form: false,
    },
];

/// What may be sent as a picture.
pub const PICTURES: [&str; 3] = ["image/png", "image/jpeg", "image/webp"];

fn own<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move { Ok(call.ok(&OwnProfileJson::from(call.app.chat.profile(call.user_id()?).await?))) })
}

fn show<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move { Ok(call.ok(&ProfileJson::from(call.app.chat.profile_of(call.arg()).await?))) })
}

fn change<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let display_name = errors.take("display_name", part(&fields, "display_name", DisplayName::new));
        let about = errors.take("about", part(&fields, "about", About::new));
        let time_zone = errors.take("time_zone", part(&fields, "time_zone", TimeZone::new));
        let language = errors.take("language", part(&fields, "language", Language::new));
        errors.check()?;
        let change = ProfileChange {
            display_name: display_name.flatten(),
            about: about.flatten(),
            time_zone: time_zone.flatten(),
            language: language.flatten(),
        };
        Ok(call.ok(&OwnProfileJson::from(call.app.chat.set_profile(call.user_id()?, &change).await?)))
    })
}

/// A part that may be left out.
fn part<T>(
    fields: &Fields,
    name: &str,
    read: impl FnOnce(&str) -> Result<T, InvalidProfile>,
) -> Result<Option<T>, Vec<String>> {
    if fields.get(name).is_none() {
        return Ok(None);
    }
    read(fields.text(name)?).map(Some).map_err(|e| vec![e.to_string()])
}

/// The body is the picture.
fn put_avatar<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let kind = call.req.headers().get_one("Content-Type").unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !PICTURES.contains(&essence.as_str()) {
            return Err(ApiError::UnsupportedMediaType(kind.to_owned()));
        }
        let sent = read_body(data, MOST_SENT).await?;
        let content = call.app.painter.portrait(sent).await?;
        let profile = call.app.chat.set_avatar(call.user_id()?, Some(Avatar::new(content))).await?;
        Ok(call.ok(&OwnProfileJson::from(profile)))
    })
}

fn remove_avatar<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        call.app.chat.set_avatar(call.user_id()?, None).await?;
        Ok(Reply::empty(Status::NoContent))
    })
}

/// A picture of chatd's own making. Its name is a hash: what is there under it never changes. In a window of its own it
/// may do nothing at all.
fn avatar<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let content = call.app.chat.avatar(call.arg()).await?;
        let reply = Reply::empty(Status::Ok).with_body("image/jpeg", content);
        Ok(reply
            .header("Cache-Control", "private, max-age=31536000, immutable")
            .header("Content-Security-Policy", "default-src 'none'; sandbox"))
    })
}

impl From<PictureError> for ApiError {
    fn from(e: PictureError) -> Self {
        match e {
            PictureError::Broken | PictureError::TooLarge => Self::Fields(FieldErrors::one("avatar", e)),
            PictureError::Busy => Self::Unavailable { outcome_unknown: false },
        }
    }
}

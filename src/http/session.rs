//! `session/`: who am I, sign in, sign out.

use rocket::data::Data;
use rocket::http::{Method, Status};

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::json::SessionJson;
use super::reply::Reply;
use super::{cookies, csrf, second_step};
use crate::auth::SignInError;
use crate::domain::User;

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    path: &["session"],
    name: "Session",
    access: Access::Open,
    methods: &[(Method::Get, show), (Method::Post, sign_in), (Method::Delete, sign_out)],
    allow: "GET, POST, DELETE, HEAD, OPTIONS",
    suffix: true,
    form: false,
}];

/// What a failed sign-in says: the same for every reason.
pub const WRONG: &str = "Please enter a correct username and password. Note that the password is case-sensitive.";

/// Who is signed in, as clients read it.
pub async fn describe(call: &Call<'_>, user: &User) -> Result<SessionJson, ApiError> {
    let profile = call.app.chat.profile(user.id).await?;
    let settings = &call.app.settings;
    Ok(SessionJson {
        user: user.username.clone(),
        is_staff: user.is_staff,
        is_superuser: user.is_superuser,
        message_max_length: settings.message_max_length,
        messages_to_load: settings.messages_to_load,
        may_invite: call.app.auth.may_invite(user),
        display_name: profile.display_name,
        avatar: profile.avatar,
        language: profile.language,
    })
}

fn show<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move { Ok(call.ok(&describe(call, call.user()?).await?)) })
}

fn sign_in<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let username = errors.take("username", fields.text("username"));
        let password = errors.take("password", fields.text("password"));
        errors.check()?;
        let (username, password) = (username.unwrap_or_default(), password.unwrap_or_default());
        let signed_in = match call.app.auth.sign_in(username, password, &call.origin()).await {
            Err(SignInError::Invalid) => return Err(ApiError::NonField(WRONG.to_owned())),
            other => other?,
        };
        second_step::signed_in(call, &signed_in).await
    })
}

/// Sets the cookies of a new session: its token, and a new token against forged forms.
pub fn with_session(app: &super::App, reply: Reply, token: &str) -> Reply {
    let (now, age) = (app.clock.now(), i64::from(app.settings.session_days) * 86_400);
    reply.cookie(app.baker.csrf(&csrf::new_token(), now)).cookie(app.baker.session(token, now, age))
}

fn sign_out<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        if let Some(token) = cookies::value(call.req, "sessionid") {
            call.app.auth.sign_out(&token).await?;
        }
        Ok(Reply::empty(Status::NoContent).cookie(call.app.baker.no_session()))
    })
}

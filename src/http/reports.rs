//! `report/`: telling the staff of a message, and what the staff makes of it.

use rocket::data::Data;
use rocket::http::{Method, Status};

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::fields::{Fields, Given};
use super::json::{self, MessageJson, NewReportJson, PageJson, ReportJson};
use super::query::integer;
use crate::chat::ChatError;
use crate::domain::{NewReport, TextError, User};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["report"],
        name: "Reports",
        access: Access::Session,
        methods: &[(Method::Get, list), (Method::Post, report)],
        allow: "GET, POST, HEAD, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["report", "<>"],
        name: "Report",
        access: Access::Session,
        methods: &[(Method::Patch, close)],
        allow: "PATCH, OPTIONS",
        suffix: true,
        form: false,
    },
];

/// The longest reason, in characters.
const MOST_REASON: usize = 1000;

fn staff<'a>(call: &'a Call<'_>) -> Result<&'a User, ApiError> {
    let user = call.user()?;
    if user.is_staff || user.is_superuser { Ok(user) } else { Err(ApiError::NotYours) }
}

fn reason(fields: &Fields) -> Result<&str, Vec<String>> {
    match fields.get("reason") {
        None | Some(Given::Null) => Ok(""),
        Some(_) => {
            let text = fields.text("reason")?;
            if text.chars().nth(MOST_REASON).is_some() {
                return Err(vec![format!("Ensure this field has no more than {MOST_REASON} characters.")]);
            }
            if text.contains('\0') {
                return Err(vec![TextError::Nul.to_string()]);
            }
            Ok(text)
        }
    }
}

fn number(fields: &Fields, name: &str) -> Result<i64, Vec<String>> {
    match fields.get(name) {
        None => Err(vec!["This field is required.".to_owned()]),
        Some(Given::Text(text) | Given::Number(text)) if let Some(number) = integer(text) => Ok(number),
        Some(_) => Err(vec!["A valid integer is required.".to_owned()]),
    }
}

fn report<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let message = errors.take("message", number(&fields, "message"));
        let reason = errors.take("reason", reason(&fields));
        errors.check()?;
        let (app, user) = (call.app, call.user_id()?);
        let (message, reason) = (message.unwrap_or_default(), reason.unwrap_or_default());
        let context = match app.chat.reportable(user, message).await {
            Err(ChatError::Oneself) => {
                return Err(ApiError::Fields(FieldErrors::one("message", "This message is your own.")));
            }
            context => context?,
        };
        app.auth.charge_report(user).await?;
        let content: Vec<_> = context.into_iter().map(MessageJson::from).collect();
        let content = json::write(&content, 0);
        let id = app.chat.report(&NewReport { reporter: user, message, reason: reason.to_owned(), content }).await?;
        tracing::info!(report = id, "a message was reported");
        Ok(call.reply(Status::Created, &NewReportJson { id }))
    })
}

fn list<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        staff(call)?;
        let open = match call.query.get("state") {
            None | Some("open") => true,
            Some("closed") => false,
            Some(_) => return Err(ApiError::Fields(FieldErrors::one("state", "Must be open or closed."))),
        };
        let below = call.query.integer("cursor", 1, i64::MAX)?.unwrap_or(i64::MAX);
        let (reports, next) = call.app.chat.reports(open, below).await?;
        let next = next.map(|id| call.link(&call.query.with("cursor", Some(&id.to_string()))));
        let results = reports.into_iter().map(ReportJson::new).collect();
        Ok(call.ok(&PageJson::<ReportJson> { next, previous: None, results }))
    })
}

fn close<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let user = staff(call)?;
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let closed = errors.take(
            "closed",
            fields.flag("closed").and_then(|flag| flag.ok_or_else(|| vec!["This field is required.".to_owned()])),
        );
        errors.check()?;
        let id = integer(call.arg()).ok_or(ApiError::NotFound)?;
        let closed_by = closed.unwrap_or_default().then_some(user.id);
        Ok(call.ok(&ReportJson::new(call.app.chat.close_report(id, closed_by).await?)))
    })
}

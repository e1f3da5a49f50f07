//! What can be wrong with a request, and what the client reads. This file alone turns errors into HTTP; reading
//! [`ApiError::status`] and [`ApiError::body`] top to bottom is reading the API.

use rocket::http::Status;
use serde_json::{Map, Value, json};

use crate::auth::{SecondStep, SignInError};
use crate::chat::ChatError;
use crate::store::{Rule, StoreError};

/// The errors of fields, in the order in which the fields are documented.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<(&'static str, Vec<String>)>);

impl FieldErrors {
    /// One error of one field.
    pub fn one(field: &'static str, error: impl ToString) -> Self {
        let mut errors = Self::default();
        errors.add(field, [error]);
        errors
    }

    /// Adds the errors of a field.
    pub fn add(&mut self, field: &'static str, errors: impl IntoIterator<Item = impl ToString>) {
        self.0.push((field, errors.into_iter().map(|e| e.to_string()).collect()));
    }

    /// Takes the value, or notes the errors of its field.
    pub fn take<T, E: ToString>(&mut self, field: &'static str, value: Result<T, Vec<E>>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(errors) => {
                self.add(field, errors);
                None
            }
        }
    }

    /// An error if there is any.
    pub fn check(self) -> Result<(), ApiError> {
        if self.0.is_empty() { Ok(()) } else { Err(ApiError::Fields(self)) }
    }
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    NotSignedIn,
    WrongCredentials,
    /// The password is right, and is not all.
    SecondStep(SecondStep),
    CsrfFailed,
    CrossSite,
    SignUpClosed,
    NoMail,
    NotFound,
    NotYours,
    /// The recipient does not hear from the sender: never said why.
    Refused,
    TooManyPeople,
    Deleted,
    InvalidPage,
    MethodNotAllowed(String),
    NotAcceptable,
    UnsupportedMediaType(String),
    UnsupportedEncoding,
    Fields(FieldErrors),
    NonField(String),
    Parse(String),
    BadRequest(String),
    /// No words for it, as recorded.
    BadForm,
    TooLarge,
    Conflict,
    Gone,
    Throttled(u64),
    Unavailable {
        outcome_unknown: bool,
    },
    Internal(String),
}

impl ApiError {
    pub fn status(&self) -> Status {
        match self {
            Self::Fields(_) | Self::NonField(_) | Self::Parse(_) | Self::BadRequest(_) | Self::BadForm => {
                Status::BadRequest
            }
            Self::NotSignedIn
            | Self::WrongCredentials
            | Self::SecondStep(_)
            | Self::CsrfFailed
            | Self::CrossSite
            | Self::NotYours
            | Self::Refused
            | Self::TooManyPeople
            | Self::SignUpClosed
            | Self::NoMail => Status::Forbidden,
            Self::NotFound | Self::InvalidPage => Status::NotFound,
            Self::MethodNotAllowed(_) => Status::MethodNotAllowed,
            Self::NotAcceptable => Status::NotAcceptable,
            Self::Conflict | Self::Deleted => Status::Conflict,
            Self::Gone => Status::Gone,
            Self::TooLarge => Status::PayloadTooLarge,
            Self::UnsupportedMediaType(_) | Self::UnsupportedEncoding => Status::UnsupportedMediaType,
            Self::Throttled(_) => Status::TooManyRequests,
            Self::Unavailable { .. } => Status::ServiceUnavailable,
            Self::Internal(_) => Status::InternalServerError,
        }
    }

    /// The JSON that is answered; none for an empty body.
    pub fn body(&self) -> Option<Value> {
        let detail = match self {
            Self::Fields(FieldErrors(fields)) => {
                let object: Map<_, _> =
                    fields.iter().map(|(name, errors)| ((*name).to_owned(), json!(errors))).collect();
                return Some(Value::Object(object));
            }
            Self::NonField(error) => return Some(json!({"non_field_errors": [error]})),
            Self::BadForm => return None,
            Self::SecondStep(SecondStep { token, ways }) => {
                let ways: Vec<_> = ways.iter().map(|way| way.as_str()).collect();
                return Some(json!({"detail": "A second step is needed.", "second_factor": ways, "token": token}));
            }
            Self::NotSignedIn => "Authentication credentials were not provided.".to_owned(),
            Self::WrongCredentials => "Invalid username/password.".to_owned(),
            Self::CsrfFailed => "CSRF Failed: CSRF token missing or incorrect.".to_owned(),
            Self::CrossSite => "This request came from another site and was refused.".to_owned(),
            Self::SignUpClosed => "Accounts are made by those who run this server.".to_owned(),
            Self::NoMail => "This server sends no mail. Ask those who run it for a new password.".to_owned(),
            Self::NotFound => "Not found.".to_owned(),
            Self::NotYours => "You do not have permission to perform this action.".to_owned(),
            Self::Refused => "This person can't be written to.".to_owned(),
            Self::TooManyPeople => {
                "There are too many people here for one list. Ask for pages: user/?search= with the start of a name, or \
                 with nothing for everybody."
                    .to_owned()
            }
            Self::Deleted => "This message was deleted.".to_owned(),
            Self::InvalidPage => "Invalid page.".to_owned(),
            Self::MethodNotAllowed(method) => format!("Method \"{method}\" not allowed."),
            Self::NotAcceptable => "Could not satisfy the request Accept header.".to_owned(),
            Self::UnsupportedMediaType(kind) => format!("Unsupported media type \"{kind}\" in request."),
            Self::UnsupportedEncoding => "Request bodies must not be compressed.".to_owned(),
            Self::Parse(error) => format!("JSON parse error - {error}"),
            Self::BadRequest(error) => error.clone(),
            Self::TooLarge => "The request is too large.".to_owned(),
            Self::Conflict => "This client_id was used for another message.".to_owned(),
            Self::Gone => "The cursor cannot be served. Fetch conversation/ and go on from its cursor.".to_owned(),
            Self::Throttled(seconds) => {
                let unit = if *seconds == 1 { "second" } else { "seconds" };
                format!("Request was throttled. Expected available in {seconds} {unit}.")
            }
            Self::Unavailable { .. } => "The service is unavailable for a moment. Try again.".to_owned(),
            Self::Internal(_) => "Something went wrong here. It has been noted.".to_owned(),
        };
        Some(json!({"detail": detail}))
    }

    /// The error in words alone, for a page.
    pub fn words(&self) -> String {
        let Some(Value::Object(body)) = self.body() else { return String::new() };
        let texts = body.values().flat_map(|value| match value {
            Value::Array(errors) => errors.clone(),
            other => vec![other.clone()],
        });
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect::<Vec<_>>().join(" ")
    }

    /// Headers that belong to the error.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Throttled(seconds) => vec![("Retry-After", seconds.to_string())],
            Self::Unavailable { outcome_unknown } => {
                let outcome = if *outcome_unknown { "unknown" } else { "not-applied" };
                vec![("Retry-After", "2".to_owned()), ("Outcome", outcome.to_owned())]
            }
            _ => Vec::new(),
        }
    }

    /// The cause, for the log alone.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Internal(cause) => Some(cause),
            _ => None,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::NotFound => Self::NotFound,
            StoreError::Refused => Self::Refused,
            StoreError::Conflict(Rule::ClientId) => Self::Conflict,
            StoreError::Conflict(Rule::Factor) => Self::NonField("This is on already.".to_owned()),
            StoreError::Conflict(Rule::Username) => {
                Self::Fields(FieldErrors::one("username", "A user with that username already exists."))
            }
            StoreError::Conflict(Rule::Look) => {
                Self::Fields(FieldErrors::one("username", "This name looks too much like somebody else's."))
            }
            StoreError::Conflict(Rule::DisplayName) => {
                Self::Fields(FieldErrors::one("display_name", "This is, or looks like, the username of somebody else."))
            }
            StoreError::Conflict(Rule::LastSuperuser) => {
                Self::NonField("Nobody else can administer this server.".to_owned())
            }
            StoreError::Unavailable(cause) => {
                tracing::warn!(cause, "the database is unavailable");
                Self::Unavailable { outcome_unknown: false }
            }
            StoreError::OutcomeUnknown(cause) => {
                tracing::warn!(cause, "the outcome of a write is unknown");
                Self::Unavailable { outcome_unknown: true }
            }
            StoreError::Internal(cause) => Self::Internal(cause),
        }
    }
}

impl From<ChatError> for ApiError {
    fn from(e: ChatError) -> Self {
        match e {
            ChatError::NotFound => Self::NotFound,
            ChatError::NotYours => Self::NotYours,
            ChatError::Refused => Self::Refused,
            ChatError::Oneself => Self::BadRequest("This cannot be about yourself.".to_owned()),
            ChatError::TooMany => Self::TooManyPeople,
            ChatError::Deleted => Self::Deleted,
            ChatError::NothingToReplyTo => {
                Self::Fields(FieldErrors::one("reply_to", "This conversation has no such message."))
            }
            ChatError::InvalidPage => Self::InvalidPage,
            ChatError::Reset => Self::Gone,
            ChatError::Store(e) => e.into(),
        }
    }
}

impl From<SignInError> for ApiError {
    fn from(e: SignInError) -> Self {
        match e {
            SignInError::Invalid => Self::WrongCredentials,
            SignInError::SecondStep(step) => Self::SecondStep(step),
            SignInError::Throttled(seconds) | SignInError::TooOften(seconds) => Self::Throttled(seconds),
            SignInError::Store(e) => e.into(),
        }
    }
}

//! Small pages for people without a session, in the frame of the sign-in form: a form, or a word about what was done.

use std::fmt::Write as _;

use rocket::http::Status;
use rocket::request::Request;
use rocket::route::Outcome;

use super::error::ApiError;
use super::html::escape;
use super::reply::Reply;
use super::words::Words;
use super::{App, csrf, guards, html, pages, refusals, words};

/// A page with a title, what went wrong, and what stands below: paragraphs, a form, links.
pub struct Card {
    words: &'static Words,
    title: String,
    /// HTML.
    main: String,
}

impl Card {
    pub fn new(words: &'static Words, title: &str) -> Self {
        Self { words, title: title.to_owned(), main: String::new() }
    }

    /// What went wrong; nothing if it is nothing.
    #[must_use]
    pub fn errors(mut self, errors: &[String]) -> Self {
        if !errors.is_empty() {
            let said = errors.iter().map(|error| refusals::said(self.words.lang, error));
            let lines = said.map(|error| format!("<p><bdi>{}</bdi></p>", escape(&error))).collect::<String>();
            let heading = escape(self.words.error);
            let _ = write!(self.main, "<div class=\"alert\" role=\"alert\"><h2>{heading}</h2>{lines}</div>");
        }
        self
    }

    /// A paragraph; `#` in it stands for the name.
    #[must_use]
    pub fn text(mut self, text: &str, name: &str) -> Self {
        let name = format!("<bdi>{}</bdi>", escape(name));
        let _ = write!(self.main, "<p>{}</p>", escape(text).replace('#', &name));
        self
    }

    /// A form of these fields that is sent to where the page is.
    #[must_use]
    pub fn form(mut self, token: &str, fields: &[Field<'_>], button: &str) -> Self {
        let words = self.words;
        let fields = fields.iter().map(Field::render).collect::<String>();
        let _ = write!(
            self.main,
            "<form method=\"post\" data-caps-lock=\"{}\" data-unreachable=\"{}\">\
             <input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"{}\">{fields}\
             <button type=\"submit\">{}</button></form>",
            escape(words.caps_lock),
            escape(words.unreachable),
            escape(token),
            escape(button)
        );
        self
    }

    /// Another way from here.
    #[must_use]
    pub fn link(mut self, path: &str, label: &str) -> Self {
        let _ = write!(self.main, "<p class=\"other-way\"><a href=\"{}\">{}</a></p>", escape(path), escape(label));
        self
    }

    /// The page, which nobody keeps.
    pub fn reply(self, app: &App, status: Status) -> Reply {
        let page = html::card(self.words, app, &self.title, &self.title, &self.main);
        Reply::html(status, page).header("Cache-Control", pages::NEVER_CACHED).header("Vary", "Cookie")
    }
}

/// A field of a form.
pub struct Field<'a> {
    pub name: &'static str,
    pub label: &'a str,
    pub value: &'a str,
    pub hint: &'a str,
    /// HTML: what browsers and password managers make of it.
    pub attributes: &'static str,
}

impl Field<'_> {
    fn render(&self) -> String {
        let Self { name, attributes, .. } = self;
        let (label, value, hint) = (escape(self.label), escape(self.value), escape(self.hint));
        let (described, hint) = match hint.as_str() {
            "" => (String::new(), String::new()),
            hint => (format!(" aria-describedby=\"{name}-hint\""), format!("<small id=\"{name}-hint\">{hint}</small>")),
        };
        format!(
            "<label for=\"{name}\">{label}</label><input id=\"{name}\" name=\"{name}\" value=\"{value}\" \
             placeholder=\"{label}\" {attributes}{described}>{hint}"
        )
    }
}

/// The name of an account that is to be made.
pub fn username_field<'a>(words: &'a Words, value: &'a str) -> Field<'a> {
    Field {
        name: "username",
        label: words.username,
        value,
        hint: "",
        attributes: "type=\"text\" autocomplete=\"username\" autocapitalize=\"none\" autocorrect=\"off\" \
                     spellcheck=\"false\" maxlength=\"150\" required",
    }
}

/// A password that is chosen.
pub fn new_password_field(words: &Words) -> Field<'_> {
    Field {
        name: "password",
        label: words.password,
        value: "",
        hint: words.password_hint,
        attributes: "type=\"password\" autocomplete=\"new-password\" minlength=\"8\" maxlength=\"128\" required",
    }
}

/// The token against forged forms, and a card with a form that has it.
pub fn with_token(app: &App, req: &Request<'_>, status: Status, card: impl FnOnce(&str) -> Card) -> Reply {
    let token = csrf::cookie_token(req).unwrap_or_else(csrf::new_token);
    card(&token).reply(app, status).cookie(app.baker.csrf(&token, app.clock.now()))
}

/// A problem of ours, as a word on the same page: the form is there to be sent again.
pub fn trouble(req: &Request<'_>, e: &ApiError, again: impl FnOnce(Status, Vec<String>) -> Reply) -> Reply {
    let page = again(e.status(), vec![words::of(req).trouble.to_owned()]);
    e.headers().into_iter().fold(page, |page, (name, value)| page.header(name, value)).logged(req, e)
}

/// The answer of a page whose address may hold a token: that is for nobody else's eyes.
pub fn answered<'r>(req: &'r Request<'_>, answer: Result<Reply, ApiError>) -> Outcome<'r> {
    let reply = match answer {
        Ok(reply) => reply,
        Err(e) => guards::error_page(req, &e).logged(req, &e),
    };
    Outcome::Success(reply.header("Referrer-Policy", "no-referrer").into_response())
}

/// What stands in the address below `start`, which is the address of the page.
pub fn token<'r>(req: &'r Request<'_>, start: &str) -> &'r str {
    let path = req.uri().path().as_str().trim_end_matches('/');
    path.rsplit_once(start).map_or("", |(_, token)| token)
}

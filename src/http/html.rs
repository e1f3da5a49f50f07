//! The few pages that the server writes itself. Everything from outside goes through [`escape`].

use rocket::http::Status;
use rocket::response::Response;

use super::api::Call;
use super::csrf;
use super::reply::{HTML, Reply};
use super::words::{self, Words};
use super::{App, assets};
use crate::auth::SignUpMode;
pub use crate::escape::escape;

/// The sign-in form.
pub struct LoginPage<'a> {
    pub words: &'static Words,
    pub token: &'a str,
    pub username: &'a str,
    /// What went wrong the last time.
    pub error: Option<&'a str>,
    /// The number of the request in which it did, where that is of use.
    pub request: Option<&'a str>,
    /// The button for a passkey, as HTML.
    pub passkey: &'a str,
}

impl LoginPage<'_> {
    /// The way to an account, where everybody may make one; and back into one's own, where mail is sent.
    fn other_ways(&self, app: &App) -> String {
        let way = |is_open: bool, path, label| {
            let link = || format!("<p class=\"other-way\"><a href=\"{}\">{}</a></p>", app.path(path), escape(label));
            is_open.then(link).unwrap_or_default()
        };
        way(app.auth.sends_mail(), "password/", self.words.forgot)
            + &way(app.auth.sign_up_mode() == SignUpMode::Open, "signup/", self.words.sign_up)
    }

    pub fn render(&self, app: &App) -> String {
        let error = self.error.map_or_else(String::new, |error| {
            let heading = escape(self.words.error);
            let number = self.request.map_or_else(String::new, |id| number(self.words, id));
            format!("<div class=\"alert\" role=\"alert\"><h2>{heading}</h2><p>{}</p>{number}</div>", escape(error))
        });
        let main = include_str!("templates/login.html")
            .replace("{{name-label}}", &escape(self.words.username))
            .replace("{{password-label}}", &escape(self.words.password))
            .replace("{{sign-in}}", &escape(self.words.sign_in))
            .replace("{{unreachable}}", &escape(self.words.unreachable))
            .replace("{{caps-lock}}", &escape(self.words.caps_lock))
            .replace("{{csrf}}", &escape(self.token))
            .replace("{{error}}", &error)
            .replace("{{other-ways}}", &self.other_ways(app))
            .replace("{{passkey}}", self.passkey)
            // Last: a name must not be read as a placeholder.
            .replace("{{username}}", &escape(self.username));
        card(self.words, app, self.words.title, self.words.heading, &main)
    }
}

/// What to quote when asking for help.
fn number(words: &Words, id: &str) -> String {
    format!("<p class=\"request\">{} <code dir=\"ltr\">{}</code></p>", escape(words.request), escape(id))
}

/// The page for what went wrong here: what happened, what to do, and what to quote. `path` is tried again.
pub fn trouble(app: &App, words: &Words, status: Status, (path, id): (&str, &str)) -> Reply {
    let heading = escape(words.error);
    let (text, number) = (escape(words.trouble), number(words, id));
    let again = format!("<p><a href=\"{}\">{}</a></p>", escape(path), escape(words.again));
    let main = format!("<h1>{heading}</h1><p>{text}</p>{again}{number}");
    Reply::html(status, page_in(words, app, words.error, &main))
}

/// A page of a person without a session: `main`, HTML, below the brand and a heading.
pub fn card(words: &Words, app: &App, title: &str, heading: &str, main: &str) -> String {
    fill(include_str!("templates/card.html"), words, app, title)
        .replace("{{heading}}", &escape(heading))
        // Last: what was typed must not be read as a placeholder.
        .replace("{{main}}", main)
}

fn fill(template: &str, words: &Words, app: &App, title: &str) -> String {
    let (js, css) = assets::login_files();
    template
        .replace("{{lang}}", words.lang)
        .replace("{{dir}}", words.dir)
        .replace("{{base}}", &app.base)
        .replace("{{css}}", &format!("{}static/{css}", app.base))
        .replace("{{js}}", &format!("{}static/{js}", app.base))
        .replace("{{title}}", &escape(title))
}

/// A small page in the style of the sign-in form, in English. `main` is HTML.
pub fn page(app: &App, title: &str, main: &str) -> String {
    page_in(&words::ALL[0], app, title, main)
}

/// The same in other words.
pub fn page_in(words: &Words, app: &App, title: &str, main: &str) -> String {
    fill(include_str!("templates/page.html"), words, app, title).replace("{{main}}", main)
}

/// The recorded page for an address that is not there; it needs no style to be read.
pub fn plain(status: Status, title: &str, heading: &str, text: &str) -> Reply {
    let text = format!(
        "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>{title}</title>\n</head>\n<body>\n  \
         <h1>{heading}</h1><p>{text}</p>\n</body>\n</html>\n"
    );
    Reply::empty(status).with_body("text/html", text.into_bytes())
}

pub fn not_found<'r>() -> Response<'r> {
    let text = "The requested resource was not found on this server.";
    plain(Status::NotFound, "Not Found", "Not Found", text).into_response()
}

/// The recorded page of a refused form.
pub fn forbidden() -> Reply {
    let text = "CSRF verification failed. Request aborted.";
    plain(Status::Forbidden, "403 Forbidden", "Forbidden (403)", text)
}

/// An API answer as a page that people can read, with the recorded form where messages are made.
pub fn readable(call: &Call<'_>, reply: Reply) -> Reply {
    let path = call.req.uri().to_string();
    let token = csrf::cookie_token(call.req).unwrap_or_else(csrf::new_token);
    let text = reply.body.as_ref().map_or("", |(_, body)| std::str::from_utf8(body).unwrap_or_default());
    let form = if call.endpoint.form {
        format!(
            "<form method=\"post\" action=\"{}\" enctype=\"multipart/form-data\">\
             <input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"{}\">\
             <label for=\"recipient\">Recipient</label><input id=\"recipient\" name=\"recipient\" type=\"text\">\
             <label for=\"body\">Body</label><textarea id=\"body\" name=\"body\"></textarea>\
             <button type=\"submit\">POST</button></form>",
            escape(&path),
            escape(&token)
        )
    } else {
        String::new()
    };
    let main = format!(
        "<h1>{}</h1><p><a href=\"{}\">chatd</a> · <a href=\"{}api/v1/\">API</a></p>\
         <h2>{} {}</h2><p>HTTP {} {}</p><pre tabindex=\"0\" aria-label=\"Answer\">{}</pre>{form}",
        escape(call.endpoint.name),
        escape(&call.app.base),
        escape(&call.app.base),
        call.req.method(),
        escape(&path),
        reply.status.code,
        reply.status.reason_lossy(),
        escape(text),
    );
    let html = page(call.app, &format!("{} – CHAT", call.endpoint.name), &main);
    let cookie = call.app.baker.csrf(&token, call.app.clock.now());
    reply.with_body(HTML, html.into_bytes()).cookie(cookie)
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_gets_out_of_text_or_attributes() {
        assert_eq!(super::escape("<a b='c' d=\"e\">&</a>"), "&lt;a b=&#x27;c&#x27; d=&quot;e&quot;&gt;&amp;&lt;/a&gt;");
    }
}

//! The few pages that the server writes itself. Everything from outside goes through [`escape`].

use rocket::http::Status;
use rocket::response::Response;

use super::api::Call;
use super::csrf;
use super::reply::{HTML, Reply};
use super::{App, assets};

/// Text for HTML, between tags and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            c => out.push(c),
        }
    }
    out
}

/// The sign-in form.
pub struct LoginPage<'a> {
    pub token: &'a str,
    pub username: &'a str,
    /// What went wrong the last time.
    pub error: Option<&'a str>,
}

impl LoginPage<'_> {
    pub fn render(&self, app: &App) -> String {
        let error = self.error.map_or_else(String::new, |error| {
            format!("<div class=\"alert\" role=\"alert\"><h2>Error!</h2><p>{}</p></div>", escape(error))
        });
        fill(include_str!("templates/login.html"), app)
            .replace("{{csrf}}", &escape(self.token))
            .replace("{{error}}", &error)
            // Last: a name must not be read as a placeholder.
            .replace("{{username}}", &escape(self.username))
    }
}

fn fill(template: &str, app: &App) -> String {
    let (js, css) = assets::login_files();
    template
        .replace("{{base}}", &app.base)
        .replace("{{css}}", &format!("{}static/{css}", app.base))
        .replace("{{js}}", &format!("{}static/{js}", app.base))
}

/// A small page in the style of the sign-in form. `main` is HTML.
pub fn page(app: &App, title: &str, main: &str) -> String {
    let main = main.to_owned();
    fill(include_str!("templates/page.html"), app).replace("{{title}}", &escape(title)).replace("{{main}}", &main)
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

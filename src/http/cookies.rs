//! The two recorded cookies, with exactly their recorded attributes. `Secure` is added where `PUBLIC_URL` is https.

use rocket::Request;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::domain::Timestamp;

/// How long the token's cookie lives, in seconds: 52 weeks.
const CSRF_AGE: i64 = 31_449_600;

/// The value of a cookie of the request.
pub fn value(req: &Request<'_>, name: &str) -> Option<String> {
    req.cookies().get(name).map(|cookie| cookie.value().to_owned())
}

/// Makes `Set-Cookie` values.
#[derive(Clone, Debug)]
pub struct Baker {
    pub secure: bool,
    pub path: String,
}

impl Baker {
    pub fn csrf(&self, token: &str, now: Timestamp) -> String {
        let expires = http_date(now, CSRF_AGE);
        format!("csrftoken={token}; expires={expires}; Max-Age={CSRF_AGE}; {}", self.tail())
    }

    pub fn session(&self, token: &str, now: Timestamp, age: i64) -> String {
        let expires = http_date(now, age);
        format!("sessionid={token}; expires={expires}; HttpOnly; Max-Age={age}; {}", self.tail())
    }

    pub fn no_session(&self) -> String {
        format!("sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; {}", self.tail())
    }

    fn tail(&self) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("Path={}; SameSite=Lax{secure}", self.path)
    }
}

fn http_date(now: Timestamp, later: i64) -> String {
    let format =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    let at = OffsetDateTime::from_unix_timestamp(now.0.div_euclid(1_000_000).saturating_add(later));
    at.ok().and_then(|at| at.format(format).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_as_recorded() {
        let baker = Baker { secure: false, path: "/".to_owned() };
        let now = Timestamp(1_706_933_106_000_000);
        assert_eq!(
            baker.session("t", now, 1_209_600),
            "sessionid=t; expires=Sat, 17 Feb 2024 04:05:06 GMT; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax"
        );
        let baker = Baker { secure: true, path: "/chat/".to_owned() };
        assert!(baker.no_session().ends_with("Max-Age=0; Path=/chat/; SameSite=Lax; Secure"));
    }
}

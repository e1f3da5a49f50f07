//! The pages that the server writes itself, in the language of whoever reads them.

use libtest_mimic::Trial;

use crate::support::backend::{Backend, on_each};
use crate::support::server::{Client, World};

pub fn trials() -> Vec<Trial> {
    on_each(&[Backend::Sqlite], "pages::the_sign_in_page_speaks_the_readers_language", the_sign_in_page_speaks)
}

async fn the_sign_in_page_speaks(backend: Backend) {
    let world = World::new(backend).await;
    world.add("ann").await;
    let page =
        async |headers: &[(&str, &str)]| Client::new(&world.server.url).send("GET", "/login/", headers, None).await;
    for (headers, html, heading) in [
        (&[][..], r#"<html lang="en" dir="ltr">"#, "Please sign in"),
        (&[("Accept-Language", "fr")], r#"<html lang="en" dir="ltr">"#, "Please sign in"),
        (&[("Accept-Language", "de-AT, en;q=0.5")], r#"<html lang="de" dir="ltr">"#, "Bitte melde dich an"),
        (&[("Accept-Language", "ar")], r#"<html lang="ar" dir="rtl">"#, "الرجاء تسجيل الدخول"),
        // What was chosen on this device goes before what the browser lists.
        (
            &[("Accept-Language", "ar"), ("Cookie", "chatd-language=de")],
            r#"<html lang="de" dir="ltr">"#,
            "Bitte melde dich an",
        ),
        (&[("Cookie", "chatd-language=\"><script>")], r#"<html lang="en" dir="ltr">"#, "Please sign in"),
    ] {
        let answer = page(headers).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains(html) && answer.body.contains(heading), "{headers:?}: {}", answer.body);
        assert!(!answer.body.contains("{{"), "a placeholder was left: {}", answer.body);
        assert_eq!(answer.header("Vary"), Some("Cookie"));
    }
    // A wrong password too, and the API says it as recorded.
    let client = Client::new(&world.server.url);
    client.get("/login/").await;
    let token = client.cookie("csrftoken").expect("a token");
    let form = format!("csrfmiddlewaretoken={token}&username=ann&password=wrong");
    let kind = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept-Language", "de")];
    let answer = client.send("POST", "/login/", &kind, Some(form.into_bytes())).await;
    assert!(answer.body.contains("Benutzername oder Passwort stimmt nicht"), "{}", answer.body);
    assert!(answer.body.contains(r#"value="ann""#), "the name is kept");
}

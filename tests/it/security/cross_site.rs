//! Requests that another site makes in a person's name.

use libtest_mimic::Trial;
use serde_json::json;

use super::once;
use crate::support::backend::Backend;
use crate::support::server::{Answer, Client, LOOSE, World, password};
use crate::support::socket::Socket;

pub fn trials() -> Vec<Trial> {
    once![
        s11_cross_site_table,
        s11_sign_in_and_out_from_another_site,
        s11_the_recorded_token,
        s11_a_link_to_logout_changes_nothing,
        s11_a_form_cannot_disguise_its_method,
        s14_sockets_for_this_site_alone,
        s21_nothing_is_shared_with_other_sites,
    ]
}

const REFUSED: &str = "This request came from another site and was refused.";
const CROSS: [(&str, &str); 1] = [("Sec-Fetch-Site", "cross-site")];

fn is_refused(answer: &Answer) -> bool {
    answer.status == 403 && answer.body.contains(REFUSED)
}

/// What a browser says, and whether it may pass. `{host}` is the host that was asked.
const SAID: &[(&[(&str, &str)], bool)] = &[
    (&[], true),
    (&[("Sec-Fetch-Site", "same-origin")], true),
    (&[("Sec-Fetch-Site", "none")], true),
    (&[("Sec-Fetch-Site", "cross-site")], false),
    (&[("Sec-Fetch-Site", "same-site")], false),
    (&[("Sec-Fetch-Site", "Same-Origin")], false),
    (&[("Sec-Fetch-Site", "")], false),
    (&[("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")], false),
    (&[("Sec-Fetch-Site", "cross-site"), ("Origin", "http://{host}")], false),
    // Decided by the first of the two headers, as Go's CrossOriginProtection does.
    (&[("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")], true),
    // Plain http: browsers send no Sec-Fetch-Site there, so Origin decides alone.
    (&[("Origin", "http://{host}")], true),
    (&[("Origin", "HTTP://{host}")], false),
    (&[("Origin", "http://{host}.evil.example")], false),
    (&[("Origin", "http://evil.example")], false),
    (&[("Origin", "https://evil.example/{host}")], false),
    (&[("Origin", "http://evil.example@{host}")], false),
    (&[("Origin", "http://{host}@evil.example")], false),
    (&[("Origin", "http://localhost:1")], false),
    (&[("Origin", "http://{name}:1")], false),
    (&[("Origin", "file://{host}")], false),
    (&[("Origin", "//{host}")], false),
    (&[("Origin", "null")], false),
    (&[("Origin", "")], false),
    (&[("Origin", "http://")], false),
    (&[("Origin", "http://{host}"), ("Origin", "http://evil.example")], false),
];

/// Every row of the table with every method and kind of body, on two hosts.
async fn s11_cross_site_table() {
    let world = World::with(Backend::Sqlite, &[LOOSE, ("ALLOWED_HOSTS", "chat.example")]).await;
    let (ann, _bob) = world.two().await;
    let (mut rows, mut stored) = (0, 0);
    for host in [format!("127.0.0.1:{}", world.server.port), "chat.example".to_owned()] {
        let name = host.split(':').next().expect("a name");
        for (said, passes) in SAID {
            let said: Vec<_> =
                said.iter().map(|(n, v)| (*n, v.replace("{host}", &host).replace("{name}", name))).collect();
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                for (kind, body) in BODIES {
                    let mut headers: Vec<_> = said.iter().map(|(n, v)| (*n, v.as_str())).collect();
                    headers.extend([("Host", host.as_str()), ("Content-Type", *kind)]);
                    let answer = ann.send(method, "/api/v1/message/", &headers, Some(body.as_bytes().to_vec())).await;
                    let row = format!("{method} {kind} {host} {said:?}: {answer:?}");
                    let expected = match (passes, method, *kind) {
                        (false, ..) => 403,
                        (true, "POST", "text/plain") => 415,
                        (true, "POST", _) => 201,
                        (true, ..) => 405,
                    };
                    assert_eq!(answer.status, expected, "{row}");
                    assert_eq!(is_refused(&answer), !passes, "{row}");
                    rows += 1;
                    stored += usize::from(answer.status == 201);
                }
            }
        }
    }
    assert!(rows >= 40 && stored >= 20, "{rows} rows, {stored} stored");
    let count = ann.get("/api/v1/message/?target=bob").await.expect(200)["count"].clone();
    assert_eq!(count, stored, "what was refused left nothing");
}

const BODIES: &[(&str, &str)] = &[
    ("application/json", r#"{"recipient": "bob", "body": "hello"}"#),
    ("application/x-www-form-urlencoded", "recipient=bob&body=hello"),
    (
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"recipient\"\r\n\r\nbob\r\n\
         --x\r\nContent-Disposition: form-data; name=\"body\"\r\n\r\nhello\r\n--x--\r\n",
    ),
    ("text/plain", r#"{"recipient": "bob", "body": "hello"}"#),
];

async fn s11_sign_in_and_out_from_another_site() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    world.add("ann").await;
    let body = json!({"username": "ann", "password": password("ann")}).to_string().into_bytes();
    for (site, status) in [("cross-site", 403), ("same-origin", 200)] {
        let client = Client::new(&world.server.url);
        let headers = [("Sec-Fetch-Site", site), ("Content-Type", "application/json")];
        let answer = client.send("POST", "/api/v1/session/", &headers, Some(body.clone())).await;
        assert_eq!(answer.status, status, "{site}");
        assert_eq!(client.cookie("sessionid").is_some(), status == 200, "{site}");
    }
    let ann = Client::signed_in(&world.server.url, "ann").await;
    let token = ann.cookie("csrftoken").expect("a token");
    let form = |site| [("Sec-Fetch-Site", site), ("Content-Type", "application/x-www-form-urlencoded")];
    let fields = format!("csrfmiddlewaretoken={token}&username=ann&password={}", password("ann"));
    let refused = ann.send("POST", "/login/", &form("cross-site"), Some(fields.clone().into_bytes())).await;
    assert_eq!(refused.status, 403, "also with the token");
    let refused = ann.send("POST", "/logout/", &form("cross-site"), Some(fields.clone().into_bytes())).await;
    assert_eq!(refused.status, 403);
    assert_eq!(ann.send("DELETE", "/api/v1/session/", &CROSS, None).await.status, 403);
    ann.get("/api/v1/session/").await.expect(200);
    assert_eq!(ann.send("POST", "/login/", &form("same-origin"), Some(fields.into_bytes())).await.status, 302);
    assert_eq!(ann.send("DELETE", "/api/v1/session/", &[("Sec-Fetch-Site", "same-origin")], None).await.status, 204);
    ann.get("/api/v1/session/").await.expect(403);
}

async fn s11_the_recorded_token() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    world.add("ann").await;
    let ann = Client::signed_in(&world.server.url, "ann").await;
    let token = ann.cookie("csrftoken").expect("a token");
    assert!(token.len() == 64 && token.bytes().all(|b| b.is_ascii_alphanumeric()), "{token}");
    let other = "x".repeat(64);
    let form = "application/x-www-form-urlencoded";
    // The status with the token; without it each is a 403.
    for (path, status) in [("/", 405), ("/login/", 200), ("/api/v1/", 405), ("/api/v1/user/", 405), ("/logout/", 302)] {
        for wrong in [None, Some(""), Some(&token[1..]), Some(other.as_str())] {
            let mut headers = vec![("Content-Type", form)];
            headers.extend(wrong.map(|wrong| ("X-CSRFToken", wrong)));
            assert_eq!(ann.send("POST", path, &headers, Some(b"a=b".to_vec())).await.status, 403, "{path} {wrong:?}");
        }
        // A header without the cookie, and the other way round.
        let bare = Client::new(&world.server.url);
        bare.set_cookie("sessionid", ann.cookie("sessionid").as_deref());
        let headers = [("X-CSRFToken", token.as_str()), ("Content-Type", form)];
        assert_eq!(bare.send("POST", path, &headers, Some(b"a=b".to_vec())).await.status, 403, "{path}");
        assert_eq!(ann.send("POST", path, &headers, Some(b"a=b".to_vec())).await.status, status, "{path}");
    }
}

async fn s11_a_link_to_logout_changes_nothing() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    let host = format!("http://127.0.0.1:{}/c/bob/", world.server.port);
    for elsewhere in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "null"),
        ("Origin", "http://evil.example"),
        ("Referer", "http://evil.example/page"),
        ("Referer", "about:blank"),
    ] {
        let page = ann.send("GET", "/logout/", &[elsewhere], None).await;
        assert_eq!(page.status, 200, "{elsewhere:?}");
        assert!(page.body.contains("method=\"post\"") && page.body.contains("Sign out"), "a button");
        assert!(!page.all("set-cookie").any(|cookie| cookie.starts_with("sessionid")), "{elsewhere:?}");
        ann.get("/api/v1/session/").await.expect(200);
    }
    for own in [[("Referer", host.as_str())], [("Sec-Fetch-Site", "same-origin")], [("X", "a program says nothing")]] {
        ann.sign_in("ann").await;
        let done = ann.send("GET", "/logout/", &own, None).await;
        assert_eq!((done.status, done.header("location")), (302, Some("/")), "{own:?}");
        ann.get("/api/v1/session/").await.expect(403);
    }
}

/// Rocket takes the method from a form's first field `_method`, however that is written: a POST would look like a GET,
/// which needs no check.
async fn s11_a_form_cannot_disguise_its_method() {
    let world = World::new(Backend::Sqlite).await;
    let ann = world.person("ann").await;
    for body in [
        "_method=get",
        "_method=delete",
        "&_method=get",
        "&&_method=get",
        "[_method=get",
        "_METHOD=get",
        "_method.a=get",
    ] {
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        let cross = ann.send("POST", "/api/v1/session/", &[kind, CROSS[0]], Some(body.as_bytes().to_vec())).await;
        assert!([400, 403].contains(&cross.status), "{body}: {cross:?}");
        let own = ann.send("POST", "/api/v1/session/", &[kind], Some(body.as_bytes().to_vec())).await;
        assert_eq!(own.status, 400, "{body}: a POST without its fields: {own:?}");
        ann.get("/api/v1/session/").await.expect(200);
    }
}

async fn s14_sockets_for_this_site_alone() {
    let world = World::with(Backend::Sqlite, &[LOOSE, ("ALLOWED_HOSTS", "chat.example")]).await;
    let ann = world.person("ann").await;
    let host = format!("127.0.0.1:{}", world.server.port);
    for (said, passes) in SAID {
        let said: Vec<_> =
            said.iter().map(|(n, v)| (*n, v.replace("{host}", &host).replace("{name}", "127.0.0.1"))).collect();
        // The client of these tests sends one value for a name.
        if said.len() == 2 && said[0].0 == said[1].0 {
            continue;
        }
        let headers: Vec<_> = said.iter().map(|(n, v)| (*n, v.as_str())).collect();
        for path in ["/ws", "/ws?events=1"] {
            match Socket::try_open(&ann, path, &headers).await {
                Ok(_) => assert!(passes, "{said:?} was let in"),
                Err(refused) => assert!(!passes && refused.status == 403, "{said:?}: {refused:?}"),
            }
        }
    }
    assert!(Socket::try_open(&ann, "/ws", &[("Origin", "https://chat.example")]).await.is_ok(), "the list of hosts");
    let stranger = Client::new(&world.server.url);
    assert_eq!(Socket::try_open(&stranger, "/ws", &[]).await.err().expect("refused").status, 403);
    ann.send("DELETE", "/api/v1/session/", &[], None).await;
    assert_eq!(Socket::try_open(&ann, "/ws", &[]).await.err().expect("refused").status, 403);
}

async fn s21_nothing_is_shared_with_other_sites() {
    let world = World::new(Backend::Sqlite).await;
    let ann = world.person("ann").await;
    let preflight = [
        ("Origin", "https://evil.example"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type,x-csrftoken"),
    ];
    for path in
        ["/api/v1/message/", "/api/v1/session/", "/api/v1/nope/", "/login/", "/", "/static/theme.js", "/healthz"]
    {
        for (method, signed_in) in [("OPTIONS", true), ("OPTIONS", false), ("GET", true)] {
            let nobody = Client::new(&world.server.url);
            let answer = (if signed_in { &ann } else { &nobody }).send(method, path, &preflight, None).await;
            assert!(answer.status < 500, "{method} {path}: {answer:?}");
            assert!(answer.header("content-security-policy").is_some(), "headers are read: {answer:?}");
            let shared = answer.headers.iter().find(|(name, _)| name.to_lowercase().starts_with("access-control"));
            assert_eq!(shared, None, "{method} {path}");
            assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        }
    }
}

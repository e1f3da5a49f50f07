//! Request bodies: how large, in which encoding, how deep.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{head, once, raw, status};
use crate::support::backend::{BOTH, Backend, on_each};
use crate::support::server::{Answer, Client, LOOSE, World};

pub fn trials() -> Vec<Trial> {
    let mut trials = on_each(&BOTH, "security::s22_every_character_comes_back", s22_every_character_comes_back);
    trials.extend(on_each(&BOTH, "security::s22_text_that_is_none_is_refused", s22_text_that_is_none_is_refused));
    trials.extend(on_each(&BOTH, "security::s28_quotes_are_text", s28_quotes_are_text));
    trials.extend(once![
        s22_sizes_are_limited,
        s22_a_body_far_too_long_is_answered,
        s23_packed_bodies_are_refused,
        s23_depth_is_limited,
        s23_the_last_of_equal_names_counts,
        s23_a_form_names_no_method,
    ]);
    trials
}

const MESSAGES: &str = "/api/v1/message/";
const JSON: (&str, &str) = ("Content-Type", "application/json");
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

async fn post(client: &Client, kind: (&str, &str), body: impl Into<Vec<u8>>) -> Answer {
    client.send("POST", MESSAGES, &[kind], Some(body.into())).await
}

async fn s22_every_character_comes_back(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let (ann, bob) = world.two().await;
    for text in [
        "🎉",
        "👩‍👩‍👧‍👦 family",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
        "ゆき",
        "עברית",
        "e\u{301} é",
        "\u{10ffff}",
        "a\u{1}b\u{7f}c",
        "\u{feff}bom",
        "ß ẞ İ ı",
        "%00 \\0 \\u0000",
        "'; --",
        "line\nline\r\nline\ttab",
    ] {
        let sent = post(&ann, JSON, json!({"recipient": "bob", "body": text}).to_string()).await.expect(201);
        assert_eq!(sent["body"], text);
        let read = bob.get(&format!("{MESSAGES}{}/", sent["id"])).await;
        assert_eq!(read.expect(200), sent, "as stored");
        let form: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("recipient", "bob")
            .append_pair("body", text)
            .finish();
        assert_eq!(post(&ann, FORM, form).await.expect(201)["body"], text);
    }
}

async fn s22_text_that_is_none_is_refused(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let (ann, _bob) = world.two().await;
    post(&ann, JSON, r#"{"recipient": "bob", "body": "good"}"#).await.expect(201);
    post(&ann, FORM, "recipient=bob&body=good").await.expect(201);
    let multipart = ("Content-Type", "multipart/form-data; boundary=x");
    let part =
        |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    post(&ann, multipart, format!("{}{}--x--\r\n", part("recipient", "bob"), part("body", "good"))).await.expect(201);
    for (kind, body) in [
        (JSON, br#"{"recipient": "bob", "body": "a\u0000b"}"#.to_vec()),
        (JSON, br#"{"recipient": "b\u0000ob", "body": "x"}"#.to_vec()),
        (JSON, b"{\"recipient\": \"bob\", \"body\": \"a\0b\"}".to_vec()),
        (JSON, b"{\"recipient\": \"bob\", \"body\": \"\xff\xfe\"}".to_vec()),
        (JSON, b"{\"recipient\": \"bob\", \"body\": \"\xc0\xaf\"}".to_vec()),
        (JSON, b"{\"recipient\": \"bob\", \"body\": \"\xed\xa0\x80\"}".to_vec()),
        (JSON, br#"{"recipient": "bob", "body": "\ud83d"}"#.to_vec()),
        (JSON, b"\xff\xfe{\0}\0".to_vec()),
        (FORM, b"recipient=bob&body=a%00b".to_vec()),
        (FORM, b"recipient=bob&body=a\0b".to_vec()),
        (FORM, b"recipient=b%00ob&body=x".to_vec()),
        (multipart, format!("{}{}--x--\r\n", part("recipient", "bob"), part("body", "a\0b")).into_bytes()),
        (multipart, b"--x".to_vec()),
        (("Content-Type", "multipart/form-data"), b"--x--".to_vec()),
    ] {
        let answer = post(&ann, kind, body.clone()).await;
        assert_eq!(answer.status, 400, "{kind:?} {}: {answer:?}", String::from_utf8_lossy(&body));
    }
    // In a form, as recorded, what is not UTF-8 becomes U+FFFD: text again before it is looked at.
    let replaced = post(&ann, FORM, b"recipient=bob&body=a%ff".to_vec()).await.expect(201);
    assert_eq!(replaced["body"], "a\u{fffd}");
    assert_eq!(ann.get(MESSAGES).await.expect(200)["count"], 4, "what was refused left nothing");
    for path in ["?target=%00", "?target=%ff", "?page=%00", "%00/", "?before_seq=1&target=b%00ob"] {
        assert!(ann.get(&format!("{MESSAGES}{path}")).await.status < 500, "{path}");
    }
}

async fn s22_sizes_are_limited() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, _bob) = world.two().await;
    let with = |text: &str| json!({"recipient": "bob", "body": text}).to_string();
    // Characters, not bytes: the longest text of the widest ones.
    for letter in ["x", "é", "🎉"] {
        post(&ann, JSON, with(&letter.repeat(10_000))).await.expect(201);
        let error = post(&ann, JSON, with(&letter.repeat(10_001))).await.expect(400);
        assert_eq!(error, json!({"body": ["Ensure this field has no more than 10000 characters."]}));
    }
    // The widest way to write them: an escaped pair of surrogates is 12 bytes.
    let escaped = format!(r#"{{"recipient": "bob", "body": "{}"}}"#, r"\ud83c\udf89".repeat(10_000));
    post(&ann, JSON, escaped).await.expect(201);
    let limit = 12 * 10_000 + 8 * 1024;
    let padded = |length: usize| with("small") + &" ".repeat(length - with("small").len());
    post(&ann, JSON, padded(limit)).await.expect(201);
    for kind in [JSON, FORM, ("Content-Type", "multipart/form-data; boundary=x"), ("Content-Type", "text/plain")] {
        assert_eq!(post(&ann, kind, padded(limit + 1)).await.status, 413, "{kind:?}");
    }
    let token = ann.cookie("csrftoken").expect("a token");
    for path in ["/login/", "/logout/", "/", "/api/v1/session/", "/api/v1/conversation/bob/read/"] {
        let answer = ann.send("POST", path, &[FORM, ("X-CSRFToken", &token)], Some(vec![b'x'; limit + 1])).await;
        assert_eq!(answer.status, 413, "{path}: {answer:?}");
    }
    ann.get("/api/v1/session/").await.expect(200);
    // What a header promises is not believed: chunks are counted as they come.
    let cookie =
        format!("Cookie: {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n", ann.cookies());
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let request = format!("{}{}0\r\n\r\n", head(&world, "POST /api/v1/message/", &cookie), chunk.repeat(3));
    assert_eq!(status(&raw(&world, request.as_bytes()).await), 413);
    let ended = format!("Cookie: {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n", ann.cookies());
    let answer = raw(&world, format!("{}{{", head(&world, "POST /api/v1/message/", &ended)).as_bytes()).await;
    assert!(answer.is_empty() || status(&answer) == 400, "a body that ends too early: {answer}");
}

/// The refusal is seen also by a client that sends everything before it reads: a connection that ended meanwhile would
/// be reset, and most clients would tell of nothing but that.
async fn s22_a_body_far_too_long_is_answered() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, _bob) = world.two().await;
    let cookie = format!("Cookie: {}\r\nContent-Length: 3000000\r\n", ann.cookies());
    let mut stream = TcpStream::connect(("127.0.0.1", world.server.port)).await.expect("it connects");
    stream.write_all(head(&world, "POST /api/v1/message/", &cookie).as_bytes()).await.expect("the head is sent");
    for _ in 0..5 {
        // Were it to answer and close before the end, it would do so within this time.
        let answered = tokio::time::timeout(Duration::from_millis(10), stream.peek(&mut [0])).await;
        assert!(answered.is_err(), "it did not wait for the whole");
        stream.write_all(&vec![b'x'; 600_000]).await.expect("the server goes on reading");
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the answer can be read");
    assert_eq!(status(&String::from_utf8_lossy(&answer)), 413);
}

async fn s23_packed_bodies_are_refused() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, _bob) = world.two().await;
    let body = br#"{"recipient": "bob", "body": "hello"}"#;
    for plain in ["identity", "Identity"] {
        ann.send("POST", MESSAGES, &[JSON, ("Content-Encoding", plain)], Some(body.to_vec())).await.expect(201);
    }
    for packed in ["gzip", "GZIP", "deflate", "br", "zstd", "x-gzip", "identity, gzip", "gzip, identity", "*", ""] {
        let answer = ann.send("POST", MESSAGES, &[JSON, ("Content-Encoding", packed)], Some(body.to_vec())).await;
        assert_eq!(answer.status, 415, "{packed:?}: {answer:?}");
    }
    let twice = [JSON, ("Content-Encoding", "identity"), ("Content-Encoding", "gzip")];
    assert_eq!(ann.send("POST", MESSAGES, &twice, Some(body.to_vec())).await.status, 415);
    for path in ["/login/", "/api/v1/session/", "/"] {
        assert_eq!(
            ann.send("POST", path, &[FORM, ("Content-Encoding", "gzip")], Some(b"x".to_vec())).await.status,
            415
        );
    }
}

async fn s23_depth_is_limited() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, _bob) = world.two().await;
    let nested = |open: &str, close: &str, depth: usize| {
        // The object itself is the first of them.
        let inner = format!("{}1{}", open.repeat(depth - 1), close.repeat(depth - 1));
        format!(r#"{{"recipient": "bob", "body": "hello", "more": {inner}}}"#)
    };
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        post(&ann, JSON, nested(open, close, 32)).await.expect(201);
        for depth in [33, 128, 15_000] {
            let answer = post(&ann, JSON, nested(open, close, depth)).await;
            assert_eq!(answer.status, 400, "{open} {depth}");
        }
        assert_eq!(post(&ann, JSON, open.repeat(20_000)).await.status, 400, "never closed");
    }
    post(&ann, JSON, json!({"recipient": "bob", "body": "[".repeat(9_000)}).to_string()).await.expect(201);
}

async fn s23_the_last_of_equal_names_counts() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, _bob) = world.two().await;
    let last = |answer: Answer| answer.expect(201)["body"].clone();
    let twice = r#"{"recipient": "nobody", "body": "one", "recipient": "bob", "body": "two"}"#;
    assert_eq!(last(post(&ann, JSON, twice).await), "two");
    assert_eq!(last(post(&ann, JSON, r#"{"recipient": "bob", "body": "one", "b\u006fdy": "two"}"#).await), "two");
    assert_eq!(last(post(&ann, FORM, "recipient=nobody&body=one&recipient=bob&body=two").await), "two");
    let counted = async |query: &str| ann.get(&format!("{MESSAGES}?{query}")).await.expect(200)["count"].clone();
    assert_eq!(
        (counted("target=nobody&target=bob").await, counted("target=bob&target=nobody").await),
        (json!(3), json!(0))
    );
}

/// A method that a form names is not taken, from nobody's form.
async fn s23_a_form_names_no_method() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    for body in [
        "_method=delete",
        "_method=DELETE&a=b",
        "_method=put",
        "&_method=put",
        "&&_method=put",
        "_method=delete&_method=get",
    ] {
        let answer = ann.send("POST", "/api/v1/session/", &[FORM], Some(body.as_bytes().to_vec())).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert_eq!(post(&ann, FORM, body).await.status, 400, "{body}");
    }
    ann.get("/api/v1/session/").await.expect(200);
    assert_eq!(post(&ann, FORM, "recipient=ann&body=x&_method=delete").await.status, 201, "a later field is a field");
}

/// What would end a string in SQL, in every place that takes a text.
async fn s28_quotes_are_text(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let (ann, _bob) = world.two().await;
    let cookie = ann.cookie("sessionid").expect("a session");
    for payload in [
        "'",
        "\"",
        "`",
        "\\",
        "\\'",
        "''",
        "' OR '1'='1",
        "' OR 1=1 -- ",
        "\" OR \"\"=\"",
        "1; DROP TABLE users",
        "') UNION SELECT password_hash FROM users -- ",
        "%",
        "_",
        "a%' ESCAPE '!",
        "1 OR SLEEP(9)",
        "0x27",
        "?",
        "?1",
        "$1",
        ":a",
        "/*",
        "--",
        "#",
        "\u{bf}'",
        "\u{ff07}",
    ] {
        let q: String = form_urlencoded::byte_serialize(payload.as_bytes()).collect::<String>().replace('+', "%20");
        let mut answers = Vec::new();
        for path in [
            "message/?target=Q",
            "message/?page=Q",
            "message/?before_seq=Q&target=bob",
            "message/?after_seq=1&target=Q",
            "message/?around_seq=1&limit=Q&target=bob",
            "message/Q/",
            "user/Q/",
            "user/?search=Q",
            "user/?cursor=Q",
            "user/?search=&limit=Q",
            "conversation/Q/",
            "conversation/?cursor=Q",
            "conversation/?limit=Q",
            "event/?after=Q",
            "event/?limit=Q",
            "?format=Q",
        ] {
            answers.push(ann.get(&format!("/api/v1/{}", path.replace('Q', &q))).await);
        }
        for body in
            [json!({"recipient": payload, "body": "x"}), json!({"recipient": "bob", "body": "x", "client_id": payload})]
        {
            answers.push(post(&ann, JSON, body.to_string()).await);
        }
        answers.push(ann.post(&format!("/api/v1/conversation/{q}/read/"), &json!({"seq": payload})).await);
        let kept = post(&ann, JSON, json!({"recipient": "bob", "body": payload}).to_string()).await.expect(201);
        assert_eq!(kept["body"], payload.trim(), "text stays as it is");
        let nobody = Client::new(&world.server.url);
        nobody.set_cookie("sessionid", Some(&format!("{cookie}{q}")));
        answers.push(nobody.get("/api/v1/session/").await);
        assert_eq!(answers.last().expect("one").status, 403);
        let agent = [JSON, ("User-Agent", "' OR 1=1 --")];
        let body = json!({"username": payload, "password": payload}).to_string().into_bytes();
        answers.push(nobody.send("POST", "/api/v1/session/", &agent, Some(body)).await);
        assert_eq!(answers.last().expect("one").status, 400);
        for answer in &answers {
            assert!(answer.status < 500, "{payload}: {answer:?}");
            assert!(!answer.body.contains("argon2id"), "{payload}: {answer:?}");
        }
    }
    // A pattern is a text to look for, not a pattern.
    let found = async |search: &str| -> Value {
        ann.get(&format!("/api/v1/user/?search={search}")).await.expect(200)["results"].clone()
    };
    assert_eq!(found("b").await, json!([{"username": "bob", "display_name": "", "avatar": null}]));
    assert_eq!((found("%25").await, found("_").await), (json!([]), json!([])));
}

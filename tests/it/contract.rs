//! The predecessor's recorded exchanges, replayed against chatd. `docs/contract.md` says what is compared and names
//! every departure; this test reads that table.

use std::collections::{BTreeMap, HashMap};

use libtest_mimic::Trial;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::support::backend::{BOTH, Backend, on_each};
use crate::support::server::{Answer, Client, LOOSE, World, add_user};
use crate::support::socket::{Refused, Socket};
use crate::support::trial;

pub fn trials() -> Vec<Trial> {
    let mut trials = on_each(&BOTH, "contract::every_recorded_case", every_recorded_case);
    trials.push(trial("contract::departures_are_the_allowed_ones", departures_are_the_allowed_ones));
    trials.extend(on_each(&BOTH, "contract::the_predecessors_page", the_predecessors_page));
    trials
}

const PEOPLE: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "zed", "root", "frozen"];
const COMPARED: [&str; 6] =
    ["Content-Type", "Location", "Vary", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy"];

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("data/seed-wire.json")).expect("the recording is JSON")
}

fn name(case: &Value) -> &str {
    case["name"].as_str().expect("a name")
}

/// The table of departures: what chatd answers, by case.
fn departures() -> BTreeMap<String, String> {
    let rows = include_str!("../../docs/contract.md").lines().filter(|line| line.starts_with("| `"));
    let rows = rows.map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        (cells[1].trim_matches('`').to_owned(), cells[2].to_owned())
    });
    rows.collect()
}

async fn departures_are_the_allowed_ones() {
    let cases = cases();
    let table = departures();
    assert!(table.len() > 40, "the table was not found");
    for case in table.keys() {
        let recorded = cases.iter().find(|c| name(c) == case).unwrap_or_else(|| panic!("{case} was not recorded"));
        let kept = case.ends_with("-other-case") || case.ends_with("-padded") || case.starts_with("create/emoji");
        let quirk = recorded.get("quirk").is_some() && !kept;
        let named = ["forbidden-methods/user-post-duplicate", "forbidden-methods/user-post-invalid-chars"]
            .contains(&&**case)
            || case == "create/length-65536"
            || case.starts_with("create/length-3000000-")
            || ["misc/favicon", "misc/robots"].contains(&&**case)
            || case.starts_with("misc/static-")
            || case.ends_with("accented");
        assert!(quirk || named, "{case} may not depart");
    }
}

/// What is needed to fill the recording's placeholders.
struct Replay {
    world: World,
    host: String,
    jars: HashMap<String, Client>,
    ids: HashMap<String, i64>,
    /// Sockets that were opened before the step whose frames they shall hear.
    listening: HashMap<String, Socket>,
    dead_session: String,
    failures: Vec<String>,
}

async fn every_recorded_case(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let store = world.database.store().await;
    for (i, person) in PEOPLE.into_iter().enumerate() {
        let user = add_user(&store, person, person == "root").await;
        assert_eq!(user.id, i64::try_from(i).unwrap() + 1);
        if person == "frozen" {
            chatd::store::Users::set_active(&*store, user.id, false).await.unwrap();
        }
    }
    let host = world.server.url.trim_start_matches("http://").to_owned();
    let mut replay = Replay {
        world,
        host,
        jars: HashMap::new(),
        ids: HashMap::new(),
        listening: HashMap::new(),
        dead_session: String::new(),
        failures: Vec::new(),
    };
    let cases = cases();
    assert_eq!(cases.len(), 365);
    for (i, case) in cases.iter().enumerate() {
        replay.listen_for(case, &cases[i + 1..]).await;
        if case["method"] == "WEBSOCKET" {
            replay.socket_step(case).await;
        } else {
            replay.step(case).await;
        }
    }
    assert!(replay.failures.is_empty(), "{} cases differ:\n{}", replay.failures.len(), replay.failures.join("\n"));
}

impl Replay {
    fn fail(&mut self, case: &Value, what: impl std::fmt::Display) {
        let what: String = what.to_string().chars().take(600).collect();
        self.failures.push(format!("{}: {what}", name(case)));
    }

    fn jar(&mut self, auth: Option<&str>) -> &Client {
        let base = self.world.server.url.clone();
        self.jars.entry(auth.unwrap_or("nobody").to_owned()).or_insert_with(|| Client::new(&base))
    }

    /// Opens the sockets whose recorded frames come from this step.
    async fn listen_for(&mut self, case: &Value, following: &[Value]) {
        let step = name(case);
        let heard = following.iter().filter(|c| {
            c["method"] == "WEBSOCKET"
                && (name(c).starts_with(&format!("{step}/"))
                    || (step == "ws/login-second-session" && name(c) == "ws/socket-outlives-logout/frames"))
        });
        for listener in heard {
            if step == "ws/login-second-session" {
                continue;
            }
            let socket = Socket::open(self.jar(listener["auth"].as_str()), "/ws").await;
            self.listening.insert(name(listener).to_owned(), socket);
        }
    }

    /// A text of the recording with its placeholders filled.
    fn fill(&mut self, text: &str, auth: Option<&str>) -> String {
        let token = self.jar(auth).cookie("csrftoken").unwrap_or_default();
        let mut text = text.replace("<csrf>", &token).replace("HOST", &self.host);
        for (name, id) in &self.ids {
            text = text.replace(&format!("<id:{name}>"), &id.to_string());
            text = text.replace(&format!("{{id:{name}}}"), &id.to_string());
        }
        while let Some(start) = text.find("<x*") {
            let end = text[start..].find('>').expect("a placeholder ends") + start;
            let count: usize = text[start + 3..end].parse().expect("a count");
            text.replace_range(start..=end, &"x".repeat(count));
        }
        text
    }

    async fn step(&mut self, case: &Value) {
        let auth = case["auth"].as_str().map(str::to_owned);
        let auth = auth.as_deref();
        let request = &case["request"];
        let method = case["method"].as_str().expect("a method");
        let path = self.fill(case["path"].as_str().expect("a path"), auth);
        let raw_body = request["body"].as_str();
        // Recorded: "cookie csrftoken from a preceding GET /login/ is sent along".
        if raw_body.is_some_and(|body| body.contains("csrfmiddlewaretoken=<csrf>")) && path.starts_with("/login/") {
            let jar = self.jar(auth);
            jar.set_cookie("sessionid", None);
            jar.get("/login/").await.expect_status(200);
        }
        let body = raw_body.map(|body| match body.strip_prefix("base64:") {
            Some(text) => base64_decode(text),
            None => self.fill(body, auth).into_bytes(),
        });
        let mut headers = Vec::new();
        for (name, value) in request["headers"].as_object().into_iter().flatten() {
            headers.push((name.clone(), self.fill(value.as_str().expect("a header"), auth)));
        }
        if let Some(cookies) = request["cookies"].as_object() {
            let mut pairs = Vec::new();
            for (name, value) in cookies {
                let value = value.as_str().expect("a cookie");
                let dead = name == "sessionid" && !value.starts_with("nosuch");
                let value = if dead { self.dead_session.clone() } else { self.fill(value, Some("tmp2")) };
                pairs.push(format!("{name}={value}"));
            }
            headers.push(("Cookie".to_owned(), pairs.join("; ")));
        }
        if path.starts_with("/logout/")
            && let Some(session) = self.jar(auth).cookie("sessionid")
        {
            self.dead_session = session;
        }
        if name(case) == "ws/logout-second-session" {
            let socket = Socket::open(self.jar(auth), "/ws").await;
            self.listening.insert("ws/socket-outlives-logout/frames".to_owned(), socket);
        }
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = match self.jar(auth).attempt(method, &path, &headers, body).await {
            Ok(answer) => answer,
            Err(e) => return self.fail(case, format!("no answer: {e}")),
        };
        if let Ok(Value::Object(object)) = serde_json::from_str(&answer.body)
            && let Some(id) = object.get("id").and_then(Value::as_i64)
        {
            self.ids.insert(name(case).to_owned(), id);
        }
        self.compare(case, &answer, auth);
    }

    fn compare(&mut self, case: &Value, answer: &Answer, auth: Option<&str>) {
        if let Some(expected) = departures().get(name(case)) {
            let (status, rest) = expected.split_once(',').unwrap_or((expected, ""));
            if answer.status.to_string() != status {
                self.fail(case, format!("departs with {} instead of {status}", answer.status));
            }
            let count = rest.trim().strip_prefix("count ").map(|n| n.parse::<i64>().expect("a count"));
            if count.is_some_and(|count| answer.json()["count"] != count) {
                self.fail(case, format!("departs with {}", answer.body));
            }
            return;
        }
        let emoji = &case["variants"]["utf8mb4 database and connection"];
        let recorded = if emoji.is_object() { emoji } else { case };
        if answer.status != recorded["status"].as_u64().unwrap_or(0) as u16 {
            return self.fail(case, format!("{} instead of {}: {}", answer.status, recorded["status"], answer.body));
        }
        if !emoji.is_object() {
            let differences = compare_headers(&case["response_headers"], answer, &self.host);
            differences.into_iter().for_each(|difference| self.fail(case, difference));
        }
        if let Some(text) = recorded["body"].as_str() {
            let expected = self.fill(text, auth);
            let is_json = answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
            let head = case["method"] == "HEAD";
            let difference = if is_json && !head { compare_json(case, &expected, &answer.body) } else { None };
            if let Some(difference) = difference {
                self.fail(case, format!("{difference}\n   recorded {expected}\n   answered {}", answer.body));
            }
        }
        if answer.status == 200 && case["path"].as_str().is_some_and(|path| path.starts_with("/login/")) {
            compare_form(case, &answer.body).into_iter().for_each(|difference| self.fail(case, difference));
        }
    }

    async fn socket_step(&mut self, case: &Value) {
        let auth = case["auth"].as_str().map(str::to_owned);
        let path = case["path"].as_str().expect("a path");
        let session = self.jar(Some("alice")).cookie("sessionid").unwrap_or_default();
        let path = path.replace("<session>", &session);
        let departure = departures().get(name(case)).cloned();
        let listening = self.listening.remove(name(case));
        let Some(mut socket) = (match listening {
            Some(socket) => Some(socket),
            None => self.handshake(case, auth.as_deref(), &path, departure.as_deref()).await,
        }) else {
            return;
        };
        if departure.as_deref().is_some_and(|d| !d.starts_with("101")) && departure.as_deref() != Some("405") {
            return self.fail(case, "the handshake was accepted");
        }
        self.client_frame(case, &mut socket).await;
        let expected = self.expected_frames(case, departure.as_deref());
        self.compare_frames(case, &mut socket, &expected, departure.as_deref()).await;
    }

    /// Opens the socket; if it is refused, compares the refusal.
    async fn handshake(
        &mut self,
        case: &Value,
        auth: Option<&str>,
        path: &str,
        departure: Option<&str>,
    ) -> Option<Socket> {
        let mut headers = Vec::new();
        for (name, value) in case["request"]["headers"].as_object().into_iter().flatten() {
            headers.push((name.as_str(), value.as_str().expect("a header")));
        }
        let Refused { status, headers } = match Socket::try_open(self.jar(auth), path, &headers).await {
            Ok(socket) => return Some(socket),
            Err(refused) => refused,
        };
        let expected = departure.unwrap_or("101");
        if expected != status.to_string() {
            self.fail(case, format!("handshake {status} instead of {expected}"));
        }
        let nosniff = headers.iter().any(|(n, v)| n.eq_ignore_ascii_case("x-content-type-options") && v == "nosniff");
        assert!(nosniff, "a refused upgrade lacks headers: {headers:?}");
        None
    }

    /// Sends what the recording's client sent.
    async fn client_frame(&mut self, case: &Value, socket: &mut Socket) {
        let Some(sent) = case["note"].as_str().and_then(|note| note.strip_prefix("client sent opcode ")) else {
            return;
        };
        let (opcode, payload) = sent.split_once(": ").unwrap_or((sent.trim_end_matches(':'), ""));
        let payload = payload.trim_matches('\'').to_owned();
        let message = match opcode.trim() {
            "1" => Message::Text(payload.into()),
            "2" => Message::Binary(payload.into_bytes().into()),
            "9" => Message::Ping(payload.into_bytes().into()),
            "10" => Message::Pong(payload.into_bytes().into()),
            other => panic!("opcode {other}"),
        };
        socket.send(message).await;
    }

    fn expected_frames(&mut self, case: &Value, departure: Option<&str>) -> Vec<(String, String)> {
        let count = departure.and_then(|d| d.split_once("frames ")).map(|(_, n)| n.parse::<usize>().expect("a count"));
        if departure.is_some_and(|d| d.contains("close ")) || count == Some(0) {
            return Vec::new();
        }
        let frames = case["frames"].as_array().cloned().unwrap_or_default();
        let filled = frames.iter().take(count.unwrap_or(usize::MAX)).map(|frame| {
            let data = self.fill(frame["data"].as_str().unwrap_or_default(), None);
            (frame["frame"].as_str().expect("a kind").to_owned(), data)
        });
        filled.collect()
    }

    async fn compare_frames(
        &mut self,
        case: &Value,
        socket: &mut Socket,
        expected: &[(String, String)],
        departure: Option<&str>,
    ) {
        for (kind, data) in expected {
            match (kind.as_str(), socket.next().await) {
                ("text", Some(Message::Text(text))) if text.as_str() == data => {}
                ("pong", Some(Message::Pong(bytes))) if bytes == data.as_bytes() => {}
                (_, other) => return self.fail(case, format!("{other:?} instead of {kind} {data}")),
            }
        }
        if let Some((_, code)) = departure.and_then(|d| d.split_once("close ")) {
            let closed = socket.close_code().await;
            if closed.map(|code| code.to_string()).as_deref() != Some(code) {
                self.fail(case, format!("closed with {closed:?} instead of {code}"));
            }
            return;
        }
        socket.assert_silent().await;
    }
}

impl Answer {
    #[track_caller]
    fn expect_status(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.body);
    }
}

fn base64_decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

fn compare_headers(recorded: &Value, answer: &Answer, host: &str) -> Vec<String> {
    let mut differences = Vec::new();
    let Some(recorded) = recorded.as_object().filter(|headers| !headers.is_empty()) else { return differences };
    for name in COMPARED {
        let want = recorded.get(name).and_then(Value::as_str).map(|value| value.replace("HOST", host));
        if want.as_deref() != answer.header(name) {
            differences.push(format!("{name}: {:?} instead of {want:?}", answer.header(name)));
        }
    }
    if let Some(allow) = recorded.get("Allow").and_then(Value::as_str) {
        let have: Vec<_> = answer.header("Allow").unwrap_or_default().split(", ").collect();
        if !allow.split(", ").all(|method| have.contains(&method)) {
            differences.push(format!("Allow: {have:?} lacks some of {allow}"));
        }
    }
    let shape = |cookie: &str| {
        let mut parts: Vec<_> = cookie
            .split("; ")
            .map(|part| match part.split_once('=') {
                Some((name, _)) if ["csrftoken", "sessionid", "expires"].contains(&name) => name.to_owned(),
                _ => part.to_owned(),
            })
            .collect();
        parts.sort();
        parts.join("; ")
    };
    let mut want: Vec<_> = match recorded.get("Set-Cookie") {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(shape).collect(),
        Some(Value::String(one)) => vec![shape(one)],
        _ => Vec::new(),
    };
    let mut have: Vec<_> = answer.all("Set-Cookie").map(shape).collect();
    want.sort();
    have.sort();
    if want != have {
        differences.push(format!("Set-Cookie: {have:?} instead of {want:?}"));
    }
    differences
}

fn compare_json(case: &Value, expected: &str, actual: &str) -> Option<String> {
    if let Some(start) = expected.find("JSON parse error - ") {
        let prefix = &expected[..start + "JSON parse error - ".len()];
        return (!actual.starts_with(prefix)).then(|| "another error".to_owned());
    }
    if expected.contains("\n    ") != actual.contains("\n    ") {
        return Some("another indentation".to_owned());
    }
    let want: Value = serde_json::from_str(expected).expect("the recording is JSON");
    let have: Value = match serde_json::from_str(actual) {
        Ok(have) => have,
        Err(e) => return Some(e.to_string()),
    };
    let path = case["path"].as_str().unwrap_or_default();
    let free = case["method"] == "OPTIONS" || path == "/api/v1/" || path == "/api/v1/.json";
    same(&want, &have, free)
}

/// The recorded keys first, in order, with their values; more keys only in messages or where `free`.
fn same(want: &Value, have: &Value, free: bool) -> Option<String> {
    match (want, have) {
        (Value::Object(want), Value::Object(have)) => {
            let is_message =
                want.contains_key("recipient") && want.contains_key("timestamp") && want.contains_key("id");
            let keys: Vec<_> = have.keys().take(want.len()).collect();
            if keys != want.keys().collect::<Vec<_>>() {
                return Some(format!("keys {keys:?}"));
            }
            if have.len() > want.len() && !free && !is_message {
                return Some(format!("more keys: {:?}", have.keys()));
            }
            want.iter().find_map(|(key, value)| same(value, &have[key], free).map(|d| format!("{key}: {d}")))
        }
        (Value::Array(want), Value::Array(have)) => {
            if want.len() != have.len() {
                return Some(format!("{} items instead of {}", have.len(), want.len()));
            }
            want.iter().zip(have).find_map(|(want, have)| same(want, have, free))
        }
        (Value::String(want), Value::String(have)) if want == "<timestamp>" => {
            let bytes = have.as_bytes();
            let good = (bytes.len() == 20 || bytes.len() == 27) && bytes[10] == b'T' && have.ends_with('Z');
            (!good).then(|| format!("the timestamp {have}"))
        }
        _ => (want != have).then(|| format!("{have} instead of {want}")),
    }
}

/// The fields of the sign-in form.
fn compare_form(case: &Value, html: &str) -> Vec<String> {
    let mut differences = Vec::new();
    let Some(form) = case["body_summary"]["forms"].as_array().and_then(|forms| forms.first()) else {
        return differences;
    };
    let start = html.find("<form").expect("a form");
    let end = html[start..].find("</form>").expect("its end") + start;
    let ours = &html[start..end];
    let tag = &ours[..ours.find('>').expect("a tag")];
    if !tag.contains("method=\"post\"") || tag.contains("action=") {
        differences.push(format!("the form is {tag}"));
    }
    let inputs: Vec<_> = ours.split("<input").skip(1).map(|input| &input[..input.find('>').expect("a tag")]).collect();
    for field in form["fields"].as_array().into_iter().flatten().filter(|field| field["name"].is_string()) {
        let wanted = field["name"].as_str().unwrap_or_default();
        let Some(input) = inputs.iter().find(|input| input.contains(&format!(" name=\"{wanted}\""))) else {
            differences.push(format!("no field {wanted}"));
            continue;
        };
        for attribute in ["type", "placeholder", "value"] {
            let Some(value) = field[attribute].as_str().filter(|value| *value != "<csrf>") else { continue };
            if !input.contains(&format!(" {attribute}=\"{value}\"")) {
                differences.push(format!("{wanted} has not {attribute}={value}: {input}"));
            }
        }
        if field["required"] == true && !input.contains(" required") {
            differences.push(format!("{wanted} is not required"));
        }
    }
    let alert = html.contains("role=\"alert\"");
    if case["body_summary"]["alert_shown"].as_bool() != Some(alert) {
        differences.push(format!("alert shown: {alert}"));
    }
    differences
}

/// What the predecessor's page does, request by request.
async fn the_predecessors_page(backend: Backend) {
    let world = World::new(backend).await;
    world.add("alice").await;
    let bob = world.person("bob").await;
    let page = Client::new(&world.server.url);
    let login = page.get("/login/").await;
    let token = page.cookie("csrftoken").expect("the form sets the token");
    assert!(login.body.contains(&token));
    let entered = page.form("/login/", &format!("username=alice&password=pw-alice&csrfmiddlewaretoken={token}")).await;
    assert_eq!((entered.status, entered.header("location")), (302, Some("/")));
    assert_ne!(page.cookie("csrftoken"), Some(token), "rotated at login");
    assert_eq!(page.get("/").await.status, 200);
    assert_eq!(page.get("/api/v1/user/").await.expect(200), serde_json::json!([{"username": "bob"}]));

    let mut socket = Socket::open(&page, "/ws?session_key=${sessionKey}").await;
    assert_eq!(page.get("/api/v1/message/?target=bob").await.expect(200)["count"], 0);
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),
        ("X-Requested-With", "XMLHttpRequest"),
        ("Accept", "*/*"),
    ];
    let body = b"recipient=bob&body=as+the+web+page+sends+it".to_vec();
    let sent = page.send("POST", "/api/v1/message/", &headers, Some(body)).await.expect(201);
    bob.say("alice", "and back").await;
    for expected in ["as the web page sends it", "and back"] {
        let frame = socket.json().await;
        let id = frame["message"].as_str().expect("the id is a string");
        let message = page.get(&format!("/api/v1/message/{id}/")).await.expect(200);
        assert_eq!(message["body"], expected);
    }
    assert_eq!(page.get(&format!("/api/v1/message/{}/", sent["id"])).await.expect(200), sent);
    let left = page.get("/logout/").await;
    assert_eq!((left.status, left.header("location")), (302, Some("/")));
    assert_eq!(page.cookie("sessionid"), None);
    assert_eq!(page.get("/").await.header("location"), Some("/login/?next=/"));
}

//! Requests, each written down when it begins and when it ends.

use std::sync::Arc;
use std::time::Duration;

use chatd::domain::Cursor;
use reqwest::Method;
use serde_json::{Value, json};

use crate::history::{History, Op, Phase, Seen, Step, conv, hash, unkeyed};

/// Who asks, and from what.
#[derive(Clone)]
pub struct Caller {
    pub user: Arc<str>,
    pub device: Arc<str>,
    pub cookie: String,
}

/// An answer: its status and its JSON, or that there was none and whether the request may have arrived.
pub enum Reply {
    Answer {
        status: u16,
        outcome: Option<String>,
        json: Value,
        text: String,
    },
    /// It certainly did not arrive.
    NotSent,
    Lost,
}

impl Reply {
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answer { status, .. } => Some(*status),
            Self::NotSent | Self::Lost => None,
        }
    }

    fn phase(&self) -> Phase {
        match self {
            Self::Answer { status: 200..=299, .. } => Phase::Ok,
            Self::Answer { status: 400..=499, .. } | Self::NotSent => Phase::Fail,
            Self::Answer { status: 503, outcome: Some(outcome), .. } if outcome == "not-applied" => Phase::Fail,
            Self::Answer { .. } | Self::Lost => Phase::Info,
        }
    }

    pub fn json(&self) -> &Value {
        const NOTHING: &Value = &Value::Null;
        match self {
            Self::Answer { json, .. } => json,
            Self::NotSent | Self::Lost => NOTHING,
        }
    }
}

/// A client that notes what it does.
#[derive(Clone)]
pub struct Calls {
    pub history: Arc<History>,
    bases: Arc<Vec<String>>,
    http: reqwest::Client,
}

/// What is sent.
#[derive(Clone)]
pub struct Letter {
    pub to: Arc<str>,
    pub body: String,
    pub key: Option<Arc<str>>,
}

impl Calls {
    pub fn new(history: Arc<History>, bases: Vec<String>) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(10))
            .build()
            .expect("a client");
        Self { history, bases: Arc::new(bases), http }
    }

    pub fn processes(&self) -> usize {
        self.bases.len()
    }

    pub fn base(&self, process: usize) -> &str {
        &self.bases[process]
    }

    pub async fn ask(
        &self,
        process: usize,
        caller: &Caller,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Reply {
        let mut request = self.http.request(method, format!("{}{path}", self.bases[process]));
        request = request.header("Cookie", &caller.cookie).header("Accept", "application/json");
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(e) if e.is_connect() => return Reply::NotSent,
            Err(_) => return Reply::Lost,
        };
        let status = answer.status().as_u16();
        let outcome = answer.headers().get("outcome").and_then(|v| v.to_str().ok()).map(str::to_owned);
        match answer.text().await {
            Ok(text) => {
                let json = serde_json::from_str(&text).unwrap_or(Value::Null);
                Reply::Answer { status, outcome, json, text }
            }
            Err(_) => Reply::Lost,
        }
    }

    fn step(process: usize, caller: &Caller, op: Op, phase: Phase, call: u64) -> Step {
        let mut step = Step::new(op, phase, call, &caller.user, &caller.device);
        step.proc = u8::try_from(process).unwrap_or(u8::MAX);
        step
    }

    /// Sends; how it ended.
    pub async fn send(&self, process: usize, caller: &Caller, letter: &Letter) -> (Phase, Option<u16>, Value) {
        let call = self.history.call();
        let body_hash = hash(&letter.body);
        let mut step = Self::step(process, caller, Op::Send, Phase::Invoke, call);
        step.conv = Some(conv(&caller.user, &letter.to));
        step.client_id = Some(letter.key.clone().unwrap_or_else(|| unkeyed(body_hash)));
        step.body_hash = Some(body_hash);
        self.history.add(step.clone());
        let mut body = json!({"recipient": &*letter.to, "body": letter.body});
        if let Some(key) = &letter.key {
            body["client_id"] = json!(&**key);
        }
        let reply = self.ask(process, caller, Method::POST, "/api/v1/message/", Some(body.to_string())).await;
        let json = reply.json().clone();
        step.phase = reply.phase();
        step.status = reply.status();
        if step.phase == Phase::Ok {
            (step.id, step.seq) = (json["id"].as_i64(), json["seq"].as_i64());
            step.messages = vec![Seen::new(&json, None)];
        }
        let ended = (step.phase, step.status, json);
        self.history.add(step);
        ended
    }

    /// A page of a conversation by number; none if it could not be had.
    pub async fn list(&self, process: usize, caller: &Caller, peer: &Arc<str>, part: &str) -> Option<Vec<Seen>> {
        let call = self.history.call();
        let mut step = Self::step(process, caller, Op::List, Phase::Invoke, call);
        step.conv = Some(conv(&caller.user, peer));
        self.history.add(step.clone());
        let path = format!("/api/v1/message/?target={peer}&{part}");
        let reply = self.ask(process, caller, Method::GET, &path, None).await;
        (step.phase, step.status) = (reply.phase(), reply.status());
        let results = reply.json()["results"].as_array().cloned().unwrap_or_default();
        step.messages = results.iter().map(|message| Seen::new(message, None)).collect();
        step.note = Some(part.into());
        let found = (step.phase == Phase::Ok).then(|| step.messages.clone());
        self.history.add(step);
        found
    }

    /// A user's conversations, all of them: peers with `last_seq`, and the cursor of the first page.
    pub async fn conversations(&self, process: usize, caller: &Caller) -> Option<(Vec<(Arc<str>, i64)>, String)> {
        let (mut all, mut cursor) = (Vec::new(), None);
        let mut path = "/api/v1/conversation/?limit=100".to_owned();
        loop {
            let call = self.history.call();
            let mut step = Self::step(process, caller, Op::Conversations, Phase::Invoke, call);
            self.history.add(step.clone());
            let reply = self.ask(process, caller, Method::GET, &path, None).await;
            (step.phase, step.status) = (reply.phase(), reply.status());
            let page = reply.json().clone();
            (step.epoch, step.pos) = page["cursor"].as_str().map_or((None, None), place);
            for one in page["results"].as_array().into_iter().flatten() {
                let peer: Arc<str> = Arc::from(one["peer"].as_str().unwrap_or_default());
                let number = |name: &str| one[name].as_i64().unwrap_or(-1);
                step.marks.push((conv(&caller.user, &peer), number("read_seq"), number("last_seq"), number("unread")));
                step.messages.extend(one.get("last_message").filter(|m| !m.is_null()).map(|m| Seen::new(m, None)));
                all.push((peer, number("last_seq")));
            }
            let ok = step.phase == Phase::Ok;
            self.history.add(step);
            if !ok {
                return None;
            }
            cursor = cursor.or_else(|| page["cursor"].as_str().map(str::to_owned));
            match page["next"].as_str().and_then(|next| next.find("/api/").map(|at| next[at..].to_owned())) {
                Some(next) => path = next,
                None => return cursor.map(|cursor| (all, cursor)),
            }
        }
    }

    /// A page of the log: its messages, the cursor behind it, and whether there is more; or the status.
    pub async fn sync(
        &self,
        process: usize,
        caller: &Caller,
        after: Option<&str>,
        note: Option<&str>,
    ) -> Result<(Vec<Seen>, String, bool), Option<u16>> {
        let call = self.history.call();
        let mut step = Self::step(process, caller, Op::Sync, Phase::Invoke, call);
        step.note = note.map(Arc::from);
        (step.epoch, step.pos) = after.map_or((None, None), place);
        self.history.add(step.clone());
        let path = after
            .map_or_else(|| "/api/v1/event/".to_owned(), |after| format!("/api/v1/event/?after={after}&limit=100"));
        let reply = self.ask(process, caller, Method::GET, &path, None).await;
        (step.phase, step.status) = (reply.phase(), reply.status());
        let json = reply.json();
        if let Some(cursor) = json["cursor"].as_str() {
            (step.epoch, step.pos) = place(cursor);
        }
        for event in json["events"].as_array().into_iter().flatten() {
            note_event(&mut step, event);
        }
        let ended = match (step.phase, json["cursor"].as_str()) {
            (Phase::Ok, Some(cursor)) => {
                Ok((step.messages.clone(), cursor.to_owned(), json["more"].as_bool().unwrap_or(false)))
            }
            _ => Err(step.status),
        };
        self.history.add(step);
        ended
    }

    /// Moves the caller's read mark.
    pub async fn read(&self, process: usize, caller: &Caller, peer: &Arc<str>, seq: i64) {
        let call = self.history.call();
        let mut step = Self::step(process, caller, Op::Read, Phase::Invoke, call);
        step.conv = Some(conv(&caller.user, peer));
        step.seq = Some(seq);
        self.history.add(step.clone());
        let path = format!("/api/v1/conversation/{peer}/read/");
        let reply = self.ask(process, caller, Method::POST, &path, Some(json!({"seq": seq}).to_string())).await;
        (step.phase, step.status) = (reply.phase(), reply.status());
        if let Some(read) = reply.json()["read_seq"].as_i64() {
            step.marks = vec![(conv(&caller.user, peer), read, 0, reply.json()["unread"].as_i64().unwrap_or(-1))];
        }
        self.history.add(step);
    }

    /// Asks for a message by its number: one of others, or one that does not exist.
    pub async fn probe(&self, process: usize, caller: &Caller, id: i64, what: &str) {
        let call = self.history.call();
        let mut step = Self::step(process, caller, Op::Probe, Phase::Invoke, call).note(what);
        step.id = Some(id);
        self.history.add(step.clone());
        let reply = self.ask(process, caller, Method::GET, &format!("/api/v1/message/{id}/"), None).await;
        (step.phase, step.status) = (reply.phase(), reply.status());
        if let Reply::Answer { text, json, .. } = &reply {
            step.body_hash = Some(hash(text));
            step.messages.extend((step.phase == Phase::Ok).then(|| Seen::new(json, None)));
        }
        self.history.add(step);
    }

    /// Ends the caller's session.
    pub async fn sign_out(&self, process: usize, caller: &Caller) -> Phase {
        let call = self.history.call();
        let mut step = Self::step(process, caller, Op::SignOut, Phase::Invoke, call);
        self.history.add(step.clone());
        let reply = self.ask(process, caller, Method::DELETE, "/api/v1/session/", None).await;
        (step.phase, step.status) = (reply.phase(), reply.status());
        let phase = step.phase;
        self.history.add(step);
        phase
    }
}

/// The epoch and the position of a cursor.
pub fn place(cursor: &str) -> (Option<u64>, Option<i64>) {
    Cursor::decode(cursor).map_or((None, None), |cursor| (Some(cursor.epoch.0), Some(cursor.at.pos)))
}

/// Adds an event of the log to a step. One that came over a socket is at the step's own position.
pub fn note_event(step: &mut Step, event: &Value) {
    let (_, pos) = event["cursor"].as_str().map_or((None, None), place);
    let pos = pos.or(step.pos.filter(|_| step.op == Op::Recv));
    let what = if event["type"] == "message_created" {
        let seen = Seen::new(&event["message"], pos);
        let what = hash(&format!("{} {}", seen.id, seen.digest));
        step.messages.push(seen);
        what
    } else {
        let peer = event["peer"].as_str().unwrap_or_default();
        let number = |name: &str| event[name].as_i64().unwrap_or(-1);
        let mark = (conv(&step.user, peer), number("read_seq"), 0, number("unread"));
        // How far it is read is told as of now, not as of then.
        let what = hash(&format!("{} {peer}", event["type"]));
        step.marks.extend((event["type"] == "read").then_some(mark));
        what
    };
    step.events.push((pos.unwrap_or(-1), what));
}

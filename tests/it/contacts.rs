//! Whom one hears from: blocks, who may write, requests of strangers, and what is reported to the staff.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::backend::{BOTH, Backend, on_each};
use crate::support::server::{Answer, Client, World, add_user};
use crate::support::socket::Socket;
use crate::support::trial;

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("contacts::bad_wishes_are_refused", bad_wishes_are_refused),
        trial("contacts::the_command_line_reads_reports", the_command_line_reads_reports),
    ];
    trials.extend(on_each(&BOTH, "contacts::who_is_blocked_is_not_heard", who_is_blocked_is_not_heard));
    trials.extend(on_each(&BOTH, "contacts::who_may_write", who_may_write));
    trials.extend(on_each(&BOTH, "contacts::strangers_ask_first", strangers_ask_first));
    trials.extend(on_each(&BOTH, "contacts::what_was_acknowledged_stays_so", what_was_acknowledged_stays_so));
    trials.extend(on_each(&BOTH, "contacts::nothing_gets_past_a_block_that_was_answered", nothing_gets_past_a_block));
    trials.extend(on_each(&BOTH, "contacts::reports_reach_the_staff", reports_reach_the_staff));
    trials
}

const MESSAGE: &str = "/api/v1/message/";
const BLOCK: &str = "/api/v1/block/";
const SETTINGS: &str = "/api/v1/settings/";
const REPORT: &str = "/api/v1/report/";

async fn send(client: &Client, to: &str, body: &str) -> Answer {
    client.post(MESSAGE, &json!({"recipient": to, "body": body})).await
}

async fn patch(client: &Client, path: &str, body: &Value) -> Answer {
    let headers = [("Content-Type", "application/json")];
    client.send("PATCH", path, &headers, Some(body.to_string().into_bytes())).await
}

async fn delete(client: &Client, path: &str) -> Answer {
    client.send("DELETE", path, &[], None).await
}

#[track_caller]
fn refused(answer: &Answer) {
    assert_eq!((answer.status, answer.json()), (403, json!({"detail": "This person can't be written to."})));
}

async fn who_is_blocked_is_not_heard(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let written = bob.say("ann", "hello").await;
    let mut phone = Socket::events(&ann, None).await;
    let made = ann.post(BLOCK, &json!({"user": " BOB "})).await.expect(201);
    assert_eq!((&made["user"], &made["display_name"], &made["avatar"]), (&json!("bob"), &json!(""), &json!(null)));
    assert_eq!(ann.post(BLOCK, &json!({"user": "bob"})).await.expect(200), made, "once");
    assert_eq!(ann.get(BLOCK).await.expect(200)["results"], json!([made]));
    assert_eq!(phone.event().await["event"]["type"], "blocks", "the other devices are told");
    refused(&send(&bob, "ann", "are you there?").await);
    refused(&patch(&bob, &format!("{MESSAGE}{}/", written["id"]), &json!({"body": "something new"})).await);
    let listed = ann.get("/api/v1/message/?target=bob").await.expect(200);
    assert_eq!((&listed["count"], &listed["results"][0]["body"]), (&json!(1), &json!("hello")), "nothing is stored");
    // Nobody but the two is concerned, and who blocks may write.
    let eve = world.person("eve").await;
    eve.say("ann", "hi").await;
    bob.say("eve", "hi").await;
    ann.say("bob", "leave me alone").await;
    // What one wrote may be taken back.
    assert_eq!(delete(&bob, &format!("{MESSAGE}{}/", written["id"])).await.status, 204);
    assert_eq!(delete(&ann, &format!("{BLOCK}bob/")).await.status, 204);
    assert_eq!(delete(&ann, &format!("{BLOCK}bob/")).await.status, 204, "the same again");
    bob.say("ann", "thank you").await;
    assert_eq!(ann.get(BLOCK).await.expect(200)["results"], json!([]));
    assert_eq!(bob.get(BLOCK).await.expect(200)["results"], json!([]), "everybody's own");
}

async fn who_may_write(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let (eve, dan) = (world.person("eve").await, world.person("dan").await);
    assert_eq!(ann.get(SETTINGS).await.expect(200)["who_may_write"], "everyone");
    bob.say("ann", "before").await;
    ann.say("eve", "hello").await;
    let set = patch(&ann, SETTINGS, &json!({"who_may_write": "contacts"})).await.expect(200);
    assert_eq!((&set["who_may_write"], &set["share_typing"]), (&json!("contacts"), &json!(true)));
    refused(&send(&bob, "ann", "ann has never written to bob").await);
    refused(&send(&dan, "ann", "nor to dan").await);
    eve.say("ann", "but to eve").await;
    patch(&ann, SETTINGS, &json!({"who_may_write": "nobody"})).await.expect(200);
    refused(&send(&dan, "ann", "nobody new").await);
    bob.say("ann", "there is a conversation").await;
    ann.say("ann", "notes are not letters").await;
    assert_eq!(ann.get("/api/v1/conversation/dan/").await.status, 404, "nothing is stored");
    assert_eq!(dan.get("/api/v1/conversation/").await.expect(200)["results"], json!([]));
    // Writing first opens the way.
    ann.say("dan", "hello dan").await;
    dan.say("ann", "hello ann").await;
    patch(&ann, SETTINGS, &json!({"who_may_write": "everyone"})).await.expect(200);
    world.person("new").await.say("ann", "hi").await;
}

async fn strangers_ask_first(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    patch(&ann, SETTINGS, &json!({"who_may_write": "requests"})).await.expect(200);
    let request = async |client: &Client, peer: &str| {
        client.get(&format!("/api/v1/conversation/{peer}/")).await.expect(200)["request"].clone()
    };
    let mut phone = Socket::events(&ann, None).await;
    bob.say("ann", "may I?").await;
    let event = phone.event().await["event"].clone();
    assert_eq!(
        (&event["type"], &event["request"], &event["unread"]),
        (&json!("message_created"), &json!(true), &json!(1))
    );
    assert_eq!((request(&ann, "bob").await, request(&bob, "ann").await), (json!(true), json!(false)));
    bob.say("ann", "please").await;
    assert_eq!(request(&ann, "bob").await, true, "asking again changes nothing");
    phone.event().await;
    let accepted = ann.post("/api/v1/conversation/bob/accept/", &json!({})).await.expect(200);
    assert_eq!((&accepted["peer"], &accepted["request"]), (&json!("bob"), &json!(false)));
    let event = phone.event().await["event"].clone();
    assert_eq!(
        (&event["type"], &event["peer"], &event["request"]),
        (&json!("conversation"), &json!("bob"), &json!(false))
    );
    bob.say("ann", "thank you").await;
    assert_eq!(request(&ann, "bob").await, false, "accepted is accepted");
    assert!(phone.event().await["event"].get("request").is_none());
    ann.post("/api/v1/conversation/bob/accept/", &json!({})).await.expect(200);
    ann.post("/api/v1/conversation/nobody/accept/", &json!({})).await.expect(404);
    // Writing back accepts.
    let eve = world.person("eve").await;
    eve.say("ann", "hi").await;
    assert_eq!(request(&ann, "eve").await, true);
    ann.say("eve", "hello").await;
    assert_eq!(request(&ann, "eve").await, false);
    // Whoever was written to first is no stranger.
    let dan = world.person("dan").await;
    ann.say("dan", "hello").await;
    dan.say("ann", "hi").await;
    assert_eq!(request(&ann, "dan").await, false);
}

/// A send whose answer was lost is acknowledged again, also behind a block; another one is not.
async fn what_was_acknowledged_stays_so(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let letter = |key: &str, body: &str| json!({"recipient": "ann", "body": body, "client_id": key});
    let first = bob.post(MESSAGE, &letter("one", "hello")).await.expect(201);
    ann.post(BLOCK, &json!({"user": "bob"})).await.expect(201);
    assert_eq!(bob.post(MESSAGE, &letter("one", "hello")).await.expect(200), first);
    bob.post(MESSAGE, &letter("one", "other")).await.expect(409);
    refused(&bob.post(MESSAGE, &letter("two", "hello")).await);
    delete(&ann, &format!("{BLOCK}bob/")).await;
    let second = bob.post(MESSAGE, &letter("two", "hello")).await.expect(201);
    assert_eq!(second["seq"], 2, "what was refused has taken no number");
}

/// Sends and a block at once: what was stored was acknowledged, and nothing that was sent after the block was answered.
async fn nothing_gets_past_a_block(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let eve = world.person("eve").await;
    let sends = async {
        let tries = (0..40).map(|i| {
            let (bob, eve) = (&bob, &eve);
            async move {
                let body = format!("{i}");
                let by_eve = send(eve, "ann", &body).await.status;
                (send(bob, "ann", &body).await.status, by_eve)
            }
        });
        futures_util::future::join_all(tries).await
    };
    let block = async {
        ann.post(BLOCK, &json!({"user": "bob"})).await.expect(201);
        for _ in 0..10 {
            refused(&send(&bob, "ann", "behind it").await);
        }
    };
    let (sent, ()) = tokio::join!(sends, block);
    let stored = sent.iter().filter(|(bobs, _)| *bobs == 201).count();
    assert!(sent.iter().all(|(bobs, eves)| [201, 403].contains(bobs) && *eves == 201), "{sent:?}");
    assert_eq!(ann.get("/api/v1/message/?target=bob").await.expect(200)["count"], stored);
    assert_eq!(ann.get("/api/v1/message/?target=eve").await.expect(200)["count"], 40);
}

async fn reports_reach_the_staff(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let eve = world.person("eve").await;
    add_user(&*world.database.store().await, "root", true).await;
    let root = Client::signed_in(&world.server.url, "root").await;
    let mut ids = Vec::new();
    for i in 0..9 {
        ids.push(bob.say("ann", &format!("number {i}")).await["id"].clone());
    }
    let own = ann.say("bob", "stop it").await;
    let wish = |id: &Value, reason: &str| json!({"message": id, "reason": reason});
    let made = ann.post(REPORT, &wish(&ids[4], "he <b>goes on</b>")).await.expect(201);
    assert_eq!(ann.post(REPORT, &wish(&ids[4], "again")).await.expect(201), made, "the same is one report");
    // What is taken back afterwards is read all the same.
    delete(&bob, &format!("{MESSAGE}{}/", ids[4])).await;
    eve.post(REPORT, &wish(&ids[4], "")).await.expect(404);
    let refused = ann.post(REPORT, &wish(&own["id"], "")).await.expect(400);
    assert_eq!(refused, json!({"message": ["This message is your own."]}));
    for nobody in [&ann, &bob, &eve] {
        nobody.get(REPORT).await.expect(403);
        patch(nobody, &format!("{REPORT}{}/", made["id"]), &json!({"closed": true})).await.expect(403);
    }
    let page = root.get(REPORT).await.expect(200);
    assert_eq!((&page["next"], page["results"].as_array().map(Vec::len)), (&json!(null), Some(1)));
    let report = &page["results"][0];
    assert_eq!(
        (&report["id"], &report["reporter"], &report["reason"]),
        (&made["id"], &json!("ann"), &json!("he <b>goes on</b>"))
    );
    assert_eq!((&report["message"]["id"], &report["message"]["body"]), (&ids[4], &json!("number 4")));
    let context: Vec<_> = report["context"].as_array().expect("messages").iter().map(|m| m["seq"].clone()).collect();
    assert!(context.len() >= 8 && context.windows(2).all(|two| two[0].as_i64() < two[1].as_i64()), "{context:?}");
    let closed = patch(&root, &format!("{REPORT}{}/", made["id"]), &json!({"closed": true})).await.expect(200);
    assert_eq!((&closed["closed_by"], closed["closed_at"].is_string()), (&json!("root"), true));
    assert_eq!(root.get(REPORT).await.expect(200)["results"], json!([]));
    assert_eq!(root.get(&format!("{REPORT}?state=closed")).await.expect(200)["results"][0]["id"], made["id"]);
    patch(&root, &format!("{REPORT}{}/", made["id"]), &json!({"closed": false})).await.expect(200);
    assert_eq!(root.get(REPORT).await.expect(200)["results"][0]["closed_by"], json!(null));
    patch(&root, &format!("{REPORT}999/"), &json!({"closed": true})).await.expect(404);
}

async fn bad_wishes_are_refused() {
    let world = World::with(Backend::Sqlite, &[("REPORTS_PER_HOUR", "2")]).await;
    let (ann, bob) = world.two().await;
    assert_eq!(
        ann.post(BLOCK, &json!({"user": "ann"})).await.expect(400),
        json!({"user": ["You cannot block yourself."]})
    );
    ann.post(BLOCK, &json!({"user": "nobody"})).await.expect(404);
    ann.post(BLOCK, &json!({})).await.expect(400);
    assert_eq!(delete(&ann, &format!("{BLOCK}nobody/")).await.status, 404);
    for bad in [json!("all"), json!(null), json!(1)] {
        let refused = patch(&ann, SETTINGS, &json!({"who_may_write": bad})).await;
        assert_eq!(refused.status, 400, "{bad}");
    }
    let id = bob.say("ann", "x").await["id"].clone();
    for bad in [json!({}), json!({"message": "x"}), json!({"message": id, "reason": "y".repeat(1001)})] {
        assert_eq!(ann.post(REPORT, &bad).await.status, 400, "{bad}");
    }
    for status in [201, 201, 429] {
        let answer = ann.post(REPORT, &json!({"message": id})).await;
        assert_eq!(answer.status, status);
    }
}

async fn the_command_line_reads_reports() {
    let world = World::new(Backend::Sqlite).await;
    let (ann, bob) = world.two().await;
    let id = bob.say("ann", "an ugly word").await["id"].clone();
    let report = ann.post(REPORT, &json!({"message": id, "reason": "ugly"})).await.expect(201)["id"].to_string();
    let chatd = |args: &[&str]| crate::support::server::chatd(&world, &[], args);
    let listed = String::from_utf8(chatd(&["report", "list"]).stdout).expect("text");
    assert!(listed.contains("ann") && listed.contains("bob: an ugly word") && listed.contains("ugly"), "{listed}");
    let json: Value = serde_json::from_slice(&chatd(&["report", "list", "--json"]).stdout).expect("JSON");
    assert_eq!(json[0]["message"], id);
    assert!(chatd(&["report", "close", &report]).status.success());
    assert_eq!(chatd(&["report", "close", "77"]).status.code(), Some(1));
    let json: Value = serde_json::from_slice(&chatd(&["report", "list", "--json"]).stdout).expect("JSON");
    assert_eq!(json, json!([]));
    let json: Value = serde_json::from_slice(&chatd(&["report", "list", "--closed", "--json"]).stdout).expect("JSON");
    assert_eq!(json[0]["reporter"], "ann");
}

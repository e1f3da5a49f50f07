//! What people say of themselves, over HTTP: told to their own devices, and seen by others where their name stands.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::backend::{BOTH, Backend, on_each};
use crate::support::server::{Answer, Client, World, chatd};
use crate::support::socket::Socket;

pub fn trials() -> Vec<Trial> {
    let mut trials = on_each(&BOTH, "profiles::a_profile_is_changed_and_told", a_profile_is_changed_and_told);
    trials.extend(on_each(&BOTH, "profiles::others_see_it_where_the_name_stands", others_see_it_where_the_name_stands));
    trials.extend(on_each(&BOTH, "profiles::what_is_wrong_changes_nothing", what_is_wrong_changes_nothing));
    trials.extend(on_each(&BOTH, "profiles::who_is_not_active_has_only_a_name", who_is_not_active_has_only_a_name));
    trials
}

const OWN: &str = "/api/v1/account/profile/";

async fn patch(client: &Client, body: &Value) -> Answer {
    let kind = [("Content-Type", "application/json")];
    client.send("PATCH", OWN, &kind, Some(body.to_string().into_bytes())).await
}

async fn a_profile_is_changed_and_told(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let nothing =
        json!({"display_name": "", "about": "", "time_zone": "", "language": "", "avatar": null, "version": 0});
    assert_eq!(ann.get(OWN).await.expect(200), nothing);
    let (mut anns, mut bobs) = (Socket::events(&ann, None).await, Socket::events(&bob, None).await);
    let change = json!({"display_name": "  Ann  Smith ", "about": "On <b>holiday</b> & away 🎉",
        "time_zone": "europe/berlin", "language": "de"});
    let expected = json!({"display_name": "Ann Smith", "about": "On <b>holiday</b> & away 🎉",
        "time_zone": "Europe/Berlin", "language": "de", "avatar": null, "version": 1});
    assert_eq!(patch(&ann, &change).await.expect(200), expected);
    assert_eq!(ann.get(OWN).await.expect(200), expected);
    let mut event = anns.event().await["event"].clone();
    assert_eq!(event["type"], "profile_changed");
    event.as_object_mut().unwrap().retain(|name, _| name != "type" && name != "cursor");
    assert_eq!(event, expected);
    let session = ann.get("/api/v1/session/").await.expect(200);
    assert_eq!(
        (&session["user"], &session["display_name"], &session["language"], &session["avatar"]),
        (&json!("ann"), &json!("Ann Smith"), &json!("de"), &Value::Null)
    );
    // Part by part, in the words of a form, and nothing at all.
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let less = ann.send("PATCH", OWN, &form, Some(b"about=&language=".to_vec())).await.expect(200);
    assert_eq!(
        (&less["about"], &less["language"], &less["display_name"], &less["version"]),
        (&json!(""), &json!(""), &json!("Ann Smith"), &json!(2))
    );
    assert_eq!(patch(&ann, &json!({})).await.expect(200), less);
    assert_eq!(anns.event().await["event"]["version"], 2);
    // Nobody else was told: the next that bob hears of is a message.
    ann.say("bob", "hi").await;
    assert_eq!(bobs.event().await["event"]["type"], "message_created");
}

async fn others_see_it_where_the_name_stands(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let message = ann.say("bob", "hi").await;
    patch(&bob, &json!({"display_name": "Robert", "about": "Here", "time_zone": "Asia/Tokyo", "language": "ar"}))
        .await
        .expect(200);
    let roberts = json!({"username": "bob", "display_name": "Robert", "about": "Here", "avatar": null,
        "time_zone": "Asia/Tokyo"});
    for name in ["bob", "BOB", "%20bob"] {
        assert_eq!(ann.get(&format!("/api/v1/profile/{name}/")).await.expect(200), roberts, "{name}");
    }
    assert_eq!(bob.get("/api/v1/profile/bob/").await.expect(200), roberts);
    let list = ann.get("/api/v1/conversation/").await.expect(200);
    let one = ann.get("/api/v1/conversation/bob/").await.expect(200);
    for conversation in [&list["results"][0], &one] {
        assert_eq!((&conversation["peer"], &conversation["display_name"]), (&json!("bob"), &json!("Robert")));
        assert_eq!(conversation["avatar"], Value::Null);
    }
    assert_eq!(bob.get("/api/v1/conversation/ann/").await.expect(200)["display_name"], "");
    let found = ann.get("/api/v1/user/?search=bo").await.expect(200);
    assert_eq!(found["results"], json!([{"username": "bob", "display_name": "Robert", "avatar": null}]));
    // What the predecessor's clients read stays as it was.
    assert_eq!(ann.get("/api/v1/user/").await.expect(200), json!([{"username": "bob"}]));
    let id = &message["id"];
    assert_eq!(ann.get(&format!("/api/v1/message/{id}/")).await.expect(200), message);
    for nobody in ["nobody", "%00", &"x".repeat(200)] {
        let absent = ann.get(&format!("/api/v1/profile/{nobody}/")).await;
        assert_eq!(absent.expect(404), json!({"detail": "Not found."}));
    }
    Client::new(&world.server.url).get("/api/v1/profile/bob/").await.expect(403);
}

async fn what_is_wrong_changes_nothing(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, _bob) = world.two().await;
    let before = patch(&ann, &json!({"display_name": "Ann", "about": "x"})).await.expect(200);
    let hidden = "This may not contain control characters or characters that change the direction of the text.";
    let taken = "This is, or looks like, the username of somebody else.";
    let zone = "Enter the name of a time zone, such as Europe/Berlin.";
    for (name, value, error) in [
        ("display_name", json!("x".repeat(65)), "Ensure this field has no more than 64 characters."),
        ("display_name", json!("a\u{202e}b"), hidden),
        ("display_name", json!("a\0b"), hidden),
        ("display_name", json!("B o b"), taken),
        ("display_name", json!("b0b"), taken),
        ("display_name", json!("Support"), "This name is reserved."),
        ("display_name", json!("Раypal"), "This name mixes letters of different scripts."),
        ("display_name", json!("!!"), "A name needs a letter or a digit."),
        ("display_name", json!(null), "This field may not be null."),
        ("display_name", json!(["x"]), "Not a valid string."),
        ("about", json!("x".repeat(201)), "Ensure this field has no more than 200 characters."),
        ("about", json!("a\u{2067}b"), hidden),
        ("time_zone", json!("Mars/Olympus"), zone),
        ("time_zone", json!("+02:00"), zone),
        ("language", json!("tlh"), "Select a valid choice: en, de, ar, or nothing."),
    ] {
        let refused = patch(&ann, &json!({"about": "other", name: value})).await.expect(400);
        assert_eq!(refused, json!({name: [error]}), "{name} {value}");
    }
    let all = patch(&ann, &json!({"display_name": "..", "time_zone": "x"})).await.expect(400);
    assert_eq!(all, json!({"display_name": ["A name needs a letter or a digit."], "time_zone": [zone]}));
    assert_eq!(ann.get(OWN).await.expect(200), before);
    Client::new(&world.server.url).get(OWN).await.expect(403);
}

async fn who_is_not_active_has_only_a_name(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    ann.say("bob", "hi").await;
    patch(&bob, &json!({"display_name": "Robert", "about": "Here"})).await.expect(200);
    assert_eq!(ann.get("/api/v1/profile/bob/").await.expect(200)["about"], "Here");
    assert!(chatd(&world, &[], &["user", "set", "bob", "--inactive"]).status.success());
    let expected = json!({"username": "bob", "display_name": "", "about": "", "avatar": null, "time_zone": ""});
    assert_eq!(ann.get("/api/v1/profile/bob/").await.expect(200), expected);
    assert_eq!(ann.get("/api/v1/conversation/bob/").await.expect(200)["display_name"], "");
}

//! What every bus must do. A bus of several processes is two of its buses over one Redis.

use std::sync::Arc;
use std::time::Duration;

use chatd::bus::{Bus, LocalBus, RedisBus, Subscription};
use chatd::domain::Position;
use libtest_mimic::Trial;
use tokio::time::timeout;

use crate::support::backend::service;
use crate::support::{trial, until};

#[derive(Clone, Copy)]
enum Kind {
    Local,
    Redis,
}

/// Two ends of one bus: what the first publishes, the second hears.
struct Ends {
    speaker: Arc<dyn Bus>,
    listener: Arc<dyn Bus>,
}

async fn ends(kind: Kind) -> Ends {
    match kind {
        Kind::Local => {
            let bus: Arc<dyn Bus> = Arc::new(LocalBus::default());
            Ends { speaker: bus.clone(), listener: bus }
        }
        Kind::Redis => {
            let url = service("redis").expect("Redis is here");
            let install = format!("{:016x}", rand::random::<u64>());
            let [speaker, listener] = [0, 1].map(|_| Arc::new(RedisBus::start(&url, &install).expect("a bus")));
            for bus in [&speaker, &listener] {
                until("the bus to connect", Duration::from_secs(10), || async { bus.is_healthy().then_some(()) }).await;
            }
            Ends { speaker, listener }
        }
    }
}

macro_rules! on_every_bus {
    ($($test:ident),* $(,)?) => {
        pub fn trials() -> Vec<Trial> {
            let mut trials = Vec::new();
            for (name, kind, here) in [("local", Kind::Local, true), ("redis", Kind::Redis, service("redis").is_some())] {
                $(trials.push(trial(format!("bus::{}::{name}", stringify!($test)), move || async move {
                    $test(ends(kind).await).await;
                }).with_ignored_flag(!here));)*
            }
            trials
        }
    };
}

on_every_bus![
    a_word_wakes_its_listener,
    every_listener_of_a_user_is_woken,
    others_sleep_on,
    ten_words_may_be_one_wake,
    a_listener_that_left_can_come_back,
    two_installations_do_not_hear_each_other,
    nonsense_is_passed_over,
    a_poll_wakes_only_what_has_moved,
];

async fn woken(subscription: &mut Subscription) -> bool {
    timeout(Duration::from_secs(5), subscription.woken()).await.is_ok()
}

/// Whether it sleeps at this moment: words that were said before are heard before.
async fn sleeps(subscription: &mut Subscription) -> bool {
    timeout(Duration::from_millis(1), subscription.woken()).await.is_err()
}

async fn a_word_wakes_its_listener(bus: Ends) {
    let mut ann = bus.listener.subscribe(1).await;
    bus.speaker.publish(&[(1, 5)]).await;
    assert!(woken(&mut ann).await);
    bus.speaker.publish(&[(1, 6)]).await;
    assert!(woken(&mut ann).await);
}

async fn every_listener_of_a_user_is_woken(bus: Ends) {
    let (mut one, mut two) = (bus.listener.subscribe(1).await, bus.listener.subscribe(1).await);
    let mut near = bus.speaker.subscribe(1).await;
    bus.speaker.publish(&[(1, 5)]).await;
    assert!(woken(&mut one).await && woken(&mut two).await && woken(&mut near).await);
}

async fn others_sleep_on(bus: Ends) {
    let (mut ann, mut bob) = (bus.listener.subscribe(1).await, bus.listener.subscribe(2).await);
    bus.speaker.publish(&[(1, 5)]).await;
    assert!(woken(&mut ann).await, "need one who is woken for this to mean anything");
    assert!(sleeps(&mut bob).await);
}

async fn ten_words_may_be_one_wake(bus: Ends) {
    let (mut ann, mut bob) = (bus.listener.subscribe(1).await, bus.listener.subscribe(2).await);
    for pos in 0..10 {
        bus.speaker.publish(&[(1, pos)]).await;
    }
    bus.speaker.publish(&[(2, 1)]).await;
    assert!(woken(&mut ann).await);
    assert!(woken(&mut bob).await);
    // The marker came last: every word for the first has been heard, and none is kept waiting.
    let _ = sleeps(&mut ann).await;
    assert!(sleeps(&mut ann).await);
}

async fn a_listener_that_left_can_come_back(bus: Ends) {
    drop(bus.listener.subscribe(1).await);
    assert!(bus.listener.registry().users().is_empty());
    let mut ann = bus.listener.subscribe(1).await;
    bus.speaker.publish(&[(1, 5)]).await;
    assert!(woken(&mut ann).await);
}

async fn two_installations_do_not_hear_each_other(bus: Ends) {
    let Some(url) = service("redis") else { return };
    let other = RedisBus::start(&url, "another").expect("a bus");
    until("the bus to connect", Duration::from_secs(10), || async { other.is_healthy().then_some(()) }).await;
    let mut theirs = other.subscribe(1).await;
    let mut ours = bus.listener.subscribe(1).await;
    bus.speaker.publish(&[(1, 5)]).await;
    assert!(woken(&mut ours).await);
    other.publish(&[(2, 1)]).await;
    assert!(sleeps(&mut theirs).await);
}

async fn nonsense_is_passed_over(bus: Ends) {
    let mut ann = bus.listener.subscribe(1).await;
    if let Some(url) = service("redis") {
        let client = redis::Client::open(url).expect("an address");
        let mut raw = client.get_multiplexed_async_connection().await.expect("connects");
        for install in ["*", "x"] {
            for payload in ["", "no number", "99999999999999999999", "\u{0}\u{1}"] {
                let channel = format!("chatd:{install}:1");
                let _: i64 = redis::cmd("PUBLISH").arg(channel).arg(payload).query_async(&mut raw).await.expect("said");
            }
        }
    }
    bus.speaker.publish(&[(1, i64::MAX)]).await;
    assert!(woken(&mut ann).await);
    bus.speaker.publish(&[(1, 1)]).await;
    assert!(woken(&mut ann).await, "a huge position must not deafen");
}

async fn a_poll_wakes_only_what_has_moved(bus: Ends) {
    let mut ann = bus.listener.subscribe(1).await;
    let registry = bus.listener.registry();
    let at = |pos, tag| Position { pos, tag };
    registry.polled(1, at(7, 70));
    assert!(woken(&mut ann).await);
    registry.polled(1, at(7, 70));
    assert!(sleeps(&mut ann).await);
    registry.polled(1, at(8, 80));
    assert!(woken(&mut ann).await);
    registry.polled(1, at(8, 81));
    assert!(woken(&mut ann).await, "put back, and as far again");
}

//! `chatd test-data`: believable people and conversations, the same ones for the same seed.

mod phrases;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures_util::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::{clock, open_store};
use crate::auth::Hasher;
use crate::config::Settings;
use crate::domain::{Body, ClientId, Mark, NewMessage, NewUser, SendKey, Timestamp, User, Username};
use crate::store::{Messages as _, Rule, SqlStore, StoreError, Users as _};

/// The password of everybody that is made.
pub const PASSWORD: &str = "test-data-password";
/// The newest message of a plain run: a fixed moment, so that the same seed gives the same data.
const END: Timestamp = Timestamp(1_767_225_600_000_000);
/// How many messages are made before they are stored.
const PART: usize = 8192;

/// Fill the database with believable people and conversations.
#[derive(Args)]
pub struct TestData {
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..=10_000_000))]
    users: u32,
    #[arg(long, default_value_t = 5000)]
    messages: u64,
    /// The same seed gives the same data
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl TestData {
    pub async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let store = open_store(settings).await?;
        let hash = Hasher::default().hash(PASSWORD).await?;
        let users = add_people(&store, self.users, self.seed, &hash).await?;
        let pairs = add_messages(&store, &users, self.messages, self.seed, END).await?;
        mark_read(&store, &pairs, self.seed).await?;
        println!(
            "{} people, {} messages in {} conversations; everybody's password is {PASSWORD}",
            users.len(),
            self.messages,
            pairs.len()
        );
        store.close().await;
        Ok(())
    }
}

fn progress(what: &'static str, total: u64) -> ProgressBar {
    // Hidden by itself where standard error is no terminal.
    let style = ProgressStyle::with_template("{msg:14} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}");
    let bar = ProgressBar::new(total).with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The names of the people of a seed, in order.
fn names(count: u32, seed: u64) -> impl Iterator<Item = String> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..count).map(move |n| {
        let first = phrases::NAMES.choose(&mut rng).copied().unwrap_or("alex");
        let family = phrases::FAMILIES.choose(&mut rng).copied().unwrap_or("doe");
        match n % 3 {
            0 => format!("{first}.{family}{n}"),
            1 => format!("{first}_{n}"),
            _ => format!("{first}{family}-{n}"),
        }
    })
}

async fn add_people(store: &Arc<SqlStore>, count: u32, seed: u64, hash: &str) -> anyhow::Result<Vec<User>> {
    let bar = progress("people", u64::from(count));
    let mut users = Vec::new();
    // One after the other: their numbers belong to what a seed repeats.
    for name in names(count, seed) {
        let username = Username::new(&name)?;
        let email = format!("person{}@example.invalid", users.len());
        let new = NewUser { username, password_hash: hash.to_owned(), email, is_staff: false, is_superuser: false };
        match store.add_user(&new, END.minus(Duration::from_hours(9600))).await {
            Err(StoreError::Conflict(Rule::Username)) => {
                anyhow::bail!("there is a user {name} already; take another --seed")
            }
            added => users.push(added?),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(users)
}

type Pair = (User, User, i64);

/// Conversations of very different lengths, in the year before `end`.
async fn add_messages(
    store: &SqlStore,
    users: &[User],
    total: u64,
    seed: u64,
    end: Timestamp,
) -> anyhow::Result<Vec<Pair>> {
    let mut rng = StdRng::seed_from_u64(seed ^ 0x6d65_7373_6167_6573);
    let bar = progress("messages", total);
    let mut pairs = Vec::new();
    let mut part = Vec::with_capacity(PART);
    let mut made = 0;
    let mut used = std::collections::HashSet::new();
    while made < total {
        // Some people talk to many, most to a few: the square prefers the first ones.
        let a = pick(&mut rng, users.len());
        let b = if rng.random_ratio(1, 50) { a } else { rng.random_range(0..users.len()) };
        if !used.insert((a.min(b), a.max(b))) && used.len() < users.len() * (users.len() + 1) / 2 {
            continue;
        }
        let longest = if rng.random_ratio(1, 20) { 1000 } else { 80 };
        let length = rng.random_range(1..=longest).min(total - made);
        let speaker = Conversation { a: &users[a], b: &users[b], seed };
        let last = end.minus(Duration::from_secs(rng.random_range(0..30 * 86_400)));
        speaker.write(&mut rng, length, made, last, &mut part);
        pairs.push((users[a].clone(), users[b].clone(), i64::try_from(length)?));
        made += length;
        if part.len() >= PART {
            store.add_history(&part).await?;
            bar.inc(part.len() as u64);
            part.clear();
        }
    }
    store.add_history(&part).await?;
    bar.finish_and_clear();
    Ok(pairs)
}

fn pick(rng: &mut StdRng, count: usize) -> usize {
    let (x, y) = (rng.random_range(0..count), rng.random_range(0..count));
    x.min(y)
}

struct Conversation<'a> {
    a: &'a User,
    b: &'a User,
    seed: u64,
}

impl Conversation<'_> {
    /// Adds `length` messages, the newest at `last`.
    fn write(&self, rng: &mut StdRng, length: u64, first: u64, last: Timestamp, out: &mut Vec<NewMessage>) {
        let language = phrases::LANGUAGES.choose(rng).copied().unwrap_or(phrases::LANGUAGES[0]);
        let mut gaps: Vec<u64> = (0..length)
            .map(|_| if rng.random_ratio(1, 8) { rng.random_range(3600..40_000) } else { rng.random_range(5..240) })
            .collect();
        let mut left: u64 = gaps.iter().sum();
        let mut a_speaks = true;
        for (n, gap) in gaps.drain(..).enumerate() {
            left -= gap;
            if rng.random_ratio(3, 5) {
                a_speaks = !a_speaks;
            }
            let (from, to) = if a_speaks { (self.a, self.b) } else { (self.b, self.a) };
            let text = text(rng, language);
            let key = ClientId::new(&format!("seed-{}-{}", self.seed, first + n as u64));
            let (Ok(body), Ok(key)) = (Body::new(&text, 10_000), key) else { continue };
            let now = last.minus(Duration::from_secs(left)).plus(Duration::from_micros(rng.random_range(0..1_000_000)));
            let key = SendKey::Made(key);
            out.push(NewMessage { sender: from.id, recipient: to.id, body, key, reply_to: None, now });
        }
    }
}

fn text(rng: &mut StdRng, language: &[&str]) -> String {
    let mut text = language.choose(rng).copied().unwrap_or("…").to_owned();
    for _ in 0..rng.random_range(0..3u32) {
        text.push(if rng.random_ratio(1, 12) { '\n' } else { ' ' });
        text.push_str(language.choose(rng).copied().unwrap_or("…"));
    }
    match rng.random_range(0..20u32) {
        0..=3 => format!("{text} {}", phrases::EMOJI.choose(rng).copied().unwrap_or("🙂")),
        4 => phrases::EMOJI.choose(rng).copied().unwrap_or("🙂").to_owned(),
        5 => format!("{text} https://example.org/{}", rng.random_range(1..9999u32)),
        _ => text,
    }
}

/// Most has been read; some of it not.
async fn mark_read(store: &Arc<SqlStore>, pairs: &[Pair], seed: u64) -> anyhow::Result<()> {
    let mut rng = StdRng::seed_from_u64(seed ^ 0x7265_6164);
    let mut marks = Vec::new();
    for (a, b, length) in pairs.iter().filter(|(a, b, _)| a.id != b.id) {
        marks.push((a.id, b.id, *length));
        let unread = if rng.random_ratio(1, 4) { rng.random_range(1..=6) } else { 0 };
        marks.push((b.id, a.id, length - unread));
    }
    let bar = progress("read marks", marks.len() as u64);
    let now = clock().now();
    let mut done = futures_util::stream::iter(marks)
        .map(|(user, peer, seq)| {
            let store = store.clone();
            async move { store.mark(user, peer, (Mark::Read, seq), now).await }
        })
        .buffer_unordered(16);
    while let Some(marked) = done.next().await {
        marked?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// A few people around two who can sign in, with recent conversations. For `serve --demo`.
pub async fn demo(store: &Arc<SqlStore>, two: [&str; 2], hash: &str) -> anyhow::Result<()> {
    let now = clock().now();
    let mut users = Vec::new();
    for name in two {
        let username = Username::new(name)?;
        let password_hash = hash.to_owned();
        let new =
            NewUser { username, password_hash, email: String::new(), is_staff: false, is_superuser: name == two[0] };
        users.push(store.add_user(&new, now).await?);
    }
    for name in ["maya", "tomáš", "ゆき", "lucía", "omar", "priya", "jonas", "Ελένη"] {
        let username = Username::new(name)?;
        let new = NewUser {
            username,
            password_hash: "!".to_owned(),
            email: String::new(),
            is_staff: false,
            is_superuser: false,
        };
        users.push(store.add_user(&new, now).await?);
    }
    let mut rng = StdRng::seed_from_u64(7);
    let mut history = Vec::new();
    let mut pairs = Vec::new();
    for (n, peer) in users.iter().enumerate().skip(1) {
        let me = &users[usize::from(n > 6)];
        let length = if n == 1 { 0 } else { rng.random_range(8..60) };
        let last = now.minus(Duration::from_secs((n * n) as u64 * 4100));
        Conversation { a: me, b: peer, seed: 7 }.write(&mut rng, length, n as u64 * 1000, last, &mut history);
        pairs.push((me.clone(), peer.clone(), i64::try_from(length)?));
    }
    for (n, (from, text)) in phrases::DEMO.iter().enumerate() {
        let (from, to) = (&users[*from], &users[1 - *from]);
        let ago = Duration::from_secs((phrases::DEMO.len() - n) as u64 * 70);
        let (Ok(body), Ok(key)) = (Body::new(text, 10_000), ClientId::new(&format!("demo-{n}"))) else { continue };
        history.push(NewMessage {
            sender: from.id,
            recipient: to.id,
            body,
            key: SendKey::Made(key),
            reply_to: None,
            now: now.minus(ago),
        });
    }
    pairs[0].2 = i64::try_from(phrases::DEMO.len())? - 2;
    store.add_history(&history).await?;
    mark_read(store, &pairs, 7).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_and_the_same_for_a_seed() {
        let made: Vec<_> = names(2000, 3).collect();
        assert_eq!(made, names(2000, 3).collect::<Vec<_>>());
        assert_ne!(made, names(2000, 4).collect::<Vec<_>>());
        let mut keys: Vec<_> = made.iter().map(|name| Username::new(name).unwrap().key().as_str().to_owned()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), made.len());
    }
}

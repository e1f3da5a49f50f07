//! A device as people have them: it displays what it is told, goes on from its cursor after every interruption, and
//! starts over when it is told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::calls::{Caller, Calls, note_event, place};
use crate::history::{Op, Phase, Step};

/// How a device behaves.
#[derive(Clone, Copy)]
pub struct Habits {
    /// Leaves by itself after so long, at most; none stays as long as it may.
    pub leaves_within: Option<Duration>,
    /// Asks for pages of the log before it listens again, one time out of so many.
    pub pages_first: u32,
}

pub struct Device {
    pub caller: Caller,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    cursor: Mutex<String>,
    /// From now on it leaves no more by itself.
    calm: AtomicBool,
    stop: AtomicBool,
    listens: AtomicBool,
}

impl Device {
    /// Starts to listen behind `cursor`, at the servers in turn.
    pub fn start(calls: Calls, caller: Caller, cursor: String, habits: Habits, seed: u64) -> Self {
        let state = Arc::new(State {
            cursor: Mutex::new(cursor),
            calm: AtomicBool::default(),
            stop: AtomicBool::default(),
            listens: AtomicBool::default(),
        });
        let rng = SmallRng::seed_from_u64(seed);
        let work = Work { calls, caller: caller.clone(), state: state.clone(), habits, rng, refused: 0 };
        Self { caller, state, task: tokio::spawn(work.run()) }
    }

    pub fn cursor(&self) -> String {
        self.state.cursor.lock().unwrap().clone()
    }

    /// It stays connected from now on.
    pub fn calm(&self) {
        self.state.calm.store(true, Ordering::Relaxed);
    }

    /// Whether it is connected at this moment.
    pub fn listens(&self) -> bool {
        self.state.listens.load(Ordering::Relaxed)
    }

    pub async fn stop(self) {
        self.state.stop.store(true, Ordering::Relaxed);
        self.task.abort();
        let _ = self.task.await;
    }
}

struct Work {
    calls: Calls,
    caller: Caller,
    state: Arc<State>,
    habits: Habits,
    rng: SmallRng,
    /// How often in a row it was not let in: it waits longer each time.
    refused: u32,
}

impl Work {
    async fn run(mut self) {
        let mut process = self.rng.random_range(0..self.calls.processes());
        while !self.state.stop.load(Ordering::Relaxed) {
            process = (process + 1) % self.calls.processes();
            if self.rng.random_ratio(1, self.habits.pages_first.max(1)) {
                self.page(process).await;
            }
            let code = self.listen(process).await;
            self.state.listens.store(false, Ordering::Relaxed);
            let mut step = self.step(process, Op::Close, Phase::Ok);
            step.status = code;
            self.calls.history.add(step);
            let pause = Duration::from_millis(self.rng.random_range(10..150) << self.refused.min(4));
            tokio::time::sleep(pause).await;
        }
    }

    fn step(&self, process: usize, op: Op, phase: Phase) -> Step {
        let mut step = Step::new(op, phase, 0, &self.caller.user, &self.caller.device);
        step.proc = u8::try_from(process).unwrap_or(u8::MAX);
        step
    }

    fn cursor(&self) -> String {
        self.state.cursor.lock().unwrap().clone()
    }

    fn moves(&self, cursor: &str) {
        cursor.clone_into(&mut self.state.cursor.lock().unwrap());
    }

    /// Pages of the log up to its end.
    async fn page(&mut self, process: usize) {
        loop {
            let cursor = self.cursor();
            match self.calls.sync(process, &self.caller, Some(&cursor), None).await {
                Ok((_, cursor, more)) => {
                    self.moves(&cursor);
                    if !more {
                        return;
                    }
                }
                Err(Some(410)) => return self.start_over(process).await,
                Err(_) => return,
            }
        }
    }

    /// Forgets everything, and goes on from a snapshot.
    async fn start_over(&mut self, process: usize) {
        if let Some((_, cursor)) = self.calls.conversations(process, &self.caller).await {
            let mut step = self.step(process, Op::Reset, Phase::Ok);
            (step.epoch, step.pos) = place(&cursor);
            self.calls.history.add(step);
            self.moves(&cursor);
        }
    }

    /// Listens until something ends it; the code of the close frame.
    async fn listen(&mut self, process: usize) -> Option<u16> {
        let base = self.calls.base(process).replacen("http", "ws", 1);
        let url = format!("{base}/ws?events=1&after={}", self.cursor());
        let mut request = url.into_client_request().expect("a request");
        request.headers_mut().insert("Cookie", self.caller.cookie.parse().expect("a cookie"));
        let begun = Some(self.calls.history.now());
        let opened = tokio::time::timeout(Duration::from_secs(5), tokio_tungstenite::connect_async(request)).await;
        let Ok(Ok((mut stream, _))) = opened else {
            self.refused += 1;
            return None;
        };
        self.refused = 0;
        self.state.listens.store(true, Ordering::Relaxed);
        self.calls.history.add(Step { begun, ..self.step(process, Op::Conn, Phase::Ok) });
        let leaves = self.habits.leaves_within.map(|within| within.mul_f64(self.rng.random_range(0.1..1.0)));
        let leaves = tokio::time::sleep(leaves.unwrap_or(Duration::from_hours(1)));
        tokio::pin!(leaves);
        let mut stays = false;
        loop {
            let frame = tokio::select! {
                frame = tokio::time::timeout(Duration::from_secs(55), stream.next()) => frame,
                () = &mut leaves, if !stays => {
                    // Calm: coming back would hide that nobody told it anything.
                    if self.state.calm.load(Ordering::Relaxed) {
                        stays = true;
                        continue;
                    }
                    let _ = stream.close(None).await;
                    return None;
                }
            };
            // Silence: the link is gone.
            let Ok(frame) = frame else { return None };
            match frame {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                    if self.hear(process, &frame) {
                        let _ = stream.close(None).await;
                        self.start_over(process).await;
                        return None;
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    let _ = stream.flush().await;
                    return frame.map(|frame| frame.code.into());
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Takes a frame; whether it says to start over.
    fn hear(&mut self, process: usize, frame: &Value) -> bool {
        let cursor = frame["cursor"].as_str();
        match frame["type"].as_str() {
            Some("event") => {
                let mut step = self.step(process, Op::Recv, Phase::Ok);
                (step.epoch, step.pos) = cursor.map_or((None, None), place);
                note_event(&mut step, &frame["event"]);
                self.calls.history.add(step);
                self.moves(cursor.unwrap_or_default());
            }
            Some("head" | "hello") => {
                let mut step = self.step(process, Op::Head, Phase::Ok);
                (step.epoch, step.pos) = cursor.map_or((None, None), place);
                self.calls.history.add(step);
            }
            Some("reset") => return true,
            _ => {}
        }
        false
    }
}

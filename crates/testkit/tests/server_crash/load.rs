//! Clients that put, get and delete, and remember what they were told.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;

use testkit::Random;
use testkit::client::{Client, Scheme};

use crate::server::LOAD;

pub const BUCKET: &str = "crash";
const CLIENTS: u64 = 6;
const SMALL_BYTES: u64 = 1024;
const LARGE_BYTES: u64 = 200 * 1024;

/// What an object may be: absent, or the content of a seed.
pub type State = Option<u64>;

/// A request that was answered to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The event name of its record.
    pub event: &'static str,
    pub key: String,
}

/// What the clients know of one object.
#[derive(Debug, Default, Clone)]
pub struct Object {
    /// What it may be: one state once a request was answered, two while one is under way.
    pub states: Vec<State>,
    /// Changes that took effect: so many records of them there must be.
    pub puts: u64,
    pub deletes: u64,
    /// Looked at since it changed.
    pub checked: bool,
}

/// What the clients were told, over all rounds.
#[derive(Debug, Default)]
pub struct Memory {
    pub objects: BTreeMap<String, Object>,
    /// By request id.
    pub answered: BTreeMap<String, Answered>,
    /// The content that a key was given last is that of this number or a lower one.
    rounds: u64,
}

impl Memory {
    fn object(&mut self, key: &str) -> &mut Object {
        let absent = || Object { states: vec![None], ..Object::default() };
        self.objects.entry(key.to_owned()).or_insert_with(absent)
    }

    fn take(&mut self, note: Note) {
        match note {
            Note::Begun { key, becomes } => {
                let object = self.object(&key);
                object.states.push(becomes);
                object.checked = false;
            }
            Note::Answered { request_id, answered, becomes } => {
                if let Some(state) = becomes {
                    let object = self.object(&answered.key);
                    object.states = vec![state];
                    if state.is_some() { object.puts += 1 } else { object.deletes += 1 }
                }
                let twice = self.answered.insert(request_id.clone(), answered);
                assert!(twice.is_none(), "the request id {request_id} was given twice");
            }
        }
    }
}

/// What happens at a client, in order.
enum Note {
    Begun { key: String, becomes: State },
    Answered { request_id: String, answered: Answered, becomes: Option<State> },
}

/// The content of a seed.
pub fn content(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let len = if random.below(20) == 0 { LARGE_BYTES } else { SMALL_BYTES };
    random.bytes(usize::try_from(len).unwrap())
}

/// The clients of a round.
pub struct Load {
    notes: Receiver<Note>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts the clients. They go on until the connection breaks.
pub fn start(address: &str, memory: &mut Memory, seed: u64) -> Load {
    let (sender, notes) = mpsc::channel();
    let round = memory.rounds;
    memory.rounds += 1;
    let clients = (0..CLIENTS).map(|number| {
        let (address, sender) = (address.to_owned(), sender.clone());
        let random = Random::new(seed ^ number.wrapping_mul(0x1_0000_0001));
        std::thread::spawn(move || {
            let Ok(client) = Client::connect(&address, LOAD) else { return };
            let mut user = User { client, random, notes: sender, known: BTreeMap::new(), round, number, next: 0 };
            // The end of the connection is the kill; a wrong answer panics.
            while user.act().is_ok() {}
        })
    });
    let threads = clients.collect();
    Load { notes, threads }
}

impl Load {
    /// Waits for the clients, whose server was killed, and takes what they know. Returns how many requests were answered.
    ///
    /// Panics if a client met a wrong answer.
    pub fn stop(self, memory: &mut Memory) -> usize {
        let before = memory.answered.len();
        for thread in self.threads {
            thread.join().expect("each answer was right");
        }
        self.notes.try_iter().for_each(|note| memory.take(note));
        memory.answered.len() - before
    }
}

/// One client with keys of its own.
struct User {
    client: Client,
    random: Random,
    notes: mpsc::Sender<Note>,
    /// What it put in this round and was told.
    known: BTreeMap<String, State>,
    round: u64,
    number: u64,
    next: u64,
}

impl User {
    fn act(&mut self) -> io::Result<()> {
        match self.random.below(10) {
            0..6 => self.put(),
            6..9 => self.get(),
            _ => self.delete(),
        }
    }

    /// A key of this round, an old one now and then.
    fn any_key(&mut self) -> Option<String> {
        let len = self.known.len() as u64;
        if len == 0 {
            return None;
        }
        let place = usize::try_from(self.random.below(len)).unwrap();
        self.known.keys().nth(place).cloned()
    }

    fn put(&mut self) -> io::Result<()> {
        let old = if self.random.below(8) == 0 { self.any_key() } else { None };
        let key = old.unwrap_or_else(|| {
            self.next += 1;
            format!("r{}/c{}/{:06}", self.round, self.number, self.next)
        });
        let seed = self.random.number();
        self.change("PUT", "PutObject", key, Some(seed), &content(seed), 200)
    }

    fn delete(&mut self) -> io::Result<()> {
        let Some(key) = self.any_key() else { return Ok(()) };
        self.change("DELETE", "DeleteObject", key, None, b"", 204)
    }

    fn change(
        &mut self,
        method: &str,
        event: &'static str,
        key: String,
        state: State,
        body: &[u8],
        status: u16,
    ) -> io::Result<()> {
        self.note(Note::Begun { key: key.clone(), becomes: state });
        let answer = self.client.s3(Scheme::SigV2, method, &format!("/{BUCKET}/{key}"), None, body)?;
        assert_eq!(answer.status, status, "{method} {key}: {answer:?}");
        let request_id = request_id(&answer);
        self.known.insert(key.clone(), state);
        self.note(Note::Answered { request_id, answered: Answered { event, key }, becomes: Some(state) });
        Ok(())
    }

    fn get(&mut self) -> io::Result<()> {
        let Some(key) = self.any_key() else { return Ok(()) };
        let answer = self.client.s3(Scheme::SigV2, "GET", &format!("/{BUCKET}/{key}"), None, b"")?;
        match self.known[&key] {
            Some(seed) => assert!(answer.status == 200 && answer.body == content(seed), "GET {key}: {answer:?}"),
            None => assert_eq!(answer.status, 404, "GET {key}: {answer:?}"),
        }
        let request_id = request_id(&answer);
        self.note(Note::Answered { request_id, answered: Answered { event: "GetObject", key }, becomes: None });
        Ok(())
    }

    /// Whoever listens lives longer than the clients.
    fn note(&self, note: Note) {
        self.notes.send(note).expect("the test listens");
    }
}

fn request_id(answer: &testkit::client::Answer) -> String {
    answer.header("x-amz-request-id").unwrap_or_else(|| panic!("no request id: {answer:?}")).to_owned()
}

/// Keys whose state is not known to be checked yet.
pub fn unchecked(memory: &Memory) -> BTreeSet<String> {
    memory.objects.iter().filter(|(_, object)| !object.checked).map(|(key, _)| key.clone()).collect()
}

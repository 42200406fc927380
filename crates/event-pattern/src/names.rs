//! The names that patterns mention, as a tree walked beside the event.

use std::sync::Arc;

use memchr::memmem;

pub(crate) type NodeId = u32;
pub(crate) type FieldId = u32;

/// The node at which an event's top level stands.
pub(crate) const ROOT: NodeId = 0;

/// All field names split at their points. `{"a": {"b": …}}` and `{"a.b": …}` are the same path, in events too.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    nodes: Vec<Node>,
    /// The first step of all names, if it is the same.
    sole: Option<memmem::Finder<'static>>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    children: Children,
    field: Option<FieldId>,
    /// Conditions at this node and below it; at zero the event's part is skipped.
    conditions: u32,
    /// Conditions below it only.
    below: u32,
}

/// A table from the first eight bytes and the length of a name, which nearly always tell names apart.
#[derive(Clone, Debug, Default)]
struct Children {
    /// A power of two, at least half of them free; none if there are no children.
    slots: Box<[Slot]>,
    used: usize,
    /// One bit for each byte that a name starts with. It turns most keys away that nobody asks for, those with a point too.
    firsts: [u64; 4],
}

#[derive(Clone, Debug, Default)]
struct Slot {
    /// The first eight bytes, and the last eight of a longer name.
    words: [u64; 2],
    len: usize,
    child: NodeId,
    name: Option<Arc<[u8]>>,
}

/// The eight bytes from `at`, or those there are, as a number.
#[inline]
fn word(source: &[u8], at: usize) -> u64 {
    match source[at..].first_chunk::<8>() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => source[at..].iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// The first eight bytes of `source[start..end]`, and the last eight if it is longer.
#[inline]
fn words(source: &[u8], start: usize, end: usize) -> [u64; 2] {
    let first = word(source, start);
    match end - start {
        0 => [0, 0],
        len @ 1..=7 => [first & (u64::MAX >> (64 - 8 * len)), 0],
        8 => [first, 0],
        _ => [first, word(source, end - 8)],
    }
}

#[inline]
fn hash(word: u64, len: usize) -> usize {
    let mixed = (word ^ len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    usize::try_from(mixed >> 40).unwrap_or_default()
}

impl Children {
    /// Whether a name starts as `source[start..]` does.
    #[inline]
    fn may_have(&self, source: &[u8], start: usize, end: usize) -> bool {
        let first = if start < end { source[start] } else { 0 };
        self.firsts[usize::from(first >> 6)] >> (first & 63) & 1 == 1
    }

    #[inline]
    fn find(&self, source: &[u8], start: usize, end: usize) -> Option<NodeId> {
        let mask = self.slots.len().checked_sub(1)?;
        let (words, len) = (words(source, start, end), end - start);
        let mut at = hash(words[0], len) & mask;
        loop {
            let slot = &self.slots[at];
            let name = slot.name.as_ref()?;
            // The two words are all of a name of up to sixteen bytes.
            if slot.words == words && slot.len == len && (len <= 16 || name[8..] == source[start + 8..end]) {
                return Some(slot.child);
            }
            at = (at + 1) & mask;
        }
    }

    fn insert(&mut self, name: Arc<[u8]>, child: NodeId) {
        if (self.used + 1) * 2 > self.slots.len() {
            let larger = vec![Slot::default(); (self.slots.len() * 2).max(4)].into_boxed_slice();
            for slot in std::mem::replace(&mut self.slots, larger) {
                self.place(slot);
            }
        }
        self.used += 1;
        // A key that starts with an empty name starts with a point, or is empty itself.
        let firsts = name.first().map_or([0, b'.'], |&first| [first; 2]);
        for first in firsts {
            self.firsts[usize::from(first >> 6)] |= 1 << (first & 63);
        }
        self.place(Slot { words: words(&name, 0, name.len()), len: name.len(), child, name: Some(name) });
    }

    fn place(&mut self, slot: Slot) {
        if slot.name.is_none() {
            return;
        }
        let mask = self.slots.len() - 1;
        let mut at = hash(slot.words[0], slot.len) & mask;
        while self.slots[at].name.is_some() {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }
}

impl Names {
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node::default()], sole: None }
    }

    /// Adds a condition on the path `name` and returns its field; `fresh` is the id if the field is new.
    pub(crate) fn add(&mut self, name: &str, fresh: FieldId) -> FieldId {
        let mut at = ROOT;
        for step in name.as_bytes().split(|&byte| byte == b'.') {
            let node = &mut self.nodes[at as usize];
            node.conditions += 1;
            node.below += 1;
            at = match node.children.find(step, 0, step.len()) {
                Some(child) => child,
                None => self.grow(at, step),
            };
        }
        let node = &mut self.nodes[at as usize];
        node.conditions += 1;
        *node.field.get_or_insert(fresh)
    }

    /// Takes back one [`Names::add`].
    pub(crate) fn remove(&mut self, name: &str) {
        let mut at = ROOT;
        for step in name.as_bytes().split(|&byte| byte == b'.') {
            let node = &mut self.nodes[at as usize];
            node.conditions -= 1;
            node.below -= 1;
            match node.children.find(step, 0, step.len()) {
                Some(child) => at = child,
                None => return,
            }
        }
        self.nodes[at as usize].conditions -= 1;
    }

    fn grow(&mut self, at: NodeId, step: &[u8]) -> NodeId {
        let child = id(self.nodes.len());
        self.nodes.push(Node::default());
        self.nodes[at as usize].children.insert(step.into(), child);
        if at == ROOT {
            let first = self.nodes[ROOT as usize].children.used == 1;
            self.sole = first.then(|| memmem::Finder::new(step).into_owned());
        }
        child
    }

    /// Follows one key of an event, `source[start..end]`, which may hold points; `None` where no pattern mentions it.
    #[inline]
    pub(crate) fn walk(&self, at: NodeId, source: &[u8], start: usize, end: usize) -> Option<NodeId> {
        let children = &self.nodes[at as usize].children;
        if !children.may_have(source, start, end) {
            return None;
        }
        let child = match children.find(source, start, end) {
            Some(child) => child,
            // No child's name has a point: they were split there.
            None if has_point(&source[start..end]) => self.walk_steps(at, &source[start..end])?,
            None => return None,
        };
        (self.nodes[child as usize].conditions > 0).then_some(child)
    }

    #[cold]
    fn walk_steps(&self, at: NodeId, key: &[u8]) -> Option<NodeId> {
        let mut steps = key.split(|&byte| byte == b'.');
        steps.try_fold(at, |at, step| self.nodes[at as usize].children.find(step, 0, step.len()))
    }

    /// Whether the last entries of an event's top level, `rest`, certainly hold no name that patterns mention: no key can
    /// spell one.
    pub(crate) fn are_certainly_not_in(&self, rest: &[u8]) -> bool {
        let Some(sole) = &self.sole else { return false };
        sole.find(rest).is_none() && memchr::memchr(b'\\', rest).is_none()
    }

    /// The field that ends at a node.
    #[inline]
    pub(crate) fn field(&self, at: NodeId) -> Option<FieldId> {
        self.nodes[at as usize].field
    }

    /// Whether fields lie below a node.
    #[inline]
    pub(crate) fn goes_on(&self, at: NodeId) -> bool {
        self.nodes[at as usize].below > 0
    }
}

/// Whether a key holds a point. Keys are short: eight bytes at a time are faster than a call to a vector search.
#[inline]
fn has_point(key: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = key.as_chunks::<8>();
    let in_words = words.iter().any(|eight| {
        let word = u64::from_le_bytes(*eight) ^ (ONES * u64::from(b'.'));
        word.wrapping_sub(ONES) & !word & (ONES << 7) != 0
    });
    in_words || rest.contains(&b'.')
}

/// Ids are 32 bits wide: fewer than four billion nodes fit in memory.
pub(crate) fn id(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

//! The names that patterns mention, as a tree walked beside the event.

use std::sync::Arc;

use memchr::arch::all::packedpair::Pair;
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
    first: Option<memmem::Finder<'static>>,
    last: Last,
}

/// What is known of the next key that a name ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextKey {
    /// There is none.
    Nowhere,
    /// None before the text at this place, which may be one, or a part of it.
    At(usize),
    /// Nothing.
    Anywhere,
}

/// The last step of all names.
#[derive(Clone, Debug, Default)]
enum Last {
    /// There are no names.
    #[default]
    None,
    Same(Box<Word>),
    Different,
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
        Self { nodes: vec![Node::default()], first: None, last: Last::None }
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
        if node.field.is_none() {
            self.last.meet(name.rsplit('.').next().unwrap_or_default());
        }
        *self.nodes[at as usize].field.get_or_insert(fresh)
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
            self.first = first.then(|| memmem::Finder::new(step).into_owned());
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
        let Some(first) = &self.first else { return false };
        first.find(rest).is_none() && memchr::memchr(b'\\', rest).is_none()
    }

    /// Whether all names end in the same step, so that there is something to look for.
    pub(crate) fn end_alike(&self) -> bool {
        matches!(self.last, Last::Same(_))
    }

    /// Where in `rest` the next key may be that a name ends in.
    pub(crate) fn next_last(&self, rest: &[u8]) -> NextKey {
        let Last::Same(last) = &self.last else { return NextKey::Anywhere };
        last.next(rest)
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

/// A text to look for beside backslashes, since an escape can spell any letter of it.
#[derive(Clone, Debug)]
struct Word {
    finder: memmem::Finder<'static>,
    /// Its byte that is least likely in other texts, and where it stands; `None` in a text of less than two bytes.
    rare: Option<(usize, u8)>,
}

/// So many other places of the rare byte are looked at before it is taken for not so rare.
const RARE_MAX: usize = 3;

impl Word {
    fn new(text: &str) -> Self {
        let text = text.as_bytes();
        let rare = Pair::new(text).map(|pair| usize::from(pair.index1()));
        Self { finder: memmem::Finder::new(text).into_owned(), rare: rare.map(|at| (at, text[at])) }
    }

    fn next(&self, rest: &[u8]) -> NextKey {
        let mut from = 0;
        if let Some((offset, rare)) = self.rare {
            for _ in 0..RARE_MAX {
                // One pass for both.
                let Some(at) = memchr::memchr2(rare, b'\\', &rest[from..]).map(|at| from + at) else {
                    return NextKey::Nowhere;
                };
                if rest[at] == b'\\' {
                    return NextKey::Anywhere;
                }
                if let Some(start) = at.checked_sub(offset)
                    && rest[start..].starts_with(self.finder.needle())
                {
                    return NextKey::At(start);
                }
                from = at + 1;
            }
            // One whose rare byte comes later may have begun already.
            from = from.saturating_sub(offset);
        }
        let plain = self.finder.find(&rest[from..]).map(|at| from + at);
        match (memchr::memchr(b'\\', &rest[from..plain.unwrap_or(rest.len())]), plain) {
            (Some(_), _) => NextKey::Anywhere,
            (None, Some(at)) => NextKey::At(at),
            (None, None) => NextKey::Nowhere,
        }
    }
}

impl Last {
    fn meet(&mut self, step: &str) {
        match self {
            Self::None => *self = Self::Same(Box::new(Word::new(step))),
            Self::Same(last) if last.finder.needle() == step.as_bytes() => {}
            Self::Same(_) | Self::Different => *self = Self::Different,
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_next_key_is_found(rest in "[abQ]{0,40}\\\\?[abQ]{0,10}", word in "[abQ]{1,4}") {
            let (rest, word) = (rest.as_bytes(), word.as_str());
            let plain = (0..=rest.len()).find(|&at| rest[at..].starts_with(word.as_bytes()));
            let escape = rest.iter().position(|&byte| byte == b'\\');
            let expected = match (plain, escape) {
                (Some(at), escape) if escape.is_none_or(|escape| at < escape) => NextKey::At(at),
                (_, Some(_)) => NextKey::Anywhere,
                (_, None) => NextKey::Nowhere,
            };
            prop_assert_eq!(Word::new(word).next(rest), expected);
        }
    }
}

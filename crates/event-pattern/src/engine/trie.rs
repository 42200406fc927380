//! Prefixes, or suffixes, of a text: one walk along it finds all that were registered.

use super::Waiting;

/// A radix tree over bytes taken from the front, or with `BACKWARD` from the end.
///
/// Finding costs one step for each byte of the text up to the first that no registered text shares.
#[derive(Clone, Debug)]
pub(super) struct Trie<const BACKWARD: bool> {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// The bytes on the way from the node above, but for the first.
    label: Box<[u8]>,
    /// First bytes of the ways down, sorted, and where they lead.
    bytes: Vec<u8>,
    children: Vec<u32>,
    waiting: Waiting,
}

impl<const BACKWARD: bool> Default for Trie<BACKWARD> {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

impl Node {
    fn child(&self, byte: u8) -> Option<usize> {
        let at = if self.bytes.len() <= 8 {
            self.bytes.iter().position(|&other| other == byte)?
        } else {
            self.bytes.binary_search(&byte).ok()?
        };
        Some(self.children[at] as usize)
    }

    fn adopt(&mut self, byte: u8, child: usize) {
        let at = self.bytes.partition_point(|&other| other < byte);
        self.bytes.insert(at, byte);
        self.children.insert(at, crate::names::id(child));
    }
}

/// Byte number `index` from the end that counts.
#[inline]
fn byte<const BACKWARD: bool>(text: &[u8], index: usize) -> Option<u8> {
    let index = if BACKWARD { text.len().checked_sub(index + 1)? } else { index };
    text.get(index).copied()
}

impl<const BACKWARD: bool> Trie<BACKWARD> {
    pub(super) fn get(&self, text: &[u8]) -> Option<&Waiting> {
        let (mut node, mut index) = (&self.nodes[0], 0);
        while index < text.len() {
            node = &self.nodes[node.child(byte::<BACKWARD>(text, index)?)?];
            index += 1;
            for &label in &node.label {
                if byte::<BACKWARD>(text, index) != Some(label) {
                    return None;
                }
                index += 1;
            }
        }
        Some(&node.waiting)
    }

    /// The list of `text`, made if need be.
    pub(super) fn waiting(&mut self, text: &[u8]) -> &mut Waiting {
        let (mut node, mut index) = (0, 0);
        while let Some(first) = byte::<BACKWARD>(text, index) {
            index += 1;
            let Some(child) = self.nodes[node].child(first) else {
                let label = (index..text.len()).filter_map(|index| byte::<BACKWARD>(text, index)).collect();
                let child = self.nodes.len();
                self.nodes.push(Node { label, ..Node::default() });
                self.nodes[node].adopt(first, child);
                node = child;
                break;
            };
            let label = &self.nodes[child].label;
            let shared = (0..label.len())
                .take_while(|&offset| byte::<BACKWARD>(text, index + offset) == Some(label[offset]))
                .count();
            if shared < label.len() {
                self.split(child, shared);
            }
            index += shared;
            node = child;
        }
        &mut self.nodes[node].waiting
    }

    /// Cuts a node's label behind `shared` bytes: the rest, with all that hangs on it, moves into a node of its own.
    fn split(&mut self, node: usize, shared: usize) {
        let lower = self.nodes.len();
        let label = std::mem::take(&mut self.nodes[node].label);
        let upper = Node { label: label[..shared].into(), ..Node::default() };
        let mut rest = std::mem::replace(&mut self.nodes[node], upper);
        rest.label = label[shared + 1..].into();
        self.nodes.push(rest);
        self.nodes[node].adopt(label[shared], lower);
    }

    /// Calls `found` with the list of each registered text that `text` starts (or ends) with.
    #[inline]
    pub(super) fn find(&self, text: &[u8], found: &mut impl FnMut(&Waiting)) {
        // Most fields have none.
        if self.nodes.len() > 1 || !self.nodes[0].waiting.is_empty() {
            self.follow(text, found);
        }
    }

    fn follow(&self, text: &[u8], found: &mut impl FnMut(&Waiting)) {
        let (mut node, mut index) = (&self.nodes[0], 0);
        loop {
            if !node.waiting.is_empty() {
                found(&node.waiting);
            }
            let Some(child) = byte::<BACKWARD>(text, index).and_then(|first| node.child(first)) else { return };
            node = &self.nodes[child];
            index += 1;
            for &label in &node.label {
                if byte::<BACKWARD>(text, index) != Some(label) {
                    return;
                }
                index += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_text_starts_or_ends_with(registered in prop::collection::vec("[ab]{0,6}", 0..20), text in "[abc]{0,8}") {
            let (mut forward, mut backward) = (Trie::<false>::default(), Trie::<true>::default());
            for (sub, text) in (0..).zip(&registered) {
                forward.waiting(text.as_bytes()).push(sub);
                backward.waiting(text.as_bytes()).push(sub);
            }
            let (mut starts, mut ends): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
            forward.find(text.as_bytes(), &mut |waiting| starts.extend(waiting));
            backward.find(text.as_bytes(), &mut |waiting| ends.extend(waiting));
            starts.sort_unstable();
            ends.sort_unstable();
            let which = |fits: &dyn Fn(&str) -> bool| -> Vec<u32> {
                (0..).zip(&registered).filter(|(_, other)| fits(other)).map(|(sub, _)| sub).collect()
            };
            prop_assert_eq!(starts, which(&|other| text.starts_with(other)));
            prop_assert_eq!(ends, which(&|other| text.ends_with(other)));
            for other in &registered {
                let same: Vec<u32> = which(&|third| third == other);
                prop_assert_eq!(forward.get(other.as_bytes()), Some(&same));
                prop_assert_eq!(backward.get(other.as_bytes()), Some(&same));
            }
        }
    }
}

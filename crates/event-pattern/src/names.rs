//! The names that patterns mention, as a tree walked beside the event.

use crate::hash::FastMap;

/// Up to here a look at each child is faster than a table.
const MAX_LISTED_CHILDREN: usize = 8;

pub(crate) type NodeId = u32;
pub(crate) type FieldId = u32;

/// The node at which an event's top level stands.
pub(crate) const ROOT: NodeId = 0;

/// All field names split at their points. `{"a": {"b": …}}` and `{"a.b": …}` are the same path, in events too.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    listed: Vec<(Box<[u8]>, NodeId)>,
    table: FastMap<Box<[u8]>, NodeId>,
    field: Option<FieldId>,
    /// Conditions at this node and below it; at zero the event's part is skipped.
    conditions: u32,
    /// Conditions below it only.
    below: u32,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node::default()] }
    }

    /// Adds a condition on the path `name` and returns its field; `fresh` is the id if the field is new.
    pub(crate) fn add(&mut self, name: &str, fresh: FieldId) -> FieldId {
        let mut at = ROOT;
        for step in name.as_bytes().split(|&byte| byte == b'.') {
            let node = &mut self.nodes[at as usize];
            node.conditions += 1;
            node.below += 1;
            at = match self.find(at, step) {
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
            match self.find(at, step) {
                Some(child) => at = child,
                None => return,
            }
        }
        self.nodes[at as usize].conditions -= 1;
    }

    fn grow(&mut self, at: NodeId, step: &[u8]) -> NodeId {
        let child = id(self.nodes.len());
        self.nodes.push(Node::default());
        let node = &mut self.nodes[at as usize];
        if node.listed.len() < MAX_LISTED_CHILDREN {
            node.listed.push((step.into(), child));
        } else {
            node.table.insert(step.into(), child);
        }
        child
    }

    fn find(&self, at: NodeId, step: &[u8]) -> Option<NodeId> {
        let node = &self.nodes[at as usize];
        let listed = node.listed.iter().find(|(name, _)| **name == *step).map(|&(_, child)| child);
        if listed.is_none() && !node.table.is_empty() {
            return node.table.get(step).copied();
        }
        listed
    }

    /// Follows one key of an event, which may hold points; `None` where no pattern mentions it.
    pub(crate) fn walk(&self, at: NodeId, key: &[u8]) -> Option<NodeId> {
        let mut at = at;
        let mut rest = key;
        while let Some(point) = memchr::memchr(b'.', rest) {
            at = self.find(at, &rest[..point])?;
            rest = &rest[point + 1..];
        }
        let child = self.find(at, rest)?;
        (self.nodes[child as usize].conditions > 0).then_some(child)
    }

    /// The field that ends at a node.
    pub(crate) fn field(&self, at: NodeId) -> Option<FieldId> {
        self.nodes[at as usize].field
    }

    /// Whether fields lie below a node.
    pub(crate) fn goes_on(&self, at: NodeId) -> bool {
        self.nodes[at as usize].below > 0
    }
}

/// Ids are 32 bits wide: fewer than four billion nodes fit in memory.
pub(crate) fn id(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

//! What was read of one event: the values of the fields that patterns name, and the array elements they stand in.

use crate::address;
use crate::names::{FieldId, id};
use crate::number::nearest;
use crate::operator::{Kind, Parsed, Scalar};

/// No value, no array.
pub(crate) const NONE: u32 = u32::MAX;
/// The element that is no element: values here stand in no array of objects or arrays.
pub(crate) const OUTSIDE: u32 = 0;

/// Values, elements, levels and bytes of text for which buffers are kept from event to event; larger ones are given back.
pub(crate) const MAX_KEPT: usize = 1 << 16;

/// A value of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) kind: Kind,
    /// The bytes are in [`Fields::text`], not in the event.
    copied: bool,
    start: u32,
    end: u32,
    /// The innermost array element that the value stands in; its own index in an array of scalars does not count.
    pub(crate) element: u32,
    next: u32,
    parsed: Parsed,
}

/// What patterns compare values of a field as.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parses {
    pub(crate) numbers: bool,
    pub(crate) addresses: bool,
}

/// An object or array that is an element of an array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element {
    /// The element around it.
    pub(crate) parent: u32,
    /// The array it is an element of, numbered through the event.
    pub(crate) array: u32,
    pub(crate) depth: u32,
}

/// The values of one event; buffers are kept from event to event.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    slots: Vec<Slot>,
    pub(crate) elements: Vec<Element>,
    arrays: u32,
    /// Texts that had escapes, unescaped.
    pub(crate) text: Vec<u8>,
    heads: Vec<u32>,
    touched: Vec<FieldId>,
}

impl Fields {
    /// Forgets the last event and makes room for `fields` fields.
    pub(crate) fn reset(&mut self, fields: usize) {
        for field in self.touched.drain(..) {
            self.heads[field as usize] = NONE;
        }
        if self.heads.len() < fields {
            self.heads.resize(fields, NONE);
        }
        self.slots.clear();
        self.text.clear();
        self.elements.clear();
        self.elements.push(Element { parent: OUTSIDE, array: NONE, depth: 0 });
        self.arrays = 0;
    }

    /// Whether the buffers are small enough to be kept.
    pub(crate) fn is_small(&self) -> bool {
        self.slots.capacity() <= MAX_KEPT && self.elements.capacity() <= MAX_KEPT && self.text.capacity() <= MAX_KEPT
    }

    /// Numbers the next array.
    pub(crate) fn open_array(&mut self) -> u32 {
        self.arrays += 1;
        self.arrays - 1
    }

    /// Adds an object or array that is an element of `array`.
    pub(crate) fn open_element(&mut self, parent: u32, array: u32) -> u32 {
        let depth = self.elements[parent as usize].depth + 1;
        self.elements.push(Element { parent, array, depth });
        id(self.elements.len() - 1)
    }

    /// Adds a value whose bytes are `start..end` of the event, or of [`Fields::text`].
    pub(crate) fn add(&mut self, field: FieldId, element: u32, kind: Kind, copied: bool, start: usize, end: usize) {
        let head = &mut self.heads[field as usize];
        if *head == NONE {
            self.touched.push(field);
        }
        let slot = Slot { kind, copied, start: id(start), end: id(end), element, next: *head, parsed: Parsed::No };
        *head = id(self.slots.len());
        self.slots.push(slot);
    }

    /// Adds a value that is not part of an event.
    pub(crate) fn add_copy(&mut self, field: FieldId, kind: Kind, bytes: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        self.add(field, OUTSIDE, kind, true, start, self.text.len());
    }

    /// The fields that have values.
    pub(crate) fn touched(&self) -> &[FieldId] {
        &self.touched
    }

    /// A field's values, the last one first.
    pub(crate) fn slots(&self, field: FieldId) -> impl Iterator<Item = Slot> + '_ {
        let mut at = self.heads[field as usize];
        std::iter::from_fn(move || {
            let slot = *self.slots.get(at as usize)?;
            at = slot.next;
            Some(slot)
        })
    }

    /// Makes numbers and addresses of a field's values, as far as they are asked for.
    pub(crate) fn parse(&mut self, event: &[u8], field: FieldId, parses: Parses) {
        if !(parses.numbers || parses.addresses) {
            return;
        }
        let mut at = self.heads[field as usize];
        while let Some(slot) = self.slots.get_mut(at as usize) {
            let source = if slot.copied { &self.text } else { event };
            let bytes = &source[slot.start as usize..slot.end as usize];
            slot.parsed = match slot.kind {
                Kind::Number if parses.numbers => Parsed::Number(nearest(bytes)),
                Kind::Text if parses.addresses => address::parse(bytes).map_or(Parsed::No, Parsed::Address),
                _ => Parsed::No,
            };
            at = slot.next;
        }
    }

    pub(crate) fn scalar<'e>(&'e self, event: &'e [u8], slot: Slot) -> Scalar<'e> {
        let source = if slot.copied { &self.text } else { event };
        Scalar { kind: slot.kind, bytes: &source[slot.start as usize..slot.end as usize], parsed: slot.parsed }
    }
}

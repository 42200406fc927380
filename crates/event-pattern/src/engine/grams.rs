//! Pieces of texts, wherever they stand: found by a few of their bytes.

use super::Waiting;
use crate::hash::FastMap;

/// Bytes of a gram, by table.
const SIZES: [usize; 3] = [1, 2, 4];
/// Grams of one piece that are considered.
const MAX_CONSIDERED: usize = 32;
const FILTER_WORDS: usize = 64;

/// Some bytes in a row, with the table they belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gram {
    table: usize,
    bytes: u32,
}

impl Gram {
    /// How unlikely a text holds it: its length in bytes.
    pub(super) fn size(self) -> usize {
        SIZES[self.table]
    }
}

/// Each piece is registered with one of its grams. A text is searched gram by gram: a filter of 4,096 bits, which stays in
/// the nearest cache, turns most away, the rest are looked up.
#[derive(Clone, Debug, Default)]
pub(super) struct Grams {
    tables: [Table; SIZES.len()],
}

#[derive(Clone, Debug, Default)]
struct Table {
    filter: Option<Box<[u64; FILTER_WORDS]>>,
    waiting: FastMap<u32, Waiting>,
}

#[inline]
fn gram(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |gram, &byte| gram << 8 | u32::from(byte))
}

#[inline]
fn filter_bit(gram: u32) -> (usize, u64) {
    let hash = gram.wrapping_mul(0x9E37_79B1) >> 20;
    ((hash / 64) as usize, 1 << (hash % 64))
}

/// The grams that `piece` can be registered with: the longest that fit, or none for an empty piece.
pub(super) fn grams_of(piece: &[u8]) -> impl Iterator<Item = Gram> + '_ {
    let table = SIZES.iter().rposition(|&size| size <= piece.len());
    table.into_iter().flat_map(move |table| {
        piece.windows(SIZES[table]).take(MAX_CONSIDERED).map(move |bytes| Gram { table, bytes: gram(bytes) })
    })
}

impl Grams {
    pub(super) fn get(&self, gram: Gram) -> Option<&Waiting> {
        self.tables[gram.table].waiting.get(&gram.bytes)
    }

    pub(super) fn waiting(&mut self, gram: Gram) -> &mut Waiting {
        let table = &mut self.tables[gram.table];
        let (word, bit) = filter_bit(gram.bytes);
        table.filter.get_or_insert_with(|| Box::new([0; FILTER_WORDS]))[word] |= bit;
        table.waiting.entry(gram.bytes).or_default()
    }

    /// Calls `found` with the lists of all registered grams in `text`, some more than once.
    #[inline]
    pub(super) fn find(&self, text: &[u8], found: &mut impl FnMut(&Waiting)) {
        for (table, size) in self.tables.iter().zip(SIZES) {
            let Some(filter) = &table.filter else { continue };
            for window in text.windows(size) {
                let gram = gram(window);
                let (word, bit) = filter_bit(gram);
                if filter[word] & bit != 0
                    && let Some(waiting) = table.waiting.get(&gram)
                {
                    found(waiting);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_found_by_each_of_its_grams() {
        let text = b"logs/2026/out.parquet";
        for start in 0..text.len() {
            for end in start..=text.len() {
                for gram in grams_of(&text[start..end]) {
                    let mut grams = Grams::default();
                    grams.waiting(gram).push(7);
                    let mut found = Vec::new();
                    grams.find(text, &mut |waiting| found.extend(waiting));
                    assert!(found.contains(&7) && grams.get(gram).is_some_and(|waiting| waiting == &[7]));
                    grams.find(&text[..start], &mut |_| {});
                }
            }
        }
        assert_eq!(grams_of(b"").count(), 0);
        let mut grams = Grams::default();
        grams_of(b"parquet").for_each(|gram| grams.waiting(gram).push(1));
        grams.find(b"2026", &mut |_| panic!("nothing of it is there"));
    }
}

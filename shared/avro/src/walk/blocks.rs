//! Strings and records; arrays and maps, which a datum stores in blocks (Avro specification, "Arrays" and "Maps").

use super::super::error::DecodeErrorKind as Kind;
use super::super::fault::{DecodeFailure, Fault};
use super::super::hide::Hide;
use super::super::keys::Keys;
use super::super::node::{Entry, Items, Keyed, NodeId, Record, SchemaNode};
use super::super::text::{Escapes, Stored};
use super::super::way::{WANTED, Way};
use super::{FieldPosition, Sink, Walk};

/// The most bytes of the keys of nested maps in total, with one byte between two keys. A field that holds a map is
/// indexed as terms of keys and value, and Lucene accepts no term of more than 32,766 bytes, so half of that remains
/// for the value. Field names of records in a map count as keys too.
const MAX_KEYS: usize = 16_384;

/// A block of an array or map.
struct Block {
    count: u64,
    /// How many bytes its items take, if the datum says so.
    size: Option<u64>,
    /// The position of its first item.
    begin: usize,
}

impl<'s, 'a, S: Sink<'a>> Walk<'s, 'a, S> {
    /// Walks a string.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Result<(), DecodeFailure> {
        let text = self.reader.text()?;
        let taken = match self.keys {
            0 => self.sink.text(text),
            _ => self.sink.text_in_map(text),
        };
        taken.map_err(|valid| self.reader.not_utf8(text, valid))
    }

    /// Does the same in a function of its own.
    #[inline(never)]
    pub(super) fn text_apart(&mut self) -> Result<(), DecodeFailure> {
        self.text()
    }

    /// Walks a record.
    pub(super) fn record(&mut self, record: &'s Record, wanted: Option<&'s Way>) -> Result<(), DecodeFailure> {
        self.enter()?;
        self.sink.raw(b"{");
        match self.keys {
            0 => self.fields(record, false, wanted)?,
            _ => self.fields_in_map(record)?,
        }
        self.sink.raw(b"}");
        self.leave();
        Ok(())
    }

    /// Walks the fields of a record that is not in a map. No comma precedes the first one, unless it `has_members`
    /// before it.
    pub(super) fn fields(
        &mut self,
        record: &'s Record,
        has_members: bool,
        wanted: Option<&'s Way>,
    ) -> Result<(), DecodeFailure> {
        for (index, field) in (0_u32..).zip(&record.fields) {
            self.sink.member(&field.member, index == record.first && !has_members);
            let below = wanted.and_then(|way| way.on_from_field(index));
            if let Some(Way::Here(which)) = below {
                self.note_found(*which, field.node);
            }
            if let Err(fault) = self.spend(field.cost) {
                return Err(fault.in_field(&field.name));
            }
            if let Err(fault) = self.value(field.node, below) {
                return Err(fault.in_field(&field.name));
            }
        }
        Ok(())
    }

    /// Notes that the next value, of the type `node`, is one of the wanted fields.
    fn note_found(&mut self, which: [bool; WANTED], node: NodeId) {
        let position = self.reader.position();
        for (found, _) in self.found.iter_mut().zip(which).filter(|(_, is_it)| *is_it) {
            *found = Some(FieldPosition { position, node });
        }
    }

    /// Walks an array.
    pub(super) fn array(&mut self, items: &'s Items) -> Result<(), DecodeFailure> {
        self.enter()?;
        self.sink.raw(b"[");
        let mut index = 0;
        while let Some(block) = self.begin_block(items)? {
            for _ in 0..block.count {
                if index > 0 {
                    self.sink.raw(b",");
                }
                if let Err(fault) = self.value(items.node, None) {
                    return Err(fault.in_item(index));
                }
                index += 1;
            }
            self.end_block(&block)?;
        }
        self.sink.raw(b"]");
        self.leave();
        Ok(())
    }

    /// Walks a map. A function of its own, into which keys and strings are inlined: most maps hold strings.
    #[inline(never)]
    pub(super) fn map(&mut self, items: &'s Items) -> Result<(), DecodeFailure> {
        self.enter()?;
        self.sink.raw(b"{");
        let mut keys = Keys::default();
        while let Some(block) = self.begin_block(items)? {
            for _ in 0..block.count {
                if !keys.is_empty() {
                    self.sink.raw(b",");
                }
                self.entry(items, &mut keys)?;
            }
            self.end_block(&block)?;
        }
        self.sink.raw(b"}");
        self.leave();
        Ok(())
    }

    #[inline(always)]
    fn entry(&mut self, items: &'s Items, keys: &mut Keys<'a>) -> Result<(), DecodeFailure> {
        let start = self.reader.position();
        let key = self.reader.text()?;
        self.entry_of(key, start, items.node, keys)
    }

    /// Walks the value of `key`, which begins at `start`.
    #[inline(always)]
    fn entry_of(
        &mut self,
        key: Stored<'a>,
        start: usize,
        node: NodeId,
        keys: &mut Keys<'a>,
    ) -> Result<(), DecodeFailure> {
        let outer = self.keys;
        self.take_key(key, keys, start)?;
        let nodes = self.nodes;
        let walked = match &nodes[node as usize] {
            SchemaNode::String => self.text(),
            node => self.other(node, None),
        };
        self.keys = outer;
        walked.map_err(|fault| fault.in_entry(key.bytes))
    }

    /// Walks the fields of a record somewhere in a map: their names are keys to the server.
    // Not inlined: `record` calls itself at each level, and its stack frame must stay small.
    #[inline(never)]
    pub(super) fn fields_in_map(&mut self, record: &'s Record) -> Result<(), DecodeFailure> {
        let outer = self.keys;
        for (index, field) in (0_u32..).zip(&record.fields) {
            self.sink.member(&field.member, index == record.first);
            self.keys = outer.saturating_add(field.document_name.len() + 1);
            let walked = match self.keys {
                ..=MAX_KEYS => self.spend(field.cost).and_then(|()| self.value(field.node, None)),
                _ => Err(self.reader.fault(Kind::KeysTooLong { limit: MAX_KEYS })),
            };
            self.keys = outer;
            walked.map_err(|fault| fault.in_field(&field.name))?;
        }
        Ok(())
    }

    /// Walks a map with rules for its entries.
    #[inline(never)]
    pub(super) fn keyed(&mut self, keyed: &'s Keyed) -> Result<(), DecodeFailure> {
        self.enter()?;
        self.sink.raw(b"{");
        let mut keys = Keys::default();
        let mut separator: &[u8] = b"";
        while let Some(block) = self.begin_block(&keyed.items)? {
            for _ in 0..block.count {
                if self.keyed_entry(keyed, separator, &mut keys)? {
                    separator = b",";
                }
            }
            self.end_block(&block)?;
        }
        self.sink.raw(b"}");
        self.leave();
        Ok(())
    }

    /// Walks an entry after `separator`. Returns whether it was written.
    fn keyed_entry(&mut self, keyed: &'s Keyed, separator: &[u8], keys: &mut Keys<'a>) -> Result<bool, DecodeFailure> {
        let start = self.reader.position();
        let key = self.reader.text()?;
        let own = keyed.entries.iter().find(|entry| entry.key.as_bytes() == key.bytes);
        let (node, is_dropped) = match own {
            Some(Entry { node, is_dropped, .. }) => (*node, *is_dropped),
            None => (keyed.items.node, keyed.is_dropped),
        };
        if !is_dropped {
            self.sink.raw(separator);
            self.entry_of(key, start, node, keys)?;
            return Ok(true);
        }
        let mark = self.sink.mark();
        self.entry_of(key, start, node, keys)?;
        self.sink.hide(mark, &Hide::Drop);
        Ok(false)
    }

    /// Takes the key that begins at `start`: counts it, and passes it to the sink.
    #[inline(always)]
    fn take_key(&mut self, key: Stored<'a>, keys: &mut Keys<'a>, start: usize) -> Result<(), DecodeFailure> {
        let escapes = self.sink.key(key).map_err(|valid| self.reader.not_utf8(key, valid))?;
        self.keys = self.keys.saturating_add(key.bytes.len() + 1);
        let kind = if !keys.insert(key.bytes) {
            Kind::DuplicateKey
        } else if self.keys > MAX_KEYS {
            Kind::KeysTooLong { limit: MAX_KEYS }
        // A text that needs no escapes contains no U+0000.
        } else if escapes == Escapes::Possible && key.bytes.contains(&0) {
            Kind::NulInKey
        } else {
            return Ok(());
        };
        Err(Fault::new(kind, start).in_entry(key.bytes))
    }

    /// Returns how many values and items have been counted.
    pub(in super::super) fn spent(&self) -> u64 {
        (u64::from(self.limits.max_values) - self.values).saturating_add(self.items)
    }

    /// Returns the next block of an array or map, or `None` at its end. Refuses the count before any item is read if it
    /// exceeds the limit, or what the remaining bytes can hold.
    #[inline]
    fn begin_block(&mut self, items: &Items) -> Result<Option<Block>, DecodeFailure> {
        let start = self.reader.position();
        let (count, size) = self.reader.block()?;
        if count == 0 {
            return Ok(None);
        }
        self.items = self.items.saturating_add(count.saturating_mul(items.weight));
        let left = self.reader.left();
        if count.saturating_mul(items.min_size) > left as u64 {
            return Err(Fault::new(Kind::BlockCount { count, left }, start));
        }
        if self.items > u64::from(self.limits.max_items) {
            return Err(Fault::new(Kind::TooManyItems { limit: self.limits.max_items }, start));
        }
        Ok(Some(Block { count, size, begin: self.reader.position() }))
    }

    fn end_block(&self, block: &Block) -> Result<(), DecodeFailure> {
        let Some(claimed) = block.size else { return Ok(()) };
        let actual = self.reader.position() - block.begin;
        if actual as u64 == claimed {
            return Ok(());
        }
        Err(Fault::new(Kind::BlockSize { claimed, actual }, block.begin))
    }
}

//! Encoder: appends fields to a buffer; it cannot fail.

use bytes::Bytes;

#[derive(Default)]
pub struct Encoder {
    buffer: Vec<u8>,
}

impl Encoder {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with_capacity(bytes: usize) -> Self {
        Self { buffer: Vec::with_capacity(bytes) }
    }

    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.buffer.push(value);
        self
    }

    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.u8(u8::from(value))
    }

    /// Fixed width, big endian: byte order is number order, so it may stand in a key.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Fixed width, big endian.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Fixed width, big endian.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// LEB128: 7 bits a byte, low bits first; small numbers are short.
    pub fn varint(&mut self, value: u64) -> &mut Self {
        let mut rest = value;
        while rest >= 0x80 {
            self.buffer.push((rest as u8) | 0x80);
            rest >>= 7;
        }
        self.u8(rest as u8)
    }

    /// Bytes whose length the reader knows: ids, checksums.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.buffer.extend_from_slice(bytes);
        self
    }

    /// Bytes with their length in front.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.varint(bytes.len() as u64).raw(bytes)
    }

    pub fn str(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub fn option<T>(&mut self, value: Option<T>, encode: impl FnOnce(&mut Self, T)) -> &mut Self {
        self.bool(value.is_some());
        if let Some(value) = value {
            encode(self, value);
        }
        self
    }

    /// Every item must take at least one byte: the decoder bounds the count by the bytes that are left.
    pub fn list<T>(&mut self, items: &[T], mut encode: impl FnMut(&mut Self, &T)) -> &mut Self {
        self.varint(items.len() as u64);
        for item in items {
            let before = self.buffer.len();
            encode(self, item);
            debug_assert!(self.buffer.len() > before, "an item of a list takes no byte");
        }
        self
    }

    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    pub fn finish(self) -> Bytes {
        self.buffer.into()
    }

    pub fn into_vec(self) -> Vec<u8> {
        self.buffer
    }
}

//! Decoder: reads fields back; anything unexpected is `Corrupt`, never a panic.

use bytes::Bytes;

use crate::error::{Error, Result};

pub struct Decoder<'a> {
    rest: &'a [u8],
    /// What `rest` is a part of, if it is shared: then payloads are handed out without a copy.
    shared: Option<&'a Bytes>,
}

impl<'a> Decoder<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        Self { rest: input, shared: None }
    }

    /// As `new`, but `shared_bytes` then refers to the input instead of copying.
    pub fn shared(input: &'a Bytes) -> Self {
        Self { rest: input, shared: Some(input) }
    }

    pub fn raw(&mut self, bytes: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(bytes) else {
            return Err(Error::corrupt(format!("decode: {bytes} bytes expected, {} left", self.rest.len())));
        };
        self.rest = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.raw(N)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub fn bool(&mut self) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Error::corrupt(format!("decode: {other} is no bool"))),
        }
    }

    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Accepts only the shortest form of a number, so that equal values have equal bytes.
    pub fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                return Err(Error::corrupt("decode: number above 64 bits"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                let overlong = byte == 0 && shift > 0;
                return if overlong { Err(Error::corrupt("decode: overlong number")) } else { Ok(value) };
            }
        }
        Err(Error::corrupt("decode: number above 64 bits"))
    }

    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let bytes = self.length()?;
        self.raw(bytes)
    }

    /// As `bytes`, owned; without a copy if the decoder was made by `shared`.
    pub fn shared_bytes(&mut self) -> Result<Bytes> {
        let bytes = self.bytes()?;
        Ok(match self.shared {
            Some(shared) => shared.slice_ref(bytes),
            None => Bytes::copy_from_slice(bytes),
        })
    }

    pub fn str(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|source| Error::corrupt("decode text").with_source(source))
    }

    pub fn option<T>(&mut self, decode: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        if self.bool()? { decode(self).map(Some) } else { Ok(None) }
    }

    pub fn list<T>(&mut self, mut decode: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        // An item takes at least a byte, so `length` bounds the loop; the first allocation is bounded by itself,
        // because an item may be far bigger in memory than in the input.
        const ITEMS_AT_FIRST_MAX: usize = 256;
        let count = self.length()?;
        let mut items = Vec::with_capacity(count.min(ITEMS_AT_FIRST_MAX));
        for _ in 0..count {
            items.push(decode(self)?);
        }
        Ok(items)
    }

    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The end of the input must be the end of the value.
    pub fn finish(self) -> Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Error::corrupt(format!("decode: {} bytes too many", self.rest.len())))
    }

    /// A count or length, which never exceeds what is left.
    fn length(&mut self) -> Result<usize> {
        let length = self.varint()?;
        match usize::try_from(length) {
            Ok(length) if length <= self.rest.len() => Ok(length),
            _ => Err(Error::corrupt(format!("decode: length {length}, {} bytes left", self.rest.len()))),
        }
    }
}

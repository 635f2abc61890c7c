//! Field: how the parts of records, commands and outcomes are written.
//! Owns: the bytes of everything that stands inside a versioned record (docs/data-layout.md, "Values").
//! Does not own: version bytes (`storage_engine::format::Record`).
//! Invariant: what is written here never changes. A part that needs another form becomes a new type, read under a new
//! version of the records that hold it.

use bytes::Bytes;
use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder};

use crate::id::{
    BlobId, BucketId, EntryId, GrantId, GroupId, HostId, LinkId, NodeId, OwnerKey, RequestId, TokenId, UploadId,
    UserId, VersionId,
};

pub(crate) trait Field: Sized {
    fn write(&self, encoder: &mut Encoder);
    fn read(decoder: &mut Decoder<'_>) -> Result<Self>;
}

/// The fields of a struct, in the order in which they are written.
macro_rules! struct_fields {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl Field for $type {
            fn write(&self, encoder: &mut Encoder) {
                $(self.$field.write(encoder);)*
            }

            fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
                Ok(Self { $($field: Field::read(decoder)?),* })
            }
        }
    };
}

/// The number of each variant of an enum, and its fields in the order in which they are written.
macro_rules! enum_fields {
    ($type:ident { $($tag:literal => $variant:ident $(($inner:ident))? $({ $($field:ident),* $(,)? })?),* $(,)? }) => {
        impl Field for $type {
            fn write(&self, encoder: &mut Encoder) {
                match self {
                    $($type::$variant $(($inner))? $({ $($field),* })? => {
                        encoder.u8($tag);
                        $($inner.write(encoder);)?
                        $($($field.write(encoder);)*)?
                    })*
                }
            }

            fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
                match decoder.u8()? {
                    $($tag => Ok($type::$variant
                        $(({ let $inner = Field::read(decoder)?; $inner }))?
                        $({ $($field: Field::read(decoder)?),* })?),)*
                    other => Err(Error::corrupt(format!("{} {other} is not known to this release", stringify!($type)))),
                }
            }
        }
    };
}

/// A versioned record that is one struct or enum.
macro_rules! record {
    ($type:ident, $name:literal) => {
        impl Record for $type {
            const NAME: &'static str = $name;
            const VERSION: u8 = 1;

            fn encode_fields(&self, encoder: &mut Encoder) {
                Field::write(self, encoder);
            }

            fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
                Field::read(decoder)
            }
        }
    };
}

pub(crate) use {enum_fields, record, struct_fields};

impl Field for u64 {
    fn write(&self, encoder: &mut Encoder) {
        encoder.varint(*self);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        decoder.varint()
    }
}

/// Numbers that are narrower in memory than a varint can be.
macro_rules! narrow_number {
    ($($type:ident)*) => {$(
        impl Field for $type {
            fn write(&self, encoder: &mut Encoder) {
                encoder.varint(u64::from(*self));
            }

            fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
                let number = decoder.varint()?;
                $type::try_from(number).map_err(|_| Error::corrupt(format!("{number} is no {}", stringify!($type))))
            }
        }
    )*};
}

narrow_number!(u16 u32);

impl Field for bool {
    fn write(&self, encoder: &mut Encoder) {
        encoder.bool(*self);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        decoder.bool()
    }
}

impl Field for String {
    fn write(&self, encoder: &mut Encoder) {
        encoder.str(self);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        decoder.str().map(str::to_owned)
    }
}

impl Field for Bytes {
    fn write(&self, encoder: &mut Encoder) {
        encoder.bytes(self);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        decoder.shared_bytes()
    }
}

impl Field for Vec<u8> {
    fn write(&self, encoder: &mut Encoder) {
        encoder.bytes(self);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        decoder.bytes().map(<[u8]>::to_vec)
    }
}

impl<const N: usize> Field for [u8; N] {
    fn write(&self, encoder: &mut Encoder) {
        encoder.raw(self);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        decoder.array()
    }
}

impl<T: Field> Field for Option<T> {
    fn write(&self, encoder: &mut Encoder) {
        encoder.option(self.as_ref(), |encoder, value| value.write(encoder));
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        decoder.option(T::read)
    }
}

impl<T: Field> Field for Vec<T> {
    fn write(&self, encoder: &mut Encoder) {
        encoder.list(self, |encoder, item| item.write(encoder));
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        decoder.list(T::read)
    }
}

impl<A: Field, B: Field> Field for (A, B) {
    fn write(&self, encoder: &mut Encoder) {
        self.0.write(encoder);
        self.1.write(encoder);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        Ok((A::read(decoder)?, B::read(decoder)?))
    }
}

impl<A: Field, B: Field> Field for std::result::Result<A, B> {
    fn write(&self, encoder: &mut Encoder) {
        encoder.bool(self.is_ok());
        match self {
            Ok(value) => value.write(encoder),
            Err(error) => error.write(encoder),
        }
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        Ok(if decoder.bool()? { Ok(A::read(decoder)?) } else { Err(B::read(decoder)?) })
    }
}

impl Field for BlobId {
    fn write(&self, encoder: &mut Encoder) {
        encoder.raw(self.as_bytes());
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        decoder.array().map(BlobId::from_bytes)
    }
}

impl Field for OwnerKey {
    fn write(&self, encoder: &mut Encoder) {
        encoder.raw(&self.to_bytes());
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        decoder.u64().map(OwnerKey)
    }
}

macro_rules! newtype {
    ($($type:ident)*) => {$(
        impl Field for $type {
            fn write(&self, encoder: &mut Encoder) {
                self.0.write(encoder);
            }

            fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
                Field::read(decoder).map($type)
            }
        }
    )*};
}

newtype!(UserId BucketId VersionId UploadId RequestId NodeId HostId GroupId TokenId EntryId LinkId GrantId);

//! Session details: what a client says when an upload begins, kept with the session until it is finished.

use onggi_cluster::metadata::command::tree::WriteMode;
use onggi_storage_engine::error::{Error, Result as FormatResult};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use super::name;
use super::new_file::{FileClaims, FileTarget};
use crate::services::Result;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionDetails {
    /// As text: it was checked, and is folded again when it is used.
    pub path: Option<String>,
    pub mode: SessionMode,
    pub autorename: bool,
    pub client_modified_ms: Option<u64>,
    pub media_type: Option<String>,
    /// What the whole file must be.
    pub content_hash: Option<[u8; 32]>,
    pub concatenation: Option<Concatenation>,
}

/// What tus says that an upload is for, if it is not a file by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concatenation {
    /// To be put together with others: it never becomes a file.
    Partial,
    /// Was put together of those that `text` names, as the client said it.
    Final { text: String },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionMode {
    #[default]
    Add,
    Overwrite,
    Update {
        rev: u64,
    },
}

impl SessionDetails {
    /// `None`: the client says it when it finishes the upload.
    pub fn target(&self) -> Result<Option<FileTarget>> {
        let Some(path) = &self.path else { return Ok(None) };
        Ok(Some(FileTarget {
            path: name::tree_path(path)?,
            mode: self.mode.into(),
            autorename: self.autorename,
            client_modified_ms: self.client_modified_ms,
            media_type: self.media_type.clone(),
        }))
    }

    /// Of a file of `bytes`.
    pub fn claims(&self, bytes: u64) -> FileClaims {
        FileClaims { bytes: Some(bytes), content_hash: self.content_hash, md5: None }
    }
}

impl From<SessionMode> for WriteMode {
    fn from(mode: SessionMode) -> Self {
        match mode {
            SessionMode::Add => Self::Add,
            SessionMode::Overwrite => Self::Overwrite,
            SessionMode::Update { rev } => Self::Update { rev },
        }
    }
}

impl Record for SessionDetails {
    const NAME: &'static str = "session details";
    /// 2: with the content hash. 3: with the concatenation.
    const VERSION: u8 = 3;

    fn encode_fields(&self, encoder: &mut Encoder) {
        let text = |encoder: &mut Encoder, text: &String| {
            encoder.str(text);
        };
        encoder.option(self.path.as_ref(), text);
        match self.mode {
            SessionMode::Add => encoder.u8(0),
            SessionMode::Overwrite => encoder.u8(1),
            SessionMode::Update { rev } => encoder.u8(2).varint(rev),
        };
        encoder.bool(self.autorename);
        encoder.option(self.client_modified_ms, |encoder, time| {
            encoder.varint(time);
        });
        encoder.option(self.media_type.as_ref(), text);
        encoder.option(self.content_hash, |encoder, hash| {
            encoder.raw(&hash);
        });
        match &self.concatenation {
            None => encoder.u8(0),
            Some(Concatenation::Partial) => encoder.u8(1),
            Some(Concatenation::Final { text }) => encoder.u8(2).str(text),
        };
    }

    fn decode_fields(version: u8, decoder: &mut Decoder<'_>) -> FormatResult<Self> {
        Ok(Self {
            path: decoder.option(|decoder| decoder.str().map(str::to_owned))?,
            mode: match decoder.u8()? {
                0 => SessionMode::Add,
                1 => SessionMode::Overwrite,
                2 => SessionMode::Update { rev: decoder.varint()? },
                other => return Err(Error::corrupt(format!("decode: {other} is no mode of a session"))),
            },
            autorename: decoder.bool()?,
            client_modified_ms: decoder.option(Decoder::varint)?,
            media_type: decoder.option(|decoder| decoder.str().map(str::to_owned))?,
            content_hash: if version < 2 { None } else { decoder.option(Decoder::array)? },
            concatenation: if version < 3 { None } else { concatenation(decoder)? },
        })
    }
}

fn concatenation(decoder: &mut Decoder<'_>) -> FormatResult<Option<Concatenation>> {
    Ok(match decoder.u8()? {
        0 => None,
        1 => Some(Concatenation::Partial),
        2 => Some(Concatenation::Final { text: decoder.str()?.to_owned() }),
        other => return Err(Error::corrupt(format!("decode: {other} is no concatenation"))),
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn stay_readable() {
        let details = SessionDetails {
            path: Some("/A/b.txt".into()),
            mode: SessionMode::Update { rev: 300 },
            autorename: true,
            client_modified_ms: Some(1),
            media_type: Some("text/plain".into()),
            content_hash: Some([0xab; 32]),
            concatenation: Some(Concatenation::Final { text: "final;/a".into() }),
        };
        let bytes = details.to_bytes();
        expect!["0301082f412f622e74787402ac02010101010a746578742f706c61696e01abababababababababababababababababababababababababababababababab020866696e616c3b2f61"].assert_eq(&hex::encode(&bytes));
        assert_eq!(SessionDetails::from_bytes(&bytes).unwrap(), details);
        let first_version = hex::decode("0101082f412f622e74787402ac02010101010a746578742f706c61696e").unwrap();
        let of_first_version = SessionDetails { content_hash: None, concatenation: None, ..details.clone() };
        assert_eq!(SessionDetails::from_bytes(&first_version).unwrap(), of_first_version);
        let second_version = hex::decode("0201082f412f622e74787402ac02010101010a746578742f706c61696e01abababababababababababababababababababababababababababababababab").unwrap();
        let of_second_version = SessionDetails { concatenation: None, ..details };
        assert_eq!(SessionDetails::from_bytes(&second_version).unwrap(), of_second_version);
        let partial = SessionDetails { concatenation: Some(Concatenation::Partial), ..SessionDetails::default() };
        assert_eq!(SessionDetails::from_bytes(&partial.to_bytes()).unwrap(), partial);
        let nothing = SessionDetails::default();
        assert_eq!(SessionDetails::from_bytes(&nothing.to_bytes()).unwrap(), nothing);
    }
}

//! A signer of its own, written from AWS's documentation, so that the server is not checked with its own code. It also
//! signs what no honest client would: another time, another service, somebody else's key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::macros::format_description;

use super::wire::{Wire, encode};

#[derive(Clone, Debug)]
pub struct Signer {
    pub access_key: String,
    pub secret: String,
    /// Unix seconds.
    pub at: i64,
    /// Of the scope; differs from `at` only where a test wants it.
    pub scope_at: i64,
    pub region: String,
    pub service: String,
    pub expires: i64,
}

/// The ways to prove who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Header,
    Query,
    QueryV2,
    Chunks,
    ChunksAndTrailer,
}

/// A framed body in its parts.
#[derive(Clone, Debug, Default)]
pub struct Framed {
    pub chunks: Vec<(Vec<u8>, String)>,
    /// Name, value, signature.
    pub trailer: Option<(String, String, String)>,
}

pub const CHUNK_BYTES: usize = 8192;
const SHA256_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

impl Signer {
    /// The signed request, and its framing if it has one.
    pub fn sign(&self, template: &Wire, proof: Proof) -> (Wire, Option<Framed>) {
        let mut wire = template.clone();
        match proof {
            Proof::Header => {
                let digest = hex::encode(Sha256::digest(&wire.body));
                self.sign_header(&mut wire, &digest);
            }
            Proof::Query => self.sign_query(&mut wire),
            Proof::QueryV2 => self.sign_v2(&mut wire),
            Proof::Chunks | Proof::ChunksAndTrailer => {
                let framed = self.sign_chunks(&mut wire, proof == Proof::ChunksAndTrailer);
                wire.body = framed.bytes();
                return (wire, Some(framed));
            }
        }
        (wire, None)
    }

    fn sign_header(&self, wire: &mut Wire, payload: &str) -> String {
        wire.set_header("x-amz-date", date_time(self.at));
        wire.set_header("x-amz-content-sha256", payload);
        let names = signed_names(wire);
        let signature = self.signature(wire, &names, payload);
        let (access_key, scope) = (&self.access_key, self.scope());
        wire.set_header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={}, Signature={signature}",
                names.join(";")
            ),
        );
        signature
    }

    fn sign_query(&self, wire: &mut Wire) {
        let names = signed_names(wire);
        wire.set_parameter("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
        wire.set_parameter("X-Amz-Credential", format!("{}/{}", self.access_key, self.scope()));
        wire.set_parameter("X-Amz-Date", date_time(self.at));
        wire.set_parameter("X-Amz-Expires", self.expires.to_string());
        wire.set_parameter("X-Amz-SignedHeaders", names.join(";"));
        let signature = self.signature(wire, &names, "UNSIGNED-PAYLOAD");
        wire.set_parameter("X-Amz-Signature", signature);
    }

    fn sign_v2(&self, wire: &mut Wire) {
        let expires = (self.at + self.expires).to_string();
        let header = |name: &str| wire.header(name).unwrap_or("").to_owned();
        let mut text = format!("{}\n{}\n{}\n{expires}\n", wire.method, header("content-md5"), header("content-type"));
        let mut amz: Vec<_> = wire.headers.iter().filter(|(name, _)| name.starts_with("x-amz-")).collect();
        amz.sort();
        amz.iter().for_each(|(name, value)| text += &format!("{name}:{value}\n"));
        text += &wire.path;
        // The templates have no parameters but those that Version 2 signs, and `list-type` and the like, which it does not.
        let mut signed: Vec<_> = wire.query.iter().filter(|(name, _)| name != "list-type" && name != "id").collect();
        signed.sort();
        for (at, (name, value)) in signed.iter().enumerate() {
            text += if at == 0 { "?" } else { "&" };
            text += name;
            if !value.is_empty() {
                text += &format!("={value}");
            }
        }
        let signature = self.sign_text_v2(&text);
        wire.set_parameter("AWSAccessKeyId", self.access_key.as_str());
        wire.set_parameter("Expires", expires);
        wire.set_parameter("Signature", signature);
    }

    fn sign_chunks(&self, wire: &mut Wire, with_trailer: bool) -> Framed {
        let payload = std::mem::take(&mut wire.body);
        wire.set_header("x-amz-decoded-content-length", payload.len().to_string());
        wire.set_header("content-encoding", "aws-chunked");
        if with_trailer {
            wire.set_header("x-amz-trailer", "x-amz-checksum-crc32");
        }
        let suffix = if with_trailer { "-TRAILER" } else { "" };
        let mut previous = self.sign_header(wire, &format!("STREAMING-AWS4-HMAC-SHA256-PAYLOAD{suffix}"));
        let mut framed = Framed::default();
        for chunk in payload.chunks(CHUNK_BYTES).chain([&[][..]]) {
            let digest = format!("{SHA256_OF_NOTHING}\n{}", hex::encode(Sha256::digest(chunk)));
            previous = self.continued("AWS4-HMAC-SHA256-PAYLOAD", &previous, &digest);
            framed.chunks.push((chunk.to_vec(), previous.clone()));
        }
        if with_trailer {
            let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &payload) as u32;
            let (name, value) = ("x-amz-checksum-crc32", STANDARD.encode(crc.to_be_bytes()));
            let digest = hex::encode(Sha256::digest(format!("{name}:{value}\n")));
            let signature = self.continued("AWS4-HMAC-SHA256-TRAILER", &previous, &digest);
            framed.trailer = Some((name.to_owned(), value, signature));
        }
        framed
    }

    /// What a form says of its signature.
    pub fn form_fields(&self) -> Vec<(String, String)> {
        vec![
            ("x-amz-algorithm".to_owned(), "AWS4-HMAC-SHA256".to_owned()),
            ("x-amz-credential".to_owned(), format!("{}/{}", self.access_key, self.scope())),
            ("x-amz-date".to_owned(), date_time(self.at)),
        ]
    }

    pub fn sign_text(&self, text: &str) -> String {
        hex::encode(hmac_sha256(&self.key(), text.as_bytes()))
    }

    pub fn sign_text_v2(&self, text: &str) -> String {
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }

    fn continued(&self, algorithm: &str, previous: &str, digest: &str) -> String {
        let text = format!("{algorithm}\n{}\n{}\n{previous}\n{digest}", date_time(self.at), self.scope());
        self.sign_text(&text)
    }

    fn signature(&self, wire: &Wire, names: &[String], payload: &str) -> String {
        let mut query: Vec<_> = wire.query.iter().map(|(name, value)| (encode(name), encode(value))).collect();
        query.sort();
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut canonical = format!("{}\n{}\n{}\n", wire.method, wire.path, query.join("&"));
        names.iter().for_each(|name| canonical += &format!("{name}:{}\n", wire.header(name).unwrap_or("")));
        canonical += &format!("\n{}\n{payload}", names.join(";"));
        let digest = hex::encode(Sha256::digest(canonical));
        self.sign_text(&format!("AWS4-HMAC-SHA256\n{}\n{}\n{digest}", date_time(self.at), self.scope()))
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", &date_time(self.scope_at)[..8], self.region, self.service)
    }

    fn key(&self) -> Vec<u8> {
        let start = format!("AWS4{}", self.secret).into_bytes();
        let parts = [&date_time(self.scope_at)[..8], &self.region, &self.service, "aws4_request"];
        parts.iter().fold(start, |key, part| hmac_sha256(&key, part.as_bytes()))
    }
}

impl Framed {
    pub fn bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (payload, signature) in &self.chunks {
            body.extend(format!("{:x};chunk-signature={signature}\r\n", payload.len()).bytes());
            body.extend_from_slice(payload);
            if !payload.is_empty() {
                body.extend(b"\r\n");
            }
        }
        if let Some((name, value, signature)) = &self.trailer {
            body.extend(format!("{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n").bytes());
        }
        body.extend(b"\r\n");
        body
    }
}

fn signed_names(wire: &Wire) -> Vec<String> {
    let mut names: Vec<_> = wire.headers.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn date_time(unix: i64) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    OffsetDateTime::from_unix_timestamp(unix).unwrap().format(format).unwrap()
}

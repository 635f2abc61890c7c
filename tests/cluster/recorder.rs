//! Recorder: the history as it comes to be, shared by all clients.
//! Owns: unique values, one clock, and what ETags and version ids stand for. Every write carries its value in its bytes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use md5::{Digest, Md5};

use crate::checker::{Action, Checked, History, Keeps, Listing, Operation, Reply, Value, Violation, check};
use crate::s3_client::pattern;

/// The value, in decimal, begins each body.
const VALUE_DIGITS: usize = 20;

#[derive(Clone)]
pub struct Recorder {
    begun: Instant,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    values: Value,
    history: History,
    etags: HashMap<String, Value>,
    etag_of: HashMap<Value, String>,
    /// Also those of delete markers.
    version_ids: HashMap<String, Value>,
    sizes: HashMap<Value, usize>,
}

/// An operation that was called and has no reply yet.
pub struct Called {
    client: u32,
    key: String,
    at: u64,
    action: Action,
}

impl Recorder {
    pub fn new(keeps: Keeps) -> Self {
        let inner = Inner {
            values: 0,
            history: History::new(keeps),
            etags: HashMap::new(),
            etag_of: HashMap::new(),
            version_ids: HashMap::new(),
            sizes: HashMap::new(),
        };
        Self { begun: Instant::now(), inner: Arc::new(Mutex::new(inner)) }
    }

    pub fn now(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    /// A new value, and the bytes that stand for it, to be put as a whole.
    pub fn new_body(&self, bytes: usize) -> (Value, Vec<u8>) {
        self.new_body_with(bytes, |body| format!("\"{}\"", hex::encode(Md5::digest(body))))
    }

    /// To be the only part of an upload: then the ETag is that of its parts.
    pub fn new_part(&self, bytes: usize) -> (Value, Vec<u8>) {
        self.new_body_with(bytes, |body| format!("\"{}-1\"", hex::encode(Md5::digest(Md5::digest(body)))))
    }

    fn new_body_with(&self, bytes: usize, etag: impl Fn(&[u8]) -> String) -> (Value, Vec<u8>) {
        let value = self.new_value();
        let body = body(value, bytes.max(VALUE_DIGITS));
        let etag = etag(&body);
        let mut inner = self.lock();
        inner.etags.insert(etag.clone(), value);
        inner.etag_of.insert(value, etag);
        inner.sizes.insert(value, body.len());
        (value, body)
    }

    /// For a delete marker.
    pub fn new_value(&self) -> Value {
        let mut inner = self.lock();
        inner.values += 1;
        inner.values
    }

    pub fn learn_version(&self, id: &str, value: Value) {
        let known = self.lock().version_ids.insert(id.to_owned(), value);
        assert!(known.is_none_or(|known| known == value), "version {id} is {known:?} and {value}");
    }

    /// Panics if nobody wrote it.
    pub fn value_of_etag(&self, key: &str, etag: Option<&str>) -> Value {
        let known = etag.and_then(|etag| self.lock().etags.get(etag).copied());
        known.unwrap_or_else(|| panic!("{key}: the ETag {etag:?}, which nobody wrote"))
    }

    pub fn etag_of(&self, value: Value) -> String {
        self.lock().etag_of[&value].clone()
    }

    pub fn value_of_version(&self, id: &str) -> Option<Value> {
        self.lock().version_ids.get(id).copied()
    }

    /// The value that a body stands for; panics if any of its bytes is not that write's.
    pub fn value_of_body(&self, key: &str, read: &[u8]) -> Value {
        let digits = std::str::from_utf8(&read[..read.len().min(VALUE_DIGITS)]).ok();
        let value: Option<Value> = digits.and_then(|digits| digits.parse().ok());
        let bytes = value.and_then(|value| self.lock().sizes.get(&value).copied());
        match (value, bytes) {
            (Some(value), Some(bytes)) if body(value, bytes) == read => value,
            _ => panic!("{key}: {} bytes that nobody wrote ({value:?} has {bytes:?})", read.len()),
        }
    }

    pub fn call(&self, client: u32, key: &str, action: Action) -> Called {
        Called { client, key: key.to_owned(), at: self.now(), action }
    }

    pub fn reply(&self, called: Called, reply: Reply) {
        let Called { client, key, at, action } = called;
        let operation = Operation { client, called: at, replied: self.now(), action, reply };
        self.lock().history.operations.push((key, operation));
    }

    pub fn list(&self, listing: Listing) {
        self.lock().history.listings.push(listing);
    }

    pub fn count(&self) -> usize {
        let inner = self.lock();
        inner.history.operations.len() + inner.history.listings.len()
    }

    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.lock().history.operations.iter().map(|(key, _)| key.clone()).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    pub fn check(&self) -> Result<Checked, Violation> {
        check(&self.lock().history)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

fn body(value: Value, bytes: usize) -> Vec<u8> {
    let mut body = format!("{value:0VALUE_DIGITS$}").into_bytes();
    body.extend(pattern(bytes - VALUE_DIGITS, value));
    body
}

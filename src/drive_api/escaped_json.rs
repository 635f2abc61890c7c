//! JSON that can stand in a header: everything beyond printable ASCII as `\uXXXX`, as Dropbox's SDKs write and read it.

use std::fmt::Write as _;

use http::HeaderValue;
use serde::Serialize;

/// `None` for what cannot be JSON at all.
pub fn header_value(value: &impl Serialize) -> Option<HeaderValue> {
    let text = serde_json::to_string(value).ok()?;
    HeaderValue::from_str(&escaped(&text)).ok()
}

/// Only strings hold such characters, so that the escapes mean the same.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if matches!(c, ' '..='~') {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_character_comes_back() {
        let value = json!({"path": "/Größe/사과 🍎\u{7f}.txt", "quote": "\"\\\n"});
        let header = header_value(&value).unwrap();
        let text = header.to_str().unwrap();
        assert_eq!(text, r#"{"path":"/Gr\u00f6\u00dfe/\uc0ac\uacfc \ud83c\udf4e\u007f.txt","quote":"\"\\\n"}"#);
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), value);
    }
}

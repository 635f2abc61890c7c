//! Escape: object keys in front of other parts, so that the order of keys is kept.
//! A byte `00` becomes `00 FF`; the end is `00 00`, which is less than anything that may follow in a longer key.

/// `text` and its end mark.
pub(super) fn terminated(text: &str) -> Vec<u8> {
    let mut out = prefix(text);
    out.extend_from_slice(&[0, 0]);
    out
}

/// What every escaped key that begins with `text` begins with.
pub(super) fn prefix(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    for byte in text.bytes() {
        out.push(byte);
        if byte == 0 {
            out.push(0xFF);
        }
    }
    out
}

/// The text and what follows its end mark.
pub(super) fn split(escaped: &[u8]) -> Option<(String, &[u8])> {
    let mut text = Vec::new();
    let mut rest = escaped;
    loop {
        match rest {
            [0, 0, after @ ..] => return Some((String::from_utf8(text).ok()?, after)),
            [0, 0xFF, after @ ..] => {
                text.push(0);
                rest = after;
            }
            [0, ..] | [] => return None,
            [byte, after @ ..] => {
                text.push(*byte);
                rest = after;
            }
        }
    }
}

//! Encoded words: text of any alphabet in a header of US-ASCII (RFC 2047).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Printable US-ASCII goes out as it is, anything else as one `=?UTF-8?B?…?=`. Spaces at the ends would be lost in a header.
pub fn encode(text: &str) -> Cow<'_, str> {
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if printable && text.trim() == text {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("=?UTF-8?B?{}?=", STANDARD.encode(text)))
}

/// Decodes the encoded words in a value. What is not a well-formed word of a known charset stays as it was written.
pub fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, candidate) = rest.split_at(start);
        let Some((word, bytes)) = decode_word(candidate) else {
            out.push_str(&rest[..start + 2]);
            rest = &candidate[2..];
            after_word = false;
            continue;
        };
        // White space between two words only folds them (RFC 2047 §6.2).
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        out.push_str(&word);
        rest = &candidate[bytes..];
        after_word = true;
    }
    out.push_str(rest);
    out
}

/// `=?charset?encoding?text?=` at the start of `text`: its meaning and its length.
fn decode_word(text: &str) -> Option<(String, usize)> {
    let mut fields = text.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding, tail) = (fields.next()?, fields.next()?, fields.next()?);
    let (payload, _) = tail.split_once("?=")?;
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(payload).ok()?,
        "Q" | "q" => decode_q(payload)?,
        _ => return None,
    };
    // RFC 2231 §5 lets a language follow the charset.
    let charset_name = charset.split('*').next().unwrap_or(charset);
    let word = if charset_name.eq_ignore_ascii_case("utf-8") || charset_name.eq_ignore_ascii_case("us-ascii") {
        String::from_utf8(bytes).ok()?
    } else if charset_name.eq_ignore_ascii_case("iso-8859-1") {
        bytes.into_iter().map(char::from).collect()
    } else {
        return None;
    };
    let length = "=?".len() + charset.len() + 1 + encoding.len() + 1 + payload.len() + "?=".len();
    Some((word, length))
}

fn decode_q(payload: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(payload.len());
    let mut bytes = payload.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'_' => out.push(b' '),
            b'=' => {
                let mut decoded = [0];
                hex::decode_to_slice([bytes.next()?, bytes.next()?], &mut decoded).ok()?;
                out.extend(decoded);
            }
            b' ' => return None,
            _ => out.push(byte),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, proptest};

    use super::{decode, encode};

    #[test]
    fn words() {
        assert_eq!(decode("plain = ? text"), "plain = ? text");
        assert_eq!(decode("=?UTF-8?Q?Gr=C3=BC=C3=9Fe_an?= Bob"), "Grüße an Bob");
        assert_eq!(decode("=?utf-8*de?b?R3LDvMOfZQ==?="), "Grüße");
        assert_eq!(decode("=?ISO-8859-1?Q?Gr=FC=DFe?="), "Grüße");
        assert_eq!(decode("=?UTF-8?Q?a?=  =?UTF-8?Q?b?= =?UTF-8?Q?c?="), "abc");
        assert_eq!(decode("=?UTF-8?Q?a?= x =?UTF-8?Q?b?="), "a x b");
    }

    #[test]
    fn broken_words_stay() {
        for text in [
            "=?",
            "=?UTF-8?",
            "=?UTF-8?B?!!!?=",
            "=?UTF-8?Q?=C3?=",
            "=?KOI8-R?B?aGk=?=",
            "=?UTF-8?X?a?=",
            "=?UTF-8?Q?=zz?=",
        ] {
            assert_eq!(decode(text), text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn any_text_comes_back(text in "[^=]{0,40}") {
            assert_eq!(decode(&encode(&text)), text);
        }

        #[test]
        fn decoding_never_panics(text in "[=?BQutf8 \\-_0-9é]{0,60}") {
            decode(&text);
        }
    }
}

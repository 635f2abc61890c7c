//! XML reader: a request document as a small tree, within limits.
//! Owns: what is refused (document type declarations, entities other than the five of XML, depth, size). Elements that are
//! not known are the caller's to ignore; namespaces are not looked at.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use crate::s3_api::error::{ErrorCode, Result, S3Error};

/// A thousand keys of DeleteObjects or ten thousand parts with checksums fit twice.
pub const DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;
const DEPTH_MAX: usize = 16;
/// Ten thousand parts, each with its number, ETag and every checksum there is. An empty element is four bytes in a
/// document and over a hundred in memory.
const ELEMENTS_MAX: usize = 100_000;

#[derive(Debug, Default, PartialEq)]
pub struct Element {
    /// Without namespace prefix.
    pub name: String,
    /// All text directly inside, as written: white space is part of a key.
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of a child, white space around it removed.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }

    pub fn require(&self, name: &str) -> Result<&Element> {
        self.child(name).ok_or_else(malformed)
    }
}

/// The root element, which must have this name.
pub fn parse(document: &[u8], root: &str) -> Result<Element> {
    if document.len() > DOCUMENT_BYTES_MAX {
        return Err(S3Error::new(ErrorCode::MaxMessageLengthExceeded)
            .field("MaxMessageLengthBytes", DOCUMENT_BYTES_MAX.to_string()));
    }
    let text = std::str::from_utf8(document).map_err(|_| malformed())?;
    let element = parse_tree(text.trim_start_matches('\u{feff}'))?;
    if element.name == root { Ok(element) } else { Err(malformed()) }
}

pub fn malformed() -> S3Error {
    ErrorCode::MalformedXML.into()
}

fn parse_tree(text: &str) -> Result<Element> {
    let mut reader = Reader::from_str(text);
    let mut elements = 0;
    // The element that holds the root.
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().map_err(|_| malformed())?;
        elements += usize::from(matches!(event, Event::Start(_) | Event::Empty(_)));
        if elements > ELEMENTS_MAX {
            return Err(malformed());
        }
        match event {
            Event::Start(start) => {
                if open.len() > DEPTH_MAX {
                    return Err(malformed());
                }
                open.push(Element { name: start.local_name().as_ref().to_owned(), ..Element::default() });
            }
            Event::Empty(start) => {
                let element = Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
                last(&mut open)?.children.push(element);
            }
            // The reader has checked that it is the end of what was opened last.
            Event::End(_) => {
                let element = open.pop().ok_or_else(malformed)?;
                last(&mut open)?.children.push(element);
            }
            Event::Text(text) => last(&mut open)?.text.push_str(&text.xml10_content()),
            Event::CData(text) => last(&mut open)?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => last(&mut open)?.text.push(resolve(&reference)?),
            Event::DocType(_) => return Err(malformed()),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let (Some(holder), true) = (open.pop(), open.is_empty()) else { return Err(malformed()) };
    let mut roots = holder.children.into_iter();
    match (roots.next(), roots.next(), holder.text.trim()) {
        (Some(root), None, "") => Ok(root),
        _ => Err(malformed()),
    }
}

fn last(open: &mut [Element]) -> Result<&mut Element> {
    open.last_mut().ok_or_else(malformed)
}

/// Numeric references and the five names of XML 1.0 §4.6; there are no others without a document type.
fn resolve(reference: &BytesRef<'_>) -> Result<char> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| malformed())? {
        return Ok(character);
    }
    match reference.xml10_content().as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, proptest};

    use super::{DOCUMENT_BYTES_MAX, parse};
    use crate::s3_api::error::ErrorCode;
    use crate::s3_api::xml::writer::XmlWriter;

    #[test]
    fn text_is_kept_as_written() {
        let document = "\u{feff}<?xml version='1.0'?><!-- c --><s3:A xmlns:s3='urn:x' b='1'>\n<Key> a&amp;&#x41;&#10;<![CDATA[<b>]]> </Key><E/></s3:A>\n";
        let root = parse(document.as_bytes(), "A").unwrap();
        assert_eq!(root.child("Key").unwrap().text, " a&A\n<b> ");
        assert_eq!(root.text("E"), Some(""));
        assert_eq!(root.text("F"), None);
    }

    #[test]
    fn refused() {
        let deep = format!("{}{}", "<A>".repeat(1000), "</A>".repeat(1000));
        let wide = format!("<A>{}</A>", "<A/>".repeat(super::ELEMENTS_MAX));
        let bomb = r#"<!DOCTYPE A [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><A>&b;</A>"#;
        let external = r#"<!DOCTYPE A SYSTEM "file:///etc/passwd"><A/>"#;
        for document in [
            "",
            " ",
            "A",
            "<A>",
            "</A>",
            "<A></B>",
            "<A/><A/>",
            "<A/>x",
            "x<A/>",
            "<B/>",
            "<A>&b;</A>",
            "<A>&#0;</A>",
            "<A>&#xD800;</A>",
            "<A><B></A></B>",
            "<A",
            "<A>&lt</A>",
            &deep,
            &wide,
            bomb,
            external,
        ] {
            let error = parse(document.as_bytes(), "A").unwrap_err();
            assert_eq!(error.code, ErrorCode::MalformedXML, "{}", &document[..document.len().min(60)]);
        }
        assert!(parse(b"<A>\xff</A>", "A").is_err());
        let long = vec![b' '; DOCUMENT_BYTES_MAX + 1];
        assert_eq!(parse(&long, "A").unwrap_err().code, ErrorCode::MaxMessageLengthExceeded);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn what_is_written_is_read(text in "[\\t\\n\\r -~é🎉]{0,40}") {
            let document = XmlWriter::root("A", |xml| xml.text("B", &text));
            assert_eq!(&parse(document.as_bytes(), "A").unwrap().child("B").unwrap().text, &text);
        }

        #[test]
        fn reading_never_panics(text in "[<>/A&;#x!\\[\\]CDAT\"'= -]{0,60}") {
            let _ = parse(text.as_bytes(), "A");
        }
    }
}

//! XML writer: response documents, element by element, into one string.
//! Owns: escaping. Invariant: any Rust string gives a document that parses back to the same text, except for characters
//! that XML 1.0 has no form for: these become numeric references, as AWS sends them (XML 1.0 §2.2; clients that hold
//! such keys ask for `encoding-type=url`).

use std::fmt::{Display, Write};

/// The namespace of every S3 document but `<Error>`.
pub const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

pub struct XmlWriter {
    out: String,
}

impl XmlWriter {
    /// Begins with the XML declaration.
    pub fn document() -> Self {
        Self { out: String::from(DECLARATION) }
    }

    /// Without a declaration: it is on the wire already.
    pub fn fragment() -> Self {
        Self { out: String::new() }
    }

    /// A whole document of one root element in the S3 namespace.
    pub fn root(name: &str, content: impl FnOnce(&mut XmlWriter)) -> String {
        let mut xml = Self::document();
        xml.nest_with_attributes(name, &format!(" xmlns=\"{NAMESPACE}\""), content);
        xml.finish()
    }

    pub fn nest(&mut self, name: &str, content: impl FnOnce(&mut XmlWriter)) {
        self.nest_with_attributes(name, "", content);
    }

    /// `attributes` is written as it is: ours, never a client's.
    pub fn nest_with_attributes(&mut self, name: &str, attributes: &str, content: impl FnOnce(&mut XmlWriter)) {
        self.out.extend(["<", name, attributes, ">"]);
        content(self);
        self.out.extend(["</", name, ">"]);
    }

    pub fn text(&mut self, name: &str, text: &str) {
        self.text_with_attributes(name, "", text);
    }

    /// `attributes` as in `nest_with_attributes`.
    pub fn text_with_attributes(&mut self, name: &str, attributes: &str, text: &str) {
        self.out.extend(["<", name, attributes, ">"]);
        escape_into(&mut self.out, text);
        self.out.extend(["</", name, ">"]);
    }

    pub fn text_if(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// Numbers and booleans: nothing in them needs escaping.
    pub fn number(&mut self, name: &str, value: impl Display) {
        self.out.extend(["<", name, ">"]);
        // Writing to a String cannot fail.
        let _ = write!(self.out, "{value}");
        self.out.extend(["</", name, ">"]);
    }

    pub fn finish(self) -> String {
        self.out
    }
}

fn escape_into(out: &mut String, text: &str) {
    let mut plain_from = 0;
    for (at, character) in text.char_indices() {
        let replacement = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\r' => "&#13;",
            '\t' | '\n' | ' '..='\u{FFFD}' | '\u{10000}'.. => continue,
            _ => "",
        };
        out.push_str(&text[plain_from..at]);
        if replacement.is_empty() {
            let _ = write!(out, "&#x{:x};", u32::from(character));
        } else {
            out.push_str(replacement);
        }
        plain_from = at + character.len_utf8();
    }
    out.push_str(&text[plain_from..]);
}

#[cfg(test)]
mod tests {
    use super::{XmlWriter, escape_into};

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        escape_into(&mut out, text);
        out
    }

    #[test]
    fn escapes_what_xml_cannot_hold() {
        assert_eq!(escaped("plain/ключ 🎉\t\n"), "plain/ключ 🎉\t\n");
        assert_eq!(escaped("<&>\"'"), "&lt;&amp;&gt;&quot;'");
        assert_eq!(escaped("a\rb"), "a&#13;b");
        assert_eq!(escaped("\0\u{1f}\u{fffe}"), "&#x0;&#x1f;&#xfffe;");
    }

    #[test]
    fn elements_nest() {
        let mut xml = XmlWriter::fragment();
        xml.nest("A", |xml| {
            xml.text("B", "1<2");
            xml.number("C", 3);
            xml.number("D", true);
            xml.text_if("E", None);
        });
        assert_eq!(xml.finish(), "<A><B>1&lt;2</B><C>3</C><D>true</D></A>");
    }
}

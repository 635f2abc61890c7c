//! The query of Google's files.list, as far as folders and names go: terms joined by `and` (Google, "Search query terms").

/// What is asked for; what is not said does not matter.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FileQuery {
    pub parent: Option<String>,
    pub name: Option<String>,
    pub name_contains: Option<String>,
    pub mime_type: Option<String>,
    pub mime_type_not: Option<String>,
    pub trashed: Option<bool>,
}

impl FileQuery {
    /// The term that is not understood: to leave it out would find too much.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut query = Self::default();
        let mut rest = text.trim();
        while !rest.is_empty() {
            rest = query.term(rest).ok_or_else(|| rest.to_owned())?.trim_start();
            match rest.split_once(char::is_whitespace) {
                Some(("and", more)) => rest = more.trim_start(),
                None if rest.is_empty() => {}
                _ => return Err(rest.to_owned()),
            }
        }
        Ok(query)
    }

    fn term<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        if text.starts_with('\'') {
            let (parent, rest) = quoted(text)?;
            let rest = rest.trim_start().strip_prefix("in")?.trim_start().strip_prefix("parents")?;
            self.parent = Some(parent);
            return Some(rest);
        }
        let (name, rest) = word(text);
        let (operator, rest) = operator(rest.trim_start())?;
        let rest = rest.trim_start();
        if name == "trashed" {
            let (value, rest) = word(rest);
            self.trashed = Some(match (operator, value) {
                ("=", "true") | ("!=", "false") => true,
                ("=", "false") | ("!=", "true") => false,
                _ => return None,
            });
            return Some(rest);
        }
        let (value, rest) = quoted(rest)?;
        let field = match (name, operator) {
            ("name", "=") => &mut self.name,
            ("name", "contains") => &mut self.name_contains,
            ("mimeType", "=") => &mut self.mime_type,
            ("mimeType", "!=") => &mut self.mime_type_not,
            _ => return None,
        };
        *field = Some(value);
        Some(rest)
    }
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len()))
}

fn operator(text: &str) -> Option<(&'static str, &str)> {
    ["!=", "=", "contains"].into_iter().find_map(|operator| Some((operator, text.strip_prefix(operator)?)))
}

/// `'Valentine\'s Day'`
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('\'')?;
    let mut value = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Some((value, &inner[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_ask() {
        let query = FileQuery::parse(r"'root' in parents and name = 'Valentine\'s Day' and trashed=false").unwrap();
        let expected = FileQuery {
            parent: Some("root".into()),
            name: Some("Valentine's Day".into()),
            trashed: Some(false),
            ..FileQuery::default()
        };
        assert_eq!(query, expected);
        assert_eq!(FileQuery::parse("").unwrap(), FileQuery::default());
        let folders = FileQuery::parse("mimeType != 'a/b' and name contains 'x'").unwrap();
        assert_eq!((folders.mime_type_not.as_deref(), folders.name_contains.as_deref()), (Some("a/b"), Some("x")));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for bad in ["fullText contains 'x'", "name = 'x' or name = 'y'", "name = 'x", "trashed = maybe", "'a' in b"] {
            assert!(FileQuery::parse(bad).is_err(), "{bad}");
        }
    }
}

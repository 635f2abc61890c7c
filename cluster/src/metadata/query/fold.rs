//! Fold: which keys a delimiter rolls up into one common prefix.

pub(super) struct Fold<'a> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
}

impl<'a> Fold<'a> {
    /// An empty delimiter is none.
    pub(super) fn new(prefix: &'a str, delimiter: Option<&'a str>) -> Self {
        Self { prefix, delimiter: delimiter.filter(|delimiter| !delimiter.is_empty()) }
    }

    /// From the beginning of `key` to the first delimiter after the prefix, the delimiter included.
    pub(super) fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        let rest = key.strip_prefix(self.prefix)?;
        let delimiter = self.delimiter?;
        let end = self.prefix.len() + rest.find(delimiter)? + delimiter.len();
        Some(&key[..end])
    }
}

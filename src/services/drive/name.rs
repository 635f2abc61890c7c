//! Names of files and folders: from text to what the tree stores, the same for every door.
//! Owns: which names are allowed, the form in which they are stored, and when two of them are the same.
//! Invariant: names that differ in case, or in how accents are composed, have one key. What is stored is NFC, as it was given.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};
use onggi_cluster::metadata::record::tree::{EntryName, TreePath};

/// Of one name, in UTF-8: what the file systems have that people sync to.
const NAME_BYTES_MAX: usize = 255;
/// Of a whole path: Linux's PATH_MAX.
const PATH_BYTES_MAX: usize = 4096;
const DEPTH_MAX: usize = 100;
/// Room for what `autorename` puts between stem and extension.
const LABEL_BYTES_MAX: usize = 100;
/// A longer tail after the last dot is no extension, but part of a sentence.
const EXTENSION_BYTES_MAX: usize = 16;

/// What Windows refuses, with or without an extension (Microsoft, "Naming Files, Paths, and Namespaces").
const RESERVED: [&str; 4] = ["con", "prn", "aux", "nul"];
const RESERVED_PORTS: [&str; 2] = ["com", "lpt"];

/// Why a name is refused: a stable code for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameRule {
    #[error("a name must not be empty")]
    Empty,
    #[error("`.` and `..` are no names")]
    Dots,
    #[error("a name has at most {NAME_BYTES_MAX} bytes in UTF-8, this one has {0}")]
    TooLong(usize),
    #[error("a name must not contain control characters (U+{0:04X})")]
    Control(u32),
    #[error("a name must not contain `/`")]
    Slash,
    #[error("`{0}` cannot stand in a name: Windows has no such files (not allowed are \\ : * ? \" < > |)")]
    Character(char),
    #[error("a name must not end in a space or a dot: Windows would drop it")]
    Ending,
    #[error("`{0}` is the name of a device on Windows, with any extension")]
    Device(String),
    #[error("a path has at most {PATH_BYTES_MAX} bytes")]
    PathTooLong,
    #[error("a path has at most {DEPTH_MAX} names")]
    TooDeep,
    #[error("a path begins with `/`")]
    NotAbsolute,
}

impl NameRule {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Dots => "dots",
            Self::TooLong(_) => "too_long",
            Self::Control(_) => "control_character",
            Self::Slash => "slash",
            Self::Character(_) => "character",
            Self::Ending => "ending",
            Self::Device(_) => "device_name",
            Self::PathTooLong => "path_too_long",
            Self::TooDeep => "too_deep",
            Self::NotAbsolute => "not_absolute",
        }
    }
}

/// One name of a path, checked.
pub fn entry_name(text: &str) -> Result<EntryName, NameRule> {
    let name = part(text);
    check(&name.name)?;
    Ok(name)
}

/// A part of a name, which need not be one by itself. Equal keys are one name: NFC(full case folding(NFD(text))).
pub(super) fn part(text: &str) -> EntryName {
    let (composing, decomposing) = (ComposingNormalizer::new_nfc(), DecomposingNormalizer::new_nfd());
    let decomposed = decomposing.normalize(text);
    let folded = CaseMapper::new().fold_string(&decomposed);
    // Folding can leave marks in another order (U+0345): the second NFD puts them right.
    let key = composing.normalize(&decomposing.normalize(&folded)).into_owned();
    EntryName { name: composing.normalize(text).into_owned(), key }
}

/// A path in which every name is folded: equal ones are one path.
pub fn folded_path(path: &str) -> String {
    part(path).key
}

/// Whether two names are one.
pub fn is_same(one: &str, other: &str) -> bool {
    part(one).key == part(other).key
}

/// In any case, however it is composed.
pub fn contains(name: &str, sought: &str) -> bool {
    part(name).key.contains(&part(sought).key)
}

/// Stem and extension, so that a label can be put between them: `report (1).pdf`. What does not fit with a label is cut off the stem.
/// A folder has no extension.
pub(super) fn split(name: &EntryName, is_folder: bool) -> (EntryName, EntryName) {
    let name = name.name.as_str();
    let is_extension = |extension: &str| {
        let text = &extension[1..];
        (1..=EXTENSION_BYTES_MAX).contains(&text.len()) && !text.contains(' ')
    };
    let dot = name.rfind('.').filter(|&at| at > 0 && !is_folder && is_extension(&name[at..]));
    let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
    let room = NAME_BYTES_MAX - LABEL_BYTES_MAX - extension.len();
    let cut = (0..=stem.len().min(room)).rev().find(|&end| stem.is_char_boundary(end)).unwrap_or(0);
    (part(stem[..cut].trim_end()), part(extension))
}

/// Rules for everybody's tree: what one system accepts another must be able to hold, or it would silently not be synced.
fn check(name: &str) -> Result<(), NameRule> {
    if name.is_empty() {
        return Err(NameRule::Empty);
    }
    if name == "." || name == ".." {
        return Err(NameRule::Dots);
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(NameRule::TooLong(name.len()));
    }
    for c in name.chars() {
        match c {
            '/' => return Err(NameRule::Slash),
            c if c.is_control() => return Err(NameRule::Control(u32::from(c))),
            '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => return Err(NameRule::Character(c)),
            _ => {}
        }
    }
    if name.ends_with([' ', '.']) {
        return Err(NameRule::Ending);
    }
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    if is_device(stem) { Err(NameRule::Device(stem.to_owned())) } else { Ok(()) }
}

fn is_device(stem: &str) -> bool {
    let lower = stem.to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) {
        return true;
    }
    // Windows takes the superscripts for digits.
    let is_port = |rest: &str| matches!(rest, "¹" | "²" | "³") || matches!(rest.as_bytes(), [b'0'..=b'9']);
    RESERVED_PORTS.iter().any(|port| lower.strip_prefix(port).is_some_and(is_port))
}

/// `/A/b.txt`; the root is `/` or nothing. One slash at the end is let through: people write folders so.
pub fn tree_path(text: &str) -> Result<TreePath, NameRule> {
    let rest = match text {
        "" | "/" => return Ok(TreePath::new()),
        text => text.strip_prefix('/').ok_or(NameRule::NotAbsolute)?,
    };
    relative_path(rest.strip_suffix('/').unwrap_or(rest))
}

/// Without the leading slash: a path below a folder.
pub fn relative_path(text: &str) -> Result<TreePath, NameRule> {
    if text.len() > PATH_BYTES_MAX {
        return Err(NameRule::PathTooLong);
    }
    if text.split('/').count() > DEPTH_MAX {
        return Err(NameRule::TooDeep);
    }
    text.split('/').map(entry_name).collect()
}

/// `/A/b.txt`, and `/` for the root.
pub fn path_text(path: &[EntryName]) -> String {
    if path.is_empty() {
        return "/".to_owned();
    }
    path.iter().flat_map(|name| ["/", &name.name]).collect()
}

#[cfg(test)]
mod name_test;

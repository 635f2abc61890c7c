//! Actor: who changes a tree, and with what; and how a renamed sibling is called in their name.

use onggi_cluster::metadata::command::tree::AutoRename;
use onggi_cluster::metadata::record::tree::{Author, EntryName, TreePath};

use super::name;
use crate::services::Principal;
use crate::services::fresh;

/// A device's name in a conflicted copy.
const DEVICE_CHARS_MAX: usize = 30;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub principal: Principal,
    /// As it calls itself: "web", "laptop"; empty if it does not say.
    pub device: String,
}

/// Why a name that is taken may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renaming {
    /// `name (1).ext`
    Numbered,
    /// `name (conflicted copy laptop 2026-11-22).ext`
    Conflict,
}

impl Actor {
    pub(super) fn author(&self) -> Author {
        Author { user: self.principal.user, device: self.device.clone() }
    }

    /// `None` for the root, which has no name.
    pub(super) fn auto_rename(&self, path: &TreePath, renaming: Renaming, is_folder: bool) -> Option<AutoRename> {
        let (stem, extension) = name::split(path.last()?, is_folder);
        let label = match renaming {
            Renaming::Numbered => name::part(""),
            Renaming::Conflict => self.conflict_label(),
        };
        Some(AutoRename { stem, label, extension })
    }

    fn conflict_label(&self) -> EntryName {
        let date = fresh::date();
        let device: String = self.device.chars().take(DEVICE_CHARS_MAX).collect();
        let full = format!("conflicted copy {} {date}", device.trim());
        match name::entry_name(&full) {
            Ok(label) if !device.trim().is_empty() => label,
            // A device may call itself what no file can be called.
            _ => name::part(&format!("conflicted copy {date}")),
        }
    }
}

//! Model: a tree as a person would draw it.

use std::collections::BTreeMap;

use crate::metadata::command::tree::WriteMode;

#[derive(Clone, Default)]
pub(super) struct Model {
    root: Folder,
    trash: BTreeMap<u64, Item>,
    /// Of every folder ever made, so that a place is known after its folder moved.
    last_folder: u64,
}

#[derive(Clone, Default)]
struct Folder {
    id: u64,
    /// Folded name → name and what it is.
    entries: BTreeMap<String, (String, Entry)>,
    /// Folded name → the item of the trash that went from here last.
    left: BTreeMap<String, u64>,
}

#[derive(Clone)]
enum Entry {
    Folder(Folder),
    /// Contents, newest first.
    File(Vec<u8>),
}

#[derive(Clone)]
struct Item {
    folder: u64,
    name: String,
    entry: Entry,
    purging: bool,
}

fn split(path: &str) -> (Vec<&str>, &str) {
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap();
    (parts, name)
}

impl Folder {
    fn at(&mut self, path: &[&str]) -> Option<&mut Folder> {
        match path {
            [] => Some(self),
            [first, rest @ ..] => match self.entries.get_mut(&first.to_lowercase()) {
                Some((_, Entry::Folder(folder))) => folder.at(rest),
                _ => None,
            },
        }
    }

    /// Makes what is missing; `None` if a file stands in the way.
    fn ensure(&mut self, path: &[&str], last_folder: &mut u64) -> Option<&mut Folder> {
        let [first, rest @ ..] = path else {
            return Some(self);
        };
        let entry = self.entries.entry(first.to_lowercase()).or_insert_with(|| {
            *last_folder += 1;
            ((*first).to_owned(), Entry::Folder(Folder { id: *last_folder, ..Folder::default() }))
        });
        match &mut entry.1 {
            Entry::Folder(folder) => folder.ensure(rest, last_folder),
            Entry::File(_) => None,
        }
    }

    fn with_id(&mut self, id: u64) -> Option<&mut Folder> {
        if self.id == id {
            return Some(self);
        }
        self.entries.values_mut().find_map(|(_, entry)| match entry {
            Entry::Folder(folder) => folder.with_id(id),
            Entry::File(_) => None,
        })
    }

    fn free_name(&self, wanted: &str, rename: bool) -> Option<String> {
        if !self.entries.contains_key(&wanted.to_lowercase()) {
            return Some(wanted.to_owned());
        }
        let (stem, extension) = wanted.split_once('.').map_or((wanted, ""), |(stem, _)| (stem, ".x"));
        let numbered = (1..).map(|n| format!("{stem} ({n}){extension}"));
        numbered.take_while(|_| rename).find(|name| !self.entries.contains_key(&name.to_lowercase()))
    }

    fn list(&self, above: &str, out: &mut BTreeMap<String, Option<u8>>) {
        for (name, entry) in self.entries.values() {
            let path = format!("{above}{name}");
            match entry {
                Entry::File(letters) => drop(out.insert(path, Some(letters[0]))),
                Entry::Folder(folder) => {
                    folder.list(&format!("{path}/"), out);
                    out.insert(path, None);
                }
            }
        }
    }

    /// A copy has new folders and the heads alone.
    fn copied(&self, last_folder: &mut u64) -> Folder {
        *last_folder += 1;
        let mut copy = Folder { id: *last_folder, ..Folder::default() };
        for (key, (name, entry)) in &self.entries {
            copy.entries.insert(key.clone(), (name.clone(), entry.copied(last_folder)));
        }
        copy
    }
}

impl Entry {
    fn copied(&self, last_folder: &mut u64) -> Entry {
        match self {
            Entry::File(letters) => Entry::File(vec![letters[0]]),
            Entry::Folder(folder) => Entry::Folder(folder.copied(last_folder)),
        }
    }
}

impl Model {
    pub(super) fn live(&self) -> BTreeMap<String, Option<u8>> {
        let mut live = BTreeMap::new();
        self.root.list("", &mut live);
        live
    }

    /// Done on a copy that is kept only if it succeeds: what is refused leaves no folder behind.
    fn change(&mut self, change: impl FnOnce(&mut Self) -> Option<()>) -> bool {
        let mut changed = self.clone();
        let is_done = change(&mut changed).is_some();
        if is_done {
            *self = changed;
        }
        is_done
    }

    pub(super) fn put(&mut self, path: &str, mode: &WriteMode, rename: bool, letter: u8) -> bool {
        self.change(|model| {
            let (parents, name) = split(path);
            let folder = model.root.ensure(&parents, &mut model.last_folder)?;
            let key = name.to_lowercase();
            match folder.entries.get_mut(&key) {
                None if matches!(mode, WriteMode::Update { .. }) => None,
                None => {
                    // The file that went from here last comes back under the new contents.
                    let folder_id = folder.id;
                    let item = folder.left.get(&key).copied();
                    let back = item
                        .and_then(|seq| {
                            model
                                .trash
                                .get(&seq)
                                .filter(|item| {
                                    item.folder == folder_id
                                        && item.name.to_lowercase() == key
                                        && !item.purging
                                        && matches!(item.entry, Entry::File(_))
                                })
                                .map(|_| seq)
                        })
                        .and_then(|seq| model.trash.remove(&seq));
                    let older = match back.map(|item| item.entry) {
                        Some(Entry::File(letters)) => letters,
                        _ => Vec::new(),
                    };
                    let letters = std::iter::once(letter).chain(older).collect();
                    let folder = model.root.at(&parents)?;
                    folder.entries.insert(key, (name.to_owned(), Entry::File(letters)));
                    Some(())
                }
                Some((_, Entry::File(letters))) => match mode {
                    WriteMode::Replace(_) => {
                        letters.insert(0, letter);
                        Some(())
                    }
                    _ if letters[0] == letter => Some(()),
                    WriteMode::Overwrite | WriteMode::Update { .. } => {
                        letters.insert(0, letter);
                        Some(())
                    }
                    WriteMode::Add => model.put_beside(&parents, name, rename, letter),
                },
                Some((_, Entry::Folder(_))) if matches!(mode, WriteMode::Replace(_)) => None,
                Some((_, Entry::Folder(_))) => model.put_beside(&parents, name, rename, letter),
            }
        })
    }

    fn put_beside(&mut self, parents: &[&str], name: &str, rename: bool, letter: u8) -> Option<()> {
        let folder = self.root.at(parents)?;
        let name = folder.free_name(name, rename)?;
        let path: Vec<&str> = parents.iter().copied().chain([name.as_str()]).collect();
        // A renamed file may take up the history of one of that name, as any new file does.
        self.put(&path.join("/"), &WriteMode::Overwrite, false, letter).then_some(())
    }

    pub(super) fn create_folder(&mut self, path: &str, rename: bool) -> bool {
        self.change(|model| {
            let (parents, name) = split(path);
            let folder = model.root.ensure(&parents, &mut model.last_folder)?;
            let name = folder.free_name(name, rename)?;
            folder.ensure(&[&name], &mut model.last_folder).map(drop)
        })
    }

    pub(super) fn relocate(&mut self, from: &str, to: &str, rename: bool) -> bool {
        self.change(|model| {
            let (from_parents, from_name) = split(from);
            let (to_parents, to_name) = split(to);
            let from_key = from_name.to_lowercase();
            model.root.at(&from_parents)?.entries.get(&from_key)?;
            let to_folder = model.root.ensure(&to_parents, &mut model.last_folder)?.id;
            let from_folder = model.root.at(&from_parents)?;
            let stays = from_folder.id == to_folder && to_name.to_lowercase() == from_key;
            if stays {
                from_folder.entries.get_mut(&from_key)?.0 = to_name.to_owned();
                return Some(());
            }
            let (_, entry) = from_folder.entries.get(&from_key)?.clone();
            let mut moved = entry.clone();
            if let Entry::Folder(folder) = &mut moved
                && folder.with_id(to_folder).is_some()
            {
                return None;
            }
            let name = model.root.with_id(to_folder)?.free_name(to_name, rename)?;
            let from_folder = model.root.at(&from_parents)?;
            from_folder.entries.remove(&from_key);
            from_folder.left.remove(&from_key);
            let to_folder = model.root.with_id(to_folder)?;
            to_folder.entries.insert(name.to_lowercase(), (name, entry));
            Some(())
        })
    }

    pub(super) fn copy(&mut self, from: &str, to: &str) -> bool {
        self.change(|model| {
            let (from_parents, from_name) = split(from);
            let (to_parents, to_name) = split(to);
            let (_, entry) = model.root.at(&from_parents)?.entries.get(&from_name.to_lowercase())?.clone();
            let to_folder = model.root.ensure(&to_parents, &mut model.last_folder)?.id;
            let mut inside = entry.clone();
            if let Entry::Folder(folder) = &mut inside
                && folder.with_id(to_folder).is_some()
            {
                return None;
            }
            // A missing parent may have been made inside of what is copied: then it goes into itself.
            let (_, entry) = model.root.at(&from_parents)?.entries.get(&from_name.to_lowercase())?.clone();
            if let Entry::Folder(folder) = &mut entry.clone()
                && folder.with_id(to_folder).is_some()
            {
                return None;
            }
            let copy = entry.copied(&mut model.last_folder);
            let to_folder = model.root.with_id(to_folder)?;
            let name = to_folder.free_name(to_name, false)?;
            to_folder.entries.insert(name.to_lowercase(), (name, copy));
            Some(())
        })
    }

    /// `trashed`: the seq that the item got, if it got one.
    pub(super) fn trash(&mut self, path: &str, trashed: Option<u64>) -> bool {
        self.change(|model| {
            let (parents, name) = split(path);
            let folder = model.root.at(&parents)?;
            let (name, entry) = folder.entries.remove(&name.to_lowercase())?;
            folder.left.insert(name.to_lowercase(), trashed?);
            let item = Item { folder: folder.id, name, entry, purging: false };
            model.trash.insert(trashed?, item);
            Some(())
        })
    }

    pub(super) fn pick_trashed(&self, pick: usize) -> Option<u64> {
        self.trash.keys().nth(pick).copied()
    }

    pub(super) fn untrash(&mut self, trashed: u64, to: Option<&str>) -> bool {
        self.change(|model| {
            let item = model.trash.get(&trashed).filter(|item| !item.purging)?.clone();
            let (folder, wanted) = match to {
                Some(to) => {
                    let (parents, name) = split(to);
                    (model.root.ensure(&parents, &mut model.last_folder)?, name.to_owned())
                }
                None => (model.root.with_id(item.folder)?, item.name.clone()),
            };
            let name = folder.free_name(&wanted, false)?;
            folder.entries.insert(name.to_lowercase(), (name, item.entry));
            model.trash.remove(&trashed);
            Some(())
        })
    }

    pub(super) fn purge(&mut self, trashed: u64, more: bool) {
        match self.trash.get_mut(&trashed) {
            Some(item) if more => item.purging = true,
            _ => drop(self.trash.remove(&trashed)),
        }
    }

    fn file(&mut self, path: &str) -> Option<&mut Vec<u8>> {
        let (parents, name) = split(path);
        match self.root.at(&parents)?.entries.get_mut(&name.to_lowercase())? {
            (_, Entry::File(letters)) => Some(letters),
            (_, Entry::Folder(_)) => None,
        }
    }

    pub(super) fn revisions(&self, path: &str) -> Vec<u8> {
        self.clone().file(path).cloned().unwrap_or_default()
    }

    pub(super) fn restore(&mut self, path: &str, pick: usize) {
        if let Some(letters) = self.file(path)
            && pick > 0
        {
            letters.insert(0, letters[pick]);
        }
    }

    pub(super) fn remove_revision(&mut self, path: &str, pick: usize) {
        let Some(letters) = self.file(path) else { return };
        letters.remove(pick);
        if letters.is_empty() {
            let (parents, name) = split(path);
            let folder = self.root.at(&parents).unwrap();
            folder.entries.remove(&name.to_lowercase());
            folder.left.remove(&name.to_lowercase());
        }
    }
}

//! Past: where the entries of a folder stood at a time, and what has to be done for it to be so again (docs/drive-rewind.md).
//! Owns: the verdict about one entry. A rewind (`apply`) and its preview go by the same.
//! Invariant: the verdict depends on the records alone, and there is none for what is as it was: a rewind that is done again does nothing.

use super::find::{ROUTE_MAX, route_of};
use super::list::{revisions, trash_item};
use super::page::page;
use crate::error::{Error, ErrorKind, Result};
use crate::id::EntryId;
use crate::metadata::command::tree::RewindStage;
use crate::metadata::key::{TreeKey, TreeSpace};
use crate::metadata::outcome::RewindCounts;
use crate::metadata::record::tree::{
    EntryName, EntryRecord, FileRecord, FormerPlace, NameRecord, PlaceRecord, RevisionRecord, StoodRecord,
};
use crate::metadata::view::{MetadataView, record};

/// Revisions of a file that are read at once.
const REVISIONS: usize = 64;

/// A folder at a time.
#[derive(Clone, Copy)]
pub(crate) struct Past<'v> {
    pub(crate) view: &'v dyn MetadataView,
    pub(crate) space: TreeSpace,
    pub(crate) folder: EntryId,
    pub(crate) to_ms: u64,
}

/// An entry, wherever it is now.
pub(crate) struct Standing {
    pub(crate) record: EntryRecord,
    pub(crate) place: PlaceRecord,
}

/// A place in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) parent: EntryId,
    pub(crate) name: EntryName,
}

pub(crate) enum Fate {
    /// It stood in the folder: it, and the folders above it up to that one, from below.
    Inside(Vec<(EntryId, Seat)>),
    Outside(Seat),
    /// It was not made yet, or lay in the trash.
    Away,
    /// What it stood in is gone for good.
    Lost,
}

enum Then {
    Absent,
    Trash,
    At(Seat),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Out of the trash, with as many entries.
    Restore {
        entries: u64,
    },
    Move,
    /// Into the trash, with as many entries.
    Remove {
        entries: u64,
    },
    /// The file had the contents of this revision.
    Reset {
        rev: u64,
    },
    /// It cannot be as it was.
    Lost,
}

impl Verdict {
    pub(crate) fn counts(self) -> RewindCounts {
        let none = RewindCounts::default();
        match self {
            Self::Restore { entries } => RewindCounts { restored: entries, ..none },
            Self::Move => RewindCounts { moved: 1, ..none },
            Self::Remove { entries } => RewindCounts { removed: entries, ..none },
            Self::Reset { .. } => RewindCounts { reset: 1, ..none },
            Self::Lost => RewindCounts { lost: 1, ..none },
        }
    }
}

impl Past<'_> {
    /// What a stage has to do about an entry; none: nothing.
    pub(crate) fn verdict(&self, stage: RewindStage, entry: EntryId) -> Result<Option<Verdict>> {
        if entry == self.folder || entry == EntryId::ROOT {
            return Ok(None);
        }
        let Some(standing) = self.standing(entry)? else {
            return Ok(None);
        };
        let entries = entries_of(&standing.record);
        Ok(match (stage, self.fate(entry, &standing)?) {
            (RewindStage::Trash, Fate::Inside(_)) => Some(self.restore(&standing)?),
            (RewindStage::Trash, Fate::Lost) if self.folder == EntryId::ROOT => Some(Verdict::Lost),
            (RewindStage::Places, Fate::Inside(way)) if !way.first().is_some_and(|(_, seat)| standing.is_at(seat)) => {
                Some(if self.is_live(&standing)? { Verdict::Move } else { Verdict::Restore { entries } })
            }
            (RewindStage::Places, Fate::Outside(_)) if self.is_below(&standing)? => Some(Verdict::Move),
            (RewindStage::Places, Fate::Lost) if self.is_below(&standing)? => Some(Verdict::Lost),
            (RewindStage::Arrivals, Fate::Away) if self.is_below(&standing)? => {
                (!self.goes_with_its_folder(&standing)?).then_some(Verdict::Remove { entries })
            }
            (RewindStage::Contents, Fate::Inside(_)) => self.contents(&standing.record)?,
            _ => None,
        })
    }

    /// As many entries leave a folder that goes away itself when this one goes back.
    pub(crate) fn leaving(&self, entry: EntryId) -> Result<u64> {
        match self.standing(entry)? {
            Some(standing) if self.is_below(&standing)? && self.goes_with_its_folder(&standing)? => {
                Ok(entries_of(&standing.record))
            }
            _ => Ok(0),
        }
    }

    pub(crate) fn standing(&self, entry: EntryId) -> Result<Option<Standing>> {
        let Some(place) = record::<PlaceRecord>(self.view, &self.space.place(entry))? else {
            return Ok(None);
        };
        let misplaced = || Error::new(ErrorKind::Corrupt, format!("entry {} is not where it should be", entry.0));
        let found = match &place {
            PlaceRecord::Live { parent, name } => {
                let standing: Option<NameRecord> = record(self.view, &self.space.name(*parent, &name.key))?;
                let is_folder = standing.is_none_or(|standing| standing.is_folder);
                record(self.view, &self.space.entry(*parent, &name.name, is_folder))?
            }
            PlaceRecord::Trashed { seq } => trash_item(self.view, self.space, *seq)?.map(|item| item.entry),
        };
        Ok(Some(Standing { record: found.ok_or_else(misplaced)?, place }))
    }

    pub(crate) fn fate(&self, entry: EntryId, standing: &Standing) -> Result<Fate> {
        let Then::At(seat) = self.then(standing)? else {
            return Ok(Fate::Away);
        };
        let mut way = vec![(entry, seat.clone())];
        let mut at = seat.parent;
        while at != self.folder {
            if at == EntryId::ROOT {
                return Ok(Fate::Outside(seat));
            }
            let Some(above) = self.standing(at)?.filter(|_| way.len() <= ROUTE_MAX) else {
                return Ok(Fate::Lost);
            };
            match self.then(&above)? {
                Then::At(above) => {
                    let entry = std::mem::replace(&mut at, above.parent);
                    way.push((entry, above));
                }
                Then::Trash => return Ok(Fate::Away),
                Then::Absent => return Ok(Fate::Lost),
            }
        }
        Ok(Fate::Inside(way))
    }

    /// Where it stood, whatever became of what it stood in.
    fn then(&self, standing: &Standing) -> Result<Then> {
        if standing.record.created_ms > self.to_ms {
            return Ok(Then::Absent);
        }
        let known = stood(self.view, self.space, standing.record.id)?;
        let since = known.into_iter().map(|(_, stood)| stood).find(|stood| stood.until_ms > self.to_ms);
        Ok(match since.map(|stood| stood.place) {
            Some(FormerPlace::Folder { parent, name }) => Then::At(Seat { parent, name }),
            Some(FormerPlace::Trash) => Then::Trash,
            None => match &standing.place {
                PlaceRecord::Live { parent, name } => Then::At(Seat { parent: *parent, name: name.clone() }),
                PlaceRecord::Trashed { .. } => Then::Trash,
            },
        })
    }

    fn restore(&self, standing: &Standing) -> Result<Verdict> {
        if let PlaceRecord::Trashed { seq } = standing.place
            && trash_item(self.view, self.space, seq)?.is_some_and(|item| item.purging)
        {
            return Ok(Verdict::Lost);
        }
        Ok(Verdict::Restore { entries: entries_of(&standing.record) })
    }

    fn contents(&self, record: &EntryRecord) -> Result<Option<Verdict>> {
        let Some(file) = record.file().filter(|file| file.head.modified_ms > self.to_ms) else {
            return Ok(None);
        };
        let Some(then) = self.revision_then(record.id)? else {
            return Ok(Some(Verdict::Lost));
        };
        Ok((!holds(file, &then)).then_some(Verdict::Reset { rev: then.rev }))
    }

    /// The newest one that is kept of those before the time.
    fn revision_then(&self, entry: EntryId) -> Result<Option<RevisionRecord>> {
        let mut before_rev = None;
        loop {
            let page = revisions(self.view, self.space, entry, before_rev, REVISIONS)?;
            before_rev = page.last().map(|last| last.rev);
            let then = page.into_iter().find(|revision| revision.modified_ms <= self.to_ms);
            if then.is_some() || before_rev.is_none() {
                return Ok(then);
            }
        }
    }

    fn is_live(&self, standing: &Standing) -> Result<bool> {
        match standing.place {
            PlaceRecord::Live { parent, .. } => Ok(route_of(self.view, self.space, parent)?.is_some()),
            PlaceRecord::Trashed { .. } => Ok(false),
        }
    }

    /// Lives below the folder.
    fn is_below(&self, standing: &Standing) -> Result<bool> {
        match standing.place {
            PlaceRecord::Live { parent, .. } => {
                let route = route_of(self.view, self.space, parent)?;
                Ok(route.is_some_and(|route| route.contains(self.folder)))
            }
            PlaceRecord::Trashed { .. } => Ok(false),
        }
    }

    /// The folder that it stands in goes away itself.
    fn goes_with_its_folder(&self, standing: &Standing) -> Result<bool> {
        match standing.place {
            PlaceRecord::Live { parent, .. } if parent != self.folder => match self.standing(parent)? {
                Some(above) => Ok(matches!(self.fate(parent, &above)?, Fate::Away)),
                None => Ok(false),
            },
            _ => Ok(false),
        }
    }
}

impl Standing {
    pub(crate) fn is_at(&self, seat: &Seat) -> bool {
        matches!(&self.place, PlaceRecord::Live { parent, name } if *parent == seat.parent && *name == seat.name)
    }
}

pub(crate) fn entries_of(record: &EntryRecord) -> u64 {
    let totals = record.totals();
    totals.files + totals.folders
}

fn holds(file: &FileRecord, then: &RevisionRecord) -> bool {
    let is_same = file.head.content_hash.is_some() && file.head.content_hash == then.content_hash;
    file.head.content == then.content || (is_same && file.head.bytes == then.bytes)
}

/// Where an entry stood, oldest first, each with the seq of the change that ended it.
pub(crate) fn stood(view: &dyn MetadataView, space: TreeSpace, entry: EntryId) -> Result<Vec<(u64, StoodRecord)>> {
    let rows = page::<StoodRecord>(view, &space.stood_of(entry), usize::MAX)?;
    let numbered = |(key, record)| match key {
        TreeKey::Stood { seq, .. } => Ok((seq, record)),
        other => Err(Error::new(ErrorKind::Corrupt, format!("{other:?} stands among former places"))),
    };
    rows.into_iter().map(numbered).collect()
}

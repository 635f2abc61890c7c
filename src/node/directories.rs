//! Directories: what each data directory of this process is, before any of them is touched.
//! Owns: refusing what would lose or mix data: one given twice, one of another host or cluster, an empty one where a drive was.
//! Does not own: how a directory becomes a drive (`identity`, `join`), what its files look like.
//! Invariant: an empty directory is taken for a new drive only if no drive of this host was there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use onggi_cluster::id::{ClusterId, DriveId, HostId, NodeId};

use crate::node::host_file::{HostFile, KnownDrive};
use crate::node::identity::PeerFiles;

#[derive(Debug, Default, PartialEq)]
pub struct Directories {
    /// Members of a cluster, in the order given.
    pub members: Vec<PathBuf>,
    /// To be made drives of this host. Without members the first of them founds a cluster, or joins one.
    pub new: Vec<PathBuf>,
    /// Could not be looked at, and why. Never all of them.
    pub failed: Vec<(PathBuf, String)>,
    /// The host that the members are, if they were kept on record as one.
    pub host: Option<HostId>,
    pub drives: Vec<KnownDrive>,
}

struct Member {
    node: NodeId,
    drive: DriveId,
    cluster: ClusterId,
    host: HostId,
    known: Vec<KnownDrive>,
}

enum Kind {
    Member(Member),
    /// A join was begun for this cluster.
    Begun(ClusterId),
    /// Data without an identity: a store of one node that was made before there were others.
    Store,
    Empty,
}

/// `replaced`: directories whose drive is lost; what is in them now is new.
pub fn sort_out(given: &[PathBuf], replaced: &[PathBuf]) -> Result<Directories> {
    let (all, replaced) = (absolute(given)?, absolute(replaced)?);
    refuse_doubles(&all)?;
    let mut found = Directories::default();
    let mut members: Vec<(PathBuf, Member)> = Vec::new();
    let mut others = Vec::new();
    for path in all {
        match look(&path) {
            Ok(Kind::Member(member)) => members.push((path, member)),
            Ok(kind) => others.push((path, kind)),
            Err(error) => found.failed.push((path, format!("{error:#}"))),
        }
    }
    refuse_mixture(&members)?;
    let known: BTreeMap<String, KnownDrive> =
        members.iter().flat_map(|(_, member)| &member.known).map(|drive| (drive.path.clone(), drive.clone())).collect();
    let cluster = members.first().map(|(_, member)| member.cluster);
    for (path, kind) in others {
        refuse_trap(&path, known.get(&path.display().to_string()), &replaced)?;
        let is_first = members.is_empty() && found.new.is_empty();
        match kind {
            Kind::Begun(begun) if !is_first && cluster != Some(begun) => {
                bail!("a join to another cluster was begun in {}: use an empty directory", path.display())
            }
            Kind::Store if !is_first => bail!(
                "{} holds data of a store of its own, which cannot become a drive of this one: use an empty directory",
                path.display()
            ),
            _ => found.new.push(path),
        }
    }
    if members.is_empty()
        && let Some((path, why)) = found.failed.first()
    {
        bail!("{}: {why}", path.display());
    }
    found.host = members.first().map(|(_, member)| member.host);
    found.drives = known.into_values().collect();
    found.members = members.into_iter().map(|(path, _)| path).collect();
    Ok(found)
}

fn absolute(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let absolute = |path: &PathBuf| std::path::absolute(path).with_context(|| format!("find {}", path.display()));
    paths.iter().map(absolute).collect()
}

fn look(data_dir: &Path) -> Result<Kind> {
    let files = PeerFiles::new(data_dir);
    if let Some(stored) = files.load()? {
        let identity = stored.identity;
        let file = HostFile::load(data_dir)?;
        let host = file.as_ref().map_or(HostId::begun_by(identity.node), HostFile::host);
        let known = file.map(|file| file.drives).unwrap_or_default();
        let (node, drive, cluster) = (identity.node, identity.drive, identity.cluster);
        return Ok(Kind::Member(Member { node, drive, cluster, host, known }));
    }
    if let Some(cluster) = files.join_begun()? {
        return Ok(Kind::Begun(cluster));
    }
    let mut in_use = false;
    for name in ["drive.json", "rocks", "extents"] {
        let path = data_dir.join(name);
        in_use |= path.try_exists().with_context(|| format!("look for {}", path.display()))?;
    }
    Ok(if in_use { Kind::Store } else { Kind::Empty })
}

fn refuse_doubles(all: &[PathBuf]) -> Result<()> {
    // Through links, where it exists.
    let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    for (number, one) in all.iter().enumerate() {
        for other in &all[number + 1..] {
            ensure!(
                !real(one).starts_with(real(other)) && !real(other).starts_with(real(one)),
                "the data directories {} and {} are the same, or one is in the other",
                one.display(),
                other.display()
            );
        }
    }
    Ok(())
}

fn refuse_mixture(members: &[(PathBuf, Member)]) -> Result<()> {
    let Some((first_path, first)) = members.first() else { return Ok(()) };
    for (number, (path, member)) in members.iter().enumerate().skip(1) {
        let (path, first_path) = (path.display(), first_path.display());
        ensure!(member.cluster == first.cluster, "{path} belongs to another cluster than {first_path}");
        let twice =
            members[..number].iter().find(|(_, other)| other.node == member.node || other.drive == member.drive);
        if let Some((other, _)) = twice {
            bail!("{path} and {} are both the drive of node {}: one is a copy", other.display(), member.node.0);
        }
        ensure!(
            member.host == first.host,
            "{path} is a drive of host {} and {first_path} of host {}: a drive stays with its host",
            member.host.0,
            first.host.0
        );
    }
    Ok(())
}

/// A disk that is not mounted looks like a new one.
fn refuse_trap(path: &Path, known: Option<&KnownDrive>, replaced: &[PathBuf]) -> Result<()> {
    match known {
        Some(drive) if !replaced.iter().any(|replaced| replaced == path) => bail!(
            "{} was the drive of node {} and is empty: is its disk mounted? If the disk is lost, drain and remove node {} first              (`onggi admin node`), or start with `--replace-drive {}` to give it up with all that is on no other",
            path.display(),
            drive.node,
            drive.node,
            path.display()
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "directories/directories_test.rs"]
mod directories_test;

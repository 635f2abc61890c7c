//! Identity: `drive.json`, which says in which format the directory is, which drive of which cluster.
//! Written once and synced before anything else is stored; checked at every open.

use std::fmt;
use std::io::IoSlice;
use std::path::Path;

use super::corrupt_identity;
use crate::env::{Environment, OpenMode};
use crate::error::{Context, Error, ErrorKind, Result};

pub type DriveId = [u8; 16];
pub type ClusterId = [u8; 16];

/// The layout of docs/data-layout.md. A release opens every format up to its own.
const FORMAT: u64 = 1;
pub(super) const NAME: &str = "drive.json";
/// What is longer was not written by us.
const BYTES_MAX: u64 = 4096;

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub drive: DriveId,
    pub cluster: ClusterId,
}

impl Identity {
    pub(super) fn load_or_create(
        directory: &Path,
        environment: &Environment,
        cluster: Option<ClusterId>,
    ) -> Result<Self> {
        let path = directory.join(NAME);
        let present = environment.disk.list(directory).context("list data directory")?;
        let in_use = present.iter().any(|path| path.ends_with("rocks") || path.ends_with("extents"));
        if present.contains(&path) {
            match Self::load(&path, environment) {
                // A crash while the drive was made: nothing can be stored on it yet.
                Err(error) if error.kind == ErrorKind::Corrupt && !in_use => {
                    environment.disk.remove(&path).context("remove unfinished drive.json")?;
                }
                Err(error) => return Err(error),
                Ok(identity) => return identity.of_cluster(cluster, &path),
            }
        } else if in_use {
            return Err(Error::new(ErrorKind::Corrupt, format!("{} is missing, but there is data", path.display())));
        }
        Self::create(&path, directory, environment, cluster)
    }

    fn of_cluster(self, wanted: Option<ClusterId>, path: &Path) -> Result<Self> {
        match wanted {
            Some(wanted) if wanted != self.cluster => {
                let context = format!("{}: the drive belongs to cluster {}", path.display(), hex(&self.cluster));
                Err(Error::new(ErrorKind::Internal, context))
            }
            _ => Ok(self),
        }
    }

    fn create(path: &Path, directory: &Path, environment: &Environment, cluster: Option<ClusterId>) -> Result<Self> {
        let random = || {
            let mut id = [0; 16];
            environment.random.fill(&mut id);
            id
        };
        let identity = Self { drive: random(), cluster: cluster.unwrap_or_else(random) };
        let file = environment.disk.open(path, OpenMode::CreateNew).context("create drive.json")?;
        file.write_at(&[IoSlice::new(identity.to_string().as_bytes())], 0).context("write drive.json")?;
        file.sync_data().context("sync drive.json")?;
        environment.disk.sync_directory(directory).context("sync data directory")?;
        Ok(identity)
    }

    fn load(path: &Path, environment: &Environment) -> Result<Self> {
        let file = environment.disk.open(path, OpenMode::Read).context("open drive.json")?;
        let bytes = file.bytes().context("read drive.json")?;
        if bytes > BYTES_MAX {
            return Err(corrupt_identity(path, "too long"));
        }
        let mut text = vec![0; bytes as usize];
        file.read_at(&mut text, 0).context("read drive.json")?;
        let text = String::from_utf8(text).map_err(|_| corrupt_identity(path, "no text"))?;
        Self::parse(&text, path)
    }

    /// Reads the form that `Display` writes: a flat object, one field a line. Fields it does not know are left alone.
    fn parse(text: &str, path: &Path) -> Result<Self> {
        let field = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.trim().trim_end_matches(',').split_once(':'));
            let (_, value) = lines.find(|(key, _)| key.trim().trim_matches('"') == name)?;
            Some(value.trim().trim_matches('"').to_owned())
        };
        if !text.trim_end().ends_with('}') {
            return Err(corrupt_identity(path, "it ends too early"));
        }
        let format = field("format").and_then(|format| format.parse::<u64>().ok());
        match format {
            None | Some(0) => return Err(corrupt_identity(path, "no format")),
            Some(format) if format > FORMAT => {
                let context = format!("{}: format {format} is newer than this release ({FORMAT})", path.display());
                return Err(Error::new(ErrorKind::Internal, context));
            }
            Some(_) => {}
        }
        let drive = field("drive").as_deref().and_then(parse_hex).ok_or_else(|| corrupt_identity(path, "no drive"))?;
        let cluster = field("cluster").as_deref().and_then(parse_hex);
        let cluster = cluster.ok_or_else(|| corrupt_identity(path, "no cluster"))?;
        Ok(Self { drive, cluster })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (drive, cluster) = (hex(&self.drive), hex(&self.cluster));
        write!(f, "{{\n  \"format\": {FORMAT},\n  \"drive\": \"{drive}\",\n  \"cluster\": \"{cluster}\"\n}}\n")
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "drive {} of cluster {}", hex(&self.drive), hex(&self.cluster))
    }
}

fn hex(id: &[u8; 16]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse_hex(text: &str) -> Option<[u8; 16]> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = digits.then(|| u128::from_str_radix(text, 16).ok())??;
    Some(id.to_be_bytes())
}

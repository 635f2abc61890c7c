//! Process counters: what a server cost, read from /proc. Counts carry no noise, so they are preferred to times.

use anyhow::Context;
use serde::Serialize;

/// Linux reports CPU times in ticks of 1/100 s to user space, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// Totals since the process started.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ProcessCounters {
    pub cpu_seconds: f64,
    /// Bytes that the process made the drive write, page cache included.
    pub write_bytes: u64,
    /// Bytes that came from the drive, not from the page cache.
    pub read_bytes: u64,
}

impl ProcessCounters {
    pub fn read(pid: u32) -> anyhow::Result<Self> {
        let stat =
            std::fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("read counters of {pid}"))?;
        let io = std::fs::read_to_string(format!("/proc/{pid}/io")).with_context(|| format!("read io of {pid}"))?;
        parse(&stat, &io).with_context(|| format!("parse counters of {pid}"))
    }

    pub fn since(self, before: Self) -> Self {
        Self {
            cpu_seconds: self.cpu_seconds - before.cpu_seconds,
            write_bytes: self.write_bytes.saturating_sub(before.write_bytes),
            read_bytes: self.read_bytes.saturating_sub(before.read_bytes),
        }
    }
}

fn parse(stat: &str, io: &str) -> Option<ProcessCounters> {
    // The command name is in parentheses and may hold spaces: fields are counted from behind it.
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    // Fields 14 and 15 of proc(5): the state, field 3, is the first here.
    let (user, system) = (ticks(11)?, ticks(12)?);
    let counter = |name: &str| io.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some(ProcessCounters {
        cpu_seconds: (user + system) / TICKS_PER_SECOND,
        write_bytes: counter("write_bytes:")?,
        read_bytes: counter("read_bytes:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_command_name_with_spaces_and_parentheses_is_skipped() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 100 0 0";
        let io =
            "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 0\n";
        let counters = parse(stat, io).expect("counters");
        assert_eq!((counters.cpu_seconds, counters.write_bytes, counters.read_bytes), (3.0, 8192, 4096));
    }

    #[test]
    fn a_truncated_stat_is_none() {
        assert!(parse("7 (a) S 1", "read_bytes: 1\nwrite_bytes: 1\n").is_none());
    }
}

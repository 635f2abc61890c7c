//! Progress: bars and times of what moves, and how a command that waits shows them.
//! Owns: what a person at a terminal sees, and a log file gets: a line only when something changed.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::admin_api::message::{Copy, Moves};
use crate::cli::output;

const BAR_CHARS: u64 = 24;

/// `[######------------------]  25 %`
pub fn bar(done: u64, all: u64) -> String {
    // Nothing to do is done.
    let (done, all) = if all == 0 { (1, 1) } else { (done.min(all), all) };
    let of = |parts: u64| u128::from(done) * u128::from(parts) / u128::from(all);
    let full = usize::try_from(of(BAR_CHARS)).unwrap_or(0);
    format!("[{}{}] {:3} %", "#".repeat(full), "-".repeat(BAR_CHARS as usize - full), of(100))
}

/// `1m 05s`
pub fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h {minutes:02}m"),
    }
}

/// `4 groups, 1.2 GiB, about 40s at 30.0 MiB/s`; what is not known is left out.
pub fn left(moves: &Moves) -> String {
    if moves.groups_left == 0 {
        return "nothing".into();
    }
    let mut text = format!("{} groups", moves.groups_left);
    if let Some(bytes) = moves.bytes_left {
        text.push_str(&format!(", {}", output::bytes(bytes)));
    }
    if let Some(seconds) = moves.seconds_left {
        text.push_str(&format!(", about {}", duration(seconds)));
    }
    if moves.bytes_per_second > 0 {
        text.push_str(&format!(" at {}/s", output::bytes(moves.bytes_per_second)));
    }
    text
}

/// One copy of a group, with a bar if its size is known.
pub fn copy(group: u32, copy: &Copy) -> String {
    let size = match (copy.bytes, copy.bytes_left) {
        (Some(bytes), Some(left)) => {
            format!(
                "{}  {} of {} left",
                bar(bytes.saturating_sub(left), bytes),
                output::bytes(left),
                output::bytes(bytes)
            )
        }
        _ => "waits".into(),
    };
    format!("group {group} to node {}  {size}", copy.node)
}

/// Measures against the most that was ever left, so that a bar does not go back when more is found.
#[derive(Default)]
pub struct Track {
    groups: u64,
    bytes: u64,
}

impl Track {
    pub fn bar(&mut self, groups_left: u64, bytes_left: Option<u64>) -> String {
        self.groups = self.groups.max(groups_left);
        self.bytes = self.bytes.max(bytes_left.unwrap_or(0));
        match bytes_left {
            Some(bytes) if self.bytes > 0 => bar(self.bytes - bytes, self.bytes),
            _ => bar(self.groups - groups_left, self.groups),
        }
    }
}

/// One line that is written over at a terminal; elsewhere a new line, if it is another one. On standard error: the result of the command
/// goes to standard output.
#[derive(Default)]
pub struct Line {
    last: String,
}

impl Line {
    pub fn show(&mut self, text: String) {
        if text == self.last {
            return;
        }
        let mut out = std::io::stderr();
        // Nobody may be listening.
        let _ = match out.is_terminal() {
            true => write!(out, "\r{text}\x1b[K").and_then(|()| out.flush()),
            false => writeln!(out, "{text}"),
        };
        self.last = text;
    }

    pub fn end(self) {
        if !self.last.is_empty() && std::io::stderr().is_terminal() {
            eprintln!();
        }
    }
}

/// One line for several transfers at a time.
pub struct Transfers {
    line: Mutex<Line>,
    done: AtomicU64,
    all: u64,
}

impl Transfers {
    /// `all`: bytes of all of them.
    pub fn of(all: u64) -> Self {
        Self { line: Mutex::default(), done: AtomicU64::new(0), all }
    }

    /// What one of them tells: how many of its bytes are there.
    pub fn file<'a>(&'a self, name: &'a str) -> impl FnMut(u64) + Send + 'a {
        let mut told = 0;
        move |bytes: u64| {
            let more = bytes.saturating_sub(told);
            told += more;
            let done = self.done.fetch_add(more, Ordering::Relaxed) + more;
            self.line.lock().unwrap_or_else(PoisonError::into_inner).show(format!("{} {name}", bar(done, self.all)));
        }
    }

    pub fn end(self) {
        self.line.into_inner().unwrap_or_else(PoisonError::into_inner).end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        assert_eq!(bar(0, 100), "[------------------------]   0 %");
        assert_eq!(bar(25, 100), "[######------------------]  25 %");
        assert_eq!(bar(200, 100), "[########################] 100 %");
        assert_eq!(bar(0, 0), "[########################] 100 %");
        assert_eq!(bar(u64::MAX / 2, u64::MAX), "[###########-------------]  49 %");
    }

    #[test]
    fn times() {
        assert_eq!([5, 65, 3600, 90_061].map(duration), ["5s", "1m 05s", "1h 00m", "25h 01m"]);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let moves =
            Moves { groups_left: 4, bytes_left: Some(3 << 20), seconds_left: None, bytes: None, bytes_per_second: 0 };
        assert_eq!(left(&moves), "4 groups, 3.0 MiB");
        assert_eq!(
            left(&Moves { seconds_left: Some(70), bytes_per_second: 2048, ..moves }),
            "4 groups, 3.0 MiB, about 1m 10s at 2.0 KiB/s"
        );
        assert_eq!(left(&Moves::default()), "nothing");
    }

    #[test]
    fn a_bar_does_not_go_back() {
        let mut track = Track::default();
        assert!(track.bar(4, None).ends_with("  0 %"));
        assert!(track.bar(2, None).ends_with(" 50 %"));
        assert!(track.bar(2, Some(100)).ends_with("  0 %"));
        assert!(track.bar(1, Some(25)).ends_with(" 75 %"));
        assert!(track.bar(0, Some(0)).ends_with("100 %"));
    }
}

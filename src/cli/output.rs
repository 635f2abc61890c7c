//! Output: tables for people, JSON for programs.

use anyhow::Result;
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::config::setting::{ByteSize, Setting};

pub fn print_json(value: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// What a command without a result of its own says.
pub fn done(json: bool, sentence: &str) -> Result<()> {
    match json {
        true => print_json(&serde_json::json!({ "done": sentence })),
        false => {
            println!("{sentence}");
            Ok(())
        }
    }
}

/// Columns as wide as their widest cell; the last one is not padded.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([header[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_string() + "\n"
    };
    let body = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(line(header.to_vec())).chain(body).collect()
}

/// `1.5 GiB`: three digits at most, for people.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} B"),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

pub fn quota(quota_bytes: Option<u64>) -> String {
    quota_bytes.map_or("none".into(), |bytes| ByteSize(bytes).text())
}

pub fn yes_no(truth: bool) -> String {
    if truth { "yes".into() } else { "no".into() }
}

pub fn time(unix_ms: u64) -> String {
    let seconds = i64::try_from(unix_ms / 1000).unwrap_or(i64::MAX);
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
    let formatted = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&format).ok());
    formatted.unwrap_or_else(|| "?".into())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [vec!["root".into(), "yes".into(), "none".into()], vec!["옹기".into(), "no".into(), "5GiB".into()]];
        expect![[r#"
            NAME  ADMIN  QUOTA
            root  yes    none
            옹기    no     5GiB
        "#]]
        .assert_eq(&table(&["NAME", "ADMIN", "QUOTA"], &rows));
    }

    #[test]
    fn amounts_and_times_for_people() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "16384.0 PiB");
        assert_eq!(time(0), "1970-01-01 00:00:00Z");
    }
}

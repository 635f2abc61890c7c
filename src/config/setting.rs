//! Setting: a value as it is written in the file, the environment and the flags — the same text in all three.
//! Owns: parsing and printing of every type a key can have; messages say what a right value looks like.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use onggi_cluster::membership::check_host_port;

pub trait Setting: Sized {
    fn parse(text: &str) -> Result<Self, String>;
    fn text(&self) -> String;
}

impl Setting for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("write `true` or `false`".into()),
        }
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_string())
    }

    fn text(&self) -> String {
        self.clone()
    }
}

impl Setting for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("write a path".into()) } else { Ok(PathBuf::from(text)) }
    }

    fn text(&self) -> String {
        self.display().to_string()
    }
}

impl Setting for SocketAddr {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "write an IP address and a port, like `127.0.0.1:9000` or `[::]:9000`".into())
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Setting for NonZeroUsize {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "write a whole number of at least 1".into())
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Setting for NonZeroU32 {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "write a whole number of at least 1".into())
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// `HOST:PORT` of another machine, or of this one as others see it; the name is looked up when it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort(pub String);

impl HostPort {
    /// An IPv6 address with its brackets.
    pub fn host(&self) -> &str {
        self.0.rsplit_once(':').map_or(self.0.as_str(), |(host, _)| host)
    }
}

impl Setting for HostPort {
    fn parse(text: &str) -> Result<Self, String> {
        check_host_port(text).map(|()| Self(text.to_string()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// Empty is "not set".
impl<T: Setting> Setting for Option<T> {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::parse(text).map(Some) }
    }

    fn text(&self) -> String {
        self.as_ref().map(T::text).unwrap_or_default()
    }
}

/// Separated by commas; a TOML array in the file.
impl<T: Setting> Setting for Vec<T> {
    fn parse(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(T::parse).collect()
    }

    fn text(&self) -> String {
        self.iter().map(T::text).collect::<Vec<_>>().join(",")
    }
}

const DURATION_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Setting for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        parse_with_unit(text, &DURATION_UNITS)
            .map(Duration::from_millis)
            .ok_or_else(|| "write a whole number with a unit (ms, s, m, h, d), like `30s`".into())
    }

    fn text(&self) -> String {
        let ms = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        text_with_unit(ms, &DURATION_UNITS)
    }
}

/// An amount of bytes, written with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

const BYTE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

impl ByteSize {
    pub const fn kib(count: u64) -> Self {
        Self(count << 10)
    }

    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }

    pub const fn gib(count: u64) -> Self {
        Self(count << 30)
    }
}

impl Setting for ByteSize {
    fn parse(text: &str) -> Result<Self, String> {
        parse_with_unit(text, &BYTE_UNITS).or_else(|| text.parse().ok()).map(ByteSize).ok_or_else(|| {
            "write a whole number with a unit (B, KiB, MiB, GiB, TiB, KB, MB, GB, TB), like `64MiB`".into()
        })
    }

    fn text(&self) -> String {
        text_with_unit(self.0, &BYTE_UNITS)
    }
}

fn parse_with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// With the largest unit that leaves no remainder.
fn text_with_unit(value: u64, units: &[(&str, u64)]) -> String {
    let smallest = units[units.len() - 1];
    let (unit, factor) =
        *units.iter().find(|(_, factor)| value > 0 && value.is_multiple_of(*factor)).unwrap_or(&smallest);
    format!("{}{unit}", value / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_back<T: Setting + PartialEq + std::fmt::Debug>(text: &str, value: T) {
        assert_eq!(T::parse(text).as_ref(), Ok(&value));
        assert_eq!(value.text(), text);
    }

    #[test]
    fn text_comes_back() {
        comes_back("64MiB", ByteSize::mib(64));
        comes_back("1GiB", ByteSize::gib(1));
        comes_back("1500B", ByteSize(1_500));
        comes_back("3MB", ByteSize(3_000_000));
        comes_back("0B", ByteSize(0));
        comes_back("30s", Duration::from_secs(30));
        comes_back("1500ms", Duration::from_millis(1500));
        comes_back("7d", Duration::from_secs(7 * 86_400));
        comes_back("a.example,b.example", vec!["a.example".to_string(), "b.example".to_string()]);
        comes_back("", None::<PathBuf>);
        comes_back("[::1]:9000", SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 9000)));
    }

    #[test]
    fn what_has_no_clear_meaning_is_refused() {
        for bad in ["", "s", "5", "5 weeks", "-1s", "1.5h", "99999999999999999999s", "18446744073709551615d"] {
            assert!(Duration::parse(bad).is_err(), "{bad}");
        }
        for bad in ["", "MiB", "5 XB", "-1", "1.5GiB", "18446744073709551615KiB"] {
            assert!(ByteSize::parse(bad).is_err(), "{bad}");
        }
        assert!(NonZeroUsize::parse("0").is_err());
        assert!(bool::parse("yes").is_err());
        assert!(SocketAddr::parse("9000").is_err());
    }
}

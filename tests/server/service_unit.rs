//! Service unit: what operators are given for systemd is a unit that systemd reads without a word.

use std::process::Command;

use crate::node::onggi;

const UNIT: &str = include_str!("../../docs/operations/examples/onggi.service");
const DOCUMENTED_BINARY: &str = "/usr/local/bin/onggi";

#[test]
fn systemd_has_nothing_to_say_about_the_unit() {
    let binary = onggi().get_program().to_str().unwrap().to_owned();
    assert!(UNIT.contains(DOCUMENTED_BINARY));
    let unit = UNIT.replace(DOCUMENTED_BINARY, &binary);
    let Some(found) = complaints(&unit) else {
        println!("NOT TESTED: the systemd unit (systemd-analyze is in Debian's package systemd)");
        return;
    };
    assert!(found.is_empty(), "{found:#?}");
    let misspelt = unit.replace("RestartSec=", "RestartSeconds=");
    assert_eq!(complaints(&misspelt).unwrap().len(), 1);
}

/// `None`: systemd is not here.
fn complaints(unit: &str) -> Option<Vec<String>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("onggi.service");
    std::fs::write(&path, unit).unwrap();
    let output = Command::new("systemd-analyze").arg("verify").arg(&path).output().ok()?;
    // It also speaks of this machine's own units, and ends well whatever it found.
    let text = String::from_utf8_lossy(&output.stderr);
    Some(text.lines().filter(|line| line.contains("onggi.service")).map(str::to_owned).collect())
}

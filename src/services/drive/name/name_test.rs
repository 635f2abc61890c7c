use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn check_names(names: &[&str], expected: Expect) {
    let shown = names.iter().map(|text| match entry_name(text) {
        Ok(EntryName { name, key }) => format!("{text:?}: {name} = {key}\n"),
        Err(rule) => format!("{text:?}: {}: {rule}\n", rule.code()),
    });
    expected.assert_eq(&shown.collect::<String>());
}

#[test]
fn names_that_are_one() {
    check_names(
        &[
            "Straße",
            "STRASSE",
            "e\u{301}te\u{301}",
            "ÉTÉ",
            "ΣΊΣΥΦΟΣ",
            "σίσυφος",
            "Å",
            "ﬁle",
            "i̇",
            "İ",
            "ᾳ",
            "ΑΙ",
            "사과",
            "ANGSTROM\u{212b}",
        ],
        expect![[r#"
            "Straße": Straße = strasse
            "STRASSE": STRASSE = strasse
            "e\u{301}te\u{301}": été = été
            "ÉTÉ": ÉTÉ = été
            "ΣΊΣΥΦΟΣ": ΣΊΣΥΦΟΣ = σίσυφοσ
            "σίσυφος": σίσυφος = σίσυφοσ
            "Å": Å = å
            "ﬁle": ﬁle = file
            "i\u{307}": i̇ = i̇
            "İ": İ = i̇
            "ᾳ": ᾳ = αι
            "ΑΙ": ΑΙ = αι
            "사과": 사과 = 사과
            "ANGSTROMÅ": ANGSTROMÅ = angstromå
        "#]],
    );
}

#[test]
fn names_that_no_system_takes_or_only_some() {
    let long = "é".repeat(128);
    check_names(
        &[
            "",
            ".",
            "..",
            "...",
            "a/b",
            "a\0b",
            "a\nb",
            "a\u{85}b",
            "a\\b",
            "a:b",
            "a*",
            "what?",
            "\"",
            "a<b",
            "a|b",
            "a ",
            "a.",
            " a",
            ".hidden",
            "CON",
            "con.txt",
            "Con .txt",
            "COM1",
            "com¹.log",
            "com10",
            "lpt0",
            "lpts",
            "nulls",
            "aux.tar.gz",
            "a.con",
            &long,
        ],
        expect![[r#"
            "": empty: a name must not be empty
            ".": dots: `.` and `..` are no names
            "..": dots: `.` and `..` are no names
            "...": ending: a name must not end in a space or a dot: Windows would drop it
            "a/b": slash: a name must not contain `/`
            "a\0b": control_character: a name must not contain control characters (U+0000)
            "a\nb": control_character: a name must not contain control characters (U+000A)
            "a\u{85}b": control_character: a name must not contain control characters (U+0085)
            "a\\b": character: `\` cannot stand in a name: Windows has no such files (not allowed are \ : * ? " < > |)
            "a:b": character: `:` cannot stand in a name: Windows has no such files (not allowed are \ : * ? " < > |)
            "a*": character: `*` cannot stand in a name: Windows has no such files (not allowed are \ : * ? " < > |)
            "what?": character: `?` cannot stand in a name: Windows has no such files (not allowed are \ : * ? " < > |)
            "\"": character: `"` cannot stand in a name: Windows has no such files (not allowed are \ : * ? " < > |)
            "a<b": character: `<` cannot stand in a name: Windows has no such files (not allowed are \ : * ? " < > |)
            "a|b": character: `|` cannot stand in a name: Windows has no such files (not allowed are \ : * ? " < > |)
            "a ": ending: a name must not end in a space or a dot: Windows would drop it
            "a.": ending: a name must not end in a space or a dot: Windows would drop it
            " a":  a =  a
            ".hidden": .hidden = .hidden
            "CON": device_name: `CON` is the name of a device on Windows, with any extension
            "con.txt": device_name: `con` is the name of a device on Windows, with any extension
            "Con .txt": device_name: `Con` is the name of a device on Windows, with any extension
            "COM1": device_name: `COM1` is the name of a device on Windows, with any extension
            "com¹.log": device_name: `com¹` is the name of a device on Windows, with any extension
            "com10": com10 = com10
            "lpt0": device_name: `lpt0` is the name of a device on Windows, with any extension
            "lpts": lpts = lpts
            "nulls": nulls = nulls
            "aux.tar.gz": device_name: `aux` is the name of a device on Windows, with any extension
            "a.con": a.con = a.con
            "éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé": too_long: a name has at most 255 bytes in UTF-8, this one has 256
        "#]],
    );
}

#[test]
fn stems_and_extensions() {
    let parts = |text: &str| {
        let (stem, extension) = split(&entry_name(text).unwrap(), false);
        format!("{}|{}", stem.name, extension.name)
    };
    assert_eq!(parts("report.PDF"), "report|.PDF");
    assert_eq!(parts("archive.tar.gz"), "archive.tar|.gz");
    assert_eq!(parts(".bashrc"), ".bashrc|");
    assert_eq!(parts("Makefile"), "Makefile|");
    assert_eq!(parts("See p. 4 of it"), "See p. 4 of it|");
    let long = format!("{}.txt", "ü".repeat(125));
    let (stem, extension) = split(&entry_name(&long).unwrap(), false);
    assert_eq!((stem.name.len(), extension.name.as_str()), (150, ".txt"));
    assert_eq!(split(&entry_name("Version 1.2").unwrap(), true).0.name, "Version 1.2");
}

#[test]
fn paths() {
    let parsed = |text: &str| match tree_path(text) {
        Ok(path) => path_text(&path),
        Err(rule) => rule.code().to_owned(),
    };
    assert_eq!(parsed(""), "/");
    assert_eq!(parsed("/"), "/");
    assert_eq!(parsed("/A/b.txt"), "/A/b.txt");
    assert_eq!(parsed("/A/"), "/A");
    assert_eq!(parsed("A"), "not_absolute");
    assert_eq!(parsed("//"), "empty");
    assert_eq!(parsed("/a//b"), "empty");
    assert_eq!(parsed("/a/../b"), "dots");
    assert_eq!(parsed(&"/a".repeat(100)), "/a".repeat(100));
    assert_eq!(parsed(&"/a".repeat(101)), "too_deep");
    assert_eq!(parsed(&format!("/{}", "a".repeat(200)).repeat(21)), "path_too_long");
}

proptest! {
    #[test]
    fn composed_or_not_in_any_case_is_one_name(text in "\\PC{1,40}") {
        let name = part(&text);
        let decomposed = DecomposingNormalizer::new_nfd().normalize(&text).into_owned();
        prop_assert_eq!(&part(&decomposed).key, &name.key);
        prop_assert_eq!(&part(&name.name), &name);
        prop_assert_eq!(&part(&name.key).key, &name.key);
    }

    /// Whatever is accepted is accepted again as it is shown, and means the same.
    #[test]
    fn what_is_shown_can_be_given_back(text in "(/[\\PC--[/]]{1,20}){1,5}") {
        if let Ok(path) = tree_path(&text) {
            prop_assert_eq!(&tree_path(&path_text(&path)).unwrap(), &path);
        }
    }

    /// A label between stem and extension leaves an allowed name, whose key is that of its pieces.
    #[test]
    fn a_label_fits(text in "\\PC{1,120}", number in 1..1000u32) {
        if let Ok(name) = entry_name(&text) {
            let (stem, extension) = split(&name, false);
            let labelled = entry_name(&format!("{} ({number}){}", stem.name, extension.name)).unwrap();
            prop_assert_eq!(labelled.key, format!("{} ({number}){}", stem.key, extension.key));
        }
    }
}

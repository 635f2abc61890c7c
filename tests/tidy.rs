//! Tidy: what reviewers should not have to look for. Layers, only-place rules, file headers, file lengths, docs links.
//! Owns: the rules, each as a pure function from files to problems, so that each is tested on planted lines, too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 600;

/// A file of the tree: its path from the root, with slashes, and its text.
struct Source {
    path: String,
    text: String,
}

/// One layer of the root crate may name those to its right only (docs/architecture.md).
const LAYERS: [(&str, &[&str]); 7] = [
    ("gateway", &["node", "cli"]),
    ("s3_api", &["gateway", "admin_api", "node", "cli"]),
    ("admin_api", &["gateway", "node", "cli"]),
    ("drive_api", &["gateway", "admin_api", "node", "cli"]),
    ("services", &["gateway", "s3_api", "admin_api", "drive_api", "node", "cli"]),
    ("config", &["gateway", "s3_api", "admin_api", "drive_api", "services", "node", "cli"]),
    ("observability", &["gateway", "s3_api", "admin_api", "drive_api", "services", "node", "cli"]),
];

#[test]
fn the_tree_is_tidy() {
    let tree = tree();
    assert!(tree.len() > 50, "the tree was not found");
    let problems: Vec<String> = tree.iter().flat_map(problems_of).chain(problems_of_docs(&tree)).collect();
    assert!(problems.is_empty(), "{} problem(s):\n{}", problems.len(), problems.join("\n"));
}

fn problems_of(source: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    if source.path.ends_with(".rs") {
        problems.extend(header(source));
        problems.extend(length(source));
        problems.extend(name(source));
        problems.extend(globs(source));
        problems.extend(only_places(source));
        problems.extend(layers(source));
        problems.extend(outside_world(source));
        problems.extend(repeatable(source));
        problems.extend(undescribed_routes(source));
    }
    if source.path.ends_with(".md") {
        problems.extend(dead_links(source));
    }
    problems
}

/// A test file is named for what it tests, and says it there.
fn header(source: &Source) -> Option<String> {
    (!is_test_code(&source.path) && !source.text.starts_with("//! "))
        .then(|| format!("{}: begins without a `//! ` header", source.path))
}

fn length(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    (lines > LINES_MAX)
        .then(|| format!("{}: {lines} lines, more than {LINES_MAX}: which type is hiding inside?", source.path))
}

fn name(source: &Source) -> Option<String> {
    let rooms = ["utils", "util", "common", "helpers", "helper", "misc"];
    let parts = source.path.trim_end_matches(".rs").split('/');
    let bad: Vec<&str> = parts.filter(|part| rooms.contains(part) || *part == "mod").collect();
    (!bad.is_empty()).then(|| format!("{}: `{}` names no idea", source.path, bad.join("/")))
}

fn globs(source: &Source) -> Vec<String> {
    // Proptest's prelude is made for it, and only tests have it.
    code_lines(source)
        .filter(|_| !is_test_code(&source.path))
        .filter(|(_, line)| {
            line.trim_start().starts_with("use ") && line.contains("::*") && !line.contains("proptest::prelude")
        })
        .map(|(at, _)| format!("{}:{at}: `use …::*` hides where names come from", source.path))
        .collect()
}

/// Words that may stand in one folder only.
fn only_places(source: &Source) -> Vec<String> {
    let rules = [
        ("rocksdb::", "storage-engine/src/rocks"),
        ("use rocksdb", "storage-engine/src/rocks"),
        ("openraft::", "cluster/src/raft"),
        ("use openraft", "cluster/src/raft"),
    ];
    let mut problems = Vec::new();
    for (word, place) in rules {
        if source.path.starts_with(place) || source.path == "tests/tidy.rs" {
            continue;
        }
        let found = code_lines(source).filter(|(_, line)| line.contains(word));
        problems.extend(found.map(|(at, _)| format!("{}:{at}: `{word}` belongs to {place}", source.path)));
    }
    problems
}

fn layers(source: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    for (layer, above) in LAYERS {
        if !source.path.starts_with(&format!("src/{layer}/")) && source.path != format!("src/{layer}.rs") {
            continue;
        }
        for upper in above {
            let name = format!("crate::{upper}");
            let found = code_lines(source).filter(|(_, line)| names(line, &name));
            problems.extend(
                found.map(|(at, _)| format!("{}:{at}: {layer} is below {upper}, imports point down", source.path)),
            );
        }
    }
    let below = [("storage-engine/", "onggi_cluster"), ("storage-engine/src/", "hyper"), ("cluster/src/", "onggi::")];
    for (place, word) in below {
        if source.path.starts_with(place) {
            let found = code_lines(source).filter(|(_, line)| names(line, word));
            problems.extend(found.map(|(at, _)| format!("{}:{at}: `{word}` is above this crate", source.path)));
        }
    }
    problems
}

/// Whether a path stands in a line as a whole: `crate::node` is not in `crate::node_id`.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
        !before.is_some_and(part_of_name) && (path.ends_with(':') || !after.is_some_and(part_of_name))
    })
}

/// Clock, dice and disk of the engine are traits, so that tests can make them fail; RocksDB's own files
/// are beyond them.
fn outside_world(source: &Source) -> Vec<String> {
    let inside = source.path.starts_with("storage-engine/src/");
    let room = ["storage-engine/src/env", "storage-engine/src/rocks"];
    let exempt = room.iter().any(|room| source.path.starts_with(room)) || is_test_code(&source.path);
    if !inside || exempt {
        return Vec::new();
    }
    let words = ["SystemTime::now", "rand::random", "rand::rng", "std::fs", "tokio::fs", "File::open"];
    // Tokio's clock is fine: tests pause it.
    let clock = code_lines(source).filter(|(_, line)| line.contains("std::time") && line.contains("Instant"));
    let mut problems: Vec<String> =
        clock.map(|(at, _)| format!("{}:{at}: std's clock goes around storage-engine/src/env", source.path)).collect();
    for word in words {
        let found = code_lines(source).filter(|(_, line)| line.contains(word));
        problems
            .extend(found.map(|(at, _)| format!("{}:{at}: `{word}` goes around storage-engine/src/env", source.path)));
    }
    problems
}

/// What the simulation runs must happen in the same way again: blocking work where it says, and no dice in a choice of what is ready.
fn repeatable(source: &Source) -> Vec<String> {
    if !source.path.starts_with("cluster/src/") || is_test_code(&source.path) {
        return Vec::new();
    }
    let lines: Vec<(usize, &str)> = code_lines(source).collect();
    let words = ["task::spawn_blocking", "thread::spawn", "block_in_place"];
    let threads = lines.iter().filter(|(_, line)| words.iter().any(|word| line.contains(word)));
    let mut problems: Vec<String> = threads
        .map(|(at, _)| format!("{}:{at}: blocking work goes through env::spawn_blocking", source.path))
        .collect();
    let choices = lines.windows(2).filter(|pair| pair[0].1.ends_with("select! {") && pair[1].1.trim() != "biased;");
    problems.extend(choices.map(|pair| format!("{}:{}: this `select!` is not `biased`", source.path, pair[0].0)));
    problems
}

/// Operations of the drive's API stand in tables, from which they are served and described (docs/drive-openapi.json). Only the doors of
/// others, and the pages that describe, have routes beside them.
fn undescribed_routes(source: &Source) -> Vec<String> {
    let exempt = ["operations/dropbox.rs", "operations/google.rs", "operations/tus.rs", "description.rs"];
    let inside = source.path.strip_prefix("src/drive_api/").filter(|path| !exempt.contains(path));
    let found = code_lines(source).filter(|(_, line)| inside.is_some() && line.contains(".route("));
    found
        .map(|(at, _)| format!("{}:{at}: a route that is not described: put it into `operations()`", source.path))
        .collect()
}

fn is_test_code(path: &str) -> bool {
    path.ends_with("_test.rs") || path.contains("_test/") || path.ends_with("/test_bed.rs")
}

/// Lines with their numbers, comments and the tests at a file's end left out.
fn code_lines(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let lines = source.text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.take_while(|(_, line)| *line != "#[cfg(test)]").filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Links of a page to other files of the tree.
fn dead_links(source: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    for target in links(&source.text) {
        let path = target.split('#').next().unwrap_or("");
        if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
            continue;
        }
        let folder = Path::new(&source.path).parent().unwrap_or(Path::new(""));
        if !root().join(folder).join(path).exists() {
            problems.push(format!("{}: the link to {target} is dead", source.path));
        }
    }
    problems
}

fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if !in_code {
            links.extend(line.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
        }
    }
    links
}

fn problems_of_docs(tree: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    let decisions: BTreeSet<&str> =
        tree.iter().filter_map(|source| source.path.strip_prefix("docs/decisions/")?.get(..4)).collect();
    let decision_files = tree.iter().filter(|source| source.path.starts_with("docs/decisions/")).count();
    let numbered = decisions.iter().enumerate().all(|(index, number)| **number == format!("{:04}", index + 1));
    if !numbered || decisions.len() != decision_files {
        problems
            .push(format!("docs/decisions: numbers must run from 0001 without gaps or doubles, found {decisions:?}"));
    }
    problems.extend(missing_operations(tree));
    problems
}

/// Every operation that the router knows has its row in docs/s3-compatibility.md.
fn missing_operations(tree: &[Source]) -> Vec<String> {
    let page = tree.iter().find(|source| source.path == "docs/s3-compatibility.md");
    let Some(page) = page else { return vec!["docs/s3-compatibility.md is missing".into()] };
    onggi::s3_api::router::Operation::TABLE
        .iter()
        .map(|row| row.operation.name())
        .filter(|name| !has_row(&page.text, name))
        .map(|name| format!("docs/s3-compatibility.md: no row for {name}"))
        .collect()
}

fn has_row(page: &str, operation: &str) -> bool {
    let cell = |line: &str| line.split('|').nth(1).map(|cell| cell.trim().trim_matches('`').to_string());
    page.lines().filter(|line| line.starts_with('|')).filter_map(cell).any(|cell| cell == operation)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file and every page of the repository.
fn tree() -> Vec<Source> {
    let mut files = Vec::new();
    for folder in ["src", "storage-engine", "cluster", "bench", "tests", "docs"] {
        walk(&root().join(folder), &mut files);
    }
    files.extend(["README.md", "CHANGELOG.md"].map(|name| root().join(name)));
    files.iter().filter_map(|path| read(path)).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let skipped = ["target", "node_modules", "fixtures", "corpus"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !skipped {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            files.push(path);
        }
    }
}

fn read(path: &Path) -> Option<Source> {
    let text = fs::read_to_string(path).ok()?;
    let path = path.strip_prefix(root()).ok()?.to_str()?.to_string();
    Some(Source { path, text })
}

#[test]
fn every_rule_finds_what_it_is_for() {
    let planted = [
        ("src/gateway/a.rs", "fn no_header() {}", "header"),
        ("src/services/a.rs", "//! A.\nuse crate::s3_api::xml;", "services is below s3_api"),
        ("src/s3_api/a.rs", "//! A.\nuse crate::gateway::front;", "s3_api is below gateway"),
        ("src/config.rs", "//! A.\nlet x = crate::node::Node;", "config is below node"),
        ("cluster/src/metadata/a.rs", "//! A.\nuse openraft::Vote;", "belongs to cluster/src/raft"),
        ("cluster/src/data/a.rs", "//! A.\ntokio::task::spawn_blocking(work);", "env::spawn_blocking"),
        ("cluster/src/data/a.rs", "//! A.\ntokio::select! {\n    () = done => {}\n}", "not `biased`"),
        ("src/node.rs", "//! A.\nuse rocksdb::DB;", "belongs to storage-engine/src/rocks"),
        ("storage-engine/src/chunk_store/a.rs", "//! A.\nuse std::time::{Duration, Instant};", "goes around"),
        ("storage-engine/src/a.rs", "//! A.\nuse onggi_cluster::id;", "above this crate"),
        ("src/drive_api/a.rs", "//! A.\nlet x = router.route(path, get(page));", "not described"),
        ("src/utils.rs", "//! A.", "names no idea"),
        ("src/gateway/mod.rs", "//! A.", "names no idea"),
        ("src/a.rs", "//! A.\nuse std::io::*;", "hides"),
        ("docs/a.md", "see [the page](no-such-page.md)", "is dead"),
    ];
    for (path, text, expected) in planted {
        let problems = problems_of(&Source { path: path.into(), text: text.into() });
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{path}: {problems:?}");
    }
    let long = Source { path: "src/a.rs".into(), text: format!("//! A.\n{}", "\n".repeat(LINES_MAX)) };
    assert_eq!(problems_of(&long).len(), 1);
}

#[test]
fn what_is_fine_passes() {
    let fine = [
        ("src/gateway/a.rs", "//! A.\nuse crate::s3_api::S3Api;\nuse crate::services::Services;"),
        (
            "src/services/a.rs",
            "//! A.\n// like crate::s3_api::xml\nuse crate::services::Node;\nlet x = crate::node_id;",
        ),
        ("cluster/src/raft/a.rs", "//! A.\nuse openraft::Vote;"),
        (
            "cluster/src/data/a.rs",
            "//! A.\nspawn_blocking(work);\ntokio::select! {\n    biased;\n    () = done => {}\n}",
        ),
        ("storage-engine/src/a.rs", "//! A.\n#[cfg(test)]\nmod tests { use std::fs; }"),
        ("docs/a.md", "see [the page](architecture.md#parts), [that](https://example.com)\n```\n[x](y)\n```"),
    ];
    for (path, text) in fine {
        assert_eq!(problems_of(&Source { path: path.into(), text: text.into() }), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn a_row_must_name_the_operation_exactly() {
    let page = "| operation | state |\n| --- | --- |\n| `GetObject` | enforced |\n| PutObject | enforced |";
    assert!(has_row(page, "GetObject") && has_row(page, "PutObject"));
    assert!(!has_row(page, "GetObjectAcl") && !has_row(page, "Object"));
}

#[test]
fn gaps_and_doubles_in_decisions_are_found() {
    let page = |name: &str| Source { path: format!("docs/decisions/{name}"), text: String::new() };
    let found = |names: &[&str]| {
        let tree: Vec<Source> = names.iter().map(|name| page(name)).collect();
        problems_of_docs(&tree).iter().any(|problem| problem.starts_with("docs/decisions"))
    };
    assert!(!found(&["0001-a.md", "0002-b.md"]));
    assert!(found(&["0001-a.md", "0003-b.md"]));
    assert!(found(&["0001-a.md", "0001-b.md"]));
}

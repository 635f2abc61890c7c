//! The document is what is committed, and is sound where the macros that make it do not look.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect_file;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, PathItem};
use utoipa_axum::router::UtoipaMethodRouter;

use super::document;
use crate::drive_api::{accounts, router};

/// After a change: `UPDATE_EXPECT=1 cargo test -p onggi --lib description`.
#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let document = document().to_pretty_json().unwrap() + "\n";
    expect_file!["../../../docs/drive-openapi.json"].assert_eq(&document);
}

fn operations(document: &OpenApi) -> Vec<&Operation> {
    let items = document.paths.paths.values();
    items.flat_map(|PathItem { get, put, post, patch, delete, .. }| [get, put, post, patch, delete]).flatten().collect()
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_a_group() {
    let document = document();
    let groups: BTreeSet<&str> = document.tags.iter().flatten().map(|tag| tag.name.as_str()).collect();
    let mut names = BTreeSet::new();
    for operation in operations(&document) {
        let name = operation.operation_id.as_deref().unwrap();
        assert!(names.insert(name), "two operations are called {name}: say `operation_id`");
        assert!(operation.summary.is_some(), "{name} has no summary");
        let tags = operation.tags.iter().flatten().map(String::as_str);
        assert!(tags.clone().count() == 1 && tags.clone().all(|tag| groups.contains(tag)), "{name} is in no group");
    }
}

#[test]
fn no_two_types_have_one_name() {
    fn note<S>(seen: &mut BTreeMap<String, String>, operations: Vec<UtoipaMethodRouter<S>>) {
        for (name, schema) in operations.into_iter().flat_map(|(schemas, ..)| schemas) {
            let schema = serde_json::to_string(&schema).unwrap();
            let first = seen.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*first, schema, "two types are called {name}: say `#[schema(as = …)]`");
        }
    }
    let mut seen = BTreeMap::new();
    note(&mut seen, router::operations());
    note(&mut seen, accounts::operations());
}

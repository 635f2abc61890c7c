//! Plans, as text.

use expect_test::{Expect, expect};

use super::*;

/// `node: group=voters@term.index …`, a set after another while one replaces the other: `1,2,3/1,4,5`.
fn report(text: &str) -> DriveReport {
    let (node, replicas) = text.split_once(':').unwrap();
    let set = |text: &str| text.split(',').map(|node| node.parse().unwrap()).collect::<BTreeSet<u64>>();
    let replica = |text: &str| {
        let (group, rest) = text.split_once('=').unwrap();
        let (voters, end) = rest.split_once('@').unwrap();
        let (term, index) = end.split_once('.').unwrap();
        let term = term.parse().unwrap();
        ReplicaReport {
            group: group.parse().unwrap(),
            voters: voters.split('/').map(set).collect(),
            term,
            end: LogPosition { term, leader: 9, index: index.parse().unwrap() },
        }
    };
    let replicas: Vec<ReplicaReport> = replicas.split_whitespace().map(replica).collect();
    DriveReport { cluster: "c".into(), node: node.parse().unwrap(), replicas, placed: Vec::new() }
}

fn shown(reports: &[&str], lost: &[u64]) -> String {
    let reports: Vec<DriveReport> = reports.iter().map(|text| report(text)).collect();
    plan_text(&reports, lost)
}

fn plan_text(reports: &[DriveReport], lost: &[u64]) -> String {
    let plan = match plan(reports, &lost.iter().copied().collect()) {
        Ok(plan) => plan,
        Err(refusal) => return format!("{refusal}\n"),
    };
    let taken = plan.takeovers.iter().map(|Takeover { group, node, end, term, lost, others }| {
        format!(
            "{group}: node {node} behind {}.{} in term {term}; lost {lost:?}, others {others:?}\n",
            end.term, end.index
        )
    });
    let gone = plan.without_replica.iter().map(|group| format!("{}: gone, was on {:?}\n", group.group, group.voters));
    let untouched = plan.untouched.iter().map(|group| format!("{group}: untouched\n"));
    taken.chain(gone).chain(untouched).collect()
}

fn check(reports: &[&str], lost: &[u64], expected: Expect) {
    expected.assert_eq(&shown(reports, lost));
}

#[test]
fn the_one_that_is_left_takes_over_what_has_no_majority() {
    check(
        &["1: 0=1,2,3@7.90 3=1,2,3@2.5 4=1@1.8"],
        &[2, 3],
        expect![[r#"
            0: node 1 behind 7.90 in term 8; lost {2, 3}, others {}
            3: node 1 behind 2.5 in term 3; lost {2, 3}, others {}
            4: untouched
        "#]],
    );
}

#[test]
fn of_several_that_are_left_the_one_that_has_most_takes_over() {
    // A later term beats a longer log.
    check(
        &["1: 3=1,2,3,4,5@2.50", "2: 3=1,2,3,4,5@3.40"],
        &[3, 4, 5],
        expect![[r#"
            3: node 2 behind 3.40 in term 4; lost {3, 4, 5}, others {1}
        "#]],
    );
    check(
        &["1: 3=1,2,3@3.50", "4: 3=1,2,3,4@3.70"],
        &[2, 3],
        expect![[r#"
            3: node 4 behind 3.70 in term 4; lost {2, 3}, others {1}
        "#]],
    );
}

#[test]
fn a_majority_that_is_left_needs_no_help() {
    check(
        &["1: 3=1,2,3@2.5", "2: 3=1,2,3@2.9"],
        &[3],
        expect![[r#"
            3: untouched
        "#]],
    );
    // Half way from one set to another both must have one.
    check(
        &["1: 3=1,2,3/1,4,5@2.5", "2: 3=1,2,3/1,4,5@2.5"],
        &[3, 4, 5],
        expect![[r#"
            3: node 2 behind 2.5 in term 3; lost {3, 4, 5}, others {1}
        "#]],
    );
    // What an old replica thinks does not count.
    check(
        &["1: 3=1,8,9@1.5", "2: 3=2,3,4@2.9", "3: 3=2,3,4@2.7"],
        &[4],
        expect![[r#"
            3: untouched
        "#]],
    );
}

#[test]
fn a_higher_vote_is_passed_also_where_the_log_is_short() {
    let mut voted = report("2: 3=1,2,3,4,5@2.4");
    voted.replicas[0].term = 11;
    expect![[r#"
        3: node 1 behind 2.50 in term 12; lost {3, 4, 5}, others {2}
    "#]]
    .assert_eq(&plan_text(&[report("1: 3=1,2,3,4,5@2.50"), voted], &[3, 4, 5]));
}

#[test]
fn learners_do_not_take_over_and_what_nobody_has_is_named() {
    let mut one = report("1: 0=1,2,3@7.90 3=2,3,4@2.5");
    let group = |group, voters: [u64; 3]| PlacedGroup { group, voters: voters.into() };
    one.placed = vec![group(0, [1, 2, 3]), group(3, [2, 3, 4]), group(5, [2, 3, 4])];
    expect![[r#"
        0: node 1 behind 7.90 in term 8; lost {2, 3}, others {}
        3: gone, was on {2, 3, 4}
        5: gone, was on {2, 3, 4}
    "#]]
    .assert_eq(&plan_text(std::slice::from_ref(&one), &[2, 3, 4]));
    expect![[r#"
        node 4 votes in group 3 and is neither reported nor lost: it may have more than all others. Bring its report, or name it in --lost if its drive is gone for ever
    "#]]
    .assert_eq(&plan_text(&[one], &[2, 3]));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let two = "2: 3=1,2,3@2.5";
    let mut other = report(two);
    other.cluster = "d".into();
    let texts = [
        shown(&[], &[1]),
        shown(&[two, two], &[1, 3]),
        shown(&[two], &[1, 2, 3]),
        shown(&[two], &[3]),
        plan_text(&[report("1: 3=1,2,3@2.5"), other], &[3]),
    ];
    expect![[r#"
        there is no report: make one on each node that is left, with `onggi recover report`
        node 2 is reported twice: give one report of each drive
        node 2 is reported and named as lost: if it starts, it is not lost
        node 1 votes in group 3 and is neither reported nor lost: it may have more than all others. Bring its report, or name it in --lost if its drive is gone for ever
        the reports are of two clusters, c and d
    "#]]
    .assert_eq(&texts.concat());
}

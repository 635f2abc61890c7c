//! Scenarios of membership: one change or query a line, and what comes of each.

mod hosts;

use std::fmt::Write as _;

use bytes::Bytes;
use expect_test::{Expect, expect};

use super::test_group::TestGroup;
use crate::id::{GroupId, HostId, NodeId, TokenId};
use crate::metadata::command::{NewNode, NodeAddresses, NodeUpdate, SystemChange};
use crate::metadata::outcome::Outcome;
use crate::metadata::query;
use crate::metadata::record::{AuthorityRecord, GroupRecord, NodeRecord, NodeState};

/// Runs a script and compares it, each line followed by its result. Tokens and drives are named by one letter or digit.
fn check(script: &str, expected: Expect) {
    let mut group = TestGroup::new();
    let mut out = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        writeln!(out, "{line}").unwrap();
        for line in run(&mut group, line).lines() {
            writeln!(out, "    {line}").unwrap();
        }
    }
    expected.assert_eq(&out);
}

fn run(group: &mut TestGroup, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let named = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let number = |name: &str| named(name).map(|value| value.parse::<u64>().unwrap());
    let update = |update| SystemChange::UpdateNode { node: node(words[1]), update };
    let state = |state| update(NodeUpdate { state: Some(state), ..NodeUpdate::default() });
    let new = || new_node(words[1], named("zone"));
    let change = match words[0] {
        "nodes" => return list(query::nodes(&group.records).unwrap(), show_node),
        "tokens" => {
            return list(query::join_tokens(&group.records).unwrap(), |token| {
                let used = token.used_by.map_or("unused".to_owned(), |node| format!("used by {}", node.0));
                format!("{} {used}", char::from(token.token.0[0]))
            });
        }
        "groups" => {
            return list(query::groups(&group.records).unwrap(), |group| {
                let numbers = |nodes: &[NodeId]| nodes.iter().map(|node| node.0).collect::<Vec<_>>();
                let (voters, target) = (numbers(&group.voters), numbers(&group.target));
                format!("{}: {voters:?} → {target:?}, step {}", group.group.0, group.step)
            });
        }
        "wait" => {
            group.time_ms += number("ms").unwrap();
            return String::new();
        }
        "found" => SystemChange::RegisterFounder { founder: new() },
        "authority" => SystemChange::SetAuthority {
            authority: AuthorityRecord { certificate: Bytes::from_static(b"c"), sealed_key: Bytes::from_static(b"k") },
        },
        "token" => SystemChange::CreateJoinToken {
            token: token(words[1]),
            expires_ms: group.time_ms + number("ms").unwrap_or(1_000),
            zone: named("zone").map(str::to_owned),
        },
        "revoke" => SystemChange::RevokeJoinToken { token: token(words[1]) },
        "join" => SystemChange::AdmitNode { token: token(named("token").unwrap()), node: new() },
        "add" => SystemChange::AdmitDrive { beside: node(named("beside").unwrap()), node: new() },
        "drain-host" => SystemChange::UpdateHost {
            host: HostId(words[1].parse().unwrap()),
            update: NodeUpdate { state: Some(NodeState::Draining), ..NodeUpdate::default() },
        },
        "drain" => state(NodeState::Draining),
        "undrain" => state(NodeState::Active),
        "remove" => state(NodeState::Removed),
        "move" => update(NodeUpdate {
            zone: named("zone").map(str::to_owned),
            weight: number("weight").map(|weight| weight as u32),
            addresses: named("at").map(addresses),
            release: named("release").map(str::to_owned),
            ..NodeUpdate::default()
        }),
        "place" => {
            let nodes =
                |name: &str| named(name).unwrap().split(',').filter(|text| !text.is_empty()).map(node).collect();
            let record = GroupRecord {
                group: GroupId(words[1].parse().unwrap()),
                voters: nodes("voters"),
                target: nodes("target"),
                step: 0,
            };
            SystemChange::SetGroup { record, expected_step: number("step").unwrap() }
        }
        other => panic!("no such verb: {other}"),
    };
    match group.commit_system(change) {
        Outcome::NodeAdmitted { node } => format!("node {}", node.0),
        Outcome::Refused(refusal) => format!("refused: {refusal:?}"),
        other => format!("{other:?}"),
    }
}

fn list<R>(records: Vec<R>, show: impl Fn(&R) -> String) -> String {
    records.iter().map(show).collect::<Vec<_>>().join("\n")
}

fn show_node(record: &NodeRecord) -> String {
    let NodeRecord { node, host, drive, peer_address, zone, weight, state, release, .. } = record;
    let beside = if host.0 == node.0 { String::new() } else { format!(" on host {}", host.0) };
    format!(
        "{} drive {} at {peer_address}{beside} zone={zone} weight={weight} {state:?} {release}",
        node.0,
        char::from(drive[0])
    )
}

fn letter(text: &str) -> [u8; 16] {
    [text.as_bytes()[0]; 16]
}

fn token(text: &str) -> TokenId {
    TokenId(letter(text))
}

fn node(text: &str) -> NodeId {
    NodeId(text.parse().unwrap())
}

fn addresses(host: &str) -> NodeAddresses {
    NodeAddresses { peer: format!("{host}:2"), web: format!("{host}:1"), s3: format!("{host}:0") }
}

fn new_node(drive: &str, zone: Option<&str>) -> NewNode {
    NewNode {
        drive: letter(drive),
        addresses: addresses(drive),
        zone: zone.unwrap_or_default().to_owned(),
        weight: 100,
        release: "1.0".to_owned(),
    }
}

#[test]
fn the_founder_is_registered_once_and_before_anybody_joins() {
    check(
        "
        token a
        join x token=a
        found f zone=z
        found f zone=other
        found g
        authority
        authority
        nodes
        tokens
        ",
        expect![[r#"
            token a
                Done
            join x token=a
                refused: NoSuchNode
            found f zone=z
                node 1
            found f zone=other
                node 1
            found g
                refused: FounderKnown
            authority
                Done
            authority
                refused: AuthorityExists
            nodes
                1 drive f at f:2 zone=z weight=100 Active 1.0
            tokens
                a unused
        "#]],
    );
}

#[test]
fn a_token_admits_one_node_for_a_while() {
    check(
        "
        found f
        join x token=a
        token a
        token a
        join x token=a zone=mine
        join x token=a
        join y token=a
        token b zone=given
        join x token=b
        join y token=b zone=mine
        wait ms=5000
        join y token=b
        token c
        wait ms=1000
        join z token=c
        nodes
        tokens
        ",
        expect![[r#"
            found f
                node 1
            join x token=a
                refused: NoSuchToken
            token a
                Done
            token a
                refused: TokenExists
            join x token=a zone=mine
                node 2
            join x token=a
                node 2
            join y token=a
                refused: TokenUsed { by: NodeId(2) }
            token b zone=given
                Done
            join x token=b
                refused: DriveKnown { node: NodeId(2) }
            join y token=b zone=mine
                node 3
            wait ms=5000
            join y token=b
                node 3
            token c
                Done
            wait ms=1000
            join z token=c
                refused: TokenExpired
            nodes
                1 drive f at f:2 zone= weight=100 Active 1.0
                2 drive x at x:2 zone=mine weight=100 Active 1.0
                3 drive y at y:2 zone=given weight=100 Active 1.0
            tokens
                a used by 2
                b used by 3
                c unused
        "#]],
    );
}

#[test]
fn a_token_is_revoked_before_its_use_and_forgotten_a_week_after_its_end() {
    check(
        "
        found f
        token a
        token b
        join x token=a
        revoke a
        revoke b
        revoke b
        join y token=b
        wait ms=604799000
        token c
        tokens
        wait ms=2000
        token d
        tokens
        ",
        expect![[r#"
            found f
                node 1
            token a
                Done
            token b
                Done
            join x token=a
                node 2
            revoke a
                refused: TokenUsed { by: NodeId(2) }
            revoke b
                Done
            revoke b
                refused: NoSuchToken
            join y token=b
                refused: NoSuchToken
            wait ms=604799000
            token c
                Done
            tokens
                a used by 2
                c unused
            wait ms=2000
            token d
                Done
            tokens
                c unused
                d unused
        "#]],
    );
}

#[test]
fn numbers_and_drives_are_never_given_out_again() {
    check(
        "
        found f
        token a
        join x token=a
        remove 2
        join x token=a
        move 2 weight=1
        undrain 2
        token b
        join x token=b
        join y token=b
        remove 9
        nodes
        ",
        expect![[r#"
            found f
                node 1
            token a
                Done
            join x token=a
                node 2
            remove 2
                Done
            join x token=a
                refused: DriveKnown { node: NodeId(2) }
            move 2 weight=1
                refused: NodeRemoved
            undrain 2
                refused: NodeRemoved
            token b
                Done
            join x token=b
                refused: DriveKnown { node: NodeId(2) }
            join y token=b
                node 3
            remove 9
                refused: NoSuchNode
            nodes
                1 drive f at f:2 zone= weight=100 Active 1.0
                2 drive x at x:2 zone= weight=100 Removed 1.0
                3 drive y at y:2 zone= weight=100 Active 1.0
        "#]],
    );
}

#[test]
fn a_node_says_where_it_is_and_the_operator_what_it_takes() {
    check(
        "
        found f zone=a
        move 1 at=h release=1.1
        move 1 zone=b weight=50
        move 2 zone=b
        nodes
        ",
        expect![[r#"
            found f zone=a
                node 1
            move 1 at=h release=1.1
                Done
            move 1 zone=b weight=50
                Done
            move 2 zone=b
                refused: NoSuchNode
            nodes
                1 drive f at h:2 zone=b weight=50 Active 1.1
        "#]],
    );
}

#[test]
fn a_group_goes_from_step_to_step() {
    check(
        "
        found f
        token a
        join x token=a
        place 1 voters=1 target=1 step=0
        place 1 voters=1 target=1 step=0
        place 1 voters=1 target=1,2 step=1
        place 1 voters=1 target=2 step=1
        place 1 voters=1 target=2,1 step=2
        place 1 voters=1 target=1,1 step=2
        place 1 voters= target=1 step=2
        place 1 voters=1 target=1,3 step=2
        place 0 voters=1 target=1 step=0
        groups
        ",
        expect![[r#"
            found f
                node 1
            token a
                Done
            join x token=a
                node 2
            place 1 voters=1 target=1 step=0
                Done
            place 1 voters=1 target=1 step=0
                refused: StaleGroup
            place 1 voters=1 target=1,2 step=1
                Done
            place 1 voters=1 target=2 step=1
                refused: StaleGroup
            place 1 voters=1 target=2,1 step=2
                refused: InvalidGroup
            place 1 voters=1 target=1,1 step=2
                refused: InvalidGroup
            place 1 voters= target=1 step=2
                refused: InvalidGroup
            place 1 voters=1 target=1,3 step=2
                refused: InvalidGroup
            place 0 voters=1 target=1 step=0
                Done
            groups
                0: [1] → [1], step 1
                1: [1] → [1, 2], step 2
        "#]],
    );
}

#[test]
fn nothing_leaves_that_the_others_cannot_make_up_for() {
    check(
        "
        found f
        drain 1
        token a
        join x token=a
        token b
        join y token=b
        token c
        join z token=c
        place 0 voters=1,2,3,4 target=1,2,3,4 step=0
        place 1 voters=1,2,3 target=1,2,3 step=0
        drain 3
        drain 3
        drain 2
        remove 2
        remove 3
        place 0 voters=1,2,4 target=1,2,4 step=1
        place 1 voters=1,2,3 target=1,2,4 step=1
        remove 3
        place 1 voters=1,2,4 target=1,2,4 step=2
        remove 3
        place 1 voters=1,2,4 target=1,2,3 step=3
        drain 4
        nodes
        ",
        expect![[r#"
            found f
                node 1
            drain 1
                refused: TooFewNodes { needed: 1 }
            token a
                Done
            join x token=a
                node 2
            token b
                Done
            join y token=b
                node 3
            token c
                Done
            join z token=c
                node 4
            place 0 voters=1,2,3,4 target=1,2,3,4 step=0
                Done
            place 1 voters=1,2,3 target=1,2,3 step=0
                Done
            drain 3
                Done
            drain 3
                Done
            drain 2
                refused: TooFewNodes { needed: 3 }
            remove 2
                refused: TooFewNodes { needed: 3 }
            remove 3
                refused: NodeHoldsGroups { groups: 2 }
            place 0 voters=1,2,4 target=1,2,4 step=1
                Done
            place 1 voters=1,2,3 target=1,2,4 step=1
                Done
            remove 3
                refused: NodeHoldsGroups { groups: 1 }
            place 1 voters=1,2,4 target=1,2,4 step=2
                Done
            remove 3
                Done
            place 1 voters=1,2,4 target=1,2,3 step=3
                refused: InvalidGroup
            drain 4
                refused: TooFewNodes { needed: 3 }
            nodes
                1 drive f at f:2 zone= weight=100 Active 1.0
                2 drive x at x:2 zone= weight=100 Active 1.0
                3 drive y at y:2 zone= weight=100 Removed 1.0
                4 drive z at z:2 zone= weight=100 Active 1.0
        "#]],
    );
}

#[test]
fn a_drain_can_be_taken_back() {
    check(
        "
        found f
        token a
        join x token=a
        drain 1
        drain 2
        undrain 1
        move 1 weight=0
        drain 2
        move 1 weight=100
        drain 2
        nodes
        ",
        expect![[r#"
            found f
                node 1
            token a
                Done
            join x token=a
                node 2
            drain 1
                Done
            drain 2
                refused: TooFewNodes { needed: 1 }
            undrain 1
                Done
            move 1 weight=0
                Done
            drain 2
                refused: TooFewNodes { needed: 1 }
            move 1 weight=100
                Done
            drain 2
                Done
            nodes
                1 drive f at f:2 zone= weight=100 Active 1.0
                2 drive x at x:2 zone= weight=100 Draining 1.0
        "#]],
    );
}

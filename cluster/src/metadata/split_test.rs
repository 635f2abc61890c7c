//! Scenarios of a split: groups that share one set of records, one command a line, and what comes of each.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::{Expect, expect};
use onggi_storage_engine::format::Record;

use super::format_test::put_object;
use super::test_group::voters;
use crate::id::{BucketId, GroupId, NodeId, OwnerKey, RequestId};
use crate::metadata::apply::{Applier, Write};
use crate::metadata::command::{Change, Command, GroupChange, OwnerChange, Split, SystemChange};
use crate::metadata::key::{GroupSpace, SystemSpace};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::{DecisionsRecord, RangeRecord};
use crate::metadata::view::{MemoryView, MetadataView, record};
use crate::placement::PartitionMap;

/// One drive: the records of all its groups.
#[derive(Default)]
struct Bench {
    records: MemoryView,
    appliers: BTreeMap<u32, Applier>,
    requests: u64,
    time_ms: u64,
}

/// Runs a script and compares it, each line followed by its result. A line begins with the group that decides.
fn check(script: &str, expected: Expect) {
    let mut bench = Bench { time_ms: 1_000, ..Bench::default() };
    let mut out = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        writeln!(out, "{line}").unwrap();
        for line in bench.run(line).lines() {
            writeln!(out, "    {line}").unwrap();
        }
    }
    expected.assert_eq(&out);
}

impl Bench {
    fn run(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        let group = words[0].parse::<u32>().unwrap();
        let text = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        let number = |name: &str| text(name).map(|value| value.parse::<u64>().unwrap());
        let owner = |name: &str| OwnerKey(number(name).unwrap());
        let range = || RangeRecord { first: owner("first"), last: owner("last") };
        let of_owner = |change| Change::Owner { owner: owner("owner"), change };
        let change = match words[1] {
            "reopen" => {
                self.appliers.remove(&group);
                return String::new();
            }
            "splits" => return self.splits(),
            "range" => return self.range(group),
            "map" => Change::System(SystemChange::SetPartitionMap {
                map: PartitionMap::even(number("groups").unwrap() as u32),
            }),
            "begin" => Change::System(SystemChange::BeginSplit {
                parent: GroupId(number("parent").unwrap() as u32),
                boundary: owner("boundary"),
                epoch: number("epoch").unwrap(),
            }),
            "finish" => Change::System(SystemChange::FinishSplit {
                child: GroupId(number("child").unwrap() as u32),
                voters: text("voters").unwrap().split(',').map(|node| NodeId(node.parse().unwrap())).collect(),
                floor: 7,
            }),
            "split" => {
                let child = GroupId(number("child").unwrap() as u32);
                let split = Split { child, range: range(), boundary: owner("boundary") };
                Change::Group {
                    group: GroupId(number("of").unwrap_or(group.into()) as u32),
                    change: GroupChange::Split(split),
                }
            }
            "bucket" => {
                of_owner(OwnerChange::CreateBucket { name: text("name").unwrap().to_owned(), location: String::new() })
            }
            "put" => of_owner(OwnerChange::PutObject(put_object(BucketId(1), text("key").unwrap()))),
            other => panic!("no such verb: {other}"),
        };
        self.requests += 1;
        self.time_ms += 1;
        let (request, retry) = match number("retry-of") {
            Some(request) => (request, true),
            None => (number("request").unwrap_or(1_000_000 + self.requests), false),
        };
        let time_ms = number("at").unwrap_or(self.time_ms);
        let command = Command { request: RequestId(u128::from(request).to_be_bytes()), retry, time_ms, change };
        self.apply(group, &command)
    }

    fn apply(&mut self, group: u32, command: &Command) -> String {
        let Self { records, appliers, .. } = self;
        let applier = appliers.entry(group).or_insert_with(|| Applier::open(records, GroupId(group)).unwrap());
        let before = records.clone();
        let applied = applier.apply(&before, &voters(), command).unwrap();
        let mut notes = String::new();
        for write in applied.writes {
            match write {
                Write::Put { key, value } => records.put(key, value),
                Write::Delete { key } => records.delete(&key),
                Write::FoundGroup { group } => writeln!(notes, "founds group {}", group.0).unwrap(),
                other => panic!("{other:?}"),
            }
        }
        let shown = match applied.outcome {
            Outcome::ObjectWritten(written) => {
                format!("written with clock {}", u64::from_be_bytes(written.version.0[..8].try_into().unwrap()) >> 16)
            }
            Outcome::Refused(refusal) => {
                if refusal == Refusal::OwnerElsewhere {
                    assert_eq!(*records, before, "somebody else's owner leaves no trace");
                }
                format!("refused: {refusal:?}")
            }
            other => format!("{other:?}"),
        };
        format!("{shown}\n{notes}")
    }

    fn range(&self, group: u32) -> String {
        let space = GroupSpace(GroupId(group));
        let range: Option<RangeRecord> = record(&self.records, &space.range()).unwrap();
        let decisions: DecisionsRecord = record(&self.records, &space.decisions()).unwrap().unwrap_or_default();
        let range = range.map_or("never split".to_owned(), |range| format!("{} to {}", range.first.0, range.last.0));
        format!("{range}, {} requests remembered", decisions.requests)
    }

    fn splits(&self) -> String {
        let mut out = String::new();
        for split in query::splits(&self.records).unwrap() {
            let (parent, child, boundary) = (split.parent.0, split.child.0, split.boundary.0);
            writeln!(out, "{parent} at {boundary:x} → {child}, floor {:?}", split.floor).unwrap();
        }
        for group in query::groups(&self.records).unwrap() {
            writeln!(out, "group {} on {:?}, step {}", group.group.0, group.voters, group.step).unwrap();
        }
        let map = PartitionMap::from_bytes(&self.records.get(&SystemSpace.partition_map()).unwrap().unwrap()).unwrap();
        let partitions: Vec<String> = map
            .partitions()
            .iter()
            .map(|partition| format!("{:x}: {}", partition.start.0, partition.group.0))
            .collect();
        writeln!(out, "epoch {}: {}", map.epoch(), partitions.join(", ")).unwrap();
        out
    }
}

#[test]
fn after_a_split_each_group_decides_about_its_own_owners() {
    check(
        "
        1 bucket owner=10 name=a request=1
        1 bucket owner=60 name=b request=2
        1 split child=2 first=0 last=99 boundary=50
        1 range
        2 range
        1 bucket owner=60 name=c request=3
        2 bucket owner=60 name=c request=3
        2 bucket owner=10 name=d
        1 bucket owner=49 name=e
        2 bucket owner=50 name=f
        2 bucket owner=100 name=g
        1 reopen
        1 bucket owner=60 name=h
        ",
        expect![[r#"
            1 bucket owner=10 name=a request=1
                BucketCreated { bucket: BucketId(1) }
            1 bucket owner=60 name=b request=2
                BucketCreated { bucket: BucketId(1) }
            1 split child=2 first=0 last=99 boundary=50
                Done
                founds group 2
            1 range
                0 to 49, 3 requests remembered
            2 range
                50 to 99, 2 requests remembered
            1 bucket owner=60 name=c request=3
                refused: OwnerElsewhere
            2 bucket owner=60 name=c request=3
                BucketCreated { bucket: BucketId(2) }
            2 bucket owner=10 name=d
                refused: OwnerElsewhere
            1 bucket owner=49 name=e
                BucketCreated { bucket: BucketId(1) }
            2 bucket owner=50 name=f
                BucketCreated { bucket: BucketId(1) }
            2 bucket owner=100 name=g
                refused: OwnerElsewhere
            1 reopen
            1 bucket owner=60 name=h
                refused: OwnerElsewhere
        "#]],
    );
}

#[test]
fn a_request_from_before_the_split_is_known_on_both_sides_of_it_and_applied_once() {
    check(
        "
        1 bucket owner=60 name=b request=2 at=1500
        1 bucket owner=10 name=a request=1 at=1500
        1 split child=2 first=0 last=99 boundary=50
        2 bucket owner=60 name=b retry-of=2 at=1500
        1 bucket owner=60 name=b retry-of=2 at=1500
        1 bucket owner=10 name=a retry-of=1 at=1500
        1 bucket owner=60 name=new request=3 at=1600
        2 bucket owner=60 name=new retry-of=3 at=1600
        2 bucket owner=60 name=new retry-of=3 at=1600
        2 reopen
        2 bucket owner=60 name=b retry-of=2 at=1500
        ",
        expect![[r#"
            1 bucket owner=60 name=b request=2 at=1500
                BucketCreated { bucket: BucketId(1) }
            1 bucket owner=10 name=a request=1 at=1500
                BucketCreated { bucket: BucketId(1) }
            1 split child=2 first=0 last=99 boundary=50
                Done
                founds group 2
            2 bucket owner=60 name=b retry-of=2 at=1500
                BucketCreated { bucket: BucketId(1) }
            1 bucket owner=60 name=b retry-of=2 at=1500
                refused: OwnerElsewhere
            1 bucket owner=10 name=a retry-of=1 at=1500
                BucketCreated { bucket: BucketId(1) }
            1 bucket owner=60 name=new request=3 at=1600
                refused: OwnerElsewhere
            2 bucket owner=60 name=new retry-of=3 at=1600
                BucketCreated { bucket: BucketId(2) }
            2 bucket owner=60 name=new retry-of=3 at=1600
                BucketCreated { bucket: BucketId(2) }
            2 reopen
            2 bucket owner=60 name=b retry-of=2 at=1500
                BucketCreated { bucket: BucketId(1) }
        "#]],
    );
}

#[test]
fn versions_go_on_rising_across_the_split() {
    check(
        "
        1 bucket owner=60 name=b
        1 put owner=60 key=k at=9000
        1 split child=2 first=0 last=99 boundary=50
        2 put owner=60 key=k at=100
        2 put owner=60 key=k at=9001
        1 bucket owner=10 name=b
        1 put owner=10 key=k at=100
        ",
        expect![[r#"
            1 bucket owner=60 name=b
                BucketCreated { bucket: BucketId(1) }
            1 put owner=60 key=k at=9000
                written with clock 9000
            1 split child=2 first=0 last=99 boundary=50
                Done
                founds group 2
            2 put owner=60 key=k at=100
                written with clock 9000
            2 put owner=60 key=k at=9001
                written with clock 9001
            1 bucket owner=10 name=b
                BucketCreated { bucket: BucketId(1) }
            1 put owner=10 key=k at=100
                written with clock 9000
        "#]],
    );
}

#[test]
fn a_split_is_taken_only_by_the_group_and_the_range_that_it_was_made_for() {
    check(
        "
        1 split of=3 child=2 first=0 last=99 boundary=50
        1 split child=2 first=10 last=99 boundary=10
        1 split child=2 first=10 last=99 boundary=100
        5 split child=2 first=0 last=99 boundary=50
        0 split child=2 first=0 last=99 boundary=50
        1 split child=2 first=0 last=99 boundary=50
        1 split child=2 first=0 last=99 boundary=50
        1 split child=3 first=0 last=49 boundary=49
        2 split child=4 first=50 last=99 boundary=99
        1 range
        2 range
        3 range
        4 range
        ",
        expect![[r#"
            1 split of=3 child=2 first=0 last=99 boundary=50
                refused: NoSuchGroup
            1 split child=2 first=10 last=99 boundary=10
                refused: InvalidBoundary
            1 split child=2 first=10 last=99 boundary=100
                refused: InvalidBoundary
            5 split child=2 first=0 last=99 boundary=50
                refused: StaleSplit
            0 split child=2 first=0 last=99 boundary=50
                refused: StaleSplit
            1 split child=2 first=0 last=99 boundary=50
                Done
                founds group 2
            1 split child=2 first=0 last=99 boundary=50
                refused: StaleSplit
            1 split child=3 first=0 last=49 boundary=49
                Done
                founds group 3
            2 split child=4 first=50 last=99 boundary=99
                Done
                founds group 4
            1 range
                0 to 48, 6 requests remembered
            2 range
                50 to 98, 4 requests remembered
            3 range
                49 to 49, 5 requests remembered
            4 range
                99 to 99, 3 requests remembered
        "#]],
    );
}

#[test]
fn the_system_group_keeps_one_split_at_a_time_and_publishes_it_at_once() {
    check(
        "
        0 begin parent=1 boundary=7 epoch=1
        0 map groups=2
        0 begin parent=1 boundary=7 epoch=2
        0 begin parent=3 boundary=7 epoch=1
        0 begin parent=2 boundary=7 epoch=1
        0 begin parent=1 boundary=0 epoch=1
        0 begin parent=1 boundary=7 epoch=1
        0 begin parent=1 boundary=7 epoch=1
        0 begin parent=1 boundary=8 epoch=1
        0 finish child=4 voters=1
        0 finish child=3 voters=2,1
        0 splits
        0 finish child=3 voters=1,2
        0 finish child=3 voters=9
        0 splits
        0 begin parent=3 boundary=9 epoch=2
        0 finish child=4 voters=1
        0 begin parent=1 boundary=3 epoch=3
        0 splits
        ",
        expect![[r#"
            0 begin parent=1 boundary=7 epoch=1
                refused: StalePartitionMap
            0 map groups=2
                Done
            0 begin parent=1 boundary=7 epoch=2
                refused: StalePartitionMap
            0 begin parent=3 boundary=7 epoch=1
                refused: NoSuchGroup
            0 begin parent=2 boundary=7 epoch=1
                refused: InvalidBoundary
            0 begin parent=1 boundary=0 epoch=1
                refused: InvalidBoundary
            0 begin parent=1 boundary=7 epoch=1
                SplitBegun { child: GroupId(3) }
            0 begin parent=1 boundary=7 epoch=1
                SplitBegun { child: GroupId(3) }
            0 begin parent=1 boundary=8 epoch=1
                refused: SplitUnderWay { child: GroupId(3) }
            0 finish child=4 voters=1
                refused: StaleSplit
            0 finish child=3 voters=2,1
                refused: InvalidGroup
            0 splits
                1 at 7 → 3, floor None
                epoch 1: 0: 1, 8000000000000000: 2
            0 finish child=3 voters=1,2
                Done
            0 finish child=3 voters=9
                Done
            0 splits
                1 at 7 → 3, floor Some(7)
                group 3 on [NodeId(1), NodeId(2)], step 1
                epoch 2: 0: 1, 7: 3, 8000000000000000: 2
            0 begin parent=3 boundary=9 epoch=2
                SplitBegun { child: GroupId(4) }
            0 finish child=4 voters=1
                Done
            0 begin parent=1 boundary=3 epoch=3
                SplitBegun { child: GroupId(5) }
            0 splits
                1 at 7 → 3, floor Some(7)
                3 at 9 → 4, floor Some(7)
                1 at 3 → 5, floor None
                group 3 on [NodeId(1), NodeId(2)], step 1
                group 4 on [NodeId(1)], step 1
                epoch 3: 0: 1, 7: 3, 9: 4, 8000000000000000: 2
        "#]],
    );
}

//! Crashes: random histories on a simulated disk that dies at any operation, each looked at in every way the disk may come back.
//! Every acknowledged chunk that was not freed reads back exactly; no read ever gives other bytes; accounts stay exact.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};

use super::test_bed::{Promise, TestBed};
use crate::env::simulated_disk::Crash;
use crate::error::{ErrorKind, Result};

const HISTORIES: u32 = 400;
const CRASH_STATES_MIN: u64 = 1_000;

#[derive(Clone, Debug)]
enum Step {
    Append {
        sizes: Vec<u32>,
    },
    Sync,
    Free {
        at: usize,
    },
    CollectGarbage {
        steps: usize,
    },
    Scrub,
    FlushIndex,
    Reopen,
    Verify,
    /// The process dies so many disk operations from here.
    Fuse {
        operations: i64,
    },
    FailSync,
    /// So many bytes are left on the drive from now on.
    Squeeze {
        room: u64,
    },
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![1_u32..2_000, Just(65_536), 60_000_u32..140_000];
    prop_oneof![
        6 => proptest::collection::vec(size, 1..4).prop_map(|sizes| Step::Append { sizes }),
        5 => Just(Step::Sync),
        3 => any::<usize>().prop_map(|at| Step::Free { at }),
        2 => (1_usize..6).prop_map(|steps| Step::CollectGarbage { steps }),
        1 => Just(Step::Scrub),
        1 => Just(Step::FlushIndex),
        1 => Just(Step::Reopen),
        1 => Just(Step::Verify),
        2 => (1_i64..40).prop_map(|operations| Step::Fuse { operations }),
        1 => Just(Step::FailSync),
        1 => prop_oneof![1_u64..200_000, Just(1 << 40)].prop_map(|room| Step::Squeeze { room }),
        2 => Just(Step::Crash),
    ]
}

#[test]
fn nothing_acknowledged_is_lost_in_any_crash() {
    let states = AtomicU64::new(0);
    let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
    let histories = (any::<u64>(), proptest::collection::vec(step(), 5..50));
    TestRunner::new(config)
        .run(&histories, |(seed, steps)| {
            let mut bed = TestBed::new(seed);
            for step in &steps {
                let failed = match run(&mut bed, step) {
                    // Refused for want of room, and nothing happened: the process goes on.
                    Err(error) if error.kind == ErrorKind::Full => false,
                    result => result.is_err(),
                };
                if failed || bed.disk.fuse.has_blown() || matches!(step, Step::Crash) {
                    bed = crash(&mut bed, &states);
                }
            }
            crash(&mut bed, &states);
            Ok(())
        })
        .expect("every history holds");
    let states = states.into_inner();
    println!("{states} crash states");
    assert!(states >= CRASH_STATES_MIN, "only {states} crash states were looked at");
}

/// An error means that the process is to be thrown away; what failed on purpose is checked here.
fn run(bed: &mut TestBed, step: &Step) -> Result<()> {
    match step {
        Step::Append { sizes } => bed.append(sizes),
        Step::Sync => bed.sync(),
        Step::Free { at } => bed.free(*at),
        Step::CollectGarbage { steps } => bed.collect_garbage(*steps).map(drop),
        Step::Scrub => bed.scrub().map(|errors| assert!(errors == 0 || bed.sync_failed, "{errors} errors")),
        Step::FlushIndex => bed.store.index.flush(),
        Step::Reopen => bed.reopen(),
        Step::Verify => {
            if !bed.disk.fuse.has_blown() {
                bed.verify();
            }
            Ok(())
        }
        Step::Fuse { operations } => {
            bed.disk.fuse.set(*operations);
            Ok(())
        }
        Step::FailSync => fail_sync(bed),
        Step::Squeeze { room } => {
            bed.disk.set_capacity(bed.disk.used_bytes() + room);
            Ok(())
        }
        Step::Crash => Ok(()),
    }
}

/// After a failed sync nothing is acknowledged any more, not even by syncs that would succeed.
fn fail_sync(bed: &mut TestBed) -> Result<()> {
    bed.disk.set_capacity(1 << 40);
    bed.append(&[5_000])?;
    bed.disk.fail_syncs(1);
    bed.sync_failed = true;
    let error = bed.sync().expect_err("the sync of the chunk fails");
    assert_eq!(error.kind, ErrorKind::DriveFailed);
    assert!(bed.append(&[5_000]).is_err(), "an append after a failed sync");
    assert!(bed.free(0).is_err() && bed.reopen().is_err(), "a change after a failed sync");
    Err(error)
}

/// Looks at every way this crash may turn out, and goes on with one of them.
fn crash(bed: &mut TestBed, states: &AtomicU64) -> TestBed {
    let mut outcomes: Vec<TestBed> = Crash::ALL
        .into_iter()
        .map(|crash| {
            states.fetch_add(1, Ordering::Relaxed);
            let mut outcome = bed.after_crash(crash);
            outcome.verify();
            // What recovery found in the page cache must be durable before it is taken in: the next crash shows.
            let mut again = outcome.after_crash(Crash::LoseAll);
            again.model = outcome.model.clone();
            again.verify();
            outcome.sweep();
            outcome.verify();
            outcome
        })
        .collect();
    let chosen = (bed.roll() % outcomes.len() as u64) as usize;
    let chosen = outcomes.swap_remove(chosen);
    assert!(chosen.model.values().all(|(_, promise)| *promise != Promise::Written));
    chosen
}

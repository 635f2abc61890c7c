//! Two machines whose folders are edited at random, with syncs that are killed at any moment: they end up the same, and nothing is lost.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::machine::Machine;
use crate::drive::client::Client;
use crate::node::Node;

const ROUNDS: usize = 25;
const EDITS: usize = 6;
const SETTLE_ROUNDS_MAX: usize = 10;
/// Some of them above the size from which files go in pieces.
const SIZES: [usize; 6] = [0, 1, 10, 5000, 300_000, 6 << 20];

/// The same for the same seed, on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn path(&mut self) -> String {
        let depth = 1 + self.below(3);
        let names: Vec<&str> = (0..depth).map(|_| ["a", "b", "c.txt"][self.below(3)]).collect();
        names.join("/")
    }
}

/// What people wrote, and what they themselves deleted or wrote over.
#[derive(Default)]
struct Written {
    last: u64,
    all: BTreeSet<u64>,
    given_up: BTreeSet<u64>,
}

/// Contents say which writing made them.
fn contents(number: u64, bytes: usize) -> Vec<u8> {
    let mut contents = number.to_be_bytes().to_vec();
    contents.extend(super::machine::random_bytes(number, bytes));
    contents
}

fn number(contents: &[u8]) -> u64 {
    u64::from_be_bytes(contents[..8].try_into().unwrap())
}

impl Written {
    fn edit(&mut self, dice: &mut Dice, machine: &Machine) {
        let tree: Vec<String> = machine.tree().into_keys().collect();
        let some = |dice: &mut Dice| (!tree.is_empty()).then(|| tree[dice.below(tree.len())].clone());
        match dice.below(10) {
            0..5 => {
                let path = machine.at(&dice.path());
                if path.is_dir() || fs::create_dir_all(path.parent().unwrap()).is_err() {
                    return;
                }
                self.give_up(&path);
                self.last += 1;
                self.all.insert(self.last);
                fs::write(path, contents(self.last, SIZES[dice.below(SIZES.len())])).unwrap();
            }
            5 => drop(fs::create_dir(machine.at(&dice.path()))),
            6..8 => {
                let Some(path) = some(dice).map(|path| machine.at(&path)) else { return };
                self.give_up(&path);
                let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.unwrap();
            }
            _ => {
                let (Some(from), to) = (some(dice), machine.at(&dice.path())) else { return };
                // Into itself, or where no folder is: people get an error, too.
                if !to.exists() {
                    drop(fs::rename(machine.at(&from), to));
                }
            }
        }
    }

    fn give_up(&mut self, path: &Path) {
        if path.is_dir() {
            for child in fs::read_dir(path).unwrap() {
                self.give_up(&child.unwrap().path());
            }
        } else if let Ok(contents) = fs::read(path) {
            self.given_up.insert(number(&contents));
        }
    }
}

#[tokio::test]
async fn two_machines_converge_and_nothing_is_lost() {
    let seed = std::env::var("ONGGI_TEST_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("seed {seed} (ONGGI_TEST_SEED)");
    let mut dice = Dice(seed);
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let machines = [Machine::of(&node, "ana", "one"), Machine::of(&node, "ana", "two")];
    let mut written = Written::default();
    let mut kills = 0;
    for _ in 0..ROUNDS {
        let machine = &machines[dice.below(2)];
        let mut running = machine.sync_command().arg("--once").spawn().unwrap();
        // People do not wait for it.
        for _ in 0..dice.below(EDITS) {
            written.edit(&mut dice, machine);
        }
        if dice.below(3) > 0 {
            std::thread::sleep(Duration::from_millis(dice.below(80) as u64));
            kills += usize::from(running.try_wait().unwrap().is_none());
            running.kill().unwrap();
        }
        running.wait_with_output().unwrap();
        for _ in 0..dice.below(EDITS) {
            let machine = &machines[dice.below(2)];
            written.edit(&mut dice, machine);
        }
    }
    println!("{kills} syncs killed, {} files written, {} given up", written.all.len(), written.given_up.len());
    for _ in 0..SETTLE_ROUNDS_MAX {
        machines.iter().for_each(|machine| drop(machine.sync()));
        if machines[0].tree() == machines[1].tree() {
            break;
        }
    }
    let tree = machines[0].tree();
    assert_eq!(tree.keys().collect::<Vec<_>>(), machines[1].tree().keys().collect::<Vec<_>>());
    assert!(tree == machines[1].tree(), "the contents differ");
    let paths = tree.iter().map(|(path, contents)| match contents {
        Some(_) => format!("/Docs/{path}"),
        None => format!("/Docs/{path}/"),
    });
    let there: BTreeSet<String> = ana.paths("/Docs").await.into_iter().collect();
    assert_eq!(there, paths.collect::<BTreeSet<_>>());
    let kept: BTreeSet<u64> = tree.values().flatten().map(|contents| number(contents)).collect();
    let lost: Vec<u64> =
        written.all.iter().copied().filter(|n| !written.given_up.contains(n) && !kept.contains(n)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
}

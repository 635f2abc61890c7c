//! Groups that are split while nodes fail: at first all users are in one group, in the end each has one of its own.

use crate::faults::{Fault, Kind};
use crate::fleet::Fleet;
use crate::member::Kit;
use crate::proof::{Proof, rounds};

/// What may happen to a node while the log of a group is cut in two.
const HARMS: [Kind; 6] = [Kind::Kill, Kind::CutOff, Kind::LosePowerAll, Kind::Pause, Kind::CutOneWay, Kind::Slow];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn groups_that_are_split_while_nodes_fail() {
    let kit = Kit { groups: 1, ..Kit::EQUIPPED };
    let mut proof = Proof::begin(|| Fleet::of_three(kit)).await;
    for (round, kind) in HARMS.into_iter().cycle().take(rounds(HARMS.len())).enumerate() {
        let groups = tokio::task::block_in_place(|| proof.fleet.groups());
        let Some((group, _)) = groups.iter().copied().find(|(_, users)| *users > 1) else { break };
        proof.next_round().await;
        proof.fleet.begin_split(group, round % 3);
        proof.pause(0..300).await;
        let fault = Fault::any(kind, &mut proof.random, &proof.fleet);
        if proof.harm(fault) {
            proof.pause(500..4000).await;
        }
        proof.heal(&format!("round {round}: {fault:?} while group {group} is split"));
        proof.under_load("split", |fleet| fleet.wait_until_split(group, groups.len() + 1));
    }
    proof.judge().await;
}

//! Three nodes under each kind of fault, rolling restarts, and a disk that is replaced.

use crate::faults::{Fault, KINDS};
use crate::fleet::Fleet;
use crate::member::Kit;
use crate::proof::{Proof, rounds};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_nodes_under_faults_are_linearizable() {
    let mut proof = Proof::begin(|| Fleet::of_three(Kit::EQUIPPED)).await;
    for (round, kind) in KINDS.into_iter().cycle().take(rounds(KINDS.len())).enumerate() {
        let fault = Fault::any(kind, &mut proof.random, &proof.fleet);
        proof.next_round().await;
        if !proof.harm(fault) {
            println!("NOT TESTED: {fault:?}");
            continue;
        }
        proof.pause(1500..6000).await;
        proof.heal(&format!("round {round}: {fault:?}"));
    }
    proof.judge().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_restart_one_after_the_other_and_a_disk_that_is_replaced() {
    let mut proof = Proof::begin(|| Fleet::of_three(Kit::PLAIN)).await;
    for round in 0..rounds(1) {
        for number in proof.fleet.numbers() {
            proof.next_round().await;
            proof.under_load(&format!("round {round}: node {number} stops and starts"), |fleet| {
                fleet.member(number).stop();
                fleet.member(number).start(None);
            });
        }
        let lost = proof.fleet.numbers()[round % 3];
        proof.under_load(&format!("node {lost} comes up with an empty disk, and is refused"), |fleet| {
            fleet.member(lost).wipe("peer");
            let refusal = fleet.member(lost).start_refused();
            assert!(refusal.contains("mixes two clusters"), "{refusal}");
        });
        proof.load.close_door(lost);
        proof.under_load("another one takes its place", |fleet| {
            fleet.join();
            fleet.drain(lost);
            fleet.remove(lost);
        });
        proof.load.use_doors_of(&proof.fleet);
    }
    proof.judge().await;
}

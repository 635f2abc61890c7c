//! Growth: one node becomes three, then five, then three others again, while clients go on. And groups that move while nodes fail.

use rand::RngExt as _;

use crate::faults::{Fault, Kind};
use crate::fleet::Fleet;
use crate::member::Kit;
use crate::proof::{Proof, rounds};

/// Of 17 groups in three copies over five nodes each node has about ten.
const GROUPS_MIN: u64 = 6;
/// What may happen to a node that groups leave or come to.
const HARMS: [Kind; 7] =
    [Kind::Kill, Kind::CutOff, Kind::KillAll, Kind::Pause, Kind::CutOneWay, Kind::Stop, Kind::Slow];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_node_becomes_five_and_three_again_under_load() {
    let mut proof = Proof::begin(|| Fleet::founded(Kit::PLAIN)).await;
    proof.pause(1000..2000).await;
    for _ in 0..rounds(1) {
        while proof.fleet.members.len() < 5 {
            let count = if proof.fleet.members.len() < 3 { 3 } else { 5 };
            proof.next_round().await;
            // New members are asked only when the groups have moved: until then those before serve what is elsewhere.
            proof.under_load(&format!("{count} nodes"), |fleet| {
                while fleet.members.len() < count {
                    fleet.join();
                }
                fleet.wait_until_settled();
                fleet.wait("each node has its share", |status| {
                    let mut nodes = status["nodes"].as_array().unwrap().iter();
                    nodes.all(|node| node["state"] == "removed" || node["groups"].as_u64() > Some(GROUPS_MIN))
                });
            });
            proof.load.use_doors_of(&proof.fleet);
        }
        for _ in 0..2 {
            proof.next_round().await;
            let leaving = proof.fleet.numbers()[1];
            proof.under_load(&format!("node {leaving} is drained"), |fleet| fleet.drain(leaving));
            // It serves to the end.
            proof.load.close_door(leaving);
            proof.under_load(&format!("node {leaving} is removed"), |fleet| fleet.remove(leaving));
        }
        let last = proof.fleet.numbers()[0].to_string();
        let refused = proof.fleet.members[1].admin(&["node", "drain", &last]).unwrap_err();
        assert!(refused.contains('3'), "{refused}");
    }
    proof.judge().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn groups_that_move_while_nodes_fail() {
    let found = || {
        let mut fleet = Fleet::of_three(Kit::PLAIN);
        fleet.join();
        fleet
    };
    let mut proof = Proof::begin(found).await;
    let mut drained: Option<String> = None;
    for (round, kind) in HARMS.into_iter().cycle().take(rounds(4)).enumerate() {
        proof.next_round().await;
        // A drain is begun, or the last one is taken back while it is on its way, perhaps.
        match drained.take() {
            Some(node) => drop(proof.fleet.ask(&["node", "drain", "--cancel", &node])),
            None => {
                let node = proof.random.random_range(1..=4).to_string();
                proof.fleet.ask(&["node", "drain", &node]);
                drained = Some(node);
            }
        }
        proof.pause(0..1500).await;
        let fault = Fault::any(kind, &mut proof.random, &proof.fleet);
        if proof.harm(fault) {
            proof.pause(500..4000).await;
        }
        proof.heal(&format!("round {round}: {fault:?} while {drained:?} is drained"));
        if proof.random.random() {
            proof.under_load("settled", |fleet| fleet.wait_until_settled());
        }
    }
    if let Some(node) = drained {
        proof.fleet.ask(&["node", "drain", "--cancel", &node]);
    }
    proof.under_load("settled", |fleet| fleet.wait_until_settled());
    proof.judge().await;
}

//! Three processes with two drives each: what one drive loses is no loss of another, also while processes fail.

use crate::faults::{Fault, Kind};
use crate::fleet::Fleet;
use crate::member::Kit;
use crate::proof::{Proof, rounds};

const HARMS: [Kind; 6] =
    [Kind::FailDrive, Kind::Kill, Kind::LosePower, Kind::CutOff, Kind::FailDrive, Kind::LosePowerAll];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_processes_with_two_drives_each_under_faults() {
    let mut proof = Proof::begin(|| Fleet::of_three(Kit { drives: 2, ..Kit::EQUIPPED })).await;
    for (round, kind) in HARMS.into_iter().cycle().take(rounds(HARMS.len())).enumerate() {
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

//! Invariants: what must hold whatever happens (`watch`), and what must have come about when all is well again (`converged`).

mod counters;
pub mod durable_bytes;
mod failures;
mod named_bytes;
mod promotions;
mod replicas;
mod states;
mod zones;

use std::time::Duration;

use self::promotions::Promotions;
use self::replicas::Replicas;
use super::world::World;

/// How often the world is looked at while it is in trouble.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Every so many looks the names of all bytes are read, and the states of all replicas compared: each is a walk over all records.
const WALK_EVERY: u32 = 5;
const COMPARE_EVERY: u32 = 40;
/// From the end of all trouble until everything is in its place: elections, snapshots, back-fills of every group in turn.
const CONVERGED_WITHIN: Duration = Duration::from_secs(240);

/// Looks until dropped.
pub async fn watch(world: World) {
    let (mut replicas, mut promotions) = (Replicas::default(), Promotions::default());
    for look in 0_u32.. {
        tokio::time::sleep(LOOK_EVERY).await;
        failures::check(&world);
        replicas.check(&world);
        if look.is_multiple_of(WALK_EVERY) {
            promotions.check(&world).await;
        }
        if look.is_multiple_of(COMPARE_EVERY) {
            states::check_equal_at_equal_index(&world);
        }
    }
}

/// Waits until every group is where it shall be, on replicas that agree and have all bytes, and nothing else is stored.
pub async fn converge(world: &World) {
    let end = world.passed() + CONVERGED_WITHIN;
    loop {
        world.bury_removed();
        let missing = match replicas::unsettled(world).or_else(|| states::unequal(world)) {
            Some(missing) => Some(missing),
            None => named_bytes::unsettled(world).await,
        };
        let Some(missing) = missing else { break };
        assert!(world.passed() < end, "not within {CONVERGED_WITHIN:?}: {missing}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    world.note(|| "converged".to_owned());
    states::check_equal_at_equal_index(world);
    counters::check(world);
    zones::check(world);
}

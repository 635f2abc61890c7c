//! Failures: how often somebody may be wrong.
//! Owns: one budget for each user name and one for each address, which fill up again slowly. They are this node's own.
//! Invariant: the memory is fixed. A name or address has a cell by a hash nobody can foresee; two that share one share its budget.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const CELLS: usize = 1 << 15;

/// Passwords that one user name may get wrong: then one in 30 seconds.
const OF_USER: Budget = Budget { burst: 10, refill: Duration::from_secs(30) };
/// Many people may come from one address, and behind a proxy all do: then one a second.
const OF_ADDRESS: Budget = Budget { burst: 100, refill: Duration::from_secs(1) };

#[derive(Clone, Copy)]
struct Budget {
    burst: u32,
    refill: Duration,
}

pub(super) struct Failures {
    seed: RandomState,
    start: Instant,
    users: Mutex<Vec<Cell>>,
    addresses: Mutex<Vec<Cell>>,
}

/// When the budget is full again, in milliseconds since the start.
type Cell = u64;

/// An attempt counts as a failure until it has succeeded, so that many at once are no way around.
#[must_use]
pub(super) struct Attempt<'a> {
    failures: &'a Failures,
    user: usize,
    address: usize,
}

impl Failures {
    pub fn new(now: Instant) -> Self {
        let cells = || Mutex::new(vec![0; CELLS]);
        Self { seed: RandomState::new(), start: now, users: cells(), addresses: cells() }
    }

    /// Before a password is looked at. Otherwise how long to wait.
    pub fn begin(&self, user: &str, address: IpAddr, now: Instant) -> Result<Attempt<'_>, Duration> {
        let (user, address) = (self.cell_of(user), self.cell_of(&network(address)));
        take(&self.addresses, address, OF_ADDRESS, self.elapsed_ms(now))?;
        if let Err(wait) = take(&self.users, user, OF_USER, self.elapsed_ms(now)) {
            give_back(&self.addresses, address, OF_ADDRESS);
            return Err(wait);
        }
        Ok(Attempt { failures: self, user, address })
    }

    /// A token was wrong. Right ones are never kept waiting: nobody guesses 256 bits, so that this bounds only the work.
    pub fn token_failed(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        take(&self.addresses, self.cell_of(&network(address)), OF_ADDRESS, self.elapsed_ms(now))
    }

    fn cell_of(&self, key: &(impl Hash + ?Sized)) -> usize {
        self.seed.hash_one(key) as usize % CELLS
    }

    fn elapsed_ms(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_millis() as u64
    }
}

impl Attempt<'_> {
    pub fn succeeded(self) {
        give_back(&self.failures.users, self.user, OF_USER);
        give_back(&self.failures.addresses, self.address, OF_ADDRESS);
    }
}

fn take(cells: &Mutex<Vec<Cell>>, at: usize, budget: Budget, now_ms: u64) -> Result<(), Duration> {
    let mut cells = cells.lock().unwrap_or_else(PoisonError::into_inner);
    let refill_ms = budget.refill.as_millis() as u64;
    let full_at_ms = cells[at].max(now_ms) + refill_ms;
    let over_ms = full_at_ms.saturating_sub(now_ms + u64::from(budget.burst) * refill_ms);
    if over_ms > 0 {
        return Err(Duration::from_millis(over_ms));
    }
    cells[at] = full_at_ms;
    Ok(())
}

fn give_back(cells: &Mutex<Vec<Cell>>, at: usize, budget: Budget) {
    let mut cells = cells.lock().unwrap_or_else(PoisonError::into_inner);
    cells[at] = cells[at].saturating_sub(budget.refill.as_millis() as u64);
}

/// What one customer has: an IPv4 address, or an IPv6 network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn fail(failures: &Failures, user: &str, last: u8, now: Instant) -> Option<Duration> {
        failures.begin(user, address(last), now).err()
    }

    #[test]
    fn a_user_name_has_a_budget_that_fills_up_again() {
        let now = Instant::now();
        let failures = Failures::new(now);
        for attempt in 0..10 {
            assert_eq!(fail(&failures, "ann", attempt, now), None);
        }
        assert_eq!(fail(&failures, "ann", 20, now), Some(Duration::from_secs(30)));
        assert_eq!(fail(&failures, "bob", 20, now), None, "somebody else");
        assert_eq!(fail(&failures, "ann", 20, now + Duration::from_secs(30)), None);
        assert_eq!(fail(&failures, "ann", 20, now + Duration::from_secs(45)), Some(Duration::from_secs(15)));
    }

    #[test]
    fn success_costs_nothing() {
        let now = Instant::now();
        let failures = Failures::new(now);
        for _ in 0..1000 {
            failures.begin("ann", address(1), now).unwrap().succeeded();
        }
    }

    #[test]
    fn an_address_has_a_budget_over_all_user_names() {
        let now = Instant::now();
        let failures = Failures::new(now);
        for attempt in 0..100 {
            // Names may share a cell; none comes up ten times.
            let _ = fail(&failures, &format!("user {attempt}"), 1, now);
        }
        while failures.token_failed(address(1), now).is_ok() {}
        assert!(fail(&failures, "ann", 1, now).is_some());
        assert_eq!(fail(&failures, "ann", 2, now), None, "from elsewhere");
        assert!(failures.token_failed(address(1), now + Duration::from_secs(1)).is_ok());
    }

    #[test]
    fn what_one_customer_has_is_one_address() {
        let parse = |text: &str| network(text.parse().unwrap());
        assert_eq!(parse("2001:db8:1:2:3::4"), parse("2001:db8:1:2:ffff::"));
        assert_ne!(parse("2001:db8:1:2::"), parse("2001:db8:1:3::"));
        assert_eq!(parse("::ffff:192.0.2.1"), parse("192.0.2.1"));
        assert_ne!(parse("192.0.2.1"), parse("192.0.2.2"));
    }
}

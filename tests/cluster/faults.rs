//! Faults: what is done to a cluster while clients use it. Each ends when the fleet is healed.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::fleet::Fleet;

/// Node numbers begin at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// As a crash.
    Kill(usize),
    /// All at once: nothing but what was synced is left to start from.
    KillAll,
    /// SIGTERM, as for an update.
    Stop(usize),
    /// SIGSTOP: up as far as the kernel can tell, and silent.
    Pause(usize),
    /// From all others; clients still reach it.
    CutOff(usize),
    /// What one sends to another is lost, not what comes back.
    CutOneWay(usize, usize),
    /// All that one sends to others comes late by so many milliseconds.
    Slow(usize, u64),
    /// The drive has no room for more objects.
    NearlyFull(usize),
    /// The drive has no room at all.
    Full(usize),
    /// The clock jumps by so many seconds, and jumps back in the end.
    Skew(usize, i32),
}

/// Kinds of faults, as a run goes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Kill,
    KillAll,
    Stop,
    Pause,
    CutOff,
    CutOneWay,
    Slow,
    NearlyFull,
    Full,
    Skew,
}

pub const KINDS: [Kind; 10] = [
    Kind::Kill,
    Kind::CutOff,
    Kind::Pause,
    Kind::CutOneWay,
    Kind::KillAll,
    Kind::Slow,
    Kind::Stop,
    Kind::NearlyFull,
    Kind::Skew,
    Kind::Full,
];

impl Fault {
    pub fn any(kind: Kind, random: &mut StdRng, fleet: &Fleet) -> Self {
        let nodes = fleet.members.len();
        let (node, step) = (random.random_range(1..=nodes), random.random_range(1..nodes));
        match kind {
            Kind::Kill => Self::Kill(node),
            Kind::KillAll => Self::KillAll,
            Kind::Stop => Self::Stop(node),
            Kind::Pause => Self::Pause(node),
            Kind::CutOff => Self::CutOff(node),
            Kind::CutOneWay => Self::CutOneWay(node, (node - 1 + step) % nodes + 1),
            Kind::Slow => Self::Slow(node, random.random_range(20..400)),
            Kind::NearlyFull => Self::NearlyFull(node),
            Kind::Full => Self::Full(node),
            // Less than what signatures bear.
            Kind::Skew => Self::Skew(node, random.random_range(30..600) * if random.random() { 1 } else { -1 }),
        }
    }

    /// `false`: this machine cannot do that.
    pub fn inject(self, fleet: &mut Fleet) -> bool {
        let nodes = fleet.members.len();
        match self {
            Self::Kill(node) => fleet.member(node).kill(),
            Self::KillAll => fleet.members.iter_mut().for_each(|member| member.kill()),
            Self::Stop(node) => fleet.member(node).stop(),
            Self::Pause(node) => fleet.member(node).pause(),
            Self::CutOff(node) => {
                for other in (1..=nodes).filter(|other| *other != node) {
                    fleet.cut(node, other);
                    fleet.cut(other, node);
                }
            }
            Self::CutOneWay(from, to) => fleet.cut(from, to),
            Self::Slow(node, delay_ms) => {
                let delay = Duration::from_millis(delay_ms);
                return fleet.network.as_ref().is_some_and(|network| network.slow_down(node, delay));
            }
            Self::NearlyFull(node) => return fleet.member(node).fill_drive(false),
            Self::Full(node) => return fleet.member(node).fill_drive(true),
            Self::Skew(node, seconds) => return fleet.member(node).set_clock(seconds),
        }
        fleet.network.is_some() || !matches!(self, Self::CutOff(_) | Self::CutOneWay(..))
    }
}

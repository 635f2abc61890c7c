//! Faults: what is done to a cluster while clients use it. Each ends when the fleet is healed.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::fleet::Fleet;
use crate::member::Member;
use crate::network::BadLink;

/// Node numbers begin at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// As a crash.
    Kill(usize),
    /// All at once: nothing but what was synced is left to start from.
    KillAll,
    /// As a kill, and what was not synced is gone.
    LosePower(usize),
    /// All at once.
    LosePowerAll,
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
    /// Of a thousand packets that one sends to others so many are lost.
    Lossy(usize, u32),
    /// The drive has no room for more objects.
    NearlyFull(usize),
    /// The drive has no room at all.
    Full(usize),
    /// One of several drives of a process fails.
    FailDrive(usize),
    /// The clock jumps by so many seconds, and jumps back in the end.
    Skew(usize, i32),
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Kill,
    KillAll,
    LosePower,
    LosePowerAll,
    Stop,
    Pause,
    CutOff,
    CutOneWay,
    Slow,
    Lossy,
    NearlyFull,
    Full,
    FailDrive,
    Skew,
}

/// As a run goes through them. A node with one drive has none that may fail alone.
pub const KINDS: [Kind; 13] = [
    Kind::Kill,
    Kind::CutOff,
    Kind::Pause,
    Kind::CutOneWay,
    Kind::KillAll,
    Kind::Slow,
    Kind::LosePowerAll,
    Kind::Stop,
    Kind::NearlyFull,
    Kind::Lossy,
    Kind::Skew,
    Kind::LosePower,
    Kind::Full,
];

impl Fault {
    pub fn any(kind: Kind, random: &mut StdRng, fleet: &Fleet) -> Self {
        let nodes = fleet.members.len();
        let (node, step) = (random.random_range(1..=nodes), random.random_range(1..nodes));
        match kind {
            Kind::Kill => Self::Kill(node),
            Kind::KillAll => Self::KillAll,
            Kind::LosePower => Self::LosePower(node),
            Kind::LosePowerAll => Self::LosePowerAll,
            Kind::Stop => Self::Stop(node),
            Kind::Pause => Self::Pause(node),
            Kind::CutOff => Self::CutOff(node),
            Kind::CutOneWay => Self::CutOneWay(node, (node - 1 + step) % nodes + 1),
            Kind::Slow => Self::Slow(node, random.random_range(20..400)),
            Kind::Lossy => Self::Lossy(node, random.random_range(10..300)),
            Kind::NearlyFull => Self::NearlyFull(node),
            Kind::Full => Self::Full(node),
            Kind::FailDrive => Self::FailDrive(node),
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
            Self::LosePower(node) => return fleet.member(node).lose_power(),
            Self::LosePowerAll => {
                fleet.members.iter_mut().for_each(Member::kill);
                return fleet.members.iter_mut().all(Member::lose_power);
            }
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
                let link = BadLink { delay: Duration::from_millis(delay_ms), lost_per_mille: 0 };
                return fleet.network.as_ref().is_some_and(|network| network.worsen(node, link));
            }
            Self::Lossy(node, lost_per_mille) => {
                let link = BadLink { delay: Duration::ZERO, lost_per_mille };
                return fleet.network.as_ref().is_some_and(|network| network.worsen(node, link));
            }
            Self::NearlyFull(node) => return fleet.member(node).fill_drive(false),
            Self::Full(node) => return fleet.member(node).fill_drive(true),
            Self::FailDrive(node) => return fleet.member(node).fail_drive(),
            Self::Skew(node, seconds) => return fleet.member(node).set_clock(seconds),
        }
        fleet.network.is_some() || !matches!(self, Self::CutOff(_) | Self::CutOneWay(..))
    }
}

//! Balance: moves replicas from seats above their share to seats below, as few as will do.
//! Owns: the order in which moves are tried: one that costs no copy before one that does, a direct one before a chain.
//! Invariant: each step makes one seat less wrong and none more, so it ends.

use std::collections::VecDeque;

use super::layout::Layout;

/// Each search that finds nothing has looked at every seat: this many cost about a second with 1,000.
const FAILED_RECLAIMS_MAX: usize = 256;

struct Step {
    group: usize,
    from: usize,
    to: usize,
}

/// Brings every seat to the whole number below or above its share.
pub fn level(layout: &mut Layout<'_>) {
    for seat in 0..layout.seats() {
        // First to who lacks one, then to who has room for one. `false`: the rules let nothing go.
        while layout.count(seat) > layout.share(seat).ceil {
            let lacking = emptiest_first(layout, |layout, to| layout.count(to) < layout.share(to).floor);
            let roomy = emptiest_first(layout, |layout, to| layout.count(to) < layout.share(to).ceil);
            if !shift(layout, &[seat], &lacking) && !shift(layout, &[seat], &roomy) {
                break;
            }
        }
    }
    for seat in 0..layout.seats() {
        while layout.count(seat) < layout.share(seat).floor {
            let mut giving = emptiest_first(layout, |layout, from| layout.count(from) > layout.share(from).floor);
            giving.reverse();
            if !shift(layout, &giving, &[seat]) {
                break;
            }
        }
    }
}

/// Takes copies back that turned out not to be needed: a replica goes back to where it was, and others that are to be copied
/// anyway make room for it there.
pub fn reclaim(layout: &mut Layout<'_>) {
    let fewest = layout.fewest_copies();
    if layout.copies() <= fewest {
        return;
    }
    layout.loosen();
    let mut failed = 0;
    for (group, from, home) in layout.homeward() {
        if layout.copies() == fewest || failed == FAILED_RECLAIMS_MAX {
            return;
        }
        let has_room = layout.count(home) < layout.share(home).ceil || layout.has_loose(home);
        if !has_room || !layout.may_move(group, from, home) {
            continue;
        }
        layout.move_group(group, from, home);
        let too_many = layout.count(home) > layout.share(home).ceil;
        let too_few = layout.count(from) < layout.share(from).floor;
        let giving = match too_many {
            true => vec![home],
            false => emptiest_first(layout, |layout, seat| layout.count(seat) > layout.share(seat).floor),
        };
        let taking = match too_few {
            true => vec![from],
            false => emptiest_first(layout, |layout, seat| layout.count(seat) < layout.share(seat).ceil),
        };
        if (too_many || too_few) && !shift_freely(layout, &giving, &taking) {
            layout.move_group(group, home, from);
            failed += 1;
        }
    }
}

fn emptiest_first(layout: &Layout<'_>, which: impl Fn(&Layout<'_>, usize) -> bool) -> Vec<usize> {
    let mut seats: Vec<usize> = (0..layout.seats()).filter(|seat| which(layout, *seat)).collect();
    seats.sort_by(|a, b| layout.fullness(*a).total_cmp(&layout.fullness(*b)).then(a.cmp(b)));
    seats
}

/// Makes one seat of `from` hold one replica less and one of `to` one more: best without a copy, and best in one step.
fn shift(layout: &mut Layout<'_>, from: &[usize], to: &[usize]) -> bool {
    let any = |layout: &Layout<'_>, from, to| layout.cheapest(from, to);
    shift_freely(layout, from, to) || direct(layout, from, to, any) || chained(layout, from, to, any)
}

fn shift_freely(layout: &mut Layout<'_>, from: &[usize], to: &[usize]) -> bool {
    let free = |layout: &Layout<'_>, from, to| layout.freely_movable(from, to);
    let loose: Vec<usize> = from.iter().copied().filter(|seat| layout.has_loose(*seat)).collect();
    direct(layout, &loose, to, free) || chained(layout, &loose, to, free)
}

/// The group that may move from one seat to another.
type Edge = Option<usize>;

fn direct(
    layout: &mut Layout<'_>,
    from: &[usize],
    to: &[usize],
    edge: impl Fn(&Layout<'_>, usize, usize) -> Edge,
) -> bool {
    let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to)));
    let mut movable = pairs.filter_map(|(from, to)| Some((edge(layout, from, to)?, from, to)));
    let Some((group, from, to)) = movable.next() else { return false };
    layout.move_group(group, from, to);
    true
}

fn chained(
    layout: &mut Layout<'_>,
    from: &[usize],
    to: &[usize],
    edge: impl Fn(&Layout<'_>, usize, usize) -> Edge,
) -> bool {
    shortest_chain(layout, from, to, edge).is_some_and(|chain| follow(layout, chain))
}

/// Breadth first over seats. Nearly all seats are one step from each other, so what was not met yet is soon very little.
fn shortest_chain(
    layout: &Layout<'_>,
    from: &[usize],
    to: &[usize],
    edge: impl Fn(&Layout<'_>, usize, usize) -> Edge,
) -> Option<Vec<Step>> {
    let mut by: Vec<Option<(usize, usize)>> = vec![None; layout.seats()];
    let mut unmet: Vec<usize> = (0..layout.seats()).filter(|seat| !from.contains(seat)).collect();
    let mut queue = VecDeque::from(from.to_vec());
    while let Some(here) = queue.pop_front() {
        if to.contains(&here) {
            return Some(chain_to(here, &by));
        }
        unmet.retain(|next| {
            let Some(group) = edge(layout, here, *next) else { return true };
            by[*next] = Some((here, group));
            queue.push_back(*next);
            false
        });
    }
    None
}

fn chain_to(end: usize, by: &[Option<(usize, usize)>]) -> Vec<Step> {
    let mut chain = Vec::new();
    let mut to = end;
    while let Some((from, group)) = by[to] {
        chain.push(Step { group, from, to });
        to = from;
    }
    chain
}

/// From its far end on. One group may be in a chain twice and then be in its own way: then nothing is changed.
fn follow(layout: &mut Layout<'_>, chain: Vec<Step>) -> bool {
    for (done, step) in chain.iter().enumerate() {
        if !layout.may_move(step.group, step.from, step.to) {
            for Step { group, from, to } in chain[..done].iter().rev() {
                layout.move_group(*group, *to, *from);
            }
            return false;
        }
        layout.move_group(step.group, step.from, step.to);
    }
    true
}

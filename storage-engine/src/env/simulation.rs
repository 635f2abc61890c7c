//! Simulation: a thread on which nothing happens by chance.
//! Owns: the dice of that thread, and that all work stays on it, in an order that follows from the dice.
//! Does not own: who rolls them (a test that simulates makes the operating system's random numbers come from here), time (tokio's,
//! paused), the disk and the database (`simulated_disk`, `rocks::MemoryDatabase`).

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tokio::runtime::Handle;

thread_local! {
    /// The state of the dice; `None` on every other thread.
    static DICE: Cell<Option<u64>> = const { Cell::new(None) };
    /// On a thread that takes turns with the simulation's own: where it hands the turn over.
    static CALLER: RefCell<Option<Caller>> = const { RefCell::new(None) };
}

/// Runs `work` on a thread of its own: what is kept per thread begins anew. Same seed, same dice.
pub fn run<T: Send>(seed: u64, work: impl FnOnce() -> T + Send) -> T {
    let simulated = move || {
        DICE.set(Some(seed));
        work()
    };
    thread::scope(|scope| scope.spawn(simulated).join()).unwrap_or_else(|panic| resume_unwind(panic))
}

pub fn is_on() -> bool {
    DICE.get().is_some()
}

/// The next random number of this thread; `None` if it is not simulated.
pub fn roll() -> Option<u64> {
    // SplitMix64. While a thread ends, nobody needs dice any more.
    let state = DICE.try_with(Cell::get).ok().flatten()?.wrapping_add(0x9e37_79b9_7f4a_7c15);
    DICE.set(Some(state));
    let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Some(mixed ^ (mixed >> 31))
}

type Errand = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a thread that takes turns gives the turn back for.
enum Turn<T> {
    /// To be waited for; then it is its turn again.
    Wait(Errand),
    Done(thread::Result<T>),
}

/// Gives a future to the simulation's own thread.
#[derive(Clone)]
pub(super) struct Caller(Sender<Errand>);

pub(super) fn caller() -> Option<Caller> {
    CALLER.with_borrow(Clone::clone)
}

impl Caller {
    pub fn wait_for<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        let (answer, answered) = channel();
        let errand: Errand = Box::pin(async move {
            // Nobody waits if the simulation ended meanwhile.
            let _ = answer.send(future.await);
        });
        let sent = self.0.send(errand);
        match answered.recv() {
            Ok(answer) if sent.is_ok() => answer,
            _ => panic!("the simulation ended"),
        }
    }
}

/// Work that waits for async work cannot run on the thread that does the async work. It gets a thread of its own, and the two take
/// turns: while one runs, the other one stands still.
pub(super) async fn in_turns<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (errands, waiting) = channel();
    let (dice, runtime) = (roll(), Handle::current());
    let thread = thread::spawn(move || {
        DICE.set(dice);
        // Else time would be the real one.
        let _entered = runtime.enter();
        CALLER.set(Some(Caller(errands)));
        let done = catch_unwind(AssertUnwindSafe(work));
        // The other thread knows by this that nothing more comes.
        CALLER.set(None);
        done
    });
    let mut thread = Some(thread);
    loop {
        match next_turn(&waiting, &mut thread) {
            Turn::Wait(errand) => errand.await,
            Turn::Done(Ok(done)) => return done,
            Turn::Done(Err(panic)) => resume_unwind(panic),
        }
    }
}

fn next_turn<T>(waiting: &Receiver<Errand>, thread: &mut Option<thread::JoinHandle<thread::Result<T>>>) -> Turn<T> {
    match (waiting.recv(), thread.take()) {
        (Ok(errand), running) => {
            *thread = running;
            Turn::Wait(errand)
        }
        (Err(_ended), Some(ended)) => Turn::Done(ended.join().unwrap_or_else(Err)),
        (Err(_ended), None) => unreachable!("it has ended once"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::blocking::{spawn_blocking, spawn_waiting, wait_for};
    use super::*;

    fn simulate<T: Send>(seed: u64, work: impl AsyncFnOnce() -> T + Send) -> T {
        run(seed, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.expect("a runtime").block_on(work())
        })
    }

    #[test]
    fn the_same_seed_rolls_the_same() {
        let rolls = |seed| run(seed, || [(); 4].map(|()| roll()));
        assert_eq!(rolls(7), rolls(7));
        assert_ne!(rolls(7), rolls(8));
        assert_eq!(roll(), None);
    }

    #[test]
    fn work_stays_on_the_thread() {
        let threads = simulate(1, async || {
            let here = thread::current().id();
            (here, spawn_blocking(|| thread::current().id()).await.expect("runs"))
        });
        assert_eq!(threads.0, threads.1);
    }

    #[test]
    fn work_that_waits_takes_turns() {
        let waited = simulate(1, async || {
            let (runtime, begun) = (Handle::current(), tokio::time::Instant::now());
            let work = spawn_waiting(move || {
                assert_eq!(begun.elapsed(), Duration::ZERO, "the same time there");
                let waits = [1, 2].map(|hours| {
                    wait_for(&runtime, async move {
                        tokio::time::sleep(Duration::from_secs(hours * 3600)).await;
                        hours
                    })
                });
                waits.iter().sum::<u64>()
            });
            (work.await.expect("runs"), begun.elapsed())
        });
        assert_eq!(waited.0, 3);
        assert!(waited.1 >= Duration::from_secs(3 * 3600));
    }

    #[test]
    fn a_panic_in_such_work_is_the_caller_s() {
        let failed = simulate(1, async || spawn_waiting(|| panic!("as planned")).await.is_err());
        assert!(failed);
    }
}

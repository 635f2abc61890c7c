//! Disk: how fast one file is written and synced, and how many small durable writes a second fit through fdatasync.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::figures::Figure;

const WRITE_BYTES: usize = 4 << 20;
/// The drive is kept busy while the writer goes on: a sync in a thread of its own each time this much has been written. One sync
/// at the end alone would measure the page cache first and the drive afterwards, and understate both.
const SYNC_EVERY_WRITES: u64 = 16;
const BLOCK_BYTES: usize = 4096;
const BLOCKS_PER_WAITER: u64 = 256;

pub fn measure(folder: &Path, sequential_mib: u64, period: Duration) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut rows = vec![sequential(folder.path(), sequential_mib)?];
    for waiters in [1, 16, 64] {
        rows.push(syncs(folder.path(), waiters, 1, period)?);
    }
    for waiters in [16, 64] {
        rows.push(syncs(folder.path(), waiters, waiters, period)?);
    }
    Ok(rows)
}

pub fn sequential(folder: &Path, mib: u64) -> anyhow::Result<Figure> {
    // Random bytes: a drive or hypervisor that compresses would flatter zeros.
    let mut buffer = vec![0_u8; WRITE_BYTES];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut buffer);
    let file = File::create(folder.join("sequential"))?;
    let writes = (mib << 20).div_ceil(WRITE_BYTES as u64);
    let (due, syncs_due) = mpsc::sync_channel::<()>(1);
    let start = Instant::now();
    std::thread::scope(|scope| {
        let syncer = scope.spawn({
            let file = &file;
            move || syncs_due.iter().try_for_each(|()| file.sync_data())
        });
        let written = (0..writes).try_for_each(|number| {
            if number % SYNC_EVERY_WRITES == 0 {
                // Full: a sync is on its way and another one waits, which will cover this write too.
                let _ = due.try_send(());
            }
            file.write_all_at(&buffer, number * WRITE_BYTES as u64)
        });
        drop(due);
        let synced = syncer.join().map_err(|_| std::io::Error::other("the syncing thread panicked"))?;
        written.and(synced)
    })?;
    file.sync_all()?;
    let seconds = start.elapsed().as_secs_f64();
    std::fs::remove_file(folder.join("sequential"))?;
    Ok(Figure::new("sequential write + fsync", (writes * WRITE_BYTES as u64) as f64 / seconds / 1e9, "GB/s"))
}

/// Each waiter overwrites its own blocks and waits for its own fdatasync, as a server without group commit would.
fn syncs(folder: &Path, waiters: usize, files: usize, period: Duration) -> anyhow::Result<Figure> {
    let open = |number: usize| -> std::io::Result<File> {
        let path = folder.join(format!("sync-{number}"));
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        // Allocated beforehand, as extents are: otherwise each sync commits the file's growth too.
        let length = BLOCKS_PER_WAITER as usize * waiters * BLOCK_BYTES;
        file.write_all_at(&vec![0_u8; length], 0)?;
        file.sync_all()?;
        Ok(file)
    };
    let files_open = (0..files).map(open).collect::<Result<Vec<_>, _>>()?;
    let done = AtomicU64::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        let spawn = |waiter: usize| {
            let (file, done) = (&files_open[waiter % files], &done);
            scope.spawn(move || wait_for_syncs(file, waiter as u64, start, period, done))
        };
        let threads: Vec<_> = (0..waiters).map(spawn).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| std::io::Error::other("a waiter panicked"))?)
    })?;
    let rate = done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    let on = if files == 1 { "one file".to_string() } else { format!("{files} files") };
    Ok(Figure::new(format!("4 KiB write + fdatasync, {waiters} waiters, {on}"), rate, "/s"))
}

fn wait_for_syncs(file: &File, waiter: u64, start: Instant, period: Duration, done: &AtomicU64) -> std::io::Result<()> {
    let block = [waiter as u8; BLOCK_BYTES];
    for turn in 0_u64.. {
        if start.elapsed() >= period {
            break;
        }
        let number = waiter * BLOCKS_PER_WAITER + turn % BLOCKS_PER_WAITER;
        file.write_all_at(&block, number * BLOCK_BYTES as u64)?;
        file.sync_data()?;
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

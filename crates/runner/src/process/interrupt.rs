//! Stopping on a signal: at once, but never in the middle of a file. Whatever is computed and not yet on disk is lost, as it would
//! be by any other end, and no more than that; so nothing that computes has to watch for signals.

use std::path::Path;
use std::process;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cli::messages::say;

/// Held for reading by everyone who writes a file, for writing by who is about to end the process.
static WRITING: RwLock<()> = RwLock::new(());

/// What is done, and said, when the process is stopped.
type Farewell = Box<dyn Fn() + Send>;

static FAREWELL: Mutex<Option<Farewell>> = Mutex::new(None);

/// Keeps the process from being stopped while it is held; waits for ever if it is being stopped.
pub fn writing() -> RwLockReadGuard<'static, ()> {
    WRITING.read().unwrap_or_else(PoisonError::into_inner)
}

/// While it lives, a farewell is taken at the first signal, after the last file is whole.
pub struct OnStop;

impl OnStop {
    #[must_use]
    pub fn say(farewell: impl Fn() + Send + 'static) -> Self {
        *FAREWELL.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(farewell));
        Self
    }
}

impl Drop for OnStop {
    fn drop(&mut self) {
        *FAREWELL.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// How a run takes its leave.
pub fn say_stopped(done: usize, all: usize, root: &Path, again: &str) {
    say!("stopped: {done} of {all} are done and kept in {}; {again} goes on with the rest", root.display());
}

/// From now on the first SIGINT or SIGTERM ends the process as soon as no file is being written, the second at once; the exit
/// status is 128 and the signal's number, as shells have it.
///
/// # Errors
/// A system that grants no thread or no signals.
pub fn watch_signals() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("signals cannot be caught")?;
    let watch = move || {
        let mut signals = signals.forever();
        if let Some(signal) = signals.next() {
            // A thread of its own, since a disk that does not answer must not keep the second signal from being heard.
            let end = move || {
                let _no_file_is_being_written = WRITING.write();
                if let Some(farewell) = &*FAREWELL.lock().unwrap_or_else(PoisonError::into_inner) {
                    farewell();
                } else {
                    say!("stopped");
                }
                process::exit(128 + signal);
            };
            if thread::Builder::new().spawn(end).is_err() {
                process::exit(128 + signal);
            }
        }
        if let Some(signal) = signals.next() {
            process::exit(128 + signal);
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(watch).context("no thread for signals")?;
    Ok(())
}

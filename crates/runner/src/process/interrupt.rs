//! Stopping on a signal: at once, but never in the middle of a file. What is computed and not yet on disk is lost, as in any crash;
//! so nothing that computes has to watch for signals.

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

/// What is done when the process is stopped.
type Action = Box<dyn Fn() + Send>;

static ACTION: Mutex<Option<Action>> = Mutex::new(None);

/// Keeps the process from being stopped while it is held; waits for ever if it is being stopped.
pub fn writing() -> RwLockReadGuard<'static, ()> {
    WRITING.read().unwrap_or_else(PoisonError::into_inner)
}

/// Runs an action at the first signal, after the last file is whole, for as long as it lives.
pub struct OnInterrupt;

impl OnInterrupt {
    #[must_use]
    pub fn run(action: impl Fn() + Send + 'static) -> Self {
        *ACTION.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(action));
        Self
    }
}

impl Drop for OnInterrupt {
    fn drop(&mut self) {
        *ACTION.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Says what an interrupted run leaves, and which command continues it.
pub fn say_stopped(done: usize, all: usize, root: &Path, again: &str) {
    say!("stopped: {done} of {all} are stored in {}; {again} continues with the rest", root.display());
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
                if let Some(action) = &*ACTION.lock().unwrap_or_else(PoisonError::into_inner) {
                    action();
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

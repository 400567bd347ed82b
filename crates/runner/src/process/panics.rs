//! Panics turned into errors: a defect that one job meets is that job's failure, not everybody's.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};

use anyhow::anyhow;

thread_local! {
    /// Whether a panic of this thread is caught by [`catch_panic`], and need not be printed.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics off standard error that are caught on the thread where they happen; all others are printed as ever. Call it once, at
/// the start.
pub fn keep_caught_panics_quiet() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !CATCHING.get() {
            print(panic);
        }
    }));
}

/// Runs work and turns its panic into an error.
///
/// # Errors
/// The work's own, or what `of_panic` makes of the panic's message, which is the same on every thread.
pub fn catch_panic<T, E>(
    work: impl FnOnce() -> Result<T, E>,
    of_panic: impl FnOnce(String) -> E,
) -> Result<T, E> {
    let outer = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(outer);
    result.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<&str>().map(|message| (*message).to_owned());
        let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(of_panic(message.unwrap_or_else(|| "a panic without a message".to_owned())))
    })
}

/// The error of a panic: the program's fault, not the user's.
#[must_use]
pub fn defect(message: String) -> anyhow::Error {
    anyhow!("a defect in gmm: {message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_words() {
        let failed = catch_panic::<(), _>(|| panic!("index {} out of range", 7), defect);
        assert_eq!(failed.unwrap_err().to_string(), "a defect in gmm: index 7 out of range");
        assert_eq!(catch_panic(|| Ok(3), defect).unwrap(), 3);
    }
}

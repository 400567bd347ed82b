//! Panics turned into errors: a defect that one job meets is that job's failure, not everybody's.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};

use anyhow::{Result, anyhow};

thread_local! {
    /// Whether a panic of this thread is caught by [`caught`], and need not be printed.
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

/// Runs work whose panic is an error like any other: "a defect in gmm", with the panic's words, which are the same on whatever
/// thread it happens.
///
/// # Errors
/// The work's own, or its panic.
pub fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let outer = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(outer);
    result.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(anyhow!("a defect in gmm: {}", said.unwrap_or_else(|| "it panicked without words".to_owned())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_words() {
        let failed = caught::<()>(|| panic!("index {} out of range", 7));
        let said = failed.unwrap_err().to_string();
        assert_eq!(said, "a defect in gmm: index 7 out of range");
        assert_eq!(caught(|| Ok(3)).unwrap(), 3);
    }
}

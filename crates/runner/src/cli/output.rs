//! Printing results on standard output.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::cli::arguments::Format;

/// Whether a file's name ends so, case aside: what format it is to have.
#[must_use]
pub fn ends_in(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

/// Whether the reader of standard output has closed the pipe.
#[must_use]
pub fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

/// Prints text. A reader that closes the pipe is no error.
///
/// # Errors
/// Any other error of standard output.
pub fn print(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if !is_closed_pipe(&error) => Err(error).context("standard output"),
        _ => Ok(()),
    }
}

/// Prints results in the format that was asked for.
///
/// # Errors
/// Standard output.
pub fn show_results(
    format: Format,
    text: impl FnOnce() -> String,
    json: impl FnOnce() -> Value,
) -> Result<()> {
    match format {
        Format::Table => print(&text()),
        Format::Json => print(&format!("{:#}\n", json())),
    }
}

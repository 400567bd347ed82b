//! Printing results on standard output.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::cli::arguments::Format;

/// Prints text. A reader that closes the pipe is no error.
///
/// # Errors
/// Any other error of standard output.
pub fn print(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
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

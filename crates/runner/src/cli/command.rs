//! What all commands share: their exit status, how they print and how they fail.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cli::arguments::{Color, Talk};
use crate::cli::messages::say;
use crate::cli::problem::{Problems, Style};

/// Done, but some fits failed or are not to be trusted.
pub const DOUBTFUL: u8 = 3;
/// The spec, the data or the disk is at fault.
const FAILED: u8 = 1;

/// Prints what went wrong, and gives the exit status of that.
pub fn explain(error: &anyhow::Error, talk: &Talk) -> ExitCode {
    let style = match talk.color {
        Color::Always => Style::Coloured,
        Color::Auto if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() => {
            Style::Coloured
        }
        Color::Auto | Color::Never => Style::Plain,
    };
    match error.downcast_ref::<Problems>() {
        Some(problems) => say!("{}\n\nnothing was run", problems.render(style)),
        None => say!("error: {error:#}"),
    }
    ExitCode::from(FAILED)
}

/// Prints results; a reader that has had enough (a closed pipe) is no error.
///
/// # Errors
/// Any other fault of standard output.
pub fn print(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(()),
    }
}

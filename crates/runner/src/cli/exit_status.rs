//! The exit status of commands, and how they report errors.

use std::process::ExitCode;

use crate::cli::arguments::{Color, Verbosity};
use crate::cli::messages::say;
use crate::cli::problem::{Problems, Style};
use crate::cli::terminal::shows_colours;

/// Done, but some fits failed or are unreliable.
pub const UNRELIABLE: u8 = 3;
/// Something is wrong with the spec, the data or the disk.
const FAILED: u8 = 1;

/// Prints what went wrong and gives the exit status.
pub fn report_error(error: &anyhow::Error, verbosity: &Verbosity) -> ExitCode {
    let style = match verbosity.color {
        Color::Always => Style::Coloured,
        Color::Auto if shows_colours() => Style::Coloured,
        Color::Auto | Color::Never => Style::Plain,
    };
    match error.downcast_ref::<Problems>() {
        Some(problems) => say!("{}\n\nnothing was run", problems.render(style)),
        None => say!("error: {error:#}"),
    }
    ExitCode::from(FAILED)
}

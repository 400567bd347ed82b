//! What the terminal behind standard error can show.

use std::io::IsTerminal;

/// Whether standard error is a terminal that can move its cursor: bars can be drawn there.
#[must_use]
pub fn shows_bars() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether standard error is a terminal that can show colours and its user wants them (<https://no-color.org>).
#[must_use]
pub fn shows_colours() -> bool {
    shows_bars() && std::env::var_os("NO_COLOR").is_none()
}

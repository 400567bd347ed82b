//! Messages on standard error.

/// `eprintln!` to somebody who may have stopped listening: a closed pipe is no reason to stop working.
macro_rules! say {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        drop(writeln!(std::io::stderr().lock(), $($argument)*));
    }};
}

pub(crate) use say;

/// Names in a message: the first ones, and how many more there are; a file may have thousands.
pub fn first_of<T: std::fmt::Display>(names: impl IntoIterator<Item = T>, shown: usize) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    let first = names[..names.len().min(shown)].join(", ");
    match names.len().saturating_sub(shown) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

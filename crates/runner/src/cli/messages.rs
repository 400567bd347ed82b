//! Messages on standard error.

/// `eprintln!` to somebody who may have stopped listening: a closed pipe is no reason to stop working.
macro_rules! say {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        drop(writeln!(std::io::stderr().lock(), $($argument)*));
    }};
}

pub(crate) use say;

//! `gmm`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gmm_runner::main()
}

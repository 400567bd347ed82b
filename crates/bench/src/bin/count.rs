//! Runs a fixed workload under a simulator that counts instructions, and prints the number of units done.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use gmm_bench::fixed::FixedWorkload;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, calls] = &arguments[..] else { return usage() };
    let fixed = FixedWorkload::ALL.into_iter().find(|fixed| fixed.name() == name);
    let (Some(fixed), Ok(calls)) = (fixed, calls.parse()) else { return usage() };
    println!("{}", fixed.run(calls));
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: count NAME CALLS, where NAME is one of");
    FixedWorkload::ALL.iter().for_each(|fixed| eprintln!("  {}", fixed.name()));
    ExitCode::from(2)
}

//! Does one of the fixed pieces of work so many times, to be watched by a simulator that counts instructions, and prints how many
//! units that were.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use gmm_bench::fixed::Fixed;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, times] = &arguments[..] else { return usage() };
    let fixed = Fixed::ALL.into_iter().find(|fixed| fixed.name() == name);
    let (Some(fixed), Ok(times)) = (fixed, times.parse()) else { return usage() };
    println!("{}", fixed.run(times));
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: count NAME TIMES, NAME being one of");
    Fixed::ALL.iter().for_each(|fixed| eprintln!("  {}", fixed.name()));
    ExitCode::from(2)
}

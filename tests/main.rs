//! The program as a user meets it: run from outside, judged by what it prints, returns and leaves on disk.

mod cli;
mod clusters;
mod default_study;
mod edges;
mod elsewhere;
mod end_to_end;
#[cfg(target_os = "linux")]
mod faults;
mod reliability;
mod structure;
mod suites;
mod support;

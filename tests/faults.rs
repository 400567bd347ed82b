//! Disks that fail: in the middle of a file, at its end, when it gets its name. Injected below the program, into the C library's
//! calls.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::reliability::{assert_same, tiny};
use crate::support::Workplace;

const RUN: &str = "run spec.toml --no-progress --jobs 1";

const RUN_SUITE: &str = "run suite.toml --no-progress --no-report --jobs 1";

/// Two data sets whose fits pass through the disk.
fn suite() -> Workplace {
    let workplace = Workplace::new();
    workplace.write(
        "suite.toml",
        "name = \"tiny\"\n[suite]\nsets = 2\nn_observations = 40\nn_features = 1\ncomponents = 2\noverlap = 0.001\n\
         least_weight = 0.4\n[model]\ncomponents = [1, 2]\n[sampler]\nchains = 1\nwarmup = 40\ndraws = 40\n\
         [scoring]\ncriteria = [\"waic\"]\n",
    );
    workplace
}

/// No space left on device, input/output error.
const ENOSPC: i32 = 28;
const EIO: i32 = 5;

/// The library that makes calls fail, built by the C compiler that everything here needs anyway.
fn library(workplace: &Workplace) -> PathBuf {
    let library = workplace.path("faults.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/faults/faults.c");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let compiled = Command::new(compiler)
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", source, "-ldl", "-o"])
        .arg(&library)
        .status()
        .unwrap();
    assert!(compiled.success());
    library
}

struct Fault {
    call: &'static str,
    errno: i32,
    stays: bool,
}

const FAULTS: [Fault; 7] = [
    Fault { call: "open", errno: ENOSPC, stays: false },
    Fault { call: "write", errno: ENOSPC, stays: true },
    Fault { call: "write", errno: EIO, stays: false },
    Fault { call: "short", errno: ENOSPC, stays: false },
    Fault { call: "fsync", errno: EIO, stays: false },
    Fault { call: "rename", errno: EIO, stays: false },
    Fault { call: "mkdir", errno: ENOSPC, stays: false },
];

fn run(workplace: &Workplace, arguments: &str, library: &PathBuf, fault: &Fault, nth: usize) -> Output {
    let mut command = workplace.command(arguments);
    command
        .env("LD_PRELOAD", library)
        .env("FAULT_CALL", fault.call)
        .env("FAULT_NTH", nth.to_string())
        .env("FAULT_ERRNO", fault.errno.to_string())
        .env("FAULT_COUNT", workplace.path("count"));
    if fault.stays {
        command.env("FAULT_STAYS", "1");
    }
    command.output().unwrap()
}

/// Every `stride`-th of all calls of each kind fails once, of at least so many that write a file.
fn inject(workplace: &Workplace, arguments: &str, least: usize, stride: usize) {
    let library = library(workplace);
    let results = workplace.path("reports/tiny");
    let clear = || drop(fs::remove_dir_all(&results));
    for (index, fault) in FAULTS.iter().enumerate() {
        clear();
        let output = run(workplace, arguments, &library, fault, 0);
        assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
        let whole = workplace.files("reports/tiny");
        let n: usize = fs::read_to_string(workplace.path("count")).unwrap().trim().parse().unwrap();
        // Each file is opened, written, flushed and renamed; directories are fewer.
        assert!(n >= if fault.call == "mkdir" { least / 3 } else { least }, "{n} calls of {}", fault.call);
        println!("{n} calls of {}", fault.call);
        for nth in (1 + index % stride..=n).step_by(stride) {
            clear();
            let when = format!("{} {nth} of {n}, error {}", fault.call, fault.errno);
            let output = run(workplace, arguments, &library, fault, nth);
            let talk = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{when}: {talk}");
            let told = if fault.call == "mkdir" { "cannot be" } else { "cannot be written" };
            assert!(
                talk.contains(told) && talk.contains(&format!("os error {}", fault.errno)),
                "{when}: {talk}"
            );
            // What is there is whole, and is what it will be.
            for (name, bytes) in &workplace.files("reports/tiny") {
                let passing = name.ends_with("lock") || name.starts_with(".scratch");
                assert!(whole.get(name) == Some(bytes) || passing, "{when}: {name}");
            }
            workplace.runs(arguments);
            assert_same(&workplace.files("reports/tiny"), &whole, &when);
        }
    }
}

#[test]
fn no_failing_write_loses_anything_or_leaves_a_part() {
    inject(&tiny(), RUN, 24, 6);
}

#[test]
fn nor_does_one_of_a_suite_become_a_failure_of_its_data() {
    inject(&suite(), RUN_SUITE, 8, 6);
}

#[test]
#[ignore = "a minute: make test-slow"]
fn none_of_all_the_writes_does() {
    inject(&tiny(), RUN, 24, 1);
    inject(&suite(), RUN_SUITE, 8, 1);
}

//! Instruction counts of fixed workloads against stored counts: a change of two percent shows, however noisy the machine is.
//!
//! Valgrind's simulator counts them in a release build (`make counts`). Valgrind 3.19 does not support AVX-512, so it counts the AVX2
//! path. The count per unit comes from the difference of two runs, one with twice as many units, so that startup cancels.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use gmm_bench::fixed::FixedWorkload;

/// If this variable is set, the counts are stored instead of compared.
const UPDATE: &str = "UPDATE_COUNTS";

const MAKE: &str = "make counts UPDATE_COUNTS=1";

/// A count compared with the stored one.
#[derive(Debug, PartialEq, Eq)]
enum CountChange {
    Unchanged,
    More,
    Fewer,
}

fn compare(counted: f64, stored: f64, tolerance: f64) -> CountChange {
    match counted / stored {
        ratio if ratio > 1.0 + tolerance => CountChange::More,
        ratio if ratio < 1.0 - tolerance => CountChange::Fewer,
        _ => CountChange::Unchanged,
    }
}

/// `reference/instructions.toml`.
struct Reference {
    rustc: String,
    valgrind: String,
    /// Relative.
    tolerance: f64,
    instructions: toml::Table,
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/instructions.toml")
}

impl Reference {
    fn read() -> Self {
        let table: toml::Table = std::fs::read_to_string(path()).unwrap().parse().unwrap();
        let text = |key: &str| table[key].as_str().unwrap().to_owned();
        Self {
            rustc: text("rustc"),
            valgrind: text("valgrind"),
            tolerance: table["tolerance"].as_float().unwrap(),
            instructions: table["instructions"].as_table().unwrap().clone(),
        }
    }

    fn count(&self, fixed: FixedWorkload) -> Option<f64> {
        self.instructions.get(fixed.name())?.as_integer().map(|count| count as f64)
    }

    fn write(counts: &[(FixedWorkload, f64)], tolerance: f64) {
        let mut text = format!(
            "# Instructions per unit of each fixed workload in a release build, counted by valgrind. Written by `{MAKE}`.\n\
             rustc = \"{}\"\nvalgrind = \"{}\"\n\n# A relative change by more than this fails, up or down.\n\
             tolerance = {tolerance}\n\n[instructions]\n",
            version("rustc"),
            version("valgrind"),
        );
        for (fixed, count) in counts {
            writeln!(text, "{} = {count:.0} # per {}", fixed.name(), fixed.unit()).unwrap();
        }
        std::fs::write(path(), text).unwrap();
    }
}

fn version(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    let output = output.unwrap_or_else(|error| {
        panic!("cannot run {program} ({error}); to count instructions, install the package valgrind")
    });
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Instructions of a whole process, and the units that it did.
fn count_process(fixed: FixedWorkload, calls: usize) -> [f64; 2] {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", env!("CARGO_BIN_EXE_count")])
        .args([fixed.name(), &calls.to_string()])
        .output()
        .unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{messages}");
    let collected = messages.lines().find_map(|line| line.split_once("Collected : "));
    let instructions = collected.expect("valgrind prints the count").1;
    let units = String::from_utf8_lossy(&output.stdout);
    [instructions, &*units].map(|number| number.trim().parse().unwrap())
}

fn instructions_per_unit(fixed: FixedWorkload) -> f64 {
    let [once, twice] = [1, 2].map(|runs| count_process(fixed, runs * fixed.calls()));
    (twice[0] - once[0]) / (twice[1] - once[1])
}

#[test]
#[ignore = "needs valgrind and a minute: make counts"]
fn no_workload_takes_more_instructions_than_stored() {
    if cfg!(debug_assertions) {
        panic!("counts need a release build: make counts");
    }
    let reference = Reference::read();
    let (rustc, valgrind) = (version("rustc"), version("valgrind"));
    for (stored, found) in [(&reference.rustc, &rustc), (&reference.valgrind, &valgrind)] {
        if stored != found {
            println!(
                "the stored counts are from {stored}, this run uses {found}: that may explain differences"
            );
        }
    }
    println!("{:<32} {:>12} {:>12} {:>8}", "", "stored", "counted", "ratio");
    let mut counts = Vec::new();
    let mut failures = Vec::new();
    for fixed in FixedWorkload::ALL {
        let counted = instructions_per_unit(fixed);
        let stored = reference.count(fixed).unwrap_or(f64::NAN);
        let (name, ratio) = (fixed.name(), counted / stored);
        println!("{name:<32} {stored:>12.0} {counted:>12.0} {ratio:>8.4}");
        counts.push((fixed, counted));
        match compare(counted, stored, reference.tolerance) {
            CountChange::Unchanged if stored.is_nan() => {
                failures.push(format!("{name} has no stored count; run {MAKE}"))
            }
            CountChange::Unchanged => {}
            CountChange::More => failures.push(format!(
                "{name} takes {:.1} % more instructions; if that is intended, run {MAKE}",
                100.0 * (ratio - 1.0)
            )),
            CountChange::Fewer => failures.push(format!(
                "{name} takes {:.1} % fewer instructions; to keep the gain, run {MAKE}",
                100.0 * (1.0 - ratio)
            )),
        }
    }
    if std::env::var_os(UPDATE).is_some() {
        Reference::write(&counts, reference.tolerance);
        println!("stored in {}", path().display());
        return;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn changes_beyond_the_tolerance_are_detected_in_both_directions() {
    assert_eq!(compare(1019.0, 1000.0, 0.02), CountChange::Unchanged);
    assert_eq!(compare(1021.0, 1000.0, 0.02), CountChange::More);
    assert_eq!(compare(979.0, 1000.0, 0.02), CountChange::Fewer);
}

#[test]
fn the_stored_counts_are_those_of_the_fixed_workloads() {
    let reference = Reference::read();
    assert!(FixedWorkload::ALL.iter().all(|&fixed| reference.count(fixed).is_some_and(|count| count > 0.0)));
    assert_eq!(reference.instructions.len(), FixedWorkload::ALL.len());
}

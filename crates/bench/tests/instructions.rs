//! Instructions of fixed work against stored counts: a change of two percent shows, however noisy the machine is.
//!
//! Counted by valgrind's simulator, in a release build (`make counts`). Valgrind 3.19 knows no AVX-512, so the path that is counted
//! is AVX2's. The count of one unit is the difference between two runs, one of twice as many units: what precedes the work cancels.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use gmm_bench::fixed::Fixed;

/// Set to anything, it has the counts stored instead of compared.
const UPDATE: &str = "UPDATE_COUNTS";

const MAKE: &str = "make counts UPDATE_COUNTS=1";

/// What a count is against the stored one.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    AsStored,
    More,
    Fewer,
}

fn standing(counted: f64, stored: f64, tolerance: f64) -> Standing {
    match counted / stored {
        ratio if ratio > 1.0 + tolerance => Standing::More,
        ratio if ratio < 1.0 - tolerance => Standing::Fewer,
        _ => Standing::AsStored,
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

    fn of(&self, fixed: Fixed) -> Option<f64> {
        self.instructions.get(fixed.name())?.as_integer().map(|count| count as f64)
    }

    fn write(counts: &[(Fixed, f64)], tolerance: f64) {
        let mut text = format!(
            "# Instructions of one unit of each fixed work in a release build, as valgrind counts them. Rewritten by `{MAKE}`.\n\
             rustc = \"{}\"\nvalgrind = \"{}\"\n\n# More than this above a stored count fails; more than this below it wants to be stored.\n\
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
        panic!("{program} cannot be run ({error}); instructions are counted by valgrind, from the package of that name")
    });
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Instructions of a whole process, and the units that it did.
fn of_process(fixed: Fixed, times: usize) -> [f64; 2] {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", env!("CARGO_BIN_EXE_count")])
        .args([fixed.name(), &times.to_string()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let instructions = collected.expect("valgrind says what it collected").1;
    let units = String::from_utf8_lossy(&output.stdout);
    [instructions, &*units].map(|number| number.trim().parse().unwrap())
}

fn of_unit(fixed: Fixed) -> f64 {
    let [once, twice] = [1, 2].map(|runs| of_process(fixed, runs * fixed.times()));
    (twice[0] - once[0]) / (twice[1] - once[1])
}

#[test]
#[ignore = "needs valgrind and a minute: make counts"]
fn no_work_takes_more_instructions_than_were_stored() {
    if cfg!(debug_assertions) {
        panic!("counts are of release builds: make counts");
    }
    let reference = Reference::read();
    let (rustc, valgrind) = (version("rustc"), version("valgrind"));
    for (stored, found) in [(&reference.rustc, &rustc), (&reference.valgrind, &valgrind)] {
        if stored != found {
            println!("stored counts are of {stored}, not of {found}: differences may be its doing");
        }
    }
    println!("{:<32} {:>12} {:>12} {:>8}", "", "stored", "counted", "ratio");
    let mut counts = Vec::new();
    let mut complaints = Vec::new();
    for fixed in Fixed::ALL {
        let counted = of_unit(fixed);
        let stored = reference.of(fixed).unwrap_or(f64::NAN);
        let (name, ratio) = (fixed.name(), counted / stored);
        println!("{name:<32} {stored:>12.0} {counted:>12.0} {ratio:>8.4}");
        counts.push((fixed, counted));
        match standing(counted, stored, reference.tolerance) {
            Standing::AsStored if stored.is_nan() => {
                complaints.push(format!("{name} has no stored count: {MAKE}"))
            }
            Standing::AsStored => {}
            Standing::More => complaints.push(format!(
                "{name} takes {:.1} % more instructions; if that is meant, {MAKE}",
                100.0 * (ratio - 1.0)
            )),
            Standing::Fewer => complaints.push(format!(
                "{name} takes {:.1} % fewer instructions: store that, lest they come back: {MAKE}",
                100.0 * (1.0 - ratio)
            )),
        }
    }
    if std::env::var_os(UPDATE).is_some() {
        Reference::write(&counts, reference.tolerance);
        println!("stored in {}", path().display());
        return;
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn more_instructions_and_fewer_are_told_from_as_many() {
    assert_eq!(standing(1019.0, 1000.0, 0.02), Standing::AsStored);
    assert_eq!(standing(1021.0, 1000.0, 0.02), Standing::More);
    assert_eq!(standing(979.0, 1000.0, 0.02), Standing::Fewer);
}

#[test]
fn every_fixed_work_has_a_stored_count_and_no_other_has() {
    let reference = Reference::read();
    assert!(Fixed::ALL.iter().all(|&fixed| reference.of(fixed).is_some_and(|count| count > 0.0)));
    assert_eq!(reference.instructions.len(), Fixed::ALL.len());
}

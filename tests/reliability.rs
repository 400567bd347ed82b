//! What a results directory survives: kills, signals, second runs, damage, failures, and disks that take nothing more.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::support::{SMALL, Workplace, small, spread_and_equal, two_clusters};

const RUN: &str = "run spec.toml --no-progress";

/// A spec over the data of [`small`] that takes a fraction of a second.
pub const TINY: &str = r#"
name = "tiny"
data.path = "data.csv"
data.label = "kind"
model.components = [1, 2]
[sampler]
chains = 2
warmup = 60
draws = 60
[scoring]
folds = 2
fold_draws = 40
"#;

pub fn tiny() -> Workplace {
    let workplace = small();
    workplace.write("spec.toml", TINY);
    workplace
}

type Files = BTreeMap<String, Vec<u8>>;

#[track_caller]
pub fn assert_same(files: &Files, expected: &Files, when: &str) {
    assert!(files.keys().eq(expected.keys()), "{when}: {:?} instead of {:?}", files.keys(), expected.keys());
    let differing: Vec<&String> = expected.keys().filter(|name| files[*name] != expected[*name]).collect();
    assert!(differing.is_empty(), "{when}: {differing:?} differ");
}

/// Sends a signal by the shell's name for it.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
    assert!(sent.success());
}

/// A spec whose fits take seconds or minutes, so that a run is sure to be caught at work.
fn long(components: &str, draws: usize) -> String {
    TINY.replace("\"tiny\"", "\"long\"")
        .replace("[1, 2]", components)
        .replace("draws = 60\n", &format!("draws = {draws}\n"))
        .replace("folds = 2\nfold_draws = 40", "criteria = [\"waic\"]")
}

/// Looks again and again, for a minute at most.
#[track_caller]
pub fn wait_until(what: &str, comes: impl Fn() -> bool) {
    let began = Instant::now();
    while !comes() {
        assert!(began.elapsed() < Duration::from_secs(60), "in a minute it has not come that {what}");
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_same_bytes_come_from_one_thread_and_sixteen() {
    let workplace = small();
    workplace.runs(&format!("{RUN} --jobs 1 --out one"));
    let one = workplace.files("one");
    for jobs in [3, 16] {
        workplace.runs(&format!("{RUN} --jobs {jobs} --out more --fresh"));
        assert_same(&workplace.files("more"), &one, &format!("{jobs} threads"));
    }
}

/// Of the machines that tests run on some have AVX-512, nearly all AVX2.
#[test]
fn the_same_bytes_come_from_all_instructions_that_the_machine_has() {
    let workplace = small();
    let run = |instructions: &str| {
        let mut command = workplace.command(&format!("{RUN} --fresh --out {instructions}"));
        command.env("GMM_INSTRUCTIONS", instructions).output().unwrap()
    };
    let refused = run("none");
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && told.contains("baseline"), "{told}");
    assert!(matches!(run("baseline").status.code(), Some(0 | 3)));
    let plain = workplace.files("baseline");
    for instructions in ["AVX2", "AVX-512"].into_iter().filter(|name| told.contains(name)) {
        assert!(matches!(run(instructions).status.code(), Some(0 | 3)));
        assert_same(&workplace.files(instructions), &plain, instructions);
        let provenance =
            fs::read_to_string(workplace.path(&format!("{instructions}/provenance.json"))).unwrap();
        assert!(provenance.contains(&format!("\"instruction_set\": \"{instructions}\"")), "{provenance}");
    }
}

#[test]
fn a_second_run_finds_the_work_done_and_changes_nothing() {
    let workplace = small();
    workplace.runs(RUN);
    let before = workplace.files("reports/small");
    let (_, talk) = workplace.runs(RUN);
    assert!(talk.contains("(0 to run)"), "{talk}");
    assert_same(&workplace.files("reports/small"), &before, "a second run");
}

#[test]
fn only_what_is_missing_is_run_and_the_result_is_that_of_one_run() {
    let workplace = small();
    workplace.runs(RUN);
    let whole = workplace.files("reports/small");
    fs::remove_file(workplace.path("reports/small/draws/components=2/seed=1/draws.parquet")).unwrap();
    fs::remove_dir_all(workplace.path("reports/small/folds/components=3")).unwrap();
    let (_, talk) = workplace.runs(RUN);
    assert!(talk.contains("(7 to run)"), "{talk}");
    assert_same(&workplace.files("reports/small"), &whole, "a completed run");
}

#[test]
fn an_interrupted_run_can_be_reported() {
    let workplace = small();
    workplace.runs(RUN);
    fs::remove_dir_all(workplace.path("reports/small/draws/components=3")).unwrap();
    let (_, talk) = workplace.expect(3, "report reports/small");
    assert!(talk.contains("failed: K = 3, seed 1; K = 3, seed 2: there is no stored result"), "{talk}");
}

#[test]
fn killed_at_fifty_random_moments_a_run_goes_on_to_the_same_bytes() {
    let workplace = tiny();
    let timed = || {
        let began = Instant::now();
        workplace.runs(&format!("{RUN} --fresh --out whole"));
        began.elapsed()
    };
    // The first may have waited for the program to be read.
    let duration = timed().min(timed()).min(timed());
    let whole = workplace.files("whole");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut caught = 0;
    for moment in 0..50 {
        let mut child = workplace
            .command(&format!("{RUN} --out killed"))
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let after = duration.mul_f64(rng.random::<f64>());
        sleep(after);
        child.kill().unwrap();
        caught += usize::from(child.wait().unwrap().code().is_none());
        workplace.runs(&format!("{RUN} --out killed"));
        assert_same(&workplace.files("killed"), &whole, &format!("kill {moment}, after {after:?}"));
        fs::remove_dir_all(workplace.path("killed")).unwrap();
    }
    assert!(caught >= 20, "{caught} of 50 runs were killed before their end");
}

#[test]
fn a_signal_stops_within_a_second_and_the_run_goes_on_to_the_same_bytes() {
    let workplace = small();
    workplace.write("spec.toml", &long("[1, 2]", 20_000));
    workplace.runs(&format!("{RUN} --out whole"));
    let whole = workplace.files("whole");
    for (name, status) in [("INT", 130), ("TERM", 143)] {
        // One thread, so that the second fit is still to come when the first is there.
        let mut command = workplace.command(&format!("{RUN} --jobs 1 --out long"));
        let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lock = workplace.path("long/.lock");
        wait_until("the second fit runs", || {
            fs::read_to_string(&lock).is_ok_and(|held| held.contains("K = 1"))
        });
        let began = Instant::now();
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert!(began.elapsed() < Duration::from_secs(1), "{name}: {:?}", began.elapsed());
        let talk = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{name}: {talk}");
        assert!(talk.contains("stopped: 1 of 2 are stored in long; the same command"), "{talk}");
        assert!(!workplace.files("long").keys().any(|file| file.contains(".writing-")));
        let (_, talk) = workplace.runs(&format!("{RUN} --out long"));
        assert!(talk.contains("2 fits (1 to run)"), "{talk}");
        assert_same(&workplace.files("long"), &whole, name);
        fs::remove_dir_all(workplace.path("long")).unwrap();
    }
}

#[test]
fn a_second_run_in_a_directory_is_refused_while_status_and_report_are_not() {
    let workplace = small();
    workplace.write("spec.toml", &long("[1]", 60_000));
    workplace.runs(RUN);
    // Of eight components it takes minutes.
    workplace.write("spec.toml", &long("[1, 8]", 60_000));
    let mut child = workplace.command(RUN).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    wait_until("it runs", || workplace.expect(0, "status reports/long").0.contains(" running"));
    let (_, refused) = workplace.expect(1, RUN);
    assert!(refused.contains(&format!("reports/long is in use by process {}", child.id())), "{refused}");
    let (status, _) = workplace.expect(0, "status reports/long");
    assert!(status.contains("running in process") && status.contains(" running"), "{status}");
    let (table, talk) = workplace.runs("report reports/long");
    assert!(talk.contains("is running this experiment: the report shows partial results"), "{talk}");
    assert!(table.contains("WAIC"), "{table}");
    child.kill().unwrap();
    child.wait().unwrap();
    // What a killed run leaves is no lock.
    let (status, _) = workplace.expect(0, "status reports/long");
    assert!(!status.contains("being run") && status.contains("missing"), "{status}");
}

#[test]
fn damaged_results_are_noticed_set_aside_and_made_again() {
    let workplace = tiny();
    workplace.runs(RUN);
    let whole = workplace.files("reports/tiny");
    let fit = "draws/components=2/seed=1/draws.parquet";
    let fold = "folds/components=1/seed=1/repeat=0/fold=1/held_out.parquet";
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut flipped = |name: &str| {
        let mut bytes = whole[name].clone();
        let bit = rng.random_range(0..8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    let half = |name: &str| whole[name][..whole[name].len() / 2].to_vec();
    let foreign = fs::read(workplace.path("reports/tiny/scores.parquet")).unwrap();
    let damages = [
        ("flipped", fit, flipped(fit), "checksum"),
        ("flipped", fold, flipped(fold), "checksum"),
        ("cut", fit, half(fit), "the end of the file is missing"),
        ("cut", fold, half(fold), "the end of the file is missing"),
        ("empty", fit, Vec::new(), "the file is empty"),
        ("text", fold, b"observation,elpd\n0,1\n".to_vec(), "does not start like Parquet"),
        ("another table", fit, foreign, "names no inputs"),
    ];
    for (kind, name, bytes, reason) in damages {
        let path = format!("reports/tiny/{name}");
        fs::write(workplace.path(&path), &bytes).unwrap();
        let (status, _) = workplace.expect(0, "status reports/tiny");
        // One flipped bit may be any: also one that hides the end, or the checksum.
        assert!(
            status.contains("damaged: ") && (kind == "flipped" || status.contains(reason)),
            "{kind}: {status}"
        );
        let (_, talk) = workplace.expect(3, "report reports/tiny");
        assert!(talk.contains("the stored result is damaged: "), "{kind}: {talk}");
        let (_, talk) = workplace.runs(RUN);
        assert!(talk.contains("(1 to run)") && talk.contains("moved to"), "{kind}: {talk}");
        assert_eq!(fs::read(workplace.path(&format!("{path}.damaged"))).unwrap(), bytes);
        assert_same(&workplace.files("reports/tiny"), &whole, kind);
        fs::remove_file(workplace.path(&format!("{path}.damaged"))).unwrap();
    }
    // Of another experiment: sound, and yet not this one's.
    workplace.write("other.toml", &TINY.replace("\"tiny\"", "\"other\""));
    workplace.runs("run other.toml --no-progress");
    fs::copy(workplace.path(&format!("reports/other/{fit}")), workplace.path(&format!("reports/tiny/{fit}")))
        .unwrap();
    let (status, _) = workplace.expect(0, "status reports/tiny");
    assert!(status.contains("stale: `name` was \"other\", now \"tiny\""), "{status}");
    workplace.runs(RUN);
    assert_same(&workplace.files("reports/tiny"), &whole, "a file of another experiment");
    // Nothing can be written where a directory is.
    fs::remove_file(workplace.path(&format!("reports/tiny/{fit}"))).unwrap();
    fs::create_dir(workplace.path(&format!("reports/tiny/{fit}"))).unwrap();
    let (_, error) = workplace.expect(1, RUN);
    assert!(error.contains("draws.parquet cannot be read"), "{error}");
}

#[test]
fn status_says_what_would_run_again_and_why() {
    let workplace = small();
    workplace.expect(1, "status reports/small");
    workplace.runs(RUN);
    let standing = |spec: &str| {
        workplace.write("changed.toml", spec);
        let (json, _) = workplace.expect(0, "status reports/small --spec changed.toml --format json");
        let told: serde_json::Value = serde_json::from_str(&json).unwrap();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for job in told["jobs"].as_array().unwrap() {
            let reason = job["reason"].as_str().unwrap_or_default();
            *counts.entry(format!("{} {reason}", job["standing"].as_str().unwrap())).or_default() += 1;
        }
        counts.into_iter().map(|(what, n)| format!("{n} {}", what.trim())).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(standing(SMALL), "24 done");
    // Figures, criteria that need no other fits, and the order of things change nothing.
    assert_eq!(standing(&SMALL.replace("seeds = [1, 2]", "seeds = [2, 1]")), "24 done");
    assert_eq!(
        standing(&SMALL.replace("folds = 3", "folds = 3\ncriteria = [\"bic\", \"kfold\"]")),
        "24 done"
    );
    assert_eq!(standing(&SMALL.replace("[1, 2, 3]", "[1, 2, 3, 4]")), "24 done, 8 missing");
    assert_eq!(standing(&SMALL.replace("seeds = [1, 2]", "seeds = [1, 2, 9]")), "24 done, 12 missing");
    // Of fits to folds the draws are others'.
    assert_eq!(
        standing(
            &SMALL.replace("draws = 150", "draws = 151").replace("folds = 3", "folds = 3\nfold_draws = 150")
        ),
        "18 done, 6 stale `sampler.draws` was 150, now 151"
    );
    assert_eq!(
        standing(&format!("{SMALL}[model.prior]\nmeans = {{ variance = 0.2 }}\n")),
        "24 stale `model.prior.means.variance` was 0.1, now 0.2"
    );
    // Two of the folds are no longer the same rows, and the third is gone.
    assert_eq!(
        standing(&SMALL.replace("folds = 3", "folds = 2")),
        "6 done, 12 stale other rows are held out"
    );
    workplace.write("data.csv", &two_clusters().replacen("-", "-1", 1));
    assert_eq!(standing(SMALL), "24 stale the data changed");
    let (_, talk) = workplace.runs(RUN);
    assert!(talk.contains("(24 to run)"), "{talk}");
    let (text, _) = workplace.expect(0, "status reports/small");
    assert!(text.contains("total        24     24\n"), "{text}");
}

#[test]
fn draws_of_one_kind_of_fit_are_not_taken_for_those_of_another() {
    let workplace = tiny();
    workplace.write("spec.toml", &TINY.replace("folds = 2", "criteria = [\"wbic\", \"waic\"]"));
    workplace.runs(RUN);
    let whole = workplace.files("reports/tiny");
    let place =
        |kind: &str| workplace.path(&format!("reports/tiny/{kind}/components=2/seed=1/draws.parquet"));
    fs::copy(place("draws"), place("tempered")).unwrap();
    let (status, _) = workplace.expect(0, "status reports/tiny");
    assert!(status.contains("stale: `part` was unset, now \"tempered\""), "{status}");
    workplace.runs(RUN);
    assert_same(&workplace.files("reports/tiny"), &whole, "tempered draws made again");
}

/// Of two components one falls onto 120 equal values, in every chain; of one none does.
fn ties() -> Workplace {
    let workplace = Workplace::new();
    workplace.write("data.csv", &spread_and_equal(120));
    workplace.write(
        "spec.toml",
        &TINY.replace("data.label = \"kind\"\n", "").replace("folds = 2", "criteria = [\"waic\"]"),
    );
    workplace
}

#[test]
fn failures_are_results_with_a_log_and_are_tried_again_only_when_asked() {
    let workplace = ties();
    let (_, talk) = workplace.expect(3, RUN);
    assert!(talk.contains("failed: K = 2, seed 1: "), "{talk}");
    let whole = workplace.files("reports/tiny");
    assert!(whole.contains_key("draws/components=1/seed=1/draws.parquet"));
    let record = String::from_utf8(whole["draws/components=2/seed=1/failure.json"].clone()).unwrap();
    assert!(record.contains("spike of tied observations"), "{record}");
    assert!(String::from_utf8_lossy(&whole["summary.md"]).contains("K = 2, seed 1"));

    let (_, talk) = workplace.expect(3, RUN);
    assert!(talk.contains("(0 to run)") && talk.contains("--retry-failed"), "{talk}");
    assert!(talk.contains("failed: K = 2, seed 1: "), "{talk}");
    assert_same(&workplace.files("reports/tiny"), &whole, "a known failure");
    let (status, _) = workplace.expect(0, "status reports/tiny -v");
    assert!(status.contains("failed: ") && status.contains("K = 2, seed 1: "), "{status}");

    let (_, talk) = workplace.expect(3, &format!("{RUN} --retry-failed"));
    assert!(talk.contains("2 fits (1 to run)"), "{talk}");
    assert_same(&workplace.files("reports/tiny"), &whole, "a failure tried again");

    // Other inputs are another chance, and a result takes the record's place.
    let spec = fs::read_to_string(workplace.path("spec.toml")).unwrap();
    workplace.write(
        "spec.toml",
        &format!("{spec}[model.prior.scales]\nlog_normal = {{ mu = -1.0, sigma = 0.3 }}\n"),
    );
    let (_, talk) = workplace.runs(RUN);
    assert!(talk.contains("2 fits (2 to run)") && !talk.contains("failed:"), "{talk}");
    assert!(!workplace.path("reports/tiny/draws/components=2/seed=1/failure.json").exists());
}

#[test]
fn the_first_failure_is_the_end_where_that_is_asked_for() {
    let workplace = ties();
    // Larger K come first: on one thread the fit of one component is never begun.
    let (_, talk) = workplace.expect(3, &format!("{RUN} --jobs 1 --fail-fast"));
    assert!(talk.contains("stopped at the first failure"), "{talk}");
    let files = workplace.files("reports/tiny");
    assert!(!files.contains_key("draws/components=1/seed=1/draws.parquet"), "{:?}", files.keys());
    workplace.expect(3, RUN);
    assert!(workplace.files("reports/tiny").contains_key("draws/components=1/seed=1/draws.parquet"));
}

#[test]
fn a_verification_finds_the_same_bytes_or_says_what_differs() {
    let workplace = tiny();
    workplace.runs(RUN);
    let (text, _) = workplace.expect(0, "verify reports/tiny --all --quiet");
    assert!(text.starts_with("6 of 6 stored results run again: 6 have the same bytes\n"), "{text}");
    let (text, _) = workplace.expect(0, "verify reports/tiny --sample 2 --quiet");
    assert!(text.starts_with("2 of 6 stored results run again: 2 have the same bytes\n"), "{text}");
    // A table that is sound in itself, and not that of these fits.
    workplace.write("other.toml", &TINY.replace("\"tiny\"", "\"other\"").replace("draws = 60", "draws = 61"));
    workplace.runs("run other.toml --no-progress");
    for name in ["scores.parquet", "comparison.csv"] {
        fs::copy(
            workplace.path(&format!("reports/other/{name}")),
            workplace.path(&format!("reports/tiny/{name}")),
        )
        .unwrap();
    }
    fs::remove_file(workplace.path("reports/tiny/figures/traces.svg")).unwrap();
    let (text, _) = workplace.expect(3, "verify reports/tiny --sample 0 --quiet");
    assert!(text.contains("differs: comparison.csv: ") && text.contains("bytes"), "{text}");
    assert!(text.contains("differs: scores.parquet: column estimate of row "), "{text}");
    assert!(text.contains("differs: figures/traces.svg: missing from the stored results"), "{text}");
    fs::remove_file(workplace.path("reports/tiny/draws/components=2/seed=1/draws.parquet")).unwrap();
    let (json, _) = workplace.expect(3, "verify reports/tiny --sample 0 --quiet --format json");
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(found["unavailable"][0]["subject"], "K = 2, seed 1");
    assert_eq!(found["stored"], 5);
}

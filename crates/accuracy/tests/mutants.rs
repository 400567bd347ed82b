//! Mutation tests: the quick suite must detect faults that are written into a copy of the sampler, one at a time.
//!
//! The copy and its build stay in cargo's directory for tests, so a further fault costs a rebuild of three crates and a run. A fault
//! replaces a text that must occur exactly once in its file. When the sampler changes, the texts must change with it; a quick test
//! checks that they occur.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file below the sampler's `src`, a text in it, and the faulty text.
type Edit = (&'static str, &'static str, &'static str);

const POSTERIORS: &str = "posteriors";
const CALIBRATION: &str = "calibration";
const CLOSED_FORMS: &str = "closed-forms";
const ENUMERATION: &str = "enumeration";
const INVARIANCES: &str = "invariances";

/// What the quick suite needs in addition to the root's manifest and lock file.
const COPIED: [&str; 9] = [
    "crates/sampler/Cargo.toml",
    "crates/sampler/src",
    "crates/scoring/Cargo.toml",
    "crates/scoring/src",
    "crates/accuracy/Cargo.toml",
    "crates/accuracy/src",
    "crates/accuracy/tests",
    "tests/reference/posteriors",
    "tests/reference/log_density/galaxies_k4_data.csv",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file below a path, relative to the root.
fn files(relative: &Path, found: &mut Vec<PathBuf>) {
    let path = root().join(relative);
    if path.is_file() {
        found.push(relative.to_owned());
        return;
    }
    for entry in fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
        files(&relative.join(entry.unwrap().file_name()), found);
    }
}

/// The content of a file after the edits that concern it.
fn edited(relative: &Path, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = fs::read(root().join(relative)).unwrap();
    if relative == Path::new("Cargo.toml") {
        // The copy lacks some of the default members, which cargo would not accept.
        let text = String::from_utf8(bytes).unwrap();
        let kept = text.lines().filter(|line| !line.starts_with("default-members"));
        bytes = kept.flat_map(|line| [line, "\n"]).collect::<String>().into_bytes();
    }
    for (file, from, to) in edits {
        if relative == Path::new("crates/sampler/src").join(file) {
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(text.matches(from).count(), 1, "`{from}` has to occur once in {file}");
            bytes = text.replace(from, to).into_bytes();
        }
    }
    bytes
}

/// Updates the copy. Files that are right already are not written, so that cargo does not rebuild them.
fn copy(workspace: &Path, edits: &[Edit]) {
    let mut all = vec![PathBuf::from("Cargo.toml"), PathBuf::from("Cargo.lock")];
    COPIED.iter().for_each(|path| files(Path::new(path), &mut all));
    for (file, ..) in edits {
        assert!(all.contains(&Path::new("crates/sampler/src").join(file)), "there is no {file}");
    }
    for relative in all {
        let (to, bytes) = (workspace.join(&relative), edited(&relative, edits));
        // Keep an existing lock file: cargo has removed the dependencies of missing members from it.
        let is_there = to.exists() && relative == Path::new("Cargo.lock");
        if !is_there && fs::read(&to).ok().as_ref() != Some(&bytes) {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(&to, bytes).unwrap();
        }
    }
}

/// The parts of the quick suite that fail on a copy with these edits, and what was printed.
fn failing_parts(edits: &[Edit]) -> (BTreeSet<String>, String) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    fs::create_dir_all(&directory).unwrap();
    // Tests run in parallel, in threads or processes, but there is only one copy.
    let turn = File::create(directory.join("turn")).unwrap();
    turn.lock().unwrap();
    let workspace = directory.join("workspace");
    copy(&workspace, edits);
    let cargo = |arguments: &[&str]| {
        Command::new(env!("CARGO"))
            .args(["test", "--release", "--offline", "--package", "gmm-accuracy", "--test", "quick"])
            .args(arguments)
            .current_dir(&workspace)
            .env("CARGO_TARGET_DIR", directory.join("target"))
            .env("CARGO_PROFILE_RELEASE_INCREMENTAL", "true")
            .output()
            .unwrap()
    };
    let built = cargo(&["--no-run"]);
    assert!(built.status.success(), "the copy does not build: {}", String::from_utf8_lossy(&built.stderr));
    let run = cargo(&["--", "--nocapture"]);
    let printed = String::from_utf8(run.stdout).unwrap();
    let failed = printed.lines().filter_map(|line| line.strip_prefix("FAIL "));
    let parts: BTreeSet<String> =
        failed.filter_map(|row| row.split_whitespace().next()).map(str::to_owned).collect();
    assert!(printed.contains("test result:"), "the suite did not come to an end: {printed}");
    assert_eq!(run.status.success(), parts.is_empty(), "{printed}");
    (parts, printed)
}

#[track_caller]
fn is_caught_by(parts: &[&str], edits: &[Edit]) {
    let (failing, printed) = failing_parts(edits);
    println!("caught by {failing:?}");
    for part in parts {
        assert!(failing.contains(*part), "{part} has not noticed; {failing:?} have\n{printed}");
    }
}

#[test]
#[ignore = "minutes: make test-slow"]
fn an_untouched_copy_passes() {
    let (failing, printed) = failing_parts(&[]);
    assert!(failing.is_empty(), "{printed}");
}

/// One test per fault: its name, the parts that must detect it, and the edits. Plus a quick test that all texts still occur in the
/// sampler.
macro_rules! faults {
    ($($name:ident: $parts:expr, $edits:expr;)*) => {$(
        #[test]
        #[ignore = "minutes: make test-slow"]
        fn $name() {
            is_caught_by(&$parts, &$edits);
        }
    )*

        #[test]
        fn every_fault_has_its_texts_in_the_sampler() {
            let all: &[&[Edit]] = &[$(&$edits),*];
            for edits in all {
                for (file, ..) in *edits {
                    edited(&Path::new("crates/sampler/src").join(file), edits);
                }
            }
        }
    };
}

faults! {
    the_jacobian_of_log_sigma_left_out:
        [POSTERIORS, CALIBRATION, CLOSED_FORMS, ENUMERATION, INVARIANCES],
        [
            ("mixture/posterior/component_lanes.rs", "log_prior = log_prior.plus(log_density).plus(log_sigma);", "log_prior = log_prior.plus(log_density);"),
            ("mixture/posterior/component_lanes.rs", "V::load(&self.scale_slopes[i]).plus(V::splat(1.0));", "V::load(&self.scale_slopes[i]);"),
        ];

    the_jacobian_of_tanh_left_out:
        [POSTERIORS, CALIBRATION, CLOSED_FORMS],
        [
            ("mixture/posterior.rs", "prior.partial_correlation_shape(d, j - 1)", "prior.partial_correlation_shape(d, j - 1) - 1.0"),
        ];

    the_jacobian_of_the_weights_left_out:
        [CALIBRATION, CLOSED_FORMS, ENUMERATION],
        [
            ("mixture/posterior.rs", "concentration: prior.concentration,", "concentration: prior.concentration - 1.0,"),
        ];

    the_determinant_left_out:
        [POSTERIORS, CALIBRATION, CLOSED_FORMS, ENUMERATION, INVARIANCES],
        [
            ("mixture/posterior/component_lanes.rs", "V::splat(hyper.normal_constant).minus(log_determinant)", "V::splat(hyper.normal_constant)"),
        ];

    the_determinant_without_its_last_entry:
        [POSTERIORS, CALIBRATION, INVARIANCES],
        [
            ("mixture/posterior/component_lanes.rs", "log_determinant = log_determinant.plus(log_sigma);", "log_determinant = if i + 1 < d.max(2) { log_determinant.plus(log_sigma) } else { log_determinant };"),
        ];

    the_exponent_of_lkj_off_by_a_half:
        [POSTERIORS, CLOSED_FORMS],
        [
            ("mixture/prior.rs", "self.lkj_shape + 0.5 * (n_features as f64 - 2.0 - column as f64)", "self.lkj_shape + 0.5 * (n_features as f64 - 1.0 - column as f64)"),
        ];

    the_columns_of_the_vine_in_the_wrong_order:
        [CLOSED_FORMS, INVARIANCES],
        [
            ("mixture/prior.rs", "self.lkj_shape + 0.5 * (n_features as f64 - 2.0 - column as f64)", "self.lkj_shape + 0.5 * column as f64"),
        ];

    a_log_normal_prior_of_the_logarithm:
        [CALIBRATION, CLOSED_FORMS, ENUMERATION],
        [
            ("mixture/posterior/scales.rs", ".multiply_add(z, V::splat(0.0)).minus(log_sigma);", ".multiply_add(z, V::splat(0.0));"),
            ("mixture/posterior/scales.rs", "V::splat(-inverse_spread).multiply_add(z, V::splat(-1.0))", "V::splat(-inverse_spread).times(z)"),
        ];

    an_inverse_gamma_prior_of_the_variance:
        [CALIBRATION, CLOSED_FORMS, ENUMERATION],
        [
            ("mixture/posterior/scales.rs", "power: shape + 1.0, scale", "power: shape, scale"),
        ];

    the_means_standard_deviation_not_squared:
        [POSTERIORS, CLOSED_FORMS, ENUMERATION, INVARIANCES],
        [
            ("mixture/posterior.rs", "1.0 / (prior.mean_sd * prior.mean_sd)", "1.0 / prior.mean_sd"),
        ];

    the_filling_of_the_last_strip_counted:
        [POSTERIORS, CALIBRATION, CLOSED_FORMS, ENUMERATION, INVARIANCES],
        [
            ("mixture/likelihood/kernel/tile.rs", "let n_observations = (self.n_strips * STRIP_LEN).min(self.rest.n_observations);", "let n_observations = strips.len() / self.rest.n_features * STRIP_LEN;"),
            ("mixture/likelihood/kernel/tile.rs", "self.rest.n_observations -= n_observations;", "self.rest.n_observations = self.rest.n_observations.saturating_sub(n_observations);"),
        ];

    the_columns_of_the_data_swapped:
        [POSTERIORS, CALIBRATION, INVARIANCES],
        [
            ("mixture/likelihood.rs", "data.value(feature, row) - origin[feature]", "data.value(d - 1 - feature, row) - origin[d - 1 - feature]"),
        ];

    components_within_reach_left_out:
        [POSTERIORS],
        [
            ("mixture/likelihood/kernel.rs", "const OUT_OF_REACH: f64 = -60.0;", "const OUT_OF_REACH: f64 = -2.0;"),
        ];

    lanes_without_a_component_that_keep_the_last_gradient:
        [CALIBRATION, CLOSED_FORMS, ENUMERATION],
        [
            ("mixture/posterior.rs", "    lanes.fill(Vector::ZERO);\n", ""),
        ];

    weights_that_belong_to_other_components:
        [POSTERIORS, CALIBRATION, ENUMERATION],
        [
            ("mixture/transform.rs", "log_weights(&position[..self.mu_start()], &mut mixture.log_weights);", "log_weights(&position[..self.mu_start()], &mut mixture.log_weights);\n        mixture.log_weights.reverse();"),
        ];

    the_new_half_of_a_trajectory_always_taken:
        [CLOSED_FORMS, ENUMERATION],
        [
            ("nuts/trajectory.rs", "if rng.random::<f64>() < exp(subtree.log_weight - log_weight) {", "if rng.random::<f64>() < 1.0 {"),
        ];

    the_second_half_of_a_subtree_taken_as_often_as_the_first:
        [CLOSED_FORMS],
        [
            ("nuts/subtree.rs", "if rng.random::<f64>() < exp(second.log_weight - log_weight) {", "if rng.random::<f64>() < 0.5 {"),
            ("nuts/subtree.rs", "if rng.random::<f64>() < exp(second - log_weight) {", "if rng.random::<f64>() < 0.5 {"),
        ];

    points_of_a_trajectory_weighed_alike:
        [POSTERIORS, CLOSED_FORMS, ENUMERATION],
        [
            ("nuts/subtree.rs", "Some(-energy_error)", "Some(0.0)"),
        ];

    trajectories_that_only_go_forward:
        [CLOSED_FORMS],
        [
            ("nuts/trajectory.rs", "let forward: bool = rng.random();", "let forward = rng.random::<bool>() || true;"),
        ];

    subtrees_that_turn_back_kept:
        [CLOSED_FORMS],
        [
            ("nuts/subtree.rs", "(continues && ends.continues()).then_some(Subtree { log_weight })", "(continues || log_weight.is_finite()).then_some(Subtree { log_weight })"),
            ("nuts/subtree.rs", "    ends.continues().then_some(Subtree { log_weight })", "    Some(Subtree { log_weight })"),
        ];

    points_beyond_a_divergence_taken:
        [CLOSED_FORMS],
        [
            ("nuts/subtree.rs", "        totals.diverging = true;\n        return None;", "        totals.diverging = true;\n        return Some(0.0);"),
        ];

    a_momentum_that_is_not_drawn_anew:
        [POSTERIORS, CALIBRATION, CLOSED_FORMS, ENUMERATION, INVARIANCES],
        [
            ("nuts/trajectory.rs", "        state.draw_momentum(rng);\n", ""),
        ];

    a_momentum_of_the_wrong_temperature:
        [POSTERIORS, CLOSED_FORMS, ENUMERATION],
        [
            ("nuts/hamiltonian.rs", "*p = StandardNormal.sample(rng)", "*p = 1.05 * Distribution::<f64>::sample(&StandardNormal, rng)"),
        ];

    a_density_that_is_stale_after_the_drift:
        [POSTERIORS, CALIBRATION, CLOSED_FORMS, ENUMERATION, INVARIANCES],
        [
            ("nuts/hamiltonian.rs", "&mut point.position);\n        self.refresh(point);", "&mut point.position);"),
        ];

    a_last_kick_by_the_gradient_of_the_old_position:
        [CLOSED_FORMS],
        [
            ("nuts/hamiltonian.rs", "        self.drift(point, 0.5 * step);\n        kick(point, OUTER_KICK * step);", "        kick(point, OUTER_KICK * step);\n        self.drift(point, 0.5 * step);"),
        ];

    a_draw_that_keeps_the_old_density:
        [POSTERIORS, CLOSED_FORMS],
        [
            ("nuts/hamiltonian.rs", "        self.log_density = other.log_density;\n", ""),
        ];
}

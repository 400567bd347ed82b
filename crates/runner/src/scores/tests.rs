use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use gmm_sampler::start::em::EmOptimum;
use tempfile::TempDir;

use super::at_modes::scores_at_modes;
use super::effort::{Effort, Step};
use super::held_out::score_held_out;
use super::leave_one_out::LeaveOneOut;
use super::stage::{ReusePolicy, Stage};
use crate::engine::experiment::Experiment;
use crate::engine::fit::{Preparation, join_chains};
use crate::engine::progress::{Display, Progress};
use crate::engine::scheduler::RunContext;
use crate::engine::task::Task;
use crate::scores::findings::Findings;
use crate::storage::store::Store;
use crate::study::job::{Job, LeftOut, ModelKey, Variant};

/// Monte Carlo standard errors that two estimates of one number may be apart; beyond 4 lies one in 16,000.
const MONTE_CARLO: f64 = 4.0;

/// Drawn from 0.4 N((−1.8, 0), ((0.7, 0.2), (0.2, 0.6))) + 0.6 N((1.8, 0.5), ((0.5, −0.1), (−0.1, 0.8))), which overlap, and an
/// observation far from both; rounded.
const ROWS: &str = "\
    -1.72,-0.38 -0.5,-1.05 -3.58,-0.42 -1.88,0.59 -1.78,-0.45 -2.39,-0.72 -1.24,-0.23 -2.09,-0.31 \
    -1.95,-0.63 -1.53,-0.54 -2.49,-0.38 -2.21,0.03 -1.38,0.99 -2.63,-2.03 0.08,0.19 -2.47,-0.41 -2.88,-0.23 \
    -2.07,0.03 -2.03,0.55 -0.8,0.42 -2.72,0.81 -0.8,-0.13 -1.79,0.83 2.73,0.56 3.03,-0.91 0.6,1.12 2.56,0.88 \
    2.43,0.78 1.35,2.63 1.37,0.1 1.5,1.03 1.78,0.32 0.93,0.85 0.61,-1.32 1.53,1.56 1.4,1.82 2.31,-0.05 \
    1,0.18 3.19,0.08 1.98,0.89 1.42,0.12 1.5,1.26 1.91,-0.19 2.16,-0.25 0.95,1.32 0.98,1.61 1.21,0.47 \
    1.89,0.32 1.45,-0.02 1.44,-0.25 2.04,-0.92 2.29,1.03 3.24,1.55 1.42,0.69 0.62,1.92 0.92,1.15 0.42,0.42 \
    1.46,1.25 3.16,-0.01 3.5,-3.5";

fn rows() -> Vec<[f64; 2]> {
    let row = |row: &str| row.split_once(',').map(|(x, y)| [x, y].map(|number| number.parse().unwrap()));
    ROWS.split_whitespace().map(|text| row(text).unwrap()).collect()
}

fn experiment(directory: &Path, rows: &[[f64; 2]], scoring: &str) -> Experiment {
    let path = directory.join(format!("{}.csv", rows.len()));
    let lines: String = rows.iter().map(|[x, y]| format!("{x:?},{y:?}\n")).collect();
    std::fs::write(&path, format!("x,y\n{lines}")).unwrap();
    let spec = format!(
        "name = \"x\"\ndata.path = \"x.csv\"\nmodel.components = 2\n\
         model.prior.scales.inverse_gamma = {{ shape = 2.0, scale = 1.0 }}\n[scoring]\n{scoring}\n"
    );
    Experiment::from_text("x.toml", &spec, |_| path).unwrap()
}

fn sampled(experiment: &Experiment, directory: &TempDir, tasks: &[Task], findings: Findings) -> Findings {
    let store = Store::new(directory.path().join("out"));
    let progress = Progress::new("fits", tasks.len(), 0, Display::Hidden);
    let context = RunContext::new(experiment, &store);
    let stage = Stage::new(&context, tasks, findings, ReusePolicy::Nothing).unwrap();
    let done = stage.run(&context, &progress).unwrap();
    done.ended.into_iter().for_each(|ended| ended.result.unwrap());
    done.findings
}

#[test]
fn refitted_loo_is_loo_by_brute_force() {
    let directory = tempfile::tempdir().unwrap();
    let rows = rows();
    let experiment = experiment(directory.path(), &rows, "criteria = [\"loo\"]");
    let findings = sampled(&experiment, &directory, &experiment.tasks(), Findings::default());
    let refits = findings.refits(&experiment);
    assert!((1..=20).contains(&refits.len()), "{} observations are in doubt", refits.len());
    let findings = sampled(&experiment, &directory, &refits, findings);
    let digest = findings.digests().next().unwrap();
    let found = |task: &Task| (task.clone(), Ok(findings.held_out(task.job).unwrap()));
    let loo = LeaveOneOut::new(digest, &refits.iter().map(found).collect::<Vec<_>>()).unwrap();
    assert_eq!((loo.score.score.n_bad, loo.score.score.reliable), (0, true), "{:?}", loo.score.diagnostics);

    // Every observation by a fit without it, with another seed.
    let without = |row| Task {
        job: Job {
            model: ModelKey::full(2),
            variant: Variant::LeaveOut(LeftOut::Observation(row)),
            seed: 99,
        },
        held_out: Arc::from([row]),
    };
    let all: Vec<Task> = (0..rows.len()).map(without).collect();
    let brute = sampled(&experiment, &directory, &all, Findings::default());
    let (mut sum, mut variance) = (0.0, 0.0);
    for task in &all {
        let held_out = brute.held_out(task.job).unwrap();
        sum += held_out.elpd[0];
        variance += held_out.mcse * held_out.mcse;
        let row = task.held_out[0];
        if let Some(refit) = refits.iter().find(|refit| refit.held_out[0] == row) {
            let error = findings.held_out(refit.job).unwrap().mcse.hypot(held_out.mcse);
            let apart = (loo.elpd[row] - held_out.elpd[0]) / error;
            assert!(apart.abs() < MONTE_CARLO, "observation {row}: {apart:.2} standard errors");
        }
    }
    let apart =
        (loo.score.score.estimate - sum) / (loo.score.score.mcse * loo.score.score.mcse + variance).sqrt();
    assert!(apart.abs() < MONTE_CARLO, "{apart:.2} standard errors: {} for {sum}", loo.score.score.estimate);
}

#[test]
fn folds_that_start_where_all_rows_do_score_as_fits_of_their_training_rows_alone() {
    let directory = tempfile::tempdir().unwrap();
    let rows = rows();
    let experiment = experiment(directory.path(), &rows, "criteria = [\"kfold\"]\nfolds = 5");
    let folds: Vec<Task> =
        experiment.tasks().into_iter().filter(|task| task.job.variant != Variant::AllRows).collect();
    let findings = sampled(&experiment, &directory, &folds, Findings::default());
    for task in &folds {
        let warm = findings.held_out(task.job).unwrap();
        // An experiment of its own: its own search for a start, full warm-up and draws, on data without the rows held out.
        let training: Vec<[f64; 2]> =
            (0..rows.len()).filter(|row| !task.held_out.contains(row)).map(|row| rows[row]).collect();
        let alone = self::experiment(directory.path(), &training, "criteria = []");
        let (preparation, _) = Preparation::for_all_rows(&alone, ModelKey::full(2)).unwrap();
        let progress = Progress::new("fits", 1, 0, Display::Hidden);
        let of_fit = progress.fit(task.job, 0);
        let chains = (0..4)
            .map(|chain| preparation.run_chain(7, chain, &of_fit.chain(), &AtomicBool::new(false)).unwrap());
        let fit = join_chains(task.job, 2, chains.collect()).unwrap();
        let cold = score_held_out(&experiment, task, &fit).unwrap();
        let sum = |held_out: &crate::storage::fits::HeldOut| held_out.elpd.iter().sum::<f64>();
        let apart = (sum(warm) - sum(&cold)) / warm.mcse.hypot(cold.mcse);
        assert!(apart.abs() < MONTE_CARLO, "{}: {apart:.2} standard errors", task.job);
        assert!(warm.mcse < 0.3, "{}: the Monte Carlo error is {}", task.job, warm.mcse);
    }
}

/// Every step is counted, and no step that is not taken.
#[test]
fn the_work_that_is_foretold_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let scoring = "criteria = [\"bic\", \"laplace\", \"cv\"]\nfolds = 3";
    let mut experiment = experiment(directory.path(), &rows(), scoring);
    experiment.spec.model.components = vec![1, 2, 3];
    let effort = Effort::new(&experiment, Display::Hidden);
    let models: Vec<(ModelKey, Option<&EmOptimum>)> =
        experiment.models().into_iter().map(|model| (model, None)).collect();
    models.iter().for_each(|(model, _)| effort.did(Step::Em, *model));
    scores_at_modes(&experiment, &models, &effort).unwrap();
    let (work, done) = effort.work_and_done();
    assert!(work > 0 && done == work, "{done} of {work}");
    assert!(effort.estimate(&experiment).unwrap() > Duration::ZERO);
}

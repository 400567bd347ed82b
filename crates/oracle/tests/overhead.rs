//! What trajectory, adaptation and metric cost beside the density: time per gradient on a density that costs next to nothing.

use gmm_bench::clock::thread_time;
use gmm_oracle::program::{Program, stream};
use gmm_sampler::log_density::LogDensity;
use gmm_sampler::nuts::metric::Metric;

/// Time per gradient may exceed the peer's by this factor: on a machine shared with others the ratio of medians differed by as
/// much between two runs.
const NOISE: f64 = 1.25;

/// Rounds in which every program runs once; medians are over these.
const ROUNDS: u64 = 7;

const WARMUP: usize = 400;
const DRAWS: usize = 2000;

#[derive(Clone)]
struct StandardNormal(usize);

impl LogDensity for StandardNormal {
    fn dimension(&self) -> usize {
        self.0
    }

    fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        let mut log_density = 0.0;
        for (gradient, x) in gradient.iter_mut().zip(position) {
            *gradient = -x;
            log_density -= 0.5 * x * x;
        }
        log_density
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Nanoseconds of one evaluation.
fn density_time(dimension: usize) -> f64 {
    let repetitions = 100_000;
    let position = vec![0.5; dimension];
    let mut gradient = vec![0.0; dimension];
    let mut density = StandardNormal(dimension);
    let began = thread_time();
    for _ in 0..repetitions {
        std::hint::black_box(
            density.log_density_and_gradient(std::hint::black_box(&position), &mut gradient),
        );
    }
    (thread_time() - began).as_nanos() as f64 / f64::from(repetitions)
}

/// Nanoseconds per gradient beside the density, medians over the rounds: in the warm-up, and over the draws.
fn overheads(programs: &[Program], dimension: usize) -> Vec<[f64; 2]> {
    let density = median((0..ROUNDS).map(|_| density_time(dimension)).collect());
    let mut times = vec![[Vec::new(), Vec::new()]; programs.len()];
    for round in 0..ROUNDS {
        for (program, [warmup, draws]) in programs.iter().zip(&mut times) {
            let position = vec![0.5; dimension];
            let run = program.run(
                StandardNormal(dimension),
                &position,
                WARMUP,
                DRAWS,
                stream(round, dimension as u64),
            );
            for (times, cost) in [(warmup, run.warmup), (draws, run.draws)] {
                times.push(cost.time.as_nanos() as f64 / cost.gradients as f64 - density);
            }
        }
    }
    times.into_iter().map(|parts| parts.map(median)).collect()
}

/// Prints a table, and asserts that ours with a diagonal metric takes no longer than nuts-rs with one. The dense and the
/// low-rank metric do different work and are shown only.
fn a_gradient_takes_no_longer(dimension: usize, beside: &[Program]) {
    let mut programs = vec![Program::Ours(Metric::identity(dimension)), Program::Diagonal];
    programs.extend_from_slice(beside);
    println!("nanoseconds per gradient beside the density, standard normal in {dimension} dimensions");
    println!("{:<18} {:>8} {:>8}", "", "warm-up", "draws");
    let overheads = overheads(&programs, dimension);
    for (program, [warmup, draws]) in programs.iter().zip(&overheads) {
        println!("{:<18} {warmup:>8.0} {draws:>8.0}", program.name());
    }
    for (part, name) in ["warm-up", "draws"].into_iter().enumerate() {
        let (ours, theirs) = (overheads[0][part], overheads[1][part]);
        assert!(ours <= NOISE * theirs, "{name}: {ours:.0} ns against {theirs:.0}");
    }
}

fn dense(dimension: usize) -> Program {
    let entries = (0..dimension).flat_map(|i| (0..=i).map(move |j| f64::from(u8::from(i == j))));
    Program::Ours(Metric::from_covariance(dimension, &entries.collect::<Vec<_>>()).unwrap())
}

#[test]
fn a_gradient_in_ten_dimensions_takes_no_longer() {
    a_gradient_takes_no_longer(10, &[dense(10), Program::LowRank]);
}

#[test]
fn a_gradient_in_47_dimensions_takes_no_longer() {
    a_gradient_takes_no_longer(47, &[dense(47), Program::LowRank]);
}

/// Without the low-rank metric, whose warm-up takes more than a millisecond a gradient here.
#[test]
fn a_gradient_in_300_dimensions_takes_no_longer() {
    a_gradient_takes_no_longer(300, &[dense(300)]);
}

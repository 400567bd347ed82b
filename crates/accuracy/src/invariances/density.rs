//! Log densities and gradients in new coordinates, to rounding.

use gmm_sampler::log_density::LogDensity;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use rand::{Rng, RngExt};

use super::change::Change;
use crate::case::{Case, Columns, Failure, Outcome};
use crate::check::{Check, Evidence, Part};
use crate::problem::Problem;
use crate::stream::{Purpose, stream};

/// Differences are relative to 1 + |log density|, and to 1 + the largest entry of the gradient. A sum of a few hundred terms
/// loses three digits at worst, the derivative of the map between coordinates four more.
const DENSITY: f64 = 1e-12;
const GRADIENT: f64 = 1e-9;

/// Step of the fourth-order central differences that the map's derivative is taken by.
const STEP: f64 = 1e-3;

/// (N, D, K) of each trial: less than a tile of observations, more than one, and several with an uneven rest.
const SHAPES: [(usize, usize, usize); 4] = [(9, 2, 2), (64, 3, 3), (131, 3, 2), (75, 1, 4)];

const SCALES: [ScalePrior; 5] = [
    ScalePrior::HalfCauchy { scale: 1.0 },
    ScalePrior::HalfStudentT { nu: 3.0, scale: 0.7 },
    ScalePrior::InverseGamma { shape: 2.0, scale: 1.5 },
    ScalePrior::LogNormal { mu: 0.1, sigma: 0.8 },
    ScalePrior::Hierarchical { shape: 2.0, hyper_shape: 0.2, hyper_rate: 10.0 },
];

/// One change, tried at random positions of random problems.
pub(crate) struct Density {
    change: Change,
    name: &'static str,
}

impl Density {
    pub(crate) const ALL: [Self; 4] = [
        Self { change: Change::Rows, name: "density, rows permuted" },
        Self { change: Change::Components, name: "density, components permuted" },
        Self { change: Change::Columns, name: "density, columns permuted" },
        Self { change: Change::ShiftAndScale, name: "density, shifted and scaled" },
    ];

    /// Relative differences of log density and gradient.
    fn deviations(&self, problem: &Problem, position: &[f64]) -> Result<[f64; 2], Failure> {
        let changed = self.change.problem(problem);
        let layout = problem.layout;
        let forth = |x: &[f64]| layout.unconstrain(&self.change.forth(&layout.constrain(x)));
        let gain = |x: &[f64]| self.change.gain(problem, x, &forth(x));
        let n = position.len();
        let (mut gradient, mut its_gradient) = (vec![0.0; n], vec![0.0; n]);
        let here = problem.posterior()?.log_density_and_gradient(position, &mut gradient);
        let there = changed.posterior()?.log_density_and_gradient(&forth(position), &mut its_gradient);
        let of_density = (there - here - gain(position)).abs() / (1.0 + here.abs());
        let largest = gradient.iter().fold(0.0f64, |largest, g| largest.max(g.abs()));
        let mut of_gradient = 0.0f64;
        for (index, gradient) in gradient.iter().enumerate() {
            // The chain rule: ∂/∂x (log p'(forth(x)) − gain(x)).
            let map = derivative(|x| forth(x), position, index);
            let through: f64 = map.iter().zip(&its_gradient).map(|(a, b)| a * b).sum();
            let of_gain = derivative(|x| vec![gain(x)], position, index)[0];
            let deviation = (through - of_gain - gradient).abs() / (1.0 + largest);
            of_gradient = if deviation > of_gradient || deviation.is_nan() { deviation } else { of_gradient };
        }
        Ok([of_density, of_gradient])
    }
}

/// ∂f/∂x_index.
fn derivative(f: impl Fn(&[f64]) -> Vec<f64>, position: &[f64], index: usize) -> Vec<f64> {
    let at = |step: f64| {
        let mut moved = position.to_vec();
        moved[index] += step;
        f(&moved)
    };
    let (far_up, up, down, far_down) = (at(2.0 * STEP), at(STEP), at(-STEP), at(-2.0 * STEP));
    (0..up.len()).map(|i| (8.0 * (up[i] - down[i]) - (far_up[i] - far_down[i])) / (12.0 * STEP)).collect()
}

fn random_problem(trial: usize, rng: &mut impl Rng) -> Result<Problem, Failure> {
    let (n, d, k) = SHAPES[trial];
    let prior = Prior {
        concentration: 0.5 + trial as f64,
        centres: (0..k * d).map(|_| rng.random_range(-2.0..2.0)).collect(),
        mean_sd: 0.8,
        scales: SCALES[trial],
        lkj_shape: 1.0 + 0.5 * trial as f64,
    };
    prior.check()?;
    let (data, _) = prior.simulate(k, d, rng).simulate(n, rng);
    Ok(Problem::new(data, prior, k))
}

impl Case for Density {
    fn part(&self) -> Part {
        Part::Invariances
    }

    fn name(&self) -> &str {
        self.name
    }

    fn n_tasks(&self) -> usize {
        1
    }

    fn run(&self, _: usize) -> Result<Columns, Failure> {
        let mut columns = vec![Vec::new(); 2];
        for trial in 0..SHAPES.len() {
            // The same problems for every change.
            let mut rng = stream("density", Purpose::Data, trial);
            let problem = random_problem(trial, &mut rng)?;
            let position: Vec<f64> =
                (0..problem.layout.dimension()).map(|_| rng.random_range(-1.0..1.0)).collect();
            let deviations = self.deviations(&problem, &position)?;
            columns.iter_mut().zip(deviations).for_each(|(column, value)| column.push(value));
        }
        Ok(columns)
    }

    fn conclude(&self, results: Vec<Columns>) -> Outcome {
        let check = |quantity: &str, values: &[f64], bound| {
            // A NaN, of a density beyond all bounds, must not be lost.
            let worse = |a: f64, b: f64| if a > b || a.is_nan() { a } else { b };
            let value = values.iter().copied().fold(0.0, worse);
            let evidence = Evidence::Bound { measure: "difference", value, bound };
            Check { part: self.part(), case: self.name.to_owned(), quantity: quantity.to_owned(), evidence }
        };
        let checks =
            vec![check("log density", &results[0][0], DENSITY), check("gradient", &results[0][1], GRADIENT)];
        Outcome { checks, ..Outcome::default() }
    }
}

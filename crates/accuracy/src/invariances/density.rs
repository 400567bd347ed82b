//! Log densities and gradients in transformed coordinates, equal to those in the original ones up to rounding.

use gmm_sampler::log_density::LogDensity;
use gmm_sampler::mixture::prior::{Prior, ScalePrior};
use rand::{Rng, RngExt};

use super::transformation::Transformation;
use crate::case::{Case, CaseError, CaseReport, Columns};
use crate::check::{Check, CheckResult, Part};
use crate::problem::Problem;
use crate::stream::{Purpose, stream};

/// Bounds on differences relative to 1 + |log density| and to 1 + the largest entry of the gradient. A sum of a few hundred terms
/// loses three digits at worst, and the derivative of the transformation four more.
const DENSITY: f64 = 1e-12;
const GRADIENT: f64 = 1e-9;

/// Step of the fourth-order central differences for the derivative of the transformation.
const STEP: f64 = 1e-3;

/// (N, D, K) of each trial: fewer observations than the kernel handles at once, about as many, and several times as many with a
/// remainder.
const SHAPES: [(usize, usize, usize); 4] = [(9, 2, 2), (64, 3, 3), (131, 3, 2), (75, 1, 4)];

const SCALES: [ScalePrior; 5] = [
    ScalePrior::HalfCauchy { scale: 1.0 },
    ScalePrior::HalfStudentT { nu: 3.0, scale: 0.7 },
    ScalePrior::InverseGamma { shape: 2.0, scale: 1.5 },
    ScalePrior::LogNormal { mu: 0.1, sigma: 0.8 },
    ScalePrior::Hierarchical { shape: 2.0, hyper_shape: 0.2, hyper_rate: 10.0 },
];

/// One transformation, tested at random positions of random problems.
pub(crate) struct DensityInvariance {
    transformation: Transformation,
    name: &'static str,
}

impl DensityInvariance {
    pub(crate) const ALL: [Self; 4] = [
        Self { transformation: Transformation::Rows, name: "density, rows permuted" },
        Self { transformation: Transformation::Components, name: "density, components permuted" },
        Self { transformation: Transformation::Columns, name: "density, columns permuted" },
        Self { transformation: Transformation::ShiftAndScale, name: "density, shifted and scaled" },
    ];

    /// The relative differences of log density and gradient.
    fn differences(&self, problem: &Problem, position: &[f64]) -> Result<[f64; 2], CaseError> {
        let transformed = self.transformation.problem(problem);
        let layout = problem.layout;
        let apply = |x: &[f64]| layout.unconstrain(&self.transformation.apply(&layout.constrain(x)));
        let change = |x: &[f64]| self.transformation.log_density_change(problem, x, &apply(x));
        let n = position.len();
        let (mut gradient, mut transformed_gradient) = (vec![0.0; n], vec![0.0; n]);
        let here = problem.posterior()?.log_density_and_gradient(position, &mut gradient);
        let there =
            transformed.posterior()?.log_density_and_gradient(&apply(position), &mut transformed_gradient);
        let density_difference = (there - here - change(position)).abs() / (1.0 + here.abs());
        let largest = gradient.iter().fold(0.0f64, |largest, g| largest.max(g.abs()));
        let mut gradient_difference = 0.0f64;
        for (index, gradient) in gradient.iter().enumerate() {
            // The chain rule for ∂/∂x (log p'(apply(x)) − change(x)).
            let map = derivative(|x| apply(x), position, index);
            let through: f64 = map.iter().zip(&transformed_gradient).map(|(a, b)| a * b).sum();
            let slope = derivative(|x| vec![change(x)], position, index)[0];
            let difference = (through - slope - gradient).abs() / (1.0 + largest);
            gradient_difference = worse(gradient_difference, difference);
        }
        Ok([density_difference, gradient_difference])
    }
}

/// The larger number, or NaN.
fn worse(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
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

fn random_problem(trial: usize, rng: &mut impl Rng) -> Result<Problem, CaseError> {
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

impl Case for DensityInvariance {
    fn part(&self) -> Part {
        Part::Invariances
    }

    fn name(&self) -> &str {
        self.name
    }

    fn n_tasks(&self) -> usize {
        1
    }

    fn run(&self, _: usize) -> Result<Columns, CaseError> {
        let mut columns = vec![Vec::new(); 2];
        for trial in 0..SHAPES.len() {
            // The same problems for every transformation.
            let mut rng = stream("density", Purpose::Data, trial);
            let problem = random_problem(trial, &mut rng)?;
            let position: Vec<f64> =
                (0..problem.layout.dimension()).map(|_| rng.random_range(-1.0..1.0)).collect();
            let differences = self.differences(&problem, &position)?;
            columns.iter_mut().zip(differences).for_each(|(column, value)| column.push(value));
        }
        Ok(columns)
    }

    fn conclude(&self, results: Vec<Columns>) -> CaseReport {
        let check = |quantity: &str, values: &[f64], bound| {
            let value = values.iter().copied().fold(0.0, worse);
            let result = CheckResult::Bound { measure: "difference", value, bound };
            Check { part: self.part(), case: self.name.to_owned(), quantity: quantity.to_owned(), result }
        };
        let checks =
            vec![check("log density", &results[0][0], DENSITY), check("gradient", &results[0][1], GRADIENT)];
        CaseReport { checks, ..CaseReport::default() }
    }
}

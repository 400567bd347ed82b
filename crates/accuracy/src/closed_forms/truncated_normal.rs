//! A density with bounded support: every step across the boundary diverges, and draws must still have the right distribution.

use std::f64::consts::PI;

use gmm_sampler::log_density::LogDensity;
use gmm_sampler::nuts::chain::{Chain, ChainSettings};
use gmm_sampler::nuts::metric::Metric;

use crate::case::{Case, CaseError, CaseReport, Columns};
use crate::check::Part;
use crate::expectations::{Expectation, Group, report};
use crate::normal;
use crate::problem::{CHAINS, join_chains};
use crate::stream::{Purpose, stream};

/// Two independent standard normal variables, the first conditioned to be positive.
#[derive(Debug, Clone)]
struct HalfPlane;

impl LogDensity for HalfPlane {
    fn dimension(&self) -> usize {
        2
    }

    fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.iter_mut().zip(position).for_each(|(gradient, x)| *gradient = -x);
        let square: f64 = position.iter().map(|x| x * x).sum();
        if position[0] > 0.0 { -0.5 * square } else { f64::NEG_INFINITY }
    }
}

/// Chains on the half-plane. A trajectory that crosses the boundary ends in a divergence, and its draw comes from the part before.
/// That leaves the distribution invariant (Hoffman & Gelman 2014, section 3.1.2).
pub(crate) struct TruncatedNormal {
    pub(crate) draws: usize,
}

impl Case for TruncatedNormal {
    fn part(&self) -> Part {
        Part::ClosedForms
    }

    fn name(&self) -> &str {
        "edge of the support"
    }

    fn n_tasks(&self) -> usize {
        CHAINS
    }

    fn run(&self, task: usize) -> Result<Columns, CaseError> {
        let settings = ChainSettings { draws: self.draws, ..ChainSettings::default() };
        let rng = stream(self.name(), Purpose::Chain, task);
        let start = [0.5 + task as f64, -1.0];
        let mut chain = Chain::new(HalfPlane, &start, Metric::identity(2), settings, rng)?;
        while chain.is_warming_up() {
            chain.step();
        }
        let mut columns = vec![Vec::new(); 7];
        for _ in 0..self.draws {
            chain.step();
            let (x, y) = (chain.position()[0], chain.position()[1]);
            let below = |quantile: f64| f64::from(u8::from(x <= quantile));
            let values = [x, x * x, below(quantile(0.1)), below(quantile(0.5)), y, y * y, x * y];
            columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        }
        Ok(columns)
    }

    fn conclude(&self, results: Vec<Columns>) -> CaseReport {
        let expectations = [
            ("x", (2.0 / PI).sqrt()),
            ("x²", 1.0),
            ("P(x < 10 %)", 0.1),
            ("P(x < 50 %)", 0.5),
            ("y", 0.0),
            ("y²", 1.0),
            ("x y", 0.0),
        ];
        let expectations = expectations.map(|(name, exact)| Expectation::new(name, exact)).to_vec();
        let groups = [Group { name: "moments and quantiles", expectations }];
        report(self.part(), self.name(), &groups, join_chains(results))
    }
}

/// The quantile of |x| for a standard normal x.
fn quantile(probability: f64) -> f64 {
    normal::quantile(0.5 + 0.5 * probability)
}

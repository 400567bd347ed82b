//! The mixture's likelihood: one pass over the data gives the log-likelihood and the moments for its gradient, or for a step of
//! EM.
//!
//! With `W_k = T_k⁻¹` and `z_ik = W_k (y_i − μ_k)`, the pass returns, besides `Σ_i log p(y_i)`, the responsibility-weighted
//! moments `Σ_i r_ik`, `Σ_i r_ik z_ik` and `Σ_i r_ik z_ik z_ikᵀ`. Whitened residuals, not raw products `y yᵀ`: a cloud of
//! unit spread at 10⁹ would lose every digit of its covariance in the difference of two sums of squares.

mod components;
mod kernel;
mod moments;
mod order;
mod workspace;

pub use components::WhitenedComponents;
pub use moments::Moments;
pub use workspace::Workspace;

use crate::data::Observations;
use crate::mixture::params::Mixture;
use crate::rounding::Rounding;
use crate::simd::instructions::InstructionSet;
use crate::simd::lanes::{LANES, Vector};
use kernel::tile::{Buffers, Pass, STRIP, STRIP_LEN, Strip};
use order::compact_order;
use workspace::ROOT_HALF_LOG2_E;

/// The data of a likelihood, in strips of 32 observations that lie close together, feature by feature within a strip.
#[derive(Debug, Clone)]
pub struct Likelihood {
    n_observations: usize,
    n_features: usize,
    /// The features' means, length D. Strips hold differences from them, so that residuals keep their digits for any location.
    origin: Vec<f64>,
    /// Strips × D. The last strip is padded with copies of the last observation.
    strips: Vec<Strip>,
    /// The row of the data at each place of the strips.
    rows: Vec<u32>,
    instructions: InstructionSet,
    /// Largest number of threads of a pass.
    threads: usize,
    rounding: Option<Rounding>,
}

/// Strips of n observations in D features; `value` takes a place and a feature. The last strip is padded with the last
/// observation.
fn in_strips(n: usize, d: usize, value: impl Fn(usize, usize) -> f64) -> Vec<Strip> {
    let mut strips = vec![[Vector::ZERO; STRIP]; n.div_ceil(STRIP_LEN) * d];
    for (index, strip) in strips.chunks_exact_mut(d).enumerate() {
        for (feature, vectors) in strip.iter_mut().enumerate() {
            for place in 0..STRIP_LEN {
                let from = (index * STRIP_LEN + place).min(n - 1);
                vectors[place / LANES].0[place % LANES] = value(from, feature);
            }
        }
    }
    strips
}

/// Observations per part. Parts are summed separately, then added in order, so that rounding does not depend on the number of
/// threads. A part takes long enough (a quarter of a millisecond for D = 8, K = 6) to be worth a thread.
const PART: usize = 8192;

impl Likelihood {
    /// Copies the data in the order of the strips.
    ///
    /// # Panics
    /// If there are 2³² observations or more.
    #[must_use]
    pub fn new(data: &impl Observations) -> Self {
        let (n, d) = (data.n_observations(), data.n_features());
        let rows = compact_order(data);
        let mean = |feature| (0..n).map(|row| data.value(feature, row) / n as f64).sum();
        let origin: Vec<f64> = (0..d).map(mean).collect();
        let strips = in_strips(n, d, |place, feature| {
            let row = rows[place] as usize;
            data.value(feature, row) - origin[feature]
        });
        Self {
            n_observations: n,
            n_features: d,
            origin,
            strips,
            rows,
            instructions: InstructionSet::best(),
            threads: 1,
            rounding: data.rounding(),
        }
    }

    /// Lets one pass use up to `threads` threads if there are enough observations, at least 8,192 for each. Results do not
    /// change by a bit.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// The likelihood of a part of the observations: at least `least`, fewer than twice as many, at equal distances in the
    /// strips' order so that no region is left out. `None` if there are fewer than twice `least` observations.
    pub(crate) fn thinned(&self, least: usize) -> Option<Self> {
        let (d, every) = (self.n_features, self.n_observations / least.max(1));
        if every < 2 {
            return None;
        }
        let kept: Vec<usize> = (0..self.n_observations).step_by(every).collect();
        let strips = in_strips(kept.len(), d, |place, feature| {
            let from = kept[place];
            self.strips[from / STRIP_LEN * d + feature][from % STRIP_LEN / LANES].0[from % LANES]
        });
        Some(Self {
            n_observations: kept.len(),
            strips,
            rows: kept.iter().map(|&place| self.rows[place]).collect(),
            origin: self.origin.clone(),
            rounding: self.rounding.clone(),
            ..*self
        })
    }

    /// The likelihood of no observations: log-likelihood and moments are 0, so that the posterior is the prior.
    #[must_use]
    pub fn empty(n_features: usize) -> Self {
        Self {
            n_observations: 0,
            n_features,
            origin: vec![0.0; n_features],
            strips: Vec::new(),
            rows: Vec::new(),
            instructions: InstructionSet::best(),
            threads: 1,
            rounding: None,
        }
    }

    /// N.
    #[must_use]
    pub fn n_observations(&self) -> usize {
        self.n_observations
    }

    /// D.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The rounding error of the observations.
    #[must_use]
    pub fn rounding(&self) -> Option<&Rounding> {
        self.rounding.as_ref()
    }

    /// Writes the components to the workspace.
    fn prepare(&self, components: &WhitenedComponents, workspace: &mut Workspace) {
        let d = self.n_features;
        for k in 0..components.n_components() {
            let mean = &components.means[k * d..][..d];
            workspace.set(k, components.constants[k], mean, components.inverse_factor(k), &self.origin);
        }
    }

    /// A pass with the components of a workspace. `None` if they are beyond double precision.
    fn pass<'a>(&'a self, components: &'a [f64]) -> Option<Pass<'a>> {
        // Without branches, so that it vectorises.
        let finite = components.iter().fold(true, |finite, value| finite & value.is_finite());
        finite.then_some(Pass {
            n_features: self.n_features,
            n_observations: self.n_observations,
            strips: &self.strips,
            components,
        })
    }

    /// Returns the log-likelihood Σ_i log p(y_i | θ) in nats and overwrites `moments`, from which its gradient is computed. Not
    /// finite if the components are beyond double precision.
    pub fn log_likelihood_and_moments(
        &self,
        components: &WhitenedComponents,
        workspace: &mut Workspace,
        moments: &mut Moments,
    ) -> f64 {
        self.prepare(components, workspace);
        self.accumulate(workspace, moments)
    }

    /// As [`Likelihood::log_likelihood_and_moments`], with the workspace's components.
    pub(crate) fn accumulate(&self, workspace: &mut Workspace, moments: &mut Moments) -> f64 {
        let Workspace { components, buffers, sums } = workspace;
        let Some(pass) = self.pass(components) else { return f64::NAN };
        let length = moments.values.len();
        sums.resize(self.n_observations.div_ceil(PART).max(1) * length, Vector::ZERO);
        sums.fill(Vector::ZERO);
        let log_likelihood = if self.n_observations <= PART {
            kernel::accumulate(self.instructions, pass, &mut buffers[0], sums)
        } else {
            self.accumulate_parts(pass, buffers, sums, length)
        };
        let scale = 1.0 / ROOT_HALF_LOG2_E;
        let sums = &sums[..length];
        kernel::collapse(self.instructions, self.n_features, scale, sums, &mut moments.values);
        log_likelihood
    }

    /// Runs the pass part by part, on several threads. The sums of all parts are added to the first part's.
    fn accumulate_parts(
        &self,
        pass: Pass<'_>,
        buffers: &mut Vec<Buffers>,
        sums: &mut [Vector],
        length: usize,
    ) -> f64 {
        let parts: Vec<Pass<'_>> = pass.parts(PART).collect();
        let threads = self.threads.min(parts.len());
        buffers.resize(threads, buffers[0].clone());
        let share = parts.len().div_ceil(threads);
        let accumulate = |parts: &[Pass<'_>], buffers: &mut Buffers, sums: &mut [Vector]| -> Vec<f64> {
            let parts = parts.iter().zip(sums.chunks_exact_mut(length));
            parts.map(|(part, sums)| kernel::accumulate(self.instructions, *part, buffers, sums)).collect()
        };
        let mut shares = parts.chunks(share).zip(&mut *buffers).zip(sums.chunks_mut(share * length));
        let own = shares.next();
        let log_likelihoods: Vec<f64> = std::thread::scope(|scope| {
            let run = |((parts, buffers), sums)| scope.spawn(move || accumulate(parts, buffers, sums));
            let threads: Vec<_> = shares.map(run).collect();
            let own = own.map(|((parts, buffers), sums)| accumulate(parts, buffers, sums));
            let joined = threads.into_iter().map(|thread| thread.join().expect("a pass does not panic"));
            own.into_iter().chain(joined).flatten().collect()
        });
        let (total, others) = sums.split_at_mut(length);
        for part in others.chunks_exact(length) {
            for (total, part) in total.iter_mut().zip(part) {
                total.0.iter_mut().zip(part.0).for_each(|(total, part)| *total += part);
            }
        }
        log_likelihoods.iter().sum()
    }

    /// The point from which observations and means are measured, length D.
    pub(crate) fn origin(&self) -> &[f64] {
        &self.origin
    }

    pub(crate) fn instructions(&self) -> InstructionSet {
        self.instructions
    }

    /// Writes log p(y_i | θ) of every observation, in nats, to `log_density` (length N); NaN if the components are beyond
    /// double precision.
    ///
    /// # Panics
    /// If `log_density` has another length.
    pub fn pointwise(
        &self,
        components: &WhitenedComponents,
        workspace: &mut Workspace,
        log_density: &mut [f64],
    ) {
        assert_eq!(log_density.len(), self.n_observations, "one log density an observation");
        self.prepare(components, workspace);
        let Workspace { components, buffers, .. } = workspace;
        let buffers = &mut buffers[0];
        let Some(pass) = self.pass(components) else {
            log_density.fill(f64::NAN);
            return;
        };
        let mut values = vec![[Vector::ZERO; STRIP]; self.rows.len().div_ceil(STRIP_LEN)];
        kernel::log_densities(self.instructions, pass, buffers, &mut values);
        let values = values.as_flattened().iter().flat_map(|vector| vector.0);
        self.rows.iter().zip(values).for_each(|(&row, value)| log_density[row as usize] = value);
    }

    /// The responsibilities of the components of a mixture, with the rounding error of the observations.
    #[must_use]
    pub fn responsibilities_under(&self, mixture: &Mixture) -> Vec<f64> {
        self.responsibilities(&WhitenedComponents::rounded(mixture, self.rounding()))
    }

    /// Responsibilities r_ik (N × K, rows sum to one): the probability that observation i belongs to component k. NaN if the
    /// components are beyond double precision.
    #[must_use]
    pub fn responsibilities(&self, components: &WhitenedComponents) -> Vec<f64> {
        let k = components.n_components();
        let mut workspace = Workspace::new(k, self.n_features);
        self.prepare(components, &mut workspace);
        let Workspace { components, mut buffers, .. } = workspace;
        let Some(pass) = self.pass(&components) else {
            return vec![f64::NAN; self.n_observations * k];
        };
        let mut values = vec![[Vector::ZERO; STRIP]; self.rows.len().div_ceil(STRIP_LEN) * k];
        kernel::responsibilities(self.instructions, pass, &mut buffers[0], &mut values);
        let mut responsibilities = vec![0.0; self.n_observations * k];
        for (rows, values) in self.rows.chunks(STRIP_LEN).zip(values.chunks_exact(k)) {
            for (place, &row) in rows.iter().enumerate() {
                for (component, values) in values.iter().enumerate() {
                    responsibilities[row as usize * k + component] = values[place / LANES].0[place % LANES];
                }
            }
        }
        responsibilities
    }
}

#[cfg(test)]
mod tests;

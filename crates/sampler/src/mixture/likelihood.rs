//! The mixture's likelihood: one pass over the data for the log-likelihood and all that its gradient, or a step of EM, needs.
//!
//! With `W_k = T_k⁻¹` and `z_ik = W_k (y_i − μ_k)`, the pass returns, besides `Σ_i log p(y_i)`, the responsibility-weighted
//! moments `Σ_i r_ik`, `Σ_i r_ik z_ik` and `Σ_i r_ik z_ik z_ikᵀ`. Whitened residuals, not raw products `y yᵀ`: a cloud of
//! unit spread at 10⁹ would lose every digit of its covariance in the difference of two sums of squares.

mod kernel;
mod order;

use super::params::Mixture;
use super::triangular::{at, invert, packed_len};
use crate::data::Observations;
use crate::simd::instructions::InstructionSet;
use crate::simd::lanes::{LANES, Lanes, Vector};
use kernel::{Buffers, Pass, STRIP, STRIP_LEN, Strip, moments_len};
use order::compact_order;

const LOG_2_PI: f64 = 1.837_877_066_409_345_5;

/// √(½ log₂ e): what z is multiplied by so that a square is a logit to base 2.
const ROOT_HALF_LOG2_E: f64 = 0.849_321_800_288_019_1;

/// K components in the form that the pass over the data wants.
#[derive(Debug, Clone)]
pub struct WhitenedComponents {
    n_features: usize,
    /// K × D.
    means: Vec<f64>,
    /// K packed inverse factors W_k = T_k⁻¹.
    inverse_factors: Vec<f64>,
    /// K, log scale: log w_k − (D/2) log 2π − Σ_d log T_k[d,d].
    constants: Vec<f64>,
}

impl WhitenedComponents {
    /// Room for K components in D dimensions.
    #[must_use]
    pub fn new(n_components: usize, n_features: usize) -> Self {
        Self {
            n_features,
            means: vec![0.0; n_components * n_features],
            inverse_factors: vec![0.0; n_components * packed_len(n_features)],
            constants: vec![0.0; n_components],
        }
    }

    /// Sets component k from its log weight, mean (D) and packed scale factor T_k.
    pub fn set(&mut self, component: usize, log_weight: f64, mean: &[f64], scale_factor: &[f64]) {
        let d = self.n_features;
        self.means[component * d..][..d].copy_from_slice(mean);
        let inverse = &mut self.inverse_factors[component * packed_len(d)..][..packed_len(d)];
        invert(d, scale_factor, inverse);
        let log_diagonal: f64 = (0..d).map(|i| libm::log(scale_factor[at(i, i)])).sum();
        self.constants[component] = log_weight - 0.5 * d as f64 * LOG_2_PI - log_diagonal;
    }

    /// The components of a mixture.
    #[must_use]
    pub fn from_mixture(mixture: &Mixture) -> Self {
        let mut whitened = Self::new(mixture.n_components(), mixture.n_features());
        for k in 0..mixture.n_components() {
            whitened.set(k, mixture.log_weights[k], mixture.mean(k), &mixture.scale_factor(k));
        }
        whitened
    }

    #[must_use]
    pub fn n_components(&self) -> usize {
        self.constants.len()
    }

    /// W_k, packed.
    #[must_use]
    pub fn inverse_factor(&self, component: usize) -> &[f64] {
        &self.inverse_factors[component * packed_len(self.n_features)..][..packed_len(self.n_features)]
    }
}

/// Responsibility-weighted moments of the whitened residuals, per component.
#[derive(Debug, Clone)]
pub struct Moments {
    n_features: usize,
    /// Per component: Σr, then Σr z (D), then Σr z zᵀ (packed).
    values: Vec<f64>,
}

impl Moments {
    #[must_use]
    pub fn new(n_components: usize, n_features: usize) -> Self {
        Self { n_features, values: vec![0.0; n_components * moments_len(n_features)] }
    }

    fn component(&self, component: usize) -> &[f64] {
        let width = moments_len(self.n_features);
        &self.values[component * width..][..width]
    }

    /// All moments times a number.
    pub(crate) fn scale(&mut self, by: f64) {
        self.values.iter_mut().for_each(|value| *value *= by);
    }

    /// n_k = Σ_i r_ik: the expected number of observations of component k.
    #[must_use]
    pub fn count(&self, component: usize) -> f64 {
        self.component(component)[0]
    }

    /// Σ_i r_ik z_ik, length D.
    #[must_use]
    pub fn first(&self, component: usize) -> &[f64] {
        &self.component(component)[1..=self.n_features]
    }

    /// One of the 1 + D + D(D+1)/2 moments of up to eight components from `begins` on, one a lane.
    pub(crate) fn lanes(&self, begins: usize, moment: usize) -> Vector {
        let width = moments_len(self.n_features);
        let mut lanes = Vector::ZERO;
        for (lane, component) in lanes.0.iter_mut().zip(self.values[begins * width..].chunks_exact(width)) {
            *lane = component[moment];
        }
        lanes
    }

    /// Σ_i r_ik z_ik z_ikᵀ, packed lower triangle.
    #[must_use]
    pub fn second(&self, component: usize) -> &[f64] {
        &self.component(component)[1 + self.n_features..]
    }
}

/// The buffers of a pass, kept between passes so that none allocates.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// K × (1 + D + D(D+1)/2): the components as the pass wants them.
    components: Vec<f64>,
    /// One for every thread.
    buffers: Vec<Buffers>,
    /// Parts × K × moments, each in lanes.
    sums: Vec<Vector>,
}

impl Workspace {
    #[must_use]
    pub fn new(n_components: usize, n_features: usize) -> Self {
        let length = n_components * moments_len(n_features);
        Self {
            components: vec![0.0; length],
            buffers: vec![Buffers::new(n_components, n_features)],
            sums: vec![Vector::ZERO; length],
        }
    }

    /// Sets component k from its constant (log scale), mean (D) and packed inverse factor W.
    #[inline(always)]
    pub(crate) fn set(
        &mut self,
        k: usize,
        constant: f64,
        mean: &[f64],
        inverse_factor: &[f64],
        origin: &[f64],
    ) {
        let d = mean.len();
        let width = moments_len(d);
        let (first, rest) = self.components[k * width..][..width].split_at_mut(1);
        let (offset, factor) = rest.split_at_mut(d);
        first[0] = constant * std::f64::consts::LOG2_E;
        for (entry, inverse) in factor.iter_mut().zip(inverse_factor) {
            *entry = inverse * ROOT_HALF_LOG2_E;
        }
        for i in 0..d {
            offset[i] = -(0..=i).map(|j| factor[at(i, j)] * (mean[j] - origin[j])).sum::<f64>();
        }
    }

    /// The same for up to eight components at a time, one a lane, from component `begins` on.
    #[inline(always)]
    pub(crate) fn set_lanes<V: Lanes>(
        &mut self,
        (begins, n_components): (usize, usize),
        constant: V,
        mean: &[Vector],
        inverse_factor: &[Vector],
        origin: &[f64],
    ) {
        let d = mean.len();
        let width = moments_len(d);
        let components = &mut self.components[begins * width..][..n_components * width];
        let mut scatter = |entry: usize, lanes: V| {
            let mut values = Vector::ZERO;
            lanes.store(&mut values);
            for (component, value) in components.chunks_exact_mut(width).zip(values.0) {
                component[entry] = value;
            }
        };
        scatter(0, constant.times(V::splat(std::f64::consts::LOG2_E)));
        for i in 0..d {
            let mut offset = V::splat(0.0);
            for j in 0..=i {
                let entry = V::load(&inverse_factor[at(i, j)]).times(V::splat(ROOT_HALF_LOG2_E));
                scatter(1 + d + at(i, j), entry);
                let mean = V::load(&mean[j]).minus(V::splat(origin[j]));
                offset = entry.negative_multiply_add(mean, offset);
            }
            scatter(1 + i, offset);
        }
    }
}

/// The data in strips of 32 observations that lie close together, feature by feature within a strip.
#[derive(Debug, Clone)]
pub struct Likelihood {
    n_observations: usize,
    n_features: usize,
    /// D, the features' means. Strips hold differences to them, which keeps the residuals' digits wherever the data lie.
    origin: Vec<f64>,
    /// Strips × D; the last strip is filled up with copies of its last observation.
    strips: Vec<Strip>,
    /// The row of the data at each place of the strips.
    rows: Vec<u32>,
    instructions: InstructionSet,
    /// Threads that one pass may use.
    threads: usize,
}

/// Strips of n observations in D features, from the value at a place and of a feature; the last observation fills what is left.
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

/// Observations that are summed on their own before all parts are added up, in their order: whatever the number of threads,
/// sums are rounded alike. A part takes long enough (a quarter of a millisecond for D = 8, K = 6) to be worth a thread.
const PART: usize = 8192;

impl Likelihood {
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
        }
    }

    /// Lets one pass use several threads, where there are observations enough for it: more than 8,192 for each. The results are the
    /// same, bit for bit.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// Observations at equal distances in the strips' order, so that no region is left out: at least `least`, and fewer than
    /// twice as many. None where there are not twice as many to choose from.
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
            ..*self
        })
    }

    /// The likelihood of no observations: log-likelihood 0, moments 0, so that the posterior is the prior.
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
        }
    }

    #[must_use]
    pub fn n_observations(&self) -> usize {
        self.n_observations
    }

    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Writes the components as a pass wants them.
    fn prepare(&self, components: &WhitenedComponents, workspace: &mut Workspace) {
        let d = self.n_features;
        for k in 0..components.n_components() {
            let mean = &components.means[k * d..][..d];
            workspace.set(k, components.constants[k], mean, components.inverse_factor(k), &self.origin);
        }
    }

    /// The pass with the components of a workspace; none where they are beyond double precision.
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

    /// The log-likelihood Σ_i log p(y_i | θ), and the moments that its gradient is made of.
    /// Not finite where the components are beyond double precision.
    pub fn log_likelihood_and_moments(
        &self,
        components: &WhitenedComponents,
        workspace: &mut Workspace,
        moments: &mut Moments,
    ) -> f64 {
        self.prepare(components, workspace);
        self.accumulate(workspace, moments)
    }

    /// The same with the components that the workspace holds.
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

    /// The pass part by part, on several threads; all sums are added to the first part's.
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

    /// D: what the observations, and the components' means, are measured from.
    pub(crate) fn origin(&self) -> &[f64] {
        &self.origin
    }

    pub(crate) fn instructions(&self) -> InstructionSet {
        self.instructions
    }

    /// log p(y_i | θ) of every observation (N, log scale).
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

    /// Responsibilities r_ik (N × K, rows sum to one): the probability that observation i came from component k.
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

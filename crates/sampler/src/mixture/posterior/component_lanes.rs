//! Eight components side by side, one per lane: from unconstrained parameters to the likelihood's inputs, and from the
//! likelihood's moments back to the gradient.
//!
//! The algebra of one component consists of small triangles, which do not vectorise. Across components all of it does.

use std::f64::consts::LN_2;

use super::rounding::RoundingLanes;
use super::scales::ScaleDensity;
use crate::mixture::triangular::{at, packed_len};
use crate::rounding::Rounding;
use crate::simd::elementary::{exp, ln};
use crate::simd::lanes::{LANES, Lanes, Vector};

/// Beyond e^±350 the square of σ leaves double precision.
const LARGEST_LOG_SIGMA: f64 = 350.0;

/// Beyond this 1 − tanh² is below the smallest normal number.
const LARGEST_ATANH: f64 = 350.0;

/// Up to eight components. Lanes beyond the last hold zeros, which are valid parameters.
#[derive(Debug, Clone)]
pub(super) struct ComponentLanes {
    /// Unconstrained parameters, then the gradient in them: means (D), log scales (D), correlations (D(D−1)/2).
    pub(super) mu: Vec<Vector>,
    pub(super) log_sigma: Vec<Vector>,
    pub(super) correlations: Vec<Vector>,
    /// The prior's centres (D).
    pub(super) centres: Vec<Vector>,
    /// Per column of L below the diagonal (D − 1): Σ −|x| and Π (1 + e^−2|x|).
    columns: Vec<(Vector, Vector)>,
    /// z = tanh x.
    z: Vec<Vector>,
    /// √(1 − z²) = 1 / cosh x.
    sech: Vec<Vector>,
    /// √(1 − Σ_{j' < j} L_ij'²): the norm left to row i before column j.
    rest: Vec<Vector>,
    /// L, packed.
    factor: Vec<Vector>,
    /// L⁻¹, packed; with a rounding error W diag(σ).
    inverse: Vec<Vector>,
    /// 1 / σ (D).
    pub(super) inverse_sigma: Vec<Vector>,
    /// Derivatives of the scales' log prior in log σ (D).
    pub(super) scale_slopes: Vec<Vector>,
    /// W = L⁻¹ diag(1/σ), packed; with a rounding error C⁻¹, where C Cᵀ = Σ + R.
    pub(super) whitening: Vec<Vector>,
    /// −½ log |2πΣ|, with a rounding error −½ log |2π(Σ + R)|.
    pub(super) constant: Vector,
    /// log prior + log Jacobian, constants left out.
    pub(super) log_prior: Vector,
    /// The likelihood's moments: Σr, Σr z (D), Σr z zᵀ (packed).
    pub(super) count: Vector,
    pub(super) first: Vec<Vector>,
    pub(super) second: Vec<Vector>,
    rounding: Option<RoundingLanes>,
}

impl ComponentLanes {
    pub(super) fn new(n_features: usize, rounding: Option<&Rounding>) -> Self {
        let zeros = |length| vec![Vector::ZERO; length];
        let (d, triangle) = (n_features, packed_len(n_features));
        Self {
            mu: zeros(d),
            log_sigma: zeros(d),
            correlations: zeros(triangle - d),
            centres: zeros(d),
            columns: vec![(Vector::ZERO, Vector::ZERO); d - 1],
            z: zeros(triangle - d),
            sech: zeros(triangle - d),
            rest: zeros(triangle - d),
            factor: zeros(triangle),
            inverse: zeros(triangle),
            inverse_sigma: zeros(d),
            scale_slopes: zeros(d),
            whitening: zeros(triangle),
            constant: Vector::ZERO,
            log_prior: Vector::ZERO,
            count: Vector::ZERO,
            first: zeros(d),
            second: zeros(triangle),
            rounding: rounding.map(|rounding| RoundingLanes::new(n_features, rounding)),
        }
    }

    /// Fills all fields up to `log_prior` from the unconstrained parameters. Returns false if a scale is beyond double
    /// precision.
    #[inline(always)]
    pub(super) fn build<V: Lanes>(&mut self, hyper: &HyperParameters) -> bool {
        let d = self.mu.len();
        let limit = V::splat(LARGEST_LOG_SIGMA);
        let zero = V::splat(0.0);
        let half_precision = V::splat(-0.5 * hyper.mean_precision);
        let mut log_prior = zero;
        let mut log_determinant = zero;
        for i in 0..d {
            let log_sigma = V::load(&self.log_sigma[i]);
            if log_sigma.any_above(limit) || zero.minus(log_sigma).any_above(limit) {
                return false;
            }
            let sigma = exp(log_sigma);
            let inverse = V::splat(1.0).over(sigma);
            inverse.store(&mut self.inverse_sigma[i]);
            let (log_density, slope) = hyper.scales.log_density_and_slope(log_sigma, sigma, inverse);
            slope.store(&mut self.scale_slopes[i]);
            // The Jacobian of the logarithm adds log σ.
            log_prior = log_prior.plus(log_density).plus(log_sigma);
            log_determinant = log_determinant.plus(log_sigma);
            let off_centre = V::load(&self.mu[i]).minus(V::load(&self.centres[i]));
            log_prior = half_precision.times(off_centre).multiply_add(off_centre, log_prior);
        }
        self.columns.fill((Vector::ZERO, Vector([1.0; LANES])));
        let mut index = 0;
        for i in 0..d {
            let mut rest = V::splat(1.0);
            for j in 0..i {
                let x = V::load(&self.correlations[index]);
                let negative = x.negative_absolute().larger(V::splat(-LARGEST_ATANH));
                // tanh and sech from t = e^−|x|; only 1 − t² cancels, near 0, where its error is absolute.
                let t = exp(negative);
                let sum = t.multiply_add(t, V::splat(1.0));
                let over_sum = V::splat(1.0).over(sum);
                let z = t.negative_multiply_add(t, V::splat(1.0)).times(over_sum).with_sign_of(x);
                let sech = t.plus(t).times(over_sum);
                let column = &mut self.columns[j];
                V::load(&column.0).plus(negative).store(&mut column.0);
                V::load(&column.1).times(sum).store(&mut column.1);
                z.store(&mut self.z[index]);
                sech.store(&mut self.sech[index]);
                rest.store(&mut self.rest[index]);
                z.times(rest).store(&mut self.factor[at(i, j)]);
                rest = rest.times(sech);
                index += 1;
            }
            rest.store(&mut self.factor[at(i, i)]);
        }
        for (j, (sum, product)) in self.columns.iter().enumerate() {
            // log sech x = log 2 − |x| − log(1 + t²), summed over the column.
            let rows = V::splat((d - 1 - j) as f64 * LN_2);
            let log_sech = V::load(sum).plus(rows).minus(ln(V::load(product)));
            log_prior = V::splat(2.0 * hyper.correlation_powers[j]).multiply_add(log_sech, log_prior);
            log_determinant = log_determinant.plus(log_sech);
        }
        self.invert::<V>();
        log_prior.store(&mut self.log_prior);
        let Self { rounding, inverse_sigma, factor, whitening, inverse, .. } = self;
        if let Some(rounding) = rounding {
            log_determinant = rounding.widen::<V>(inverse_sigma, factor, whitening, inverse);
        }
        V::splat(hyper.normal_constant).minus(log_determinant).store(&mut self.constant);
        true
    }

    /// L⁻¹ by forward substitution, and W.
    #[inline(always)]
    fn invert<V: Lanes>(&mut self) {
        let d = self.mu.len();
        for i in 0..d {
            let diagonal = V::splat(1.0).over(V::load(&self.factor[at(i, i)]));
            diagonal.store(&mut self.inverse[at(i, i)]);
            for j in 0..i {
                let mut sum = V::splat(0.0);
                for l in j..i {
                    let entry = V::load(&self.factor[at(i, l)]);
                    sum = entry.negative_multiply_add(V::load(&self.inverse[at(l, j)]), sum);
                }
                sum.times(diagonal).store(&mut self.inverse[at(i, j)]);
            }
            for j in 0..=i {
                let inverse_sigma = V::load(&self.inverse_sigma[j]);
                V::load(&self.inverse[at(i, j)]).times(inverse_sigma).store(&mut self.whitening[at(i, j)]);
            }
        }
    }

    /// Replaces the unconstrained parameters by the gradient in them, computed from the moments.
    ///
    /// For one observation with whitened residual z, ∂ log N / ∂L = tril(L⁻ᵀ z zᵀ) − diag(1 / L_dd): the σ in T = diag(σ) L
    /// cancel those in W.
    #[inline(always)]
    pub(super) fn pull_back<V: Lanes>(&mut self, hyper: &HyperParameters) {
        if let Some(rounding) = &self.rounding {
            rounding.pull_back::<V>(&mut self.count, &mut self.second);
        }
        let d = self.mu.len();
        let count = V::load(&self.count);
        let precision = V::splat(hyper.mean_precision);
        let mut index = 0;
        for i in 0..d {
            let off_centre = V::load(&self.mu[i]).minus(V::load(&self.centres[i]));
            let mut d_mu = V::splat(0.0).minus(precision.times(off_centre));
            for l in i..d {
                d_mu = V::load(&self.whitening[at(l, i)]).multiply_add(V::load(&self.first[l]), d_mu);
            }
            d_mu.store(&mut self.mu[i]);

            // Row i of the gradient in L, from the diagonal to the left, as the chain rule requires.
            let mut d_log_sigma = V::load(&self.scale_slopes[i]).plus(V::splat(1.0));
            let mut d_rest = V::splat(0.0);
            for j in (0..=i).rev() {
                let mut d_entry = V::splat(0.0);
                for l in i..d {
                    let inverse = V::load(&self.inverse[at(l, i)]);
                    d_entry = inverse.multiply_add(V::load(&self.second[at(l, j)]), d_entry);
                }
                if i == j {
                    let diagonal = V::load(&self.inverse[at(i, i)]);
                    d_entry = count.negative_multiply_add(diagonal, d_entry);
                }
                d_log_sigma = d_entry.multiply_add(V::load(&self.factor[at(i, j)]), d_log_sigma);
                if i == j {
                    d_rest = d_entry;
                    continue;
                }
                let (z, sech) = (V::load(&self.z[index + j]), V::load(&self.sech[index + j]));
                let rest = V::load(&self.rest[index + j]);
                // d rest'/dz = −z rest / sech and dz/dx = sech²: the divisions cancel. The prior adds −2 b z.
                let slope = d_rest.negative_multiply_add(z, d_entry.times(sech));
                let d_prior = V::splat(-2.0 * hyper.correlation_powers[j]).times(z);
                rest.times(sech).multiply_add(slope, d_prior).store(&mut self.correlations[index + j]);
                d_rest = d_entry.multiply_add(z, d_rest.times(sech));
            }
            d_log_sigma.store(&mut self.log_sigma[i]);
            index += i;
        }
    }
}

/// The prior's hyper-parameters in the form that all groups use.
#[derive(Debug, Clone)]
pub(super) struct HyperParameters {
    /// 1 / τ².
    pub(super) mean_precision: f64,
    pub(super) scales: ScaleDensity,
    /// Per column of the correlation factors: b, the exponent of 1 − z² with the Jacobian of tanh included.
    pub(super) correlation_powers: Vec<f64>,
    /// −(D/2) log 2π.
    pub(super) normal_constant: f64,
}

//! The buffers of a pass over the data.

use super::kernel::tile::{Buffers, moments_len};
use crate::mixture::triangular::at;
use crate::simd::lanes::{Lanes, Vector};

/// √(½ log₂ e). Multiplied by it, the square of z is a logit to base 2.
pub(super) const ROOT_HALF_LOG2_E: f64 = 0.849_321_800_288_019_1;

/// The buffers of a pass, kept between passes so that passes do not allocate.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// K × (1 + D + D(D+1)/2): the components in the form that the pass reads.
    pub(super) components: Vec<f64>,
    /// One per thread.
    pub(super) buffers: Vec<Buffers>,
    /// Parts × K × moments, each in lanes.
    pub(super) sums: Vec<Vector>,
}

impl Workspace {
    /// Allocates the buffers for K components in D dimensions.
    #[must_use]
    pub fn new(n_components: usize, n_features: usize) -> Self {
        let length = n_components * moments_len(n_features);
        Self {
            components: vec![0.0; length],
            buffers: vec![Buffers::new(n_components, n_features)],
            sums: vec![Vector::ZERO; length],
        }
    }

    /// Sets component k from its constant (in nats), mean (D) and packed inverse factor W.
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

    /// As [`Workspace::set`], for up to eight components from `begins` on, one per lane.
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

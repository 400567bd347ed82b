//! The metric: a factor C of the estimated posterior covariance, C Cᵀ = M⁻¹, in blocks of coordinates that vary together.

mod factor;
mod fisher;

use factor::Factor;
pub(crate) use fisher::MAX_JOINT_DIMENSION;

use crate::mixture::triangular::{at, cholesky, packed_len, product_with_transpose};
use crate::simd::{add_scaled, multiply};

/// The inverse mass matrix M⁻¹ = C Cᵀ, given by its factor C. C is block-diagonal once coordinates are sorted by block.
///
/// Momenta are whitened, p = Cᵀ p_raw ~ N(0, I): kinetic energy is ½|p|², velocity is C p, a kick adds Cᵀ ∇ log p, and U-turns
/// show in plain scalar products. Momenta and whitened gradients are in the blocks' order; positions keep their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// For each whitened coordinate the position's, if the orders differ.
    order: Option<Vec<usize>>,
    /// Blocks of consecutive whitened coordinates.
    blocks: Vec<Block>,
}

/// One diagonal block of C.
#[derive(Debug, Clone, PartialEq)]
enum Block {
    /// Standard deviations.
    Diagonal(Vec<f64>),
    Dense(Factor),
}

/// A buffer for reordering vectors, so that products do not allocate.
#[derive(Debug, Clone)]
pub(crate) struct Scratch(Vec<f64>);

impl Scratch {
    pub(crate) fn new(dimension: usize) -> Self {
        Self(vec![0.0; dimension])
    }
}

/// A metric estimated from a window of draws.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdaptedMetric {
    pub(crate) metric: Metric,
    /// The largest change of any coordinate's log variance.
    pub(crate) change: f64,
}

impl Metric {
    /// The identity matrix, as a diagonal metric.
    #[must_use]
    pub fn identity(dimension: usize) -> Self {
        Self::diagonal(vec![1.0; dimension])
    }

    /// A diagonal metric from the coordinates' standard deviations.
    #[must_use]
    pub fn diagonal(scales: Vec<f64>) -> Self {
        Self { order: None, blocks: vec![Block::Diagonal(scales)] }
    }

    /// A dense metric from the packed lower triangle of a covariance matrix.
    ///
    /// # Errors
    /// The index of the first pivot that is not positive.
    pub fn from_covariance(dimension: usize, covariance: &[f64]) -> Result<Self, usize> {
        let mut factor = vec![0.0; packed_len(dimension)];
        cholesky(dimension, covariance, &mut factor)?;
        Ok(Self::from_factor(dimension, &factor))
    }

    /// A dense metric from the packed lower triangle of C.
    #[must_use]
    pub fn from_factor(dimension: usize, factor: &[f64]) -> Self {
        Self { order: None, blocks: vec![Block::Dense(Factor::from_packed(dimension, factor))] }
    }

    /// A metric of independent groups of coordinates, each with the packed lower triangle of its part of C. Together the groups
    /// must hold every coordinate once.
    #[must_use]
    pub(crate) fn from_blocks(groups: &[(Vec<usize>, Vec<f64>)]) -> Self {
        let (single, joint): (Vec<_>, Vec<_>) = groups.iter().partition(|(members, _)| members.len() == 1);
        let order: Vec<usize> =
            single.iter().chain(&joint).flat_map(|(members, _)| members).copied().collect();
        let mut blocks = Vec::new();
        if !single.is_empty() {
            blocks.push(Block::Diagonal(single.iter().map(|(_, factor)| factor[0]).collect()));
        }
        let dense = joint.iter().map(|(members, factor)| Factor::from_packed(members.len(), factor));
        blocks.extend(dense.map(Block::Dense));
        Self { order: (!order.is_sorted()).then_some(order), blocks }
    }

    /// The number of coordinates.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.blocks.iter().map(Block::dimension).sum()
    }

    /// The position's coordinate that belongs to a whitened one.
    fn coordinate(&self, whitened: usize) -> usize {
        self.order.as_ref().map_or(whitened, |order| order[whitened])
    }

    /// Whether C is diagonal.
    #[must_use]
    pub fn is_diagonal(&self) -> bool {
        self.blocks.iter().all(|block| matches!(block, Block::Diagonal(_)))
    }

    /// `position += step C momentum`.
    pub(crate) fn advance(&self, momentum: &[f64], step: f64, scratch: &mut Scratch, position: &mut [f64]) {
        let mut begins = 0;
        for block in &self.blocks {
            let part = begins..begins + block.dimension();
            begins = part.end;
            block.apply(&momentum[part.clone()], &mut scratch.0[part]);
        }
        match &self.order {
            None => add_scaled(step, &scratch.0, position),
            Some(order) => {
                order.iter().zip(&scratch.0).for_each(|(&i, velocity)| position[i] += step * velocity)
            }
        }
    }

    /// `result = Cᵀ gradient`.
    pub(crate) fn whiten(&self, gradient: &[f64], scratch: &mut Scratch, result: &mut [f64]) {
        let ordered = match &self.order {
            None => gradient,
            Some(order) => {
                scratch.0.iter_mut().zip(order).for_each(|(ordered, &i)| *ordered = gradient[i]);
                &scratch.0
            }
        };
        let mut begins = 0;
        for block in &self.blocks {
            let part = begins..begins + block.dimension();
            begins = part.end;
            block.apply_transpose(&ordered[part.clone()], &mut result[part]);
        }
    }

    /// Estimates a metric with the same blocks from a window of draws. `positions` holds the draws one after another,
    /// `gradients` the gradients there, whitened by this metric. Returns `None` if the chain did not move.
    #[must_use]
    pub(crate) fn adapt(&self, positions: &[f64], gradients: &[f64]) -> Option<AdaptedMetric> {
        let dimension = self.dimension();
        let n = positions.len() / dimension;
        if n < 2 || positions.chunks_exact(dimension).all(|draw| *draw == positions[..dimension]) {
            return None;
        }
        let (mut blocks, mut change, mut begins) = (Vec::new(), 0.0f64, 0);
        for block in &self.blocks {
            let part = begins..begins + block.dimension();
            begins = part.end;
            let members: Vec<usize> = part.clone().map(|whitened| self.coordinate(whitened)).collect();
            let draws = positions.chunks_exact(dimension).flat_map(|draw| members.iter().map(|&i| draw[i]));
            let whitened = gradients.chunks_exact(dimension).flat_map(|gradient| &gradient[part.clone()]);
            let (adapted, by) = block.adapt(draws.collect(), whitened.copied().collect())?;
            blocks.push(adapted);
            change = change.max(by);
        }
        Some(AdaptedMetric { metric: Self { order: self.order.clone(), blocks }, change })
    }

    /// C Cᵀ as a packed lower triangle, in the positions' order.
    #[must_use]
    pub fn covariance(&self) -> Vec<f64> {
        let mut covariance = vec![0.0; packed_len(self.dimension())];
        let mut begins = 0;
        for block in &self.blocks {
            let d = block.dimension();
            let members: Vec<usize> =
                (begins..begins + d).map(|whitened| self.coordinate(whitened)).collect();
            begins += d;
            let part = block.covariance();
            for i in 0..d {
                for j in 0..=i {
                    let (row, column) = (members[i].max(members[j]), members[i].min(members[j]));
                    covariance[at(row, column)] = part[at(i, j)];
                }
            }
        }
        covariance
    }
}

impl Block {
    fn dimension(&self) -> usize {
        match self {
            Self::Diagonal(scales) => scales.len(),
            Self::Dense(factor) => factor.dimension(),
        }
    }

    fn apply(&self, x: &[f64], result: &mut [f64]) {
        match self {
            Self::Diagonal(scales) => multiply(scales, x, result),
            Self::Dense(factor) => factor.multiply(x, result),
        }
    }

    fn apply_transpose(&self, x: &[f64], result: &mut [f64]) {
        match self {
            Self::Diagonal(scales) => multiply(scales, x, result),
            Self::Dense(factor) => factor.multiply_by_transpose(x, result),
        }
    }

    /// Estimates this block from draws of its coordinates and their whitened gradients. Returns it with the largest change of a
    /// coordinate's log variance, or `None` if the window is beyond double precision.
    fn adapt(&self, mut draws: Vec<f64>, mut gradients: Vec<f64>) -> Option<(Self, f64)> {
        let d = self.dimension();
        fisher::centre(d, &mut draws);
        fisher::centre(d, &mut gradients);
        match self {
            Self::Diagonal(scales) => {
                for draw in draws.chunks_exact_mut(d) {
                    draw.iter_mut().zip(scales).for_each(|(x, scale)| *x /= scale);
                }
                let corrections = fisher::variances(d, &draws, &gradients);
                let scales = scales.iter().zip(&corrections).map(|(scale, by)| scale * by.sqrt());
                Some((Self::Diagonal(scales.collect()), fisher::largest_change(&corrections)))
            }
            Self::Dense(factor) => {
                let packed = factor.packed();
                draws.chunks_exact_mut(d).for_each(|draw| factor::solve(&packed, draw));
                let (product, change) = fisher::corrected(d, &packed, &draws, &gradients)?;
                Some((Self::Dense(Factor::from_packed(d, &product)), change))
            }
        }
    }

    /// C Cᵀ, packed.
    fn covariance(&self) -> Vec<f64> {
        let d = self.dimension();
        let mut covariance = vec![0.0; packed_len(d)];
        match self {
            Self::Diagonal(scales) => {
                (0..d).for_each(|i| covariance[at(i, i)] = scales[i] * scales[i]);
            }
            Self::Dense(factor) => product_with_transpose(d, &factor.packed(), &mut covariance),
        }
        covariance
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixture::triangular::invert;
    use crate::simd::dot;
    use approx::assert_relative_eq;
    use rand::{SeedableRng, rngs::ChaCha8Rng};
    use rand_distr::{Distribution, StandardNormal};

    fn example() -> Metric {
        Metric::from_covariance(3, &[4.0, 1.0, 2.0, -0.5, 0.3, 1.0]).unwrap()
    }

    /// C x and Cᵀ y.
    fn products(metric: &Metric, x: &[f64], y: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut scratch = Scratch::new(x.len());
        let (mut cx, mut cty) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        metric.advance(x, 1.0, &mut scratch, &mut cx);
        metric.whiten(y, &mut scratch, &mut cty);
        (cx, cty)
    }

    #[test]
    fn whitening_is_the_adjoint_of_advancing_and_together_they_are_the_covariance() {
        // Coordinates 3 and 0 vary together, 4 and 1 too, and 2 alone.
        let groups =
            [(vec![0, 3], vec![2.0, 0.5, 1.0]), (vec![2], vec![0.3]), (vec![1, 4], vec![1.0, -0.7, 0.2])];
        let blocks = Metric::from_blocks(&groups);
        let (x, y) = ([0.3, -1.0, 2.0, 0.1, -0.4], [1.5, 0.2, -0.7, 1.0, 0.6]);
        for metric in [Metric::from_covariance(5, &blocks.covariance()).unwrap(), blocks] {
            let (cx, cty) = products(&metric, &x, &y);
            assert_relative_eq!(dot(&cx, &y), dot(&x, &cty), max_relative = 1e-14);
            let (twice, _) = products(&metric, &cty, &y);
            let covariance = metric.covariance();
            for i in 0..5 {
                let row: f64 = (0..5).map(|j| covariance[at(i.max(j), i.min(j))] * y[j]).sum();
                assert_relative_eq!(twice[i], row, epsilon = 1e-14);
            }
        }
    }

    #[test]
    fn the_solution_is_the_inverse_of_the_product() {
        let metric = example();
        let x = [0.3, -1.0, 2.0];
        let (mut cx, _) = products(&metric, &x, &x);
        factor::solve(&packed(&metric), &mut cx);
        assert_relative_eq!(cx[..], x[..], epsilon = 1e-14);
    }

    fn packed(metric: &Metric) -> Vec<f64> {
        let [Block::Dense(factor)] = &metric.blocks[..] else { panic!("a covariance makes one dense block") };
        factor.packed()
    }

    /// Draws from N(0, C Cᵀ) and their gradients in the coordinates of another metric.
    fn window(truth: &Metric, metric: &Metric, n: usize, rng: &mut ChaCha8Rng) -> (Vec<f64>, Vec<f64>) {
        let d = truth.dimension();
        let mut inverse = vec![0.0; packed_len(d)];
        invert(d, &packed(truth), &mut inverse);
        let (mut positions, mut gradients) = (Vec::new(), Vec::new());
        for _ in 0..n {
            let z: Vec<f64> = (0..d).map(|_| StandardNormal.sample(rng)).collect();
            // −Σ⁻¹ x = −C⁻ᵀ z.
            let gradient: Vec<f64> =
                (0..d).map(|j| -(j..d).map(|i| inverse[at(i, j)] * z[i]).sum::<f64>()).collect();
            positions.extend(products(truth, &z, &z).0);
            gradients.extend(products(metric, &z, &gradient).1);
        }
        (positions, gradients)
    }

    #[test]
    fn a_normals_covariance_is_learnt_from_a_few_short_windows() {
        let truth = example();
        let mut metric = Metric::from_covariance(3, &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0]).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        for _ in 0..6 {
            let (positions, gradients) = window(&truth, &metric, 12, &mut rng);
            metric = metric.adapt(&positions, &gradients).unwrap().metric;
        }
        for (entry, truth) in metric.covariance().iter().zip(truth.covariance()) {
            assert_relative_eq!(*entry, truth, epsilon = 0.1);
        }
    }

    #[test]
    fn scales_far_off_are_learnt_too() {
        let truth = Metric::from_covariance(2, &[1e6, 0.0, 1e-6]).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        for mut metric in [Metric::identity(2), Metric::from_covariance(2, &[1.0, 0.0, 1.0]).unwrap()] {
            for _ in 0..5 {
                let (positions, gradients) = window(&truth, &metric, 50, &mut rng);
                metric = metric.adapt(&positions, &gradients).unwrap().metric;
            }
            let covariance = metric.covariance();
            assert_relative_eq!(covariance[0], 1e6, max_relative = 0.3);
            assert_relative_eq!(*covariance.last().unwrap(), 1e-6, max_relative = 0.3);
        }
    }

    #[test]
    fn blocks_learn_what_varies_within_them() {
        // The truth is independent between the blocks, which are far off in every entry.
        let truth = Metric::from_covariance(4, &[2.0, 0.0, 0.1, 0.5, 0.0, 1.0, 0.0, 0.0, 0.0, 9.0]).unwrap();
        let factor = vec![1.0, 0.0, 1.0];
        let mut metric =
            Metric::from_blocks(&[(vec![1], vec![1.0]), (vec![0, 2], factor), (vec![3], vec![1.0])]);
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        for _ in 0..6 {
            let (positions, gradients) = window(&truth, &metric, 30, &mut rng);
            metric = metric.adapt(&positions, &gradients).unwrap().metric;
        }
        for (entry, truth) in metric.covariance().iter().zip(truth.covariance()) {
            assert_relative_eq!(*entry, truth, epsilon = 0.1);
        }
    }

    #[test]
    fn the_right_metric_is_kept() {
        let truth = example();
        let (positions, gradients) = window(&truth, &truth, 8, &mut ChaCha8Rng::seed_from_u64(9));
        let adapted = truth.adapt(&positions, &gradients).unwrap();
        assert!(adapted.change < 1e-12, "{}", adapted.change);
        for (entry, truth) in adapted.metric.covariance().iter().zip(truth.covariance()) {
            assert_relative_eq!(*entry, truth, epsilon = 1e-12);
        }
    }

    #[test]
    fn a_window_of_one_point_says_nothing() {
        assert_eq!(example().adapt(&[1.0, 2.0, 3.0, 1.0, 2.0, 3.0], &[0.0; 6]), None);
    }
}

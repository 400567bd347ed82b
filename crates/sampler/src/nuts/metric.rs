//! The metric: a factor C of the (estimated) posterior covariance, C Cᵀ = M⁻¹, and how it is learnt.

use nalgebra::{DMatrix, DMatrixView, SymmetricEigen};

use crate::mixture::triangular::{at, cholesky, multiply, packed_len, product_with_transpose};
use crate::simd::dot;
use crate::simd::instructions::{InstructionSet, dispatched};
use crate::simd::lanes::{LANES, Lanes, Vector};

/// Above this dimension the metric is diagonal: a dense factor's cost per leapfrog grows with the square of the dimension, and
/// its estimate from a warm-up's draws drowns in noise. Where exactly is a guess.
pub const DENSE_LIMIT: usize = 512;

/// Above this dimension a dense metric is corrected coordinate by coordinate: eigenvectors of a few hundred dimensions cost
/// more than the draws of a short chain.
const LEARN_LIMIT: usize = 128;

/// Draws, with gradients, of a normal that the metric in force whitens, which every window is given on top of its own: they
/// hold the metric where a window has seen nothing. 5 and 20 did equally well on mixtures of 11 to 47 parameters.
const PSEUDO_DRAWS: f64 = 5.0;

/// The lower-triangular (or diagonal) factor C of the inverse mass matrix M⁻¹ = C Cᵀ.
///
/// Momenta are kept whitened, p = Cᵀ p_raw ~ N(0, I): kinetic energy is ½|p|², velocity is C p, a kick is Cᵀ ∇, and
/// U-turns are told by plain scalar products.
#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    /// Standard deviations.
    Diagonal(Vec<f64>),
    Dense(Factor),
}

/// What products with a transpose are summed in, kept so that none allocates.
#[derive(Debug, Clone)]
pub(crate) struct Room(Vec<Vector>);

impl Room {
    pub(crate) fn new(dimension: usize) -> Self {
        Self(vec![Vector::ZERO; dimension.next_multiple_of(LANES)])
    }
}

/// What a window taught.
#[derive(Debug, Clone, PartialEq)]
pub struct Learnt {
    pub metric: Metric,
    /// The largest change of a coordinate's log variance.
    pub change: f64,
}

/// A lower-triangular factor in the order in which a product with a vector reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    dimension: usize,
    /// For every eight rows, the columns up to the diagonal's last: eight rows of one column are a vector. Rows beyond the
    /// dimension and columns beyond the diagonal hold zeros.
    panels: Vec<Vector>,
    instructions: InstructionSet,
}

/// Where the panel of the b-th eight rows begins: those before it hold 8, 16, … columns.
const fn panel(b: usize) -> usize {
    LANES * b * (b + 1) / 2
}

impl Factor {
    fn from_packed(dimension: usize, packed: &[f64]) -> Self {
        let mut panels = vec![Vector::ZERO; panel(dimension.div_ceil(LANES))];
        for i in 0..dimension {
            for j in 0..=i {
                panels[panel(i / LANES) + j].0[i % LANES] = packed[at(i, j)];
            }
        }
        Self { dimension, panels, instructions: InstructionSet::best() }
    }

    fn packed(&self) -> Vec<f64> {
        let rows = (0..self.dimension).flat_map(|i| (0..=i).map(move |j| (i, j)));
        rows.map(|(i, j)| self.panels[panel(i / LANES) + j].0[i % LANES]).collect()
    }
}

dispatched! {
    /// `result = C x`.
    multiply_by => multiply_by_body(factor: &Factor, x: &[f64], result: &mut [f64])
}

dispatched! {
    /// `result = Cᵀ x`; `sums` is room for a vector a column.
    multiply_by_transpose => multiply_by_transpose_body(
        factor: &Factor,
        x: &[f64],
        sums: &mut [Vector],
        result: &mut [f64],
    )
}

#[inline(always)]
fn multiply_by_body<V: Lanes>(factor: &Factor, x: &[f64], result: &mut [f64]) {
    for (b, result) in result.chunks_mut(LANES).enumerate() {
        let columns = &factor.panels[panel(b)..panel(b + 1)];
        // Four sums under way hide an addition's latency.
        let mut sums = [V::splat(0.0); 4];
        let (fours, _) = columns.as_chunks::<4>();
        for (columns, x) in fours.iter().zip(x.chunks(4)) {
            for (s, x) in x.iter().enumerate() {
                sums[s] = V::load(&columns[s]).multiply_add(V::splat(*x), sums[s]);
            }
        }
        let mut rows = Vector::ZERO;
        sums[0].plus(sums[2]).plus(sums[1].plus(sums[3])).store(&mut rows);
        result.iter_mut().zip(rows.0).for_each(|(result, row)| *result = row);
    }
}

/// Columns whose sums stay in the first-level cache while a large factor streams through it.
const COLUMNS: usize = 64;

#[inline(always)]
fn multiply_by_transpose_body<V: Lanes>(factor: &Factor, x: &[f64], sums: &mut [Vector], result: &mut [f64]) {
    sums.fill(Vector::ZERO);
    let n_panels = factor.dimension.div_ceil(LANES);
    for (group, sums) in sums.chunks_mut(COLUMNS).enumerate() {
        let begins = group * COLUMNS;
        // Panels on the diagonal are short; those below it have all of the group's columns, and are taken four at a time.
        let below = (begins / LANES + COLUMNS / LANES).min(n_panels);
        let whole = below + (n_panels - below) / 4 * 4;
        for b in (begins / LANES..below).chain(whole..n_panels) {
            add_panels::<V, 1>(factor, x, b, begins, sums);
        }
        for b in (below..whole).step_by(4) {
            add_panels::<V, 4>(factor, x, b, begins, sums);
        }
    }
    result.iter_mut().zip(sums).for_each(|(result, sum)| *result = V::load(sum).sum());
}

/// Adds what P panels from b on contribute to the sums of the columns from `begins` on.
#[inline(always)]
fn add_panels<V: Lanes, const P: usize>(
    factor: &Factor,
    x: &[f64],
    b: usize,
    begins: usize,
    sums: &mut [Vector],
) {
    let mut rows = [V::splat(0.0); P];
    for p in 0..P {
        let mut lanes = Vector::ZERO;
        lanes.0.iter_mut().zip(&x[(b + p) * LANES..]).for_each(|(lane, x)| *lane = *x);
        rows[p] = V::load(&lanes);
    }
    let length = sums.len().min((b + 1) * LANES - begins);
    let columns: [&[Vector]; P] = std::array::from_fn(|p| &factor.panels[panel(b + p) + begins..][..length]);
    for (j, sum) in sums[..length].iter_mut().enumerate() {
        let mut value = V::load(sum);
        for p in 0..P {
            value = V::load(&columns[p][j]).multiply_add(rows[p], value);
        }
        value.store(sum);
    }
}

impl Metric {
    /// The identity, diagonal.
    #[must_use]
    pub fn identity(dimension: usize) -> Self {
        Self::Diagonal(vec![1.0; dimension])
    }

    /// A dense metric from the packed lower triangle of a covariance.
    ///
    /// # Errors
    /// The first pivot that is not positive.
    pub fn from_covariance(dimension: usize, covariance: &[f64]) -> Result<Self, usize> {
        let mut factor = vec![0.0; packed_len(dimension)];
        cholesky(dimension, covariance, &mut factor)?;
        Ok(Self::from_factor(dimension, &factor))
    }

    /// A dense metric from the packed lower triangle of C.
    #[must_use]
    pub fn from_factor(dimension: usize, factor: &[f64]) -> Self {
        Self::Dense(Factor::from_packed(dimension, factor))
    }

    #[must_use]
    pub fn dimension(&self) -> usize {
        match self {
            Self::Diagonal(scales) => scales.len(),
            Self::Dense(factor) => factor.dimension,
        }
    }

    /// `result = C x`.
    pub fn apply(&self, x: &[f64], result: &mut [f64]) {
        match self {
            Self::Diagonal(scales) => scale(scales, x, result),
            Self::Dense(factor) => multiply_by(factor.instructions, factor, x, result),
        }
    }

    /// `result = Cᵀ x`.
    pub(crate) fn apply_transpose(&self, x: &[f64], room: &mut Room, result: &mut [f64]) {
        match self {
            Self::Diagonal(scales) => scale(scales, x, result),
            Self::Dense(factor) => {
                multiply_by_transpose(factor.instructions, factor, x, &mut room.0, result);
            }
        }
    }

    /// The metric that a window of draws suggests; None where the chain stood still. `positions` holds the window's draws one
    /// after another, `gradients` the log density's there, in the metric's coordinates (Cᵀ ∇).
    ///
    /// In these coordinates, let A be the covariance of the draws and B that of the gradients. The metric Σ that minimises the
    /// Fisher divergence to a normal solves Σ B Σ = A (Seyboldt, Carlson & Carpenter 2024, "Preconditioning Hamiltonian Monte
    /// Carlo by minimizing Fisher divergence"). A normal that the metric in force whitens has A = B in every sample, not only
    /// on average, since its gradients are its draws with the sign turned: what is near to round is left as it is, where the
    /// noise of A alone would spoil it.
    #[must_use]
    pub fn learn(&self, positions: &[f64], gradients: &[f64]) -> Option<Learnt> {
        let dimension = self.dimension();
        let n = positions.len() / dimension;
        if n < 2 || positions.chunks_exact(dimension).all(|draw| *draw == positions[..dimension]) {
            return None;
        }
        let mut draws = centred(dimension, positions);
        let gradients = centred(dimension, gradients);
        match self {
            Self::Diagonal(scales) => {
                for draw in draws.chunks_exact_mut(dimension) {
                    draw.iter_mut().zip(scales).for_each(|(x, scale)| *x /= scale);
                }
                let corrections = variances(dimension, &draws, &gradients);
                let scales = scales.iter().zip(&corrections).map(|(scale, by)| scale * by.sqrt());
                Some(Learnt {
                    metric: Self::Diagonal(scales.collect()),
                    change: largest_change(&corrections),
                })
            }
            Self::Dense(factor) => {
                let factor = factor.packed();
                draws.chunks_exact_mut(dimension).for_each(|draw| solve(&factor, draw));
                let (product, change) = if dimension <= LEARN_LIMIT {
                    let correction = covariance(dimension, &draws, &gradients)?;
                    let mut inner = vec![0.0; packed_len(dimension)];
                    cholesky(dimension, &correction, &mut inner).ok()?;
                    let mut product = vec![0.0; packed_len(dimension)];
                    multiply(dimension, &factor, &inner, &mut product);
                    let diagonal: Vec<f64> = (0..dimension).map(|i| correction[at(i, i)]).collect();
                    (product, largest_change(&diagonal))
                } else {
                    let corrections = variances(dimension, &draws, &gradients);
                    let columns = (0..dimension).flat_map(|i| &corrections[..=i]);
                    let product = factor.iter().zip(columns).map(|(entry, by)| entry * by.sqrt()).collect();
                    (product, largest_change(&corrections))
                };
                Some(Learnt { metric: Self::Dense(Factor::from_packed(dimension, &product)), change })
            }
        }
    }

    /// C Cᵀ, packed, or its diagonal.
    #[must_use]
    pub fn covariance(&self) -> Vec<f64> {
        match self {
            Self::Diagonal(scales) => scales.iter().map(|scale| scale * scale).collect(),
            Self::Dense(factor) => {
                let mut covariance = vec![0.0; packed_len(factor.dimension)];
                product_with_transpose(factor.dimension, &factor.packed(), &mut covariance);
                covariance
            }
        }
    }
}

fn scale(scales: &[f64], x: &[f64], result: &mut [f64]) {
    for ((result, scale), x) in result.iter_mut().zip(scales).zip(x) {
        *result = scale * x;
    }
}

/// `x ← C⁻¹ x` for a packed factor.
fn solve(factor: &[f64], x: &mut [f64]) {
    for i in 0..x.len() {
        let sum = dot(&factor[at(i, 0)..at(i, i)], &x[..i]);
        x[i] = (x[i] - sum) / factor[at(i, i)];
    }
}

/// Draws less their mean.
fn centred(dimension: usize, draws: &[f64]) -> Vec<f64> {
    let n = (draws.len() / dimension) as f64;
    let mut mean = vec![0.0; dimension];
    for draw in draws.chunks_exact(dimension) {
        mean.iter_mut().zip(draw).for_each(|(mean, x)| *mean += x / n);
    }
    let mut centred = draws.to_vec();
    for draw in centred.chunks_exact_mut(dimension) {
        draw.iter_mut().zip(&mean).for_each(|(x, mean)| *x -= mean);
    }
    centred
}

/// The variances √(a/b) that the coordinates should be given, one by one.
fn variances(dimension: usize, draws: &[f64], gradients: &[f64]) -> Vec<f64> {
    let sum_of_squares = |values: &[f64], i: usize| -> f64 {
        PSEUDO_DRAWS + values[i..].iter().step_by(dimension).map(|x| x * x).sum::<f64>()
    };
    (0..dimension).map(|i| (sum_of_squares(draws, i) / sum_of_squares(gradients, i)).sqrt()).collect()
}

/// The covariance Σ, packed, that the coordinates should be given: with B = L Lᵀ, it is L⁻ᵀ (Lᵀ A L)^½ L⁻¹. None where the
/// window is beyond double precision.
fn covariance(dimension: usize, draws: &[f64], gradients: &[f64]) -> Option<Vec<f64>> {
    let d = dimension;
    let products = |values: &[f64]| -> DMatrix<f64> {
        let values = DMatrixView::from_slice(values, d, values.len() / d);
        values * values.transpose() + DMatrix::identity(d, d) * PSEUDO_DRAWS
    };
    let factor = products(gradients).cholesky()?.unpack();
    let inner = factor.transpose() * products(draws) * &factor;
    let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::try_new(inner, f64::EPSILON, 100 * d)?;
    let mut roots = factor.transpose().solve_upper_triangular(&eigenvectors)?;
    for (mut root, eigenvalue) in roots.column_iter_mut().zip(&eigenvalues) {
        root *= eigenvalue.sqrt().sqrt();
    }
    let covariance = &roots * roots.transpose();
    Some((0..d).flat_map(|i| (0..=i).map(move |j| (i, j))).map(|place| covariance[place]).collect())
}

fn largest_change(variances: &[f64]) -> f64 {
    variances.iter().map(|&variance| libm::log(variance).abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixture::triangular::invert;
    use approx::assert_relative_eq;
    use rand::{SeedableRng, rngs::ChaCha8Rng};
    use rand_distr::{Distribution, StandardNormal};

    fn example() -> Metric {
        Metric::from_covariance(3, &[4.0, 1.0, 2.0, -0.5, 0.3, 1.0]).unwrap()
    }

    #[test]
    fn the_transpose_is_the_adjoint_and_solve_the_inverse() {
        let metric = example();
        let (x, y) = ([0.3, -1.0, 2.0], [1.5, 0.2, -0.7]);
        let (mut cx, mut cty) = ([0.0; 3], [0.0; 3]);
        metric.apply(&x, &mut cx);
        metric.apply_transpose(&y, &mut Room::new(3), &mut cty);
        assert_relative_eq!(dot(&cx, &y), dot(&x, &cty), max_relative = 1e-14);
        let Metric::Dense(factor) = &metric else { panic!("a covariance makes a dense metric") };
        solve(&factor.packed(), &mut cx);
        assert_relative_eq!(cx[..], x[..], epsilon = 1e-14);
    }

    #[test]
    fn products_agree_with_plain_ones_in_any_dimension_and_on_every_instruction_set() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for dimension in [1, 2, 7, 8, 9, 16, 23, 40] {
            let mut normal =
                |n: usize| -> Vec<f64> { (0..n).map(|_| StandardNormal.sample(&mut rng)).collect() };
            let (packed, x) = (normal(packed_len(dimension)), normal(dimension));
            let factor = Factor::from_packed(dimension, &packed);
            assert_eq!(factor.packed(), packed);
            let mut reference: Option<(Vec<f64>, Vec<f64>)> = None;
            for set in InstructionSet::available() {
                let (mut cx, mut ctx) = (vec![0.0; dimension], vec![0.0; dimension]);
                multiply_by(set, &factor, &x, &mut cx);
                multiply_by_transpose(set, &factor, &x, &mut Room::new(dimension).0, &mut ctx);
                for i in 0..dimension {
                    let row: f64 = (0..=i).map(|j| packed[at(i, j)] * x[j]).sum();
                    let column: f64 = (i..dimension).map(|j| packed[at(j, i)] * x[j]).sum();
                    assert_relative_eq!(cx[i], row, epsilon = 1e-12);
                    assert_relative_eq!(ctx[i], column, epsilon = 1e-12);
                }
                assert_eq!(*reference.get_or_insert((cx.clone(), ctx.clone())), (cx, ctx));
            }
        }
    }

    /// Draws from N(0, C Cᵀ) and their gradients in the coordinates of another metric.
    fn window(truth: &Metric, metric: &Metric, n: usize, rng: &mut ChaCha8Rng) -> (Vec<f64>, Vec<f64>) {
        let d = truth.dimension();
        let Metric::Dense(factor) = truth else { panic!("the truth is dense") };
        let mut inverse = vec![0.0; packed_len(d)];
        invert(d, &factor.packed(), &mut inverse);
        let (mut positions, mut gradients) = (Vec::new(), Vec::new());
        for _ in 0..n {
            let z: Vec<f64> = (0..d).map(|_| StandardNormal.sample(rng)).collect();
            let mut x = vec![0.0; d];
            truth.apply(&z, &mut x);
            // −Σ⁻¹ x = −C⁻ᵀ z.
            let gradient: Vec<f64> =
                (0..d).map(|j| -(j..d).map(|i| inverse[at(i, j)] * z[i]).sum::<f64>()).collect();
            let mut whitened = vec![0.0; d];
            metric.apply_transpose(&gradient, &mut Room::new(d), &mut whitened);
            positions.extend(x);
            gradients.extend(whitened);
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
            metric = metric.learn(&positions, &gradients).unwrap().metric;
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
                metric = metric.learn(&positions, &gradients).unwrap().metric;
            }
            let covariance = metric.covariance();
            assert_relative_eq!(covariance[0], 1e6, max_relative = 0.3);
            assert_relative_eq!(*covariance.last().unwrap(), 1e-6, max_relative = 0.3);
        }
    }

    #[test]
    fn the_right_metric_is_kept() {
        let truth = example();
        let (positions, gradients) = window(&truth, &truth, 8, &mut ChaCha8Rng::seed_from_u64(9));
        let learnt = truth.learn(&positions, &gradients).unwrap();
        assert!(learnt.change < 1e-12, "{}", learnt.change);
        for (entry, truth) in learnt.metric.covariance().iter().zip(truth.covariance()) {
            assert_relative_eq!(*entry, truth, epsilon = 1e-12);
        }
    }

    #[test]
    fn a_window_of_one_point_says_nothing() {
        assert_eq!(example().learn(&[1.0, 2.0, 3.0, 1.0, 2.0, 3.0], &[0.0; 6]), None);
    }
}

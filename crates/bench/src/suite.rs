//! The suite: its cases, the time spent on each area, and the results.

use std::time::Duration;

use crate::case::{Case, Shape, Spacing};
use crate::chain::{ChainCase, ChainWorkloads};
use crate::data_set::{BLOBS, DataSet, IRIS, OLD_FAITHFUL, WINE};
use crate::growth::{Growth, GrowthPoint, Variable};
use crate::measurement::{Area, Measurement, Quantity};
use crate::peak::{self, share_of_peak, time_at_peak};
use crate::timing::{Timing, Workload, measure};
use crate::{em, kernel};

/// Which version of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Seconds per area and smaller sizes: shows large changes.
    Quick,
    /// The version to report numbers from.
    Long,
}

impl Length {
    /// Wall time of the rounds of one area. In 45 seconds there are 400 to 1,000 rounds, so a disturbance of a few seconds does not
    /// change a median, and the whole suite takes less than four minutes. In three seconds there are 50 to 100 rounds.
    fn budget(self) -> Duration {
        match self {
            Self::Quick => Duration::from_secs(3),
            Self::Long => Duration::from_secs(45),
        }
    }

    /// The sizes of a grid; the quick suite omits the largest.
    fn sizes(self, grid: &[usize]) -> Vec<usize> {
        match self {
            Self::Quick => grid[..grid.len() - 1].to_vec(),
            Self::Long => grid.to_vec(),
        }
    }
}

/// The results of the suite.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchResults {
    /// Seconds of one fused multiply-add of doubles in registers.
    pub multiply_add: Timing,
    pub measurements: Vec<Measurement>,
    pub growths: Vec<Growth>,
}

/// The data sets of whole fits, each with its K.
#[must_use]
pub fn fits() -> [(DataSet, usize); 4] {
    [(BLOBS, 8), (OLD_FAITHFUL, 2), (IRIS, 3), (WINE, 3)]
}

const N: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
const K: [usize; 5] = [2, 4, 8, 16, 32];
const D: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// Cases that differ in one variable.
struct Grid {
    variable: Variable,
    spacing: Spacing,
    sizes: Vec<usize>,
    /// N, D and K; the entry of the variable is not used.
    fixed: [usize; 3],
}

impl Grid {
    fn new(variable: Variable, spacing: Spacing, sizes: Vec<usize>, fixed: [usize; 3]) -> Self {
        Self { variable, spacing, sizes, fixed }
    }

    fn cases(&self) -> impl Iterator<Item = Case> {
        self.sizes.iter().map(|&size| {
            let [mut n, mut d, mut k] = self.fixed;
            match self.variable {
                Variable::Observations => n = size,
                Variable::Features => d = size,
                Variable::Components => k = size,
            }
            Case::from_grid(n, d, k, self.spacing)
        })
    }

    /// The fixed variables in words.
    fn fixed_in_words(&self) -> String {
        let [n, d, k] = self.fixed;
        match self.variable {
            Variable::Observations => format!("D = {d}, K = {k}"),
            Variable::Components => format!("N = {n}, D = {d}"),
            Variable::Features => format!("N = {n}, K = {k}"),
        }
    }

    fn growth(&self, area: Area, shapes: &[Shape], times: &[Timing], multiply_add: Timing) -> Growth {
        let point = |((&size, shape), &time): ((&usize, &Shape), &Timing)| GrowthPoint {
            size,
            time,
            time_at_peak: time_at_peak(shape.n, shape.d, shape.k, multiply_add.median),
        };
        Growth {
            area,
            variable: self.variable,
            spacing: self.spacing,
            fixed: self.fixed_in_words(),
            points: self.sizes.iter().zip(shapes).zip(times).map(point).collect(),
        }
    }
}

/// The grids over N, over K with overlapping and with separated components, and over D.
fn grids(length: Length) -> Vec<Grid> {
    let sizes = |grid| length.sizes(grid);
    vec![
        Grid::new(Variable::Observations, Spacing::Overlapping, sizes(&N), [0, 2, 4]),
        Grid::new(Variable::Components, Spacing::Overlapping, sizes(&K), [2_000, 2, 0]),
        Grid::new(Variable::Components, Spacing::Separated, sizes(&K), [2_000, 2, 0]),
        Grid::new(Variable::Features, Spacing::Overlapping, sizes(&D), [2_000, 0, 3]),
    ]
}

/// The grids of chains, all with separated components: with overlapping ones the posterior is so irregular that a warm-up would take
/// minutes. In N and D these grids end earlier, because finding a start takes seconds there.
fn grids_of_chains(length: Length) -> Vec<Grid> {
    let separated = |variable, sizes, fixed| Grid::new(variable, Spacing::Separated, sizes, fixed);
    vec![
        separated(Variable::Observations, N[..3].to_vec(), [0, 2, 4]),
        separated(Variable::Components, length.sizes(&K), [2_000, 2, 0]),
        separated(Variable::Features, length.sizes(&D[..5]), [2_000, 0, 3]),
    ]
}

/// Measures everything but whole fits, area by area; calls `announce` before each area.
#[must_use]
pub fn run(length: Length, announce: &mut dyn FnMut(Area)) -> BenchResults {
    announce(Area::Kernel);
    let mut results = kernel_passes(length);
    announce(Area::Chain);
    chains(length, &mut results);
    announce(Area::Em);
    em_iterations(length, &mut results);
    results
}

/// The named cases, then those of the grids, grid by grid.
fn all_cases(named: Vec<Case>, grids: &[Grid]) -> Vec<Case> {
    named.into_iter().chain(grids.iter().flat_map(Grid::cases)).collect()
}

/// Adds the growth along each grid, whose cases are the last ones.
fn add_growths(area: Area, grids: &[Grid], shapes: &[Shape], times: &[Timing], results: &mut BenchResults) {
    let mut begins = shapes.len() - grids.iter().map(|grid| grid.sizes.len()).sum::<usize>();
    for grid in grids {
        let range = begins..begins + grid.sizes.len();
        let growth = grid.growth(area, &shapes[range.clone()], &times[range.clone()], results.multiply_add);
        results.growths.push(growth);
        begins = range.end;
    }
}

fn kernel_passes(length: Length) -> BenchResults {
    let named = vec![
        Case::from_data_set(BLOBS, 8),
        Case::from_data_set(OLD_FAITHFUL, 3),
        Case::from_data_set(IRIS, 3),
        Case::with_random_means(20_000, 8, 6),
    ];
    let grids = grids(length);
    let cases = all_cases(named, &grids);
    let shapes: Vec<Shape> = cases.iter().map(|case| case.shape.clone()).collect();
    let mut workloads = vec![peak::workload()];
    workloads.extend(cases.iter().map(kernel::workload));
    drop(cases);
    let timings = measure(&mut workloads, length.budget());
    let (multiply_add, passes) = (timings[0], &timings[1..]);
    let mut results = BenchResults { multiply_add, measurements: Vec::new(), growths: Vec::new() };
    for (shape, &pass) in shapes.iter().zip(passes) {
        let &Shape { n, d, k, .. } = shape;
        let each = pass.map(|time| time / (n * k) as f64);
        let share = share_of_peak(n, d, k, multiply_add, pass);
        results.push(
            Area::Kernel,
            shape,
            [
                (Quantity::Pass, pass),
                (Quantity::PassPerObservationAndComponent, each),
                (Quantity::ShareOfPeak, share),
            ],
        );
    }
    add_growths(Area::Kernel, &grids, &shapes, passes, &mut results);
    results
}

fn chains(length: Length, results: &mut BenchResults) {
    let named = fits().into_iter().map(|(set, k)| Case::from_data_set(set, k)).collect();
    let grids = grids_of_chains(length);
    let chain_cases: Vec<ChainCase> = all_cases(named, &grids).into_iter().map(ChainCase::new).collect();
    let shapes: Vec<Shape> = chain_cases.iter().map(|case| case.shape.clone()).collect();
    let mut workloads: Vec<Workload<'_>> = chain_cases
        .iter()
        .flat_map(|case| {
            let ChainWorkloads { draw, density, pass } = case.workloads();
            [draw, density, pass]
        })
        .collect();
    let timings = measure(&mut workloads, length.budget());
    let outside = |part: f64, whole: f64| 1.0 - part / whole;
    for (shape, timings) in shapes.iter().zip(timings.chunks_exact(3)) {
        let (gradient, density, pass) = (timings[0], timings[1], timings[2]);
        results.push(
            Area::Chain,
            shape,
            [
                (Quantity::Gradient, gradient),
                (Quantity::Density, density),
                (Quantity::Pass, pass),
                (Quantity::OutsideDensity, density.combine(gradient, outside)),
                (Quantity::OutsidePass, pass.combine(gradient, outside)),
            ],
        );
    }
    let gradients: Vec<Timing> = timings.chunks_exact(3).map(|timings| timings[0]).collect();
    add_growths(Area::Chain, &grids, &shapes, &gradients, results);
}

fn em_iterations(length: Length, results: &mut BenchResults) {
    let grids = grids(length);
    let cases = all_cases(vec![Case::with_random_means(100_000, 10, 10)], &grids);
    let shapes: Vec<Shape> = cases.iter().map(|case| case.shape.clone()).collect();
    let mut workloads: Vec<Workload<'_>> = cases.iter().map(em::workload).collect();
    drop(cases);
    let iterations = measure(&mut workloads, length.budget());
    for (shape, &iteration) in shapes.iter().zip(&iterations) {
        results.push(Area::Em, shape, [(Quantity::Iteration, iteration)]);
    }
    add_growths(Area::Em, &grids, &shapes, &iterations, results);
}

impl BenchResults {
    fn push<const COUNT: usize>(&mut self, area: Area, shape: &Shape, numbers: [(Quantity, Timing); COUNT]) {
        let measurement = |(quantity, timing)| Measurement { area, shape: shape.clone(), quantity, timing };
        self.measurements.extend(numbers.map(measurement));
    }
}

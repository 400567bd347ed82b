//! The suite: which cases there are, how long they are measured, and what comes out.

use std::time::Duration;

use crate::case::{Case, Shape, Spacing};
use crate::chain::{Ground, Works};
use crate::data_set::{BLOBS, DataSet, IRIS, OLD_FAITHFUL, WINE};
use crate::floor::{self, floor, share_of_floor};
use crate::growth::{Growth, Point, Variable};
use crate::rounds::{Timing, Work, measure};
use crate::{em, kernel};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Seconds, and smaller sizes: whether all is about as it was.
    Quick,
    /// What numbers are taken from.
    Long,
}

impl Length {
    /// Wall time of one area's rounds. 45 seconds are some 400 to 1,000 rounds, so that a disturbance of seconds moves no median, and
    /// the whole, with finding starts and whole fits, stays within four minutes; three are some 50 to 100.
    fn budget(self) -> Duration {
        match self {
            Self::Quick => Duration::from_secs(3),
            Self::Long => Duration::from_secs(45),
        }
    }

    /// The sizes of a grid, without the largest in a quick suite.
    fn sizes(self, grid: &[usize]) -> Vec<usize> {
        match self {
            Self::Quick => grid[..grid.len() - 1].to_vec(),
            Self::Long => grid.to_vec(),
        }
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// The likelihood's pass.
    Kernel,
    /// A gradient of one chain, with all that the chain does beside it.
    Chain,
    /// An iteration of EM.
    Em,
    /// A fit, from data to draws.
    Fit,
}

impl Area {
    pub const ALL: [Self; 4] = [Self::Kernel, Self::Chain, Self::Em, Self::Fit];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Chain => "chain",
            Self::Em => "EM",
            Self::Fit => "fit",
        }
    }
}

/// Which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    Pass,
    PassPerObservationAndComponent,
    ShareOfFloor,
    Gradient,
    Density,
    OutsideDensity,
    OutsidePass,
    Iteration,
    Fit,
    EffectiveDraws,
    EffectiveDrawsPerSecond,
}

impl Quantity {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::PassPerObservationAndComponent => "pass per observation and component",
            Self::ShareOfFloor => "floor / pass",
            Self::Gradient => "gradient",
            Self::Density => "density",
            Self::OutsideDensity => "share of a gradient outside the density",
            Self::OutsidePass => "share of a gradient outside the pass",
            Self::Iteration => "iteration",
            Self::Fit => "fit",
            Self::EffectiveDraws => "least bulk effective sample size",
            Self::EffectiveDrawsPerSecond => "least bulk effective sample size per second",
        }
    }

    /// Seconds are of CPU time.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Pass
            | Self::PassPerObservationAndComponent
            | Self::Gradient
            | Self::Density
            | Self::Iteration
            | Self::Fit => "s",
            Self::ShareOfFloor | Self::OutsideDensity | Self::OutsidePass => "1",
            Self::EffectiveDraws => "draws",
            Self::EffectiveDrawsPerSecond => "draws/s",
        }
    }
}

/// One number of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    pub area: Area,
    pub shape: Shape,
    pub quantity: Quantity,
    pub timing: Timing,
}

/// What the suite found.
#[derive(Debug, Clone, PartialEq)]
pub struct Speed {
    /// Seconds of one fused multiply-add of doubles in registers.
    pub multiply_add: Timing,
    pub measurements: Vec<Measurement>,
    pub growths: Vec<Growth>,
}

/// A data set with the K of its fit.
#[must_use]
pub fn fits() -> [(DataSet, usize); 4] {
    [(BLOBS, 8), (OLD_FAITHFUL, 2), (IRIS, 3), (WINE, 3)]
}

const N: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
const K: [usize; 5] = [2, 4, 8, 16, 32];
const D: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// One line to be: what varies, and over which data.
struct Grid {
    variable: Variable,
    spacing: Spacing,
    sizes: Vec<usize>,
    /// N, D and K of all sizes, but for the one that varies.
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
            Case::on_grid(n, d, k, self.spacing)
        })
    }

    /// What does not vary.
    fn held(&self) -> String {
        let [n, d, k] = self.fixed;
        match self.variable {
            Variable::Observations => format!("D = {d}, K = {k}"),
            Variable::Components => format!("N = {n}, D = {d}"),
            Variable::Features => format!("N = {n}, K = {k}"),
        }
    }

    fn growth(&self, area: Area, shapes: &[Shape], times: &[Timing], multiply_add: Timing) -> Growth {
        let point = |((&size, shape), &time): ((&usize, &Shape), &Timing)| Point {
            size,
            time,
            floor: floor(shape.n, shape.d, shape.k, multiply_add.median),
        };
        Growth {
            area,
            variable: self.variable,
            spacing: self.spacing,
            held: self.held(),
            points: self.sizes.iter().zip(shapes).zip(times).map(point).collect(),
        }
    }
}

/// Grids over N, K (of overlapping and of separated components) and D.
fn grids(length: Length) -> Vec<Grid> {
    let sizes = |grid| length.sizes(grid);
    vec![
        Grid::new(Variable::Observations, Spacing::Overlapping, sizes(&N), [0, 2, 4]),
        Grid::new(Variable::Components, Spacing::Overlapping, sizes(&K), [2_000, 2, 0]),
        Grid::new(Variable::Components, Spacing::Separated, sizes(&K), [2_000, 2, 0]),
        Grid::new(Variable::Features, Spacing::Overlapping, sizes(&D), [2_000, 0, 3]),
    ]
}

/// The chains' grids, all of separated components: where they overlap a gradient takes longer, but the posterior has so many shapes
/// that a warm-up would take minutes. In N and D they end earlier, where finding the start takes seconds.
fn grids_of_chains(length: Length) -> Vec<Grid> {
    let separated = |variable, sizes, fixed| Grid::new(variable, Spacing::Separated, sizes, fixed);
    vec![
        separated(Variable::Observations, N[..3].to_vec(), [0, 2, 4]),
        separated(Variable::Components, length.sizes(&K), [2_000, 2, 0]),
        separated(Variable::Features, length.sizes(&D[..5]), [2_000, 0, 3]),
    ]
}

/// Measures everything but whole fits, area by area; `say` hears what comes next.
#[must_use]
pub fn run(length: Length, say: &mut dyn FnMut(Area)) -> Speed {
    say(Area::Kernel);
    let mut speed = kernels(length);
    say(Area::Chain);
    chains(length, &mut speed);
    say(Area::Em);
    ems(length, &mut speed);
    speed
}

/// Named cases first, then the grids' cases, grid by grid.
fn all_cases(named: Vec<Case>, grids: &[Grid]) -> Vec<Case> {
    named.into_iter().chain(grids.iter().flat_map(Grid::cases)).collect()
}

/// The growth along each grid, whose cases stand at the end of all cases.
fn growths(area: Area, grids: &[Grid], shapes: &[Shape], times: &[Timing], speed: &mut Speed) {
    let mut begins = shapes.len() - grids.iter().map(|grid| grid.sizes.len()).sum::<usize>();
    for grid in grids {
        let range = begins..begins + grid.sizes.len();
        let growth = grid.growth(area, &shapes[range.clone()], &times[range.clone()], speed.multiply_add);
        speed.growths.push(growth);
        begins = range.end;
    }
}

fn kernels(length: Length) -> Speed {
    let named = vec![
        Case::real(BLOBS, 8),
        Case::real(OLD_FAITHFUL, 3),
        Case::real(IRIS, 3),
        Case::scattered(20_000, 8, 6),
    ];
    let grids = grids(length);
    let cases = all_cases(named, &grids);
    let shapes: Vec<Shape> = cases.iter().map(|case| case.shape.clone()).collect();
    let mut works = vec![floor::work()];
    works.extend(cases.iter().map(kernel::work));
    drop(cases);
    let timings = measure(&mut works, length.budget());
    let (multiply_add, passes) = (timings[0], &timings[1..]);
    let mut speed = Speed { multiply_add, measurements: Vec::new(), growths: Vec::new() };
    for (shape, &pass) in shapes.iter().zip(passes) {
        let &Shape { n, d, k, .. } = shape;
        let each = pass.map(|time| time / (n * k) as f64);
        let share = share_of_floor(n, d, k, multiply_add, pass);
        speed.push(
            Area::Kernel,
            shape,
            [
                (Quantity::Pass, pass),
                (Quantity::PassPerObservationAndComponent, each),
                (Quantity::ShareOfFloor, share),
            ],
        );
    }
    growths(Area::Kernel, &grids, &shapes, passes, &mut speed);
    speed
}

fn chains(length: Length, speed: &mut Speed) {
    let named = fits().into_iter().map(|(set, k)| Case::real(set, k)).collect();
    let grids = grids_of_chains(length);
    let grounds: Vec<Ground> = all_cases(named, &grids).into_iter().map(Ground::new).collect();
    let shapes: Vec<Shape> = grounds.iter().map(|ground| ground.shape.clone()).collect();
    let mut works: Vec<Work<'_>> = grounds
        .iter()
        .flat_map(|ground| {
            let Works { draw, density, pass } = ground.works();
            [draw, density, pass]
        })
        .collect();
    let timings = measure(&mut works, length.budget());
    let outside = |part: f64, whole: f64| 1.0 - part / whole;
    for (shape, timings) in shapes.iter().zip(timings.chunks_exact(3)) {
        let (gradient, density, pass) = (timings[0], timings[1], timings[2]);
        speed.push(
            Area::Chain,
            shape,
            [
                (Quantity::Gradient, gradient),
                (Quantity::Density, density),
                (Quantity::Pass, pass),
                (Quantity::OutsideDensity, density.with(gradient, outside)),
                (Quantity::OutsidePass, pass.with(gradient, outside)),
            ],
        );
    }
    let gradients: Vec<Timing> = timings.chunks_exact(3).map(|timings| timings[0]).collect();
    growths(Area::Chain, &grids, &shapes, &gradients, speed);
}

fn ems(length: Length, speed: &mut Speed) {
    let grids = grids(length);
    let cases = all_cases(vec![Case::scattered(100_000, 10, 10)], &grids);
    let shapes: Vec<Shape> = cases.iter().map(|case| case.shape.clone()).collect();
    let mut works: Vec<Work<'_>> = cases.iter().map(em::work).collect();
    drop(cases);
    let iterations = measure(&mut works, length.budget());
    for (shape, &iteration) in shapes.iter().zip(&iterations) {
        speed.push(Area::Em, shape, [(Quantity::Iteration, iteration)]);
    }
    growths(Area::Em, &grids, &shapes, &iterations, speed);
}

impl Speed {
    fn push<const COUNT: usize>(&mut self, area: Area, shape: &Shape, numbers: [(Quantity, Timing); COUNT]) {
        let measurement = |(quantity, timing)| Measurement { area, shape: shape.clone(), quantity, timing };
        self.measurements.extend(numbers.map(measurement));
    }
}

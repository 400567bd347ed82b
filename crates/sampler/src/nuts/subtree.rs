//! Subtrees of a trajectory: built by doubling, checked for U-turns, with a multinomial draw from each.
//!
//! Betancourt (2017), appendix A, with Stan's two extra checks across the joint of two subtrees (stan-dev/stan #2800). Without
//! them a trajectory that has made a whole number of turns seems to go on.

use libm::{exp, log1p};
use rand::{Rng, RngExt};

use super::hamiltonian::{Hamiltonian, PhasePoint};
use crate::log_density::LogDensity;
use crate::simd::dot;

/// Energy error, in nats, above which a trajectory counts as divergent: Stan's value, far above the error of any useful step
/// size.
const DIVERGENCE: f64 = 1000.0;

/// The momenta at both ends of a subtree, and the sum of all its momenta.
#[derive(Debug, Clone)]
pub(super) struct Ends {
    /// Momentum at the end nearer to the trajectory's start, and at the farther end.
    pub(super) near: Vec<f64>,
    pub(super) far: Vec<f64>,
    /// ρ, the sum of all momenta.
    pub(super) sum: Vec<f64>,
}

impl Ends {
    pub(super) fn new(dimension: usize) -> Self {
        let zeros = || vec![0.0; dimension];
        Self { near: zeros(), far: zeros(), sum: zeros() }
    }

    /// Whether the ends still move apart: p·ρ > 0 at both ends (Betancourt 2017, appendix A.4.2).
    pub(super) fn continues(&self) -> bool {
        has_no_u_turn(&self.near, &self.far, &self.sum)
    }
}

fn has_no_u_turn(near: &[f64], far: &[f64], sum: &[f64]) -> bool {
    dot(near, sum) > 0.0 && dot(far, sum) > 0.0
}

/// Stan's extra checks where a first half meets a second. Each half is given by the momenta at its ends and the sum of its
/// momenta. Each, extended by the nearest point of the other, must not have made a U-turn.
pub(super) fn joint_continues(
    first: (&[f64], &[f64], &[f64]),
    second: (&[f64], &[f64], &[f64]),
    joint: &mut [f64],
) -> bool {
    let ((start, end, sum), (near, far, other_sum)) = (first, second);
    joint.iter_mut().zip(sum).zip(near).for_each(|((joint, sum), p)| *joint = sum + p);
    let first_continues = has_no_u_turn(start, near, joint);
    joint.iter_mut().zip(other_sum).zip(end).for_each(|((joint, sum), p)| *joint = sum + p);
    first_continues && has_no_u_turn(end, far, joint)
}

/// log(e^a + e^b).
pub(super) fn log_add_exp(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + log1p(exp(low - high)) }
}

/// Buffers of one level of the recursion: its second half, and a sum for the checks across the joint of both halves.
#[derive(Debug, Clone)]
pub(super) struct Level {
    pub(super) ends: Ends,
    pub(super) draw: PhasePoint,
    pub(super) joint: Vec<f64>,
}

/// Running sums of one transition.
pub(super) struct Totals {
    pub(super) initial_energy: f64,
    pub(super) n_steps: u32,
    pub(super) acceptance: f64,
    pub(super) diverging: bool,
}

/// A subtree that neither diverged nor made a U-turn.
pub(super) struct Subtree {
    /// log Σ exp(H₀ − H) over its points.
    pub(super) log_weight: f64,
}

/// Builds a subtree of 2^depth points from `end`, where depth is the number of levels; fills `ends` and `draw`. Returns `None`
/// if it diverged or made a U-turn.
#[allow(clippy::too_many_arguments)] // The frame of a recursion: each argument changes at every depth.
pub(super) fn build_subtree<L: LogDensity>(
    levels: &mut [Level],
    end: &mut PhasePoint,
    hamiltonian: &mut Hamiltonian<L>,
    step: f64,
    totals: &mut Totals,
    ends: &mut Ends,
    draw: &mut PhasePoint,
    rng: &mut impl Rng,
) -> Option<Subtree> {
    let Some((level, levels)) = levels.split_last_mut() else {
        let log_weight = leaf(end, hamiltonian, step, totals)?;
        for part in [&mut ends.near, &mut ends.far, &mut ends.sum] {
            part.copy_from_slice(&end.momentum);
        }
        draw.copy_from(end);
        return Some(Subtree { log_weight });
    };
    if levels.is_empty() {
        return build_pair(end, hamiltonian, step, totals, ends, draw, rng);
    }
    let first = build_subtree(levels, end, hamiltonian, step, totals, ends, draw, rng)?;
    let second =
        build_subtree(levels, end, hamiltonian, step, totals, &mut level.ends, &mut level.draw, rng)?;
    let log_weight = log_add_exp(first.log_weight, second.log_weight);
    // Within a subtree points are drawn in proportion to their weights, without preference for the far half.
    if rng.random::<f64>() < exp(second.log_weight - log_weight) {
        std::mem::swap(draw, &mut level.draw);
    }
    let other = &level.ends;
    let continues = joint_continues(
        (&ends.near, &ends.far, &ends.sum),
        (&other.near, &other.far, &other.sum),
        &mut level.joint,
    );
    ends.far.copy_from_slice(&other.far);
    ends.sum.iter_mut().zip(&other.sum).for_each(|(sum, other)| *sum += other);
    (continues && ends.continues()).then_some(Subtree { log_weight })
}

/// Takes one integrator step. Returns the log weight H₀ − H of the new point, or `None` if it diverged.
fn leaf<L: LogDensity>(
    end: &mut PhasePoint,
    hamiltonian: &mut Hamiltonian<L>,
    step: f64,
    totals: &mut Totals,
) -> Option<f64> {
    hamiltonian.step(end, step);
    totals.n_steps += 1;
    let energy_error = end.energy() - totals.initial_energy;
    // The energy is not finite outside the support and beyond double precision.
    if !energy_error.is_finite() || energy_error > DIVERGENCE {
        totals.diverging = true;
        return None;
    }
    totals.acceptance += exp(-energy_error).min(1.0);
    Some(-energy_error)
}

/// A subtree of two points, without recursion: all its checks reduce to the same two products, and a point is copied only if it
/// is drawn.
fn build_pair<L: LogDensity>(
    end: &mut PhasePoint,
    hamiltonian: &mut Hamiltonian<L>,
    step: f64,
    totals: &mut Totals,
    ends: &mut Ends,
    draw: &mut PhasePoint,
    rng: &mut impl Rng,
) -> Option<Subtree> {
    let first = leaf(end, hamiltonian, step, totals)?;
    ends.near.copy_from_slice(&end.momentum);
    draw.copy_from(end);
    let second = leaf(end, hamiltonian, step, totals)?;
    ends.far.copy_from_slice(&end.momentum);
    let sum = ends.sum.iter_mut().zip(&ends.near).zip(&ends.far);
    sum.for_each(|((sum, near), far)| *sum = near + far);
    let log_weight = log_add_exp(first, second);
    if rng.random::<f64>() < exp(second - log_weight) {
        draw.copy_from(end);
    }
    ends.continues().then_some(Subtree { log_weight })
}

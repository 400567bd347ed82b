//! One transition of NUTS: a trajectory doubled until it turns back, and a multinomial draw from it.
//!
//! Betancourt (2017), appendix A, with Stan's two extra checks across the joint of two subtrees (stan-dev/stan #2800):
//! without them a trajectory that has gone round an exact number of times looks as if it went on.

use libm::{exp, log1p};
use rand::{Rng, RngExt};

use super::hamiltonian::{Hamiltonian, PhasePoint};
use crate::log_density::LogDensity;
use crate::simd::dot;

/// Energy error from which a trajectory counts as divergent: Stan's, far above any error that a useful step size makes.
const DIVERGENCE: f64 = 1000.0;

/// Why a trajectory stopped growing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It made a U-turn: the whole trajectory, or a subtree within its last doubling.
    Turned,
    /// The energy error exceeded 1000 nats, or the density was not finite: part of the posterior may be missing.
    Diverged,
    /// It reached the largest tree depth before it turned: the draw is valid, but depends more on the one before.
    CutOff,
}

/// Statistics of one transition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// Mean acceptance probability over the trajectory, in [0, 1]. Warm-up tunes the step size by it.
    pub acceptance_rate: f64,
    /// Number of completed doublings, counted as Stan counts them: a doubling whose new half diverged or turned is not counted.
    pub tree_depth: u32,
    /// Number of integrator steps. Each takes [`GRADIENTS_PER_STEP`](super::GRADIENTS_PER_STEP) gradients.
    pub n_steps: u32,
    /// Why the trajectory stopped growing.
    pub ending: Ending,
    /// H = −log p + kinetic energy at the draw, in nats.
    pub energy: f64,
}

impl Transition {
    /// Whether the trajectory diverged.
    #[must_use]
    pub fn diverging(&self) -> bool {
        self.ending == Ending::Diverged
    }
}

/// What is kept of a subtree besides its draw: its ends and the sum of its momenta.
#[derive(Debug, Clone)]
struct Ends {
    /// Momentum at the end nearer to the start of the trajectory, and at the farther.
    near: Vec<f64>,
    far: Vec<f64>,
    /// ρ, the sum of all momenta.
    sum: Vec<f64>,
}

impl Ends {
    fn new(dimension: usize) -> Self {
        let zeros = || vec![0.0; dimension];
        Self { near: zeros(), far: zeros(), sum: zeros() }
    }

    /// Whether the ends still move apart: p·ρ > 0 at both (Betancourt 2017, appendix A.4.2).
    fn continues(&self) -> bool {
        has_no_u_turn(&self.near, &self.far, &self.sum)
    }
}

fn has_no_u_turn(near: &[f64], far: &[f64], sum: &[f64]) -> bool {
    dot(near, sum) > 0.0 && dot(far, sum) > 0.0
}

/// Stan's extra checks where a first half, given by the momenta at its ends and their sum, meets a second: each half, with the
/// nearest point of the other, must go on as well.
fn joint_continues(
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
fn log_add_exp(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + log1p(exp(low - high)) }
}

/// Buffers of one level of the recursion: its second half, and a sum for the checks across the joint.
#[derive(Debug, Clone)]
struct Level {
    ends: Ends,
    draw: PhasePoint,
    joint: Vec<f64>,
}

/// Builds trajectories; owns every buffer, so that no transition allocates.
#[derive(Debug, Clone)]
pub(crate) struct Trajectory {
    levels: Vec<Level>,
    /// The ends, which subtrees grow from and move: one that does not go on is the trajectory's last.
    backward: PhasePoint,
    forward: PhasePoint,
    whole: Ends,
    subtree: Ends,
    candidate: PhasePoint,
    joint: Vec<f64>,
}

/// Running sums of one transition.
struct Totals {
    initial_energy: f64,
    n_steps: u32,
    acceptance: f64,
    diverging: bool,
}

/// A subtree that neither diverged nor turned.
struct Subtree {
    /// log Σ exp(H₀ − H) over its points.
    log_weight: f64,
}

impl Trajectory {
    pub(crate) fn new(dimension: usize, max_tree_depth: u32) -> Self {
        let point = || PhasePoint::new(dimension);
        let level = Level { ends: Ends::new(dimension), draw: point(), joint: vec![0.0; dimension] };
        Self {
            levels: vec![level; max_tree_depth as usize],
            backward: point(),
            forward: point(),
            whole: Ends::new(dimension),
            subtree: Ends::new(dimension),
            candidate: point(),
            joint: vec![0.0; dimension],
        }
    }

    /// Moves `state` to the next draw. Its momentum is drawn anew first.
    pub(crate) fn transition<L: LogDensity>(
        &mut self,
        hamiltonian: &mut Hamiltonian<L>,
        state: &mut PhasePoint,
        step_size: f64,
        rng: &mut impl Rng,
    ) -> Transition {
        state.draw_momentum(rng);
        let mut totals =
            Totals { initial_energy: state.energy(), n_steps: 0, acceptance: 0.0, diverging: false };
        self.backward.copy_from(state);
        self.forward.copy_from(state);
        for end in [&mut self.whole.near, &mut self.whole.far, &mut self.whole.sum] {
            end.copy_from_slice(&state.momentum);
        }
        // The first point weighs exp(H₀ − H₀).
        let mut log_weight = 0.0;
        let mut tree_depth = 0;
        let mut ending = Ending::CutOff;
        while (tree_depth as usize) < self.levels.len() {
            let forward: bool = rng.random();
            let subtree = build_subtree(
                &mut self.levels[..tree_depth as usize],
                if forward { &mut self.forward } else { &mut self.backward },
                hamiltonian,
                if forward { step_size } else { -step_size },
                &mut totals,
                &mut self.subtree,
                &mut self.candidate,
                rng,
            );
            let Some(subtree) = subtree else {
                ending = if totals.diverging { Ending::Diverged } else { Ending::Turned };
                break;
            };
            tree_depth += 1;
            // Biased progressive draw: the new half is preferred in proportion to its weight (Betancourt 2017, A.3.2).
            if rng.random::<f64>() < exp(subtree.log_weight - log_weight) {
                std::mem::swap(state, &mut self.candidate);
            }
            log_weight = log_add_exp(log_weight, subtree.log_weight);
            if !self.join(forward) {
                ending = Ending::Turned;
                break;
            }
        }
        Transition {
            acceptance_rate: totals.acceptance / f64::from(totals.n_steps),
            tree_depth,
            n_steps: totals.n_steps,
            ending,
            energy: state.energy(),
        }
    }

    /// Appends the subtree to the whole; false where the result turns back. `whole.near` is the backward end.
    fn join(&mut self, forward: bool) -> bool {
        let (whole, subtree) = (&mut self.whole, &self.subtree);
        // The joint: the old end that the subtree started from, and the subtree's nearer end. The sums on either side of it
        // are each taken with one point of the other side.
        let old_end = if forward { &whole.far } else { &whole.near };
        let old_start = if forward { &whole.near } else { &whole.far };
        let continues = joint_continues(
            (old_start, old_end, &whole.sum),
            (&subtree.near, &subtree.far, &subtree.sum),
            &mut self.joint,
        );
        whole.sum.iter_mut().zip(&subtree.sum).for_each(|(sum, new)| *sum += new);
        let end = if forward { &mut whole.far } else { &mut whole.near };
        end.copy_from_slice(&subtree.far);
        continues && self.whole.continues()
    }
}

/// Grows a subtree of 2^depth points from `end`, depth being the number of levels; fills `ends` and `draw`.
/// None where it diverged or turned back within itself.
#[allow(clippy::too_many_arguments)] // A recursion's frame: each is changed at every depth.
fn build_subtree<L: LogDensity>(
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
    // Within a subtree the draw is uniform over its weights, not biased to the far half.
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

/// One more point; returns its log weight H₀ − H, or None where it diverged.
fn leaf<L: LogDensity>(
    end: &mut PhasePoint,
    hamiltonian: &mut Hamiltonian<L>,
    step: f64,
    totals: &mut Totals,
) -> Option<f64> {
    hamiltonian.step(end, step);
    totals.n_steps += 1;
    let energy_error = end.energy() - totals.initial_energy;
    // An energy that is not finite comes from a point outside the support, or beyond double precision.
    if !energy_error.is_finite() || energy_error > DIVERGENCE {
        totals.diverging = true;
        return None;
    }
    totals.acceptance += exp(-energy_error).min(1.0);
    Some(-energy_error)
}

/// A subtree of two points, where half of a recursion's work would be copies: all of its checks come to the same two
/// products, and a point is copied only if it is drawn.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nuts::metric::Metric;
    use approx::assert_relative_eq;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    /// Independent normals of the given standard deviations.
    #[derive(Clone)]
    struct Normals(Vec<f64>);

    impl LogDensity for Normals {
        fn dimension(&self) -> usize {
            self.0.len()
        }

        fn log_density_and_gradient(&mut self, position: &[f64], gradient: &mut [f64]) -> f64 {
            let mut log_density = 0.0;
            for ((x, sd), gradient) in position.iter().zip(&self.0).zip(gradient) {
                *gradient = -x / (sd * sd);
                log_density -= 0.5 * (x / sd) * (x / sd);
            }
            log_density
        }
    }

    #[test]
    fn energy_is_conserved_to_second_order() {
        let errors = [0.1, 0.05].map(|step| {
            let mut hamiltonian = Hamiltonian::new(Normals(vec![1.0, 0.7]), Metric::identity(2));
            let mut point = PhasePoint::new(2);
            point.position.copy_from_slice(&[0.5, -0.3]);
            point.momentum.copy_from_slice(&[1.0, 0.2]);
            hamiltonian.refresh(&mut point);
            let before = point.energy();
            for _ in 0..(1.0 / step) as usize {
                hamiltonian.step(&mut point, step);
            }
            (point.energy() - before).abs()
        });
        assert_relative_eq!(errors[0] / errors[1], 4.0, max_relative = 0.1);
    }

    #[test]
    fn the_expected_energy_error_of_an_oscillator_is_the_least_of_its_family() {
        // With the step as a matrix [[A, B], [C, A]] of position and momentum, the expected energy error over all lengths of a
        // trajectory is at most (B + C)² / (2 (1 − A²)) (Blanes, Casas & Sanz-Serna 2014, proposition 4.3).
        let stepped = |position: f64, momentum: f64, step: f64| {
            let mut hamiltonian = Hamiltonian::new(Normals(vec![1.0]), Metric::identity(1));
            let mut point = PhasePoint::new(1);
            (point.position[0], point.momentum[0]) = (position, momentum);
            hamiltonian.refresh(&mut point);
            hamiltonian.step(&mut point, step);
            (point.position[0], point.momentum[0])
        };
        let bound = |step: f64| {
            let ((a, c), (b, also_a)) = (stepped(1.0, 0.0, step), stepped(0.0, 1.0, step));
            assert_relative_eq!(a, also_a, epsilon = 1e-14);
            (b + c) * (b + c) / (2.0 * (1.0 - a * a))
        };
        let greatest = (1..200).map(|i| bound(0.01 * f64::from(i))).fold(0.0, f64::max);
        assert!((3.9e-4..4.0e-4).contains(&greatest), "{greatest}");
    }

    #[test]
    fn a_step_forth_and_back_returns() {
        let mut hamiltonian = Hamiltonian::new(Normals(vec![1.0, 0.7]), Metric::identity(2));
        let mut point = PhasePoint::new(2);
        point.position.copy_from_slice(&[0.5, -0.3]);
        point.momentum.copy_from_slice(&[1.0, 0.2]);
        hamiltonian.refresh(&mut point);
        let start = point.clone();
        hamiltonian.step(&mut point, 0.3);
        hamiltonian.step(&mut point, -0.3);
        assert_relative_eq!(point.position[..], start.position[..], epsilon = 1e-14);
        assert_relative_eq!(point.momentum[..], start.momentum[..], epsilon = 1e-14);
    }

    #[test]
    fn the_depth_is_bounded_and_a_trajectory_of_small_steps_uses_it_all() {
        let mut hamiltonian = Hamiltonian::new(Normals(vec![1.0; 3]), Metric::identity(3));
        let mut state = PhasePoint::new(3);
        hamiltonian.refresh(&mut state);
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let transition = Trajectory::new(3, 5).transition(&mut hamiltonian, &mut state, 1e-3, &mut rng);
        assert_eq!((transition.tree_depth, transition.n_steps), (5, 31));
        assert_eq!(transition.ending, Ending::CutOff);
        assert!(transition.acceptance_rate > 0.999);
    }

    /// Trajectories that turned in the last doubling were once counted as cut off, because only their depth was known.
    #[test]
    fn a_trajectory_that_turns_at_the_largest_depth_is_not_cut_off() {
        let mut hamiltonian = Hamiltonian::new(Normals(vec![1.0; 3]), Metric::identity(3));
        let mut state = PhasePoint::new(3);
        hamiltonian.refresh(&mut state);
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut endings = |max_tree_depth: u32| -> Vec<(u32, Ending)> {
            let mut trajectory = Trajectory::new(3, max_tree_depth);
            let mut transition = || trajectory.transition(&mut hamiltonian, &mut state, 0.4, &mut rng);
            (0..1000)
                .map(|_| transition())
                .map(|transition| (transition.tree_depth, transition.ending))
                .collect()
        };
        let unbounded = endings(10);
        assert!(unbounded.iter().all(|(_, ending)| *ending == Ending::Turned));
        let deepest = unbounded.iter().map(|(depth, _)| *depth).max().unwrap();
        assert!(endings(deepest).contains(&(deepest, Ending::Turned)));
        let shallow = endings(1);
        assert!(shallow.contains(&(1, Ending::CutOff)));
        assert!(shallow.iter().all(|(depth, ending)| *depth == 1 || *ending == Ending::Turned));
    }

    #[test]
    fn a_step_far_too_large_is_a_divergence_and_stays() {
        let mut hamiltonian = Hamiltonian::new(Normals(vec![1e-3]), Metric::identity(1));
        let mut state = PhasePoint::new(1);
        hamiltonian.refresh(&mut state);
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let transition = Trajectory::new(1, 10).transition(&mut hamiltonian, &mut state, 10.0, &mut rng);
        assert_eq!(transition.ending, Ending::Diverged);
        assert_eq!(state.position, [0.0]);
    }

    #[test]
    fn draws_from_normals_have_their_variances() {
        let sds = [0.5, 1.0, 2.0];
        let mut hamiltonian = Hamiltonian::new(Normals(sds.to_vec()), Metric::identity(3));
        let mut state = PhasePoint::new(3);
        hamiltonian.refresh(&mut state);
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut trajectory = Trajectory::new(3, 10);
        let mut columns = vec![Vec::new(); 3];
        for _ in 0..20_000 {
            trajectory.transition(&mut hamiltonian, &mut state, 0.4, &mut rng);
            for (column, x) in columns.iter_mut().zip(&state.position) {
                column.push(x * x);
            }
        }
        for (column, sd) in columns.iter().zip(sds) {
            let mean = column.iter().sum::<f64>() / column.len() as f64;
            let mcse = crate::diagnostics::mcse_mean(column, 1);
            assert!((mean - sd * sd).abs() < 4.0 * mcse, "{mean} ± {mcse}, expected {}", sd * sd);
        }
    }
}

//! One transition of NUTS: a trajectory doubled until it makes a U-turn, and a multinomial draw from it (Betancourt 2017,
//! appendix A).

use libm::exp;
use rand::{Rng, RngExt};

use super::hamiltonian::{Hamiltonian, PhasePoint};
use super::subtree::{Ends, Level, Totals, build_subtree, joint_continues, log_add_exp};
use crate::log_density::LogDensity;

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

/// Builds trajectories. Owns all buffers, so that transitions do not allocate.
#[derive(Debug, Clone)]
pub(crate) struct Trajectory {
    levels: Vec<Level>,
    /// The two ends. A subtree grows from one of them and moves it.
    backward: PhasePoint,
    forward: PhasePoint,
    whole: Ends,
    subtree: Ends,
    candidate: PhasePoint,
    joint: Vec<f64>,
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

    /// Draws a new momentum, then moves `state` to the next draw.
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
        // The first point has weight exp(H₀ − H₀) = 1.
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
            // Biased progressive sampling: the new half is preferred (Betancourt 2017, A.3.2).
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

    /// Appends the subtree to the whole trajectory. Returns false if the result makes a U-turn. `whole.near` is the backward
    /// end.
    fn join(&mut self, forward: bool) -> bool {
        let (whole, subtree) = (&mut self.whole, &self.subtree);
        // The joint lies between the old end, from which the subtree grew, and the subtree's nearer end.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nuts::hamiltonian::tests::Normals;
    use crate::nuts::metric::Metric;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

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

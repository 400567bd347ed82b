//! Comparison with nuts-rs: the same densities and the same starts, sampled by two programs that share no code.
//!
//! nuts-rs (Seyboldt and the PyMC developers) is a No-U-Turn sampler of its own: another criterion of turning (the distance
//! between the ends instead of the sum of momenta), a metric learnt from draws and gradients together, another warm-up. Where
//! the two agree on a posterior, neither's transitions are wrong in a way that shows; where one needs fewer gradients or less
//! time, the other has something to learn.
//!
//! 1. [`case`]: posteriors, and the starts around which all chains of both programs begin.
//! 2. [`counting`]: counts every evaluation of a density, also those of searches and restarts.
//! 3. [`program`]: one chain of our sampler or of nuts-rs, with its gradients and CPU time.
//! 4. [`chains`]: several chains of one program, diagnosed by the same functions for both.
//!
//! The crate is not among the workspace's default members: nuts-rs brings a linear algebra library whose build takes minutes.
#![forbid(unsafe_code)]

pub mod case;
pub mod chains;
pub mod counting;
pub mod program;

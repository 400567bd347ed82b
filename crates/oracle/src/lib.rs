//! nuts-rs beside the sampler: the same densities, the same starts, two programs that share no code.
//!
//! nuts-rs (Seyboldt and the PyMC developers) is a No-U-Turn sampler of its own: another criterion of turning (the distance
//! between the ends instead of the sum of momenta), a metric learnt from draws and gradients together, another warm-up. Where
//! the two agree on a posterior, neither's transitions are wrong in a way that shows; where one needs fewer gradients or less
//! time, the other has something to learn.
//!
//! 1. [`case`]: posteriors and the starts that all chains of both programs are dispersed from.
//! 2. [`counted`]: counts every evaluation that a program asks for, its searches and restarts included.
//! 3. [`program`]: one chain of ours or of nuts-rs, with what it cost in CPU time.
//! 4. [`contest`]: chains, diagnosed by the same functions for both programs.
//!
//! The crate is not among the workspace's default members: nuts-rs brings a linear algebra library whose build takes minutes.
#![forbid(unsafe_code)]

pub mod case;
pub mod contest;
pub mod counted;
pub mod program;

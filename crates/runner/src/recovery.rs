//! How often criteria recover the true number of components of simulated data.

pub mod bias;
pub mod figures;
pub mod findings;
pub mod outcome;
pub mod page;
pub mod stored;
pub mod suite;
pub mod tally;
pub mod words;
pub mod work;

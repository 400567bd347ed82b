//! Limits on the size of a study, known to specs and to data files alike.

/// Observations. A bound on what is read and held in memory; arbitrary.
pub const MOST_ROWS: usize = 1_000_000;

/// Features. A component has D(D + 3)/2 parameters: 5150 at this limit. Full covariances of more features need another model.
pub const MOST_FEATURES: usize = 100;

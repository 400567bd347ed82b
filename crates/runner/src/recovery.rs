//! How often criteria recover the true number of components of simulated data.

pub mod bias;
pub mod calibration;
pub mod missed;
pub mod outcome;
pub mod results;
pub mod stored;
pub mod tally;
pub mod work;

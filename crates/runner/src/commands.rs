//! The commands of `gmm`, one a file.

pub mod accuracy;
pub mod bench;
pub mod check;
pub mod choose;
pub mod clusters;
pub mod guide;
pub mod predict;
pub mod report;
pub mod run;
pub mod simulate;
pub mod status;
pub mod stored;
pub mod verify;

//! The commands of `gmm`, one a file.

pub mod accuracy;
pub mod bench;
pub mod check;
pub mod choose;
pub mod guide;
pub mod report;
pub mod run;
pub mod simulate;
pub mod status;
pub mod stored;
pub mod verify;

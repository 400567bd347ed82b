//! What lands on disk, and how it is found again: whole, current, or with the reason why not.

pub mod accuracy;
pub mod atomic;
pub mod bench;
pub mod diagnostic;
pub mod draws;
pub mod failures;
pub mod fits;
pub mod footer;
pub mod inputs;
pub mod lock;
pub mod provenance;
pub mod seal;
pub mod store;

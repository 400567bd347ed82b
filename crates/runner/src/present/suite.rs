//! What a suite of simulated data sets shows: its table, figures and page.

pub mod figures;
pub mod page;
pub mod words;

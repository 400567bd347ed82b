//! From stored fits to scores, rankings and the answer.

pub mod answer;
pub mod at_modes;
pub mod clusters;
pub mod components;
pub mod criterion_title;
pub mod cross_validation;
pub mod diagnostic;
pub mod digest;
pub mod effort;
pub mod evidence;
pub mod failure;
pub mod findings;
pub mod health;
pub mod held_out;
pub mod information;
pub mod leave_one_out;
pub mod local_mode;
pub mod mixtures;
pub mod pass;
pub mod pivot;
pub mod plot_draws;
pub mod probabilities;
pub mod ranking;
pub mod reach;
pub mod report_scope;
pub mod results;
pub mod rows;
pub mod screen;
pub mod stage;
pub mod stored_clusters;
pub mod tables;
pub mod tempered;
pub mod warnings;

#[cfg(test)]
mod tests;

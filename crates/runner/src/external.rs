//! Draws and log-likelihoods of models that other programs fitted.

pub mod diagnose;
pub mod reliability;
pub mod score;

//! What the program knows, in words: the only place that makes sentences of diagnostics, warnings and answers.

pub mod answer;
pub mod diagnostics;
pub mod list;
pub mod methods;
pub mod warnings;

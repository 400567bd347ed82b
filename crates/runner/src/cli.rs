//! The command line: arguments, exit status, messages, and problems with their place in a file.

pub mod arguments;
pub mod command;
pub mod messages;
pub mod problem;

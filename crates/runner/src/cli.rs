//! The command line: arguments, topics of the guide, exit status, messages, and problems with their place in a file.

pub mod arguments;
pub mod command;
pub mod messages;
pub mod problem;
pub mod topic;

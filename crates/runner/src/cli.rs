//! The command line: arguments, topics of the guide, exit status, messages, and problems with their place in a file.

pub mod arguments;
pub mod exit_status;
pub mod messages;
pub mod output;
pub mod problem;
pub mod terminal;
pub mod topic;

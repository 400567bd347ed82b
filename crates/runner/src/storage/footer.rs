//! What the footers of stored files say.

/// Entry: the text of a result's [`Inputs`](super::inputs::Inputs).
pub const INPUTS: &str = "gmm.inputs";

/// Entry: the version that wrote a file.
pub const VERSION_ENTRY: &str = "gmm.version";

/// This version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The footer of files that belong to no job.
pub fn version_alone() -> [(&'static str, String); 1] {
    [(VERSION_ENTRY, VERSION.to_owned())]
}

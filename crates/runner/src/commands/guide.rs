//! `gmm guide`: the documentation, in the terminal.

use std::borrow::Cow;
use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;

use crate::cli::output::print;
use crate::cli::topic::Topic;
use crate::study::spec::{REFERENCE_TITLE, reference_markdown};

/// Prints a topic, or the list of topics.
///
/// # Errors
/// A fault of standard output.
pub fn guide(topic: Option<Topic>) -> Result<ExitCode> {
    match topic {
        Some(topic) => print(&text(topic))?,
        None => print(&list())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The Markdown of a topic. That of the spec ends with the reference of all keys, made from the table that the reader uses; a test
/// holds the file of the repository to it, which `gmm guide spec` renews.
fn text(topic: Topic) -> Cow<'static, str> {
    let page = embedded(topic);
    match topic {
        Topic::Spec => {
            let reference = page.find(REFERENCE_TITLE).unwrap_or(page.len());
            Cow::Owned(format!("{}{}", &page[..reference], reference_markdown()))
        }
        _ => Cow::Borrowed(page),
    }
}

/// The page of a topic, as it stands in the repository.
fn embedded(topic: Topic) -> &'static str {
    macro_rules! embedded {
        ($name:literal) => {
            include_str!(concat!("../../guide/", $name, ".md"))
        };
    }
    match topic {
        Topic::FirstStudy => embedded!("first-study"),
        Topic::ReadingAReport => embedded!("reading-a-report"),
        Topic::Criteria => embedded!("criteria"),
        Topic::PriorsAndTraps => embedded!("priors-and-traps"),
        Topic::Spec => embedded!("spec"),
        Topic::FileFormats => embedded!("file-formats"),
        Topic::ReproducingAndResuming => embedded!("reproducing-and-resuming"),
        Topic::DrawsElsewhere => embedded!("draws-elsewhere"),
        Topic::Suites => embedded!("suites"),
        Topic::Verified => embedded!("verified"),
        Topic::Speed => embedded!("speed"),
        Topic::Extending => embedded!("extending"),
        Topic::Glossary => embedded!("glossary"),
        Topic::Changes => embedded!("changes"),
    }
}

/// Every topic's name with its title.
fn topics() -> Vec<(String, String)> {
    let values = Topic::value_variants().iter().filter_map(Topic::to_possible_value);
    let title = |value: &clap::builder::PossibleValue| value.get_help().map(ToString::to_string);
    values.map(|value| (value.get_name().to_owned(), title(&value).unwrap_or_default())).collect()
}

fn list() -> String {
    let topics = topics();
    let width = topics.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: String = topics.iter().map(|(name, title)| format!("  {name:<width$}  {title}\n")).collect();
    format!("gmm guide TOPIC prints one of these topics:\n\n{lines}")
}

#[cfg(test)]
mod tests;

//! `gmm choose`: an experiment without a spec.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cli::arguments::{Choose, Verbosity};
use crate::commands::run::experiment::{self, Opened};
use crate::commands::run::progress::display;
use crate::engine::experiment::Experiment;
use crate::present::words;
use crate::scores::reach::results_with_enough_components;
use crate::storage::atomic::write_bytes;

/// Writes the spec that the flags stand for, and runs it.
///
/// # Errors
/// Flags that make no spec, and all that keeps a spec from running.
pub fn choose(flags: &Choose, verbosity: &Verbosity) -> Result<ExitCode> {
    let data = std::path::absolute(&flags.data).context("the path of the data")?;
    let typed = flags.components.as_ref().map(|components| &components.0[..]);
    let text = spec(flags, typed.unwrap_or(&[1]), &data)?;
    // The path as typed reads better in errors than the spec that nobody has seen.
    let mut experiment =
        Experiment::from_text("<command line>", &text, |_| flags.data.clone()).map_err(|problems| {
            problems.rephrase_help("set `data.missing = \"drop\"`", "use `--drop-missing`")
        })?;
    let opened = Opened::new(&experiment.spec.name, &flags.run)?;
    let known = match typed {
        Some(_) => None,
        None => {
            experiment::announce(&experiment, "", &words::warnings::beforehand(&experiment), verbosity);
            let display = display(&flags.run, verbosity);
            let find = || results_with_enough_components(&mut experiment, display);
            Some(opened.pool.install(find)?)
        }
    };
    if let Some(path) = &flags.save {
        write_bytes(path, spec(flags, &experiment.spec.model.components, &data)?.as_bytes())?;
    }
    experiment::run(&experiment, opened, known, &flags.run, verbosity)
}

/// The spec, with the defaults left to the reader of specs.
fn spec(flags: &Choose, components: &[usize], data: &Path) -> Result<String> {
    let stem = flags.data.file_stem().and_then(|stem| stem.to_str()).unwrap_or("choose");
    // A file's name may hold what an experiment's may not.
    let name: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let mut table = toml::Table::new();
    let mut section = toml::Table::new();
    let path = data.to_str().context("the path of the data is not UTF-8")?;
    section.insert("path".to_owned(), path.into());
    section.extend(flags.columns.clone().map(|columns| ("columns".to_owned(), columns.into())));
    section.extend(flags.label.clone().map(|label| ("label".to_owned(), label.into())));
    if flags.drop_missing {
        section.insert("missing".to_owned(), "drop".into());
    }
    let name: String = name.trim_start_matches(['.', '-']).chars().take(100).collect();
    table.insert("name".to_owned(), if name.is_empty() { "choose".into() } else { name.into() });
    table.insert("data".to_owned(), section.into());
    let ks: Vec<toml::Value> = components.iter().map(|&k| (k as i64).into()).collect();
    let model = [("components".to_owned(), ks.into()), ("prior".to_owned(), "default".into())];
    table.insert("model".to_owned(), toml::Table::from_iter(model).into());
    Ok(toml::to_string(&table)?)
}

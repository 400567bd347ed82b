//! What the README and the guide say holds: links lead somewhere, commands parse, specs are read, lines fit a terminal.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};

use super::{Topic, ValueEnum, list, text, topics};
use crate::cli::arguments::Cli;
use crate::study::spec::read;
use crate::study::spec::suite::read_suite;

/// Columns that every line of the guide fits in.
const WIDTH: usize = 100;

/// The README is read in two minutes.
const README_BYTES: usize = 6000;

/// A Markdown file, as it stands in the repository.
struct Page {
    path: PathBuf,
    text: String,
}

/// A fenced block: its language and its lines.
struct Block<'a> {
    language: &'a str,
    lines: Vec<&'a str>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn guide_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guide")
}

fn page(path: PathBuf) -> Page {
    let text = std::fs::read_to_string(&path).unwrap();
    Page { path, text }
}

fn readme() -> Page {
    page(root().join("README.md"))
}

/// The README and every topic.
fn pages() -> Vec<Page> {
    let topics = topics().into_iter().map(|(name, _)| page(guide_directory().join(format!("{name}.md"))));
    std::iter::once(readme()).chain(topics).collect()
}

impl Page {
    fn name(&self) -> String {
        self.path.file_name().unwrap().to_string_lossy().into_owned()
    }

    fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<Block<'_>> = None;
        for line in self.text.lines() {
            match (line.strip_prefix("```"), open.take()) {
                (Some(language), None) => open = Some(Block { language, lines: Vec::new() }),
                (Some(_), Some(block)) => blocks.push(block),
                (None, Some(mut block)) => {
                    block.lines.push(line);
                    open = Some(block);
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block is never closed", self.name());
        blocks
    }

    /// Targets of links and images.
    fn links(&self) -> Vec<&str> {
        let after_bracket = self.text.split("](").skip(1);
        after_bracket.map(|rest| rest.split(')').next().unwrap()).collect()
    }

    /// The code between single backquotes.
    fn inline_code(&self) -> Vec<&str> {
        let prose = self.text.split("```").step_by(2);
        prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
    }
}

/// A command line as a shell splits it: at spaces outside double quotes, without a comment.
fn words(command: &str) -> Vec<String> {
    let command = command.split(" #").next().unwrap();
    let parts = command.split('"').enumerate();
    let mut words = Vec::new();
    for (i, part) in parts {
        if i % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The arguments of a line that calls the program.
fn call(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let line = line.strip_prefix("target/release/").unwrap_or(line);
    line.starts_with("gmm ").then(|| words(line))
}

fn names() -> BTreeSet<String> {
    topics().into_iter().map(|(name, _)| name).collect()
}

#[test]
fn every_topic_is_a_file_and_every_file_a_topic() {
    let files = std::fs::read_dir(guide_directory()).unwrap();
    let files: BTreeSet<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let expected: BTreeSet<String> = names().iter().map(|name| format!("{name}.md")).collect();
    assert_eq!(files, expected);
    for (topic, (name, title)) in Topic::value_variants().iter().zip(topics()) {
        let file = page(guide_directory().join(format!("{name}.md"))).text;
        assert_eq!(text(*topic), file, "{name}");
        assert!(file.starts_with("# "), "{name} begins with its heading");
        assert!(!title.is_empty(), "{name} has a title");
        assert!(list().contains(&title), "{name} is listed");
    }
}

#[test]
fn the_readme_links_to_every_topic_and_to_no_other() {
    let readme = readme();
    let links = readme.links();
    let linked: BTreeSet<&str> = links
        .iter()
        .filter_map(|link| link.strip_prefix("crates/runner/guide/")?.strip_suffix(".md"))
        .collect();
    assert_eq!(linked, names().iter().map(String::as_str).collect());
}

#[test]
fn the_readme_is_read_in_two_minutes() {
    let bytes = readme().text.len();
    assert!(bytes <= README_BYTES, "{bytes} bytes, at most {README_BYTES}");
}

#[test]
fn every_relative_link_leads_to_a_file() {
    for page in pages() {
        for link in page.links() {
            let target = link.split('#').next().unwrap();
            if !target.is_empty() && !target.contains("://") {
                let path = page.path.parent().unwrap().join(target);
                assert!(path.exists(), "{}: {link} leads nowhere", page.name());
            }
        }
    }
}

#[test]
fn every_command_that_is_shown_parses() {
    let mut parsed = 0;
    for page in pages() {
        for line in page.blocks().iter().flat_map(|block| &block.lines) {
            if let Some(arguments) = call(line) {
                let result = Cli::try_parse_from(&arguments);
                assert!(result.is_ok(), "{}: {line}\n{}", page.name(), result.unwrap_err());
                parsed += 1;
            }
        }
    }
    assert!(parsed >= 10, "only {parsed} commands were found");
}

#[test]
fn every_command_that_is_named_exists() {
    let cli = Cli::command();
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    for page in pages() {
        let shown = page.blocks().into_iter().flat_map(|block| block.lines).collect::<Vec<_>>();
        for code in page.inline_code().into_iter().chain(shown) {
            if let Some(rest) = code.strip_prefix("gmm ") {
                let name = rest.split(' ').next().unwrap();
                let exists = name.starts_with('-') || cli.find_subcommand(name).is_some();
                assert!(exists, "{}: there is no command `{code}`", page.name());
            }
            if let Some(rest) = code.strip_prefix("make ") {
                let target = rest.split(' ').next().unwrap();
                let exists = makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
                assert!(exists, "{}: there is no target `{code}`", page.name());
            }
        }
    }
}

#[test]
fn every_spec_that_is_shown_is_read_without_an_error() {
    let mut n_read = 0;
    for page in pages() {
        for block in page.blocks().iter().filter(|block| block.language == "toml") {
            // What gives no name is a part of a spec.
            if !block.lines.iter().any(|line| line.starts_with("name = ")) {
                continue;
            }
            let text = block.lines.join("\n");
            let name = page.name();
            if block.lines.contains(&"[suite]") {
                read_suite(&name, &text).unwrap_or_else(|error| panic!("{error}"));
            } else {
                read(&name, &text)
                    .and_then(|reading| reading.spec())
                    .unwrap_or_else(|error| panic!("{error}"));
            }
            n_read += 1;
        }
    }
    assert!(n_read >= 4, "only {n_read} specs were found");
}

#[test]
fn every_line_of_the_guide_fits_a_terminal() {
    for page in pages().into_iter().skip(1) {
        let mut in_output = false;
        for (number, line) in page.text.lines().enumerate() {
            if line.starts_with("```") {
                in_output = line == "```text";
            }
            // Output of the program is as wide as the program made it.
            let width = line.chars().count();
            assert!(in_output || width <= WIDTH, "{}:{} has {width} columns", page.name(), number + 1);
        }
    }
    assert!(list().lines().all(|line| line.chars().count() <= WIDTH));
}

#[test]
fn words_are_split_as_a_shell_splits_them() {
    assert_eq!(words("gmm diagnose \"a b.parquet\" -q  # why"), ["gmm", "diagnose", "a b.parquet", "-q"]);
    assert_eq!(call("$ gmm run x.toml").unwrap(), ["gmm", "run", "x.toml"]);
    assert_eq!(call("gmmx"), None);
}

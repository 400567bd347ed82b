//! The reference of specs as Markdown, made from the table of keys and the typed defaults.

use super::keys::{Allowed, Default, EXPERIMENT, Key, KeySection, SECTIONS, SUITE};
use super::read::read;
use super::suite::read_suite;

/// How the reference begins.
pub const REFERENCE_TITLE: &str = "## All keys";

/// Columns of the text.
const WIDTH: usize = 100;

/// The smallest specs: what they leave out has its default.
const SMALLEST: &str = "name = \"x\"\ndata.path = \"x.csv\"\nmodel.components = 1\n";
const SMALLEST_SUITE: &str = "name = \"x\"\nmodel.components = 1\n\
    suite = { n_observations = 2, n_features = 1, components = 1, overlap = 0.01 }\n";

/// Every key of specs: what it allows, its default and its meaning. No line has more than 100 columns.
#[must_use]
pub fn reference_markdown() -> String {
    let defaults = Defaults::new();
    let mut text = format!("{REFERENCE_TITLE}\n");
    push_section(&mut text, "An experiment", &EXPERIMENT, &defaults);
    push_section(&mut text, "A suite", &SUITE, &defaults);
    for section in SECTIONS {
        push_section(&mut text, &format!("`[{}]`", section.paths[0]), section, &defaults);
    }
    text
}

fn push_section(text: &mut String, title: &str, section: &KeySection, defaults: &Defaults) {
    let mut about = section.meaning.to_owned();
    if let [_, others @ ..] = section.paths
        && !others.is_empty()
    {
        let others: Vec<String> = others.iter().map(|path| format!("`[{path}]`")).collect();
        about.push_str(&format!(" The same keys are those of {}.", others.join(", ")));
    }
    text.push_str(&format!("\n### {title}\n\n{}\n", wrapped("", "", &about)));
    for key in section.keys {
        text.push_str(&wrapped("- ", "  ", &entry(section.paths[0], key, defaults)));
    }
}

fn entry(path: &str, key: &Key, defaults: &Defaults) -> String {
    let name = key.name;
    let full = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let default = match key.default {
        Default::Required => "; required".to_owned(),
        Default::Typed => format!("; default `{}`", defaults.get(&full)),
        Default::Absent(words) => format!("; default: {words}"),
        Default::Optional => String::new(),
    };
    let allowed = match &key.allowed {
        Allowed::Section => "a section".to_owned(),
        allowed => allowed.describe(),
    };
    format!("`{name}`: {allowed}{default}. {}", key.meaning)
}

/// The smallest specs with every default spelt out.
struct Defaults([toml::Table; 2]);

impl Defaults {
    fn new() -> Self {
        let spec = read("", SMALLEST).and_then(|reading| reading.spec()).expect("the smallest spec is sound");
        let suite = read_suite("", SMALLEST_SUITE).expect("the smallest suite is sound");
        let table = |text: String| text.parse().expect("specs are written as TOML");
        Self([table(spec.to_toml()), table(suite.to_toml())])
    }

    /// The value at a dotted key.
    fn get(&self, key: &str) -> &toml::Value {
        let found = self.0.iter().find_map(|table| {
            let mut names = key.split('.');
            let first = table.get(names.next()?)?;
            names.try_fold(first, |value, name| value.get(name))
        });
        found.unwrap_or_else(|| panic!("`{key}` has no default"))
    }
}

/// A paragraph in lines of at most [`WIDTH`] columns; the first begins with `first`, the others with `rest`.
fn wrapped(first: &str, rest: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = rest.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_has_every_key_and_fits_the_width() {
        let reference = reference_markdown();
        for section in SECTIONS.iter().chain([&EXPERIMENT, &SUITE]) {
            for key in section.keys {
                assert!(reference.contains(&format!("\n- `{}`: ", key.name)), "{}", key.name);
            }
        }
        for line in reference.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }
}

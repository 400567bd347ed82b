//! Reads a TOML document key by key and records every problem with the place of its key.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Allowed, Domain, KeySection};
use crate::cli::problem::{Excerpt, Problem};

/// The longest value that is quoted back in a message; a longer one is cut.
const LONGEST_QUOTE: usize = 40;

/// The text of a spec, the places of its keys, and the problems found so far.
#[derive(Debug)]
pub struct Document {
    file: String,
    text: String,
    places: RefCell<BTreeMap<String, Range<usize>>>,
    problems: RefCell<Vec<(usize, Problem)>>,
}

impl Document {
    pub fn new(file: &str, text: &str) -> Self {
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            places: RefCell::default(),
            problems: RefCell::default(),
        }
    }

    /// Places a problem at its key or, if that was not typed, at the nearest section above it that was; else at the file.
    pub fn place(&self, problem: Problem) -> Problem {
        let key = problem.key().unwrap_or_default().to_owned();
        let mut above = key.as_str();
        loop {
            if let Some(span) = self.places.borrow().get(above) {
                return problem.at(&self.file, Excerpt::new(&self.text, span.clone()));
            }
            match above.rfind(['.', '[']) {
                Some(end) => above = &above[..end],
                None => return problem,
            }
        }
    }

    fn report(&self, span: &Range<usize>, problem: Problem) {
        let placed = problem.at(&self.file, Excerpt::new(&self.text, span.clone()));
        self.problems.borrow_mut().push((span.start, placed));
    }

    /// Reports a problem of a key that was not typed.
    fn report_absent(&self, problem: Problem) {
        let placed = self.place(problem);
        self.problems.borrow_mut().push((self.text.len(), placed));
    }

    /// All problems so far, in the order of the text.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.problems.borrow().clone();
        problems.sort_by_key(|(start, _)| *start);
        problems.into_iter().map(|(_, problem)| problem).collect()
    }

    /// The whole document as a section, with the keys of an experiment or of a suite.
    pub fn section<'a>(&'a self, table: &'a DeTable<'a>, keys: &'static KeySection) -> Section<'a> {
        Section { document: self, key: String::new(), table: Some(table), keys }
    }
}

/// A table being read. What its keys allow is said by the table of [`keys`]; [`finish`](Self::finish) refuses all others.
///
/// A value that is wrong is reported and its default returned, so that reading goes on to the next problem.
pub struct Section<'a> {
    document: &'a Document,
    /// Dotted, empty for the document itself.
    key: String,
    /// `None`: not typed, or typed as something else and reported. All keys have their defaults.
    table: Option<&'a DeTable<'a>>,
    keys: &'static KeySection,
}

impl<'a> Section<'a> {
    fn path(&self, key: &str) -> String {
        if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) }
    }

    /// The value of a key, if it was typed.
    pub fn take(&mut self, key: &'static str) -> Option<Value<'a>> {
        debug_assert_eq!(self.keys.key(key).name, key);
        let value = self.table?.get(key)?;
        Some(Value::new(self.document, self.path(key), value))
    }

    /// [`take`](Self::take) for a key that has no default; `example` shows how it is written.
    pub fn require(&mut self, key: &'static str, example: &str) -> Option<Value<'a>> {
        let value = self.take(key);
        // A section that is not a table was reported already; its keys are not missing as well.
        if value.is_none() && (self.table.is_some() || !self.was_typed()) {
            let path = self.path(key);
            let problem =
                Problem::with_key(&self.document.file, path.as_str(), format!("`{path}` is missing"));
            let help = if self.key.is_empty() {
                format!("add `{example}` at the top")
            } else {
                format!("add `{example}` under `[{}]`", self.key)
            };
            self.document.report_absent(problem.help(help));
        }
        value
    }

    fn was_typed(&self) -> bool {
        self.document.places.borrow().contains_key(&self.key)
    }

    /// The section of that name; an empty one if it was not typed.
    pub fn section(&mut self, key: &'static str) -> Section<'a> {
        let path = self.path(key);
        let keys = keys::section(&path);
        let absent = Section { document: self.document, key: path, table: None, keys };
        self.take(key).and_then(|value| value.section()).unwrap_or(absent)
    }

    /// An integer.
    pub fn integer(&mut self, key: &'static str, default: u64) -> u64 {
        let Allowed::Integer(range) = &self.keys.key(key).allowed else {
            panic!("`{}` is no integer in the table of keys", self.path(key));
        };
        self.take(key).and_then(|value| value.integer(range.clone())).unwrap_or(default)
    }

    /// An integer, for counting.
    pub fn count(&mut self, key: &'static str, default: usize) -> usize {
        let count = self.integer(key, default as u64);
        usize::try_from(count).unwrap_or(default)
    }

    /// A number; `None` if it was not typed, or is not allowed.
    pub fn number(&mut self, key: &'static str) -> Option<f64> {
        let value = self.take(key)?;
        value.number(self.domain(key))
    }

    /// The numbers of all keys, none of which has a default, in the order of the table of keys.
    pub fn numbers(mut self) -> Option<Vec<f64>> {
        // Each key is read, also after a faulty one, so that all problems are reported.
        let read = self.names().map(|key| {
            let value = self.require(key, &format!("{key} = 1.0"))?;
            value.number(self.domain(key))
        });
        let numbers: Vec<Option<f64>> = read.collect();
        self.finish();
        numbers.into_iter().collect()
    }

    /// The numbers that a key allows.
    pub fn domain(&self, key: &str) -> Domain {
        match self.keys.key(key).allowed {
            Allowed::Number(domain) => domain,
            _ => panic!("`{}` is no number in the table of keys", self.path(key)),
        }
    }

    /// One of a few words.
    pub fn choice<T: Clone>(&mut self, key: &'static str, default: T, choices: &[(&'static str, T)]) -> T {
        self.take(key).and_then(|value| value.choice(choices)).unwrap_or(default)
    }

    /// The key that was typed of several that exclude each other. A second one is refused.
    pub fn only_one_of(&mut self, keys: &[&'static str]) -> Option<(&'static str, Value<'a>)> {
        let mut typed = Vec::new();
        for &key in keys {
            typed.extend(self.take(key).map(|value| (key, value)));
        }
        let mut typed = typed.into_iter();
        let first = typed.next()?;
        for (key, value) in typed {
            let message = format!("`{}` and `{}` exclude each other", self.path(first.0), self.path(key));
            value.report(message, format!("allowed: only one of {}", keys.join(", ")), |problem| problem);
        }
        Some(first)
    }

    /// The names of all keys.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.keys.names()
    }

    /// Reports a problem of a key, whether it was typed or not.
    pub fn report(&self, key: &'static str, message: String, label: &str) {
        let problem = Problem::with_key(&self.document.file, self.path(key).as_str(), message).label(label);
        self.document.report_absent(problem);
    }

    /// Refuses every key that is not in the table of keys.
    pub fn finish(self) {
        for (key, _) in self.table.into_iter().flatten() {
            let name: &str = key.get_ref();
            if !self.keys.names().any(|known| known == name) {
                let path = self.path(name);
                let problem =
                    Problem::with_key(&self.document.file, path.as_str(), format!("unknown key `{path}`"))
                        .label(format!("allowed here: {}", self.keys.names().collect::<Vec<_>>().join(", ")))
                        .did_you_mean(name, self.keys.names());
                self.document.report(&key.span(), problem);
            }
        }
    }
}

/// A typed value, its key and its place.
#[derive(Clone)]
pub struct Value<'a> {
    document: &'a Document,
    key: String,
    span: Range<usize>,
    value: &'a DeValue<'a>,
}

impl<'a> Value<'a> {
    fn new(document: &'a Document, key: String, value: &'a Spanned<DeValue<'a>>) -> Self {
        document.places.borrow_mut().insert(key.clone(), value.span());
        Self { document, key, span: value.span(), value: value.get_ref() }
    }

    /// The value as it is quoted in a message.
    fn given(&self) -> String {
        match self.value {
            DeValue::Array(items) if items.is_empty() => "an empty list".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
            _ => {
                let typed = &self.document.text[self.span.clone()];
                let line = typed.lines().next().unwrap_or_default();
                let cut = line.floor_char_boundary(LONGEST_QUOTE);
                if cut < typed.len() { format!("{}…", &line[..cut]) } else { line.to_owned() }
            }
        }
    }

    /// Reports a problem of this value.
    pub fn report(&self, message: String, label: String, more: impl FnOnce(Problem) -> Problem) {
        let problem = Problem::with_key(&self.document.file, self.key.as_str(), message).label(label);
        self.document.report(&self.span, more(problem));
    }

    /// Reports that this value is not allowed, and says what is.
    pub fn refuse(&self, allowed: &str) {
        self.report(self.refusal(), format!("allowed: {allowed}"), |problem| problem);
    }

    fn refusal(&self) -> String {
        format!("`{}` cannot be {}", self.key, self.given())
    }

    pub fn is_list(&self) -> bool {
        self.value.is_array()
    }

    pub fn is_text(&self) -> bool {
        self.value.is_str()
    }

    pub fn is_word(&self, word: &str) -> bool {
        self.value.as_str() == Some(word)
    }

    pub fn is_table(&self) -> bool {
        self.value.is_table()
    }

    /// A string of at least one character; control characters (NUL among them) are in no name or path.
    pub fn text(&self, allowed: &str) -> Option<&'a str> {
        let text = self.value.as_str().filter(|text| !text.is_empty() && !text.contains(char::is_control));
        if text.is_none() {
            self.refuse(allowed);
        }
        text
    }

    /// One of a few words.
    pub fn choice<T: Clone>(&self, choices: &[(&'static str, T)]) -> Option<T> {
        let typed = self.value.as_str();
        let chosen = choices.iter().find(|(word, _)| typed == Some(word)).map(|(_, choice)| choice.clone());
        if chosen.is_none() {
            let words: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.report(self.refusal(), format!("allowed: {}", words.join(", ")), |problem| {
                problem.did_you_mean(typed.unwrap_or_default(), choices.iter().map(|(word, _)| *word))
            });
        }
        chosen
    }

    /// An integer within a range.
    pub fn integer(&self, allowed: RangeInclusive<u64>) -> Option<u64> {
        let integer = self.as_i128().and_then(|integer| u64::try_from(integer).ok());
        let integer = integer.filter(|integer| allowed.contains(integer));
        if integer.is_none() {
            self.refuse(&format!("an integer from {} to {}", allowed.start(), allowed.end()));
        }
        integer
    }

    /// An integer within a range, for counting.
    pub fn count(&self, allowed: RangeInclusive<u64>) -> Option<usize> {
        self.integer(allowed).and_then(|integer| usize::try_from(integer).ok())
    }

    fn as_i128(&self) -> Option<i128> {
        let integer = self.value.as_integer()?;
        i128::from_str_radix(integer.as_str(), integer.radix()).ok()
    }

    /// A number of a domain, typed as a float or as an integer.
    pub fn number(&self, domain: Domain) -> Option<f64> {
        let number = match self.value {
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            _ => self.as_i128().map(|integer| integer as f64),
        };
        let number = number.filter(|&number| domain.contains(number));
        if number.is_none() {
            self.refuse(domain.describe());
        }
        number
    }

    /// The items of a list. An empty list is a list.
    pub fn items(&self, allowed: &str) -> Option<Vec<Value<'a>>> {
        let Some(items) = self.value.as_array() else {
            self.refuse(allowed);
            return None;
        };
        let item = |(index, value)| Value::new(self.document, format!("{}[{index}]", self.key), value);
        Some(items.iter().enumerate().map(item).collect())
    }

    /// A list in which nothing stands twice.
    pub fn distinct<T: PartialEq>(
        &self,
        allowed: &str,
        read: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.items(allowed)?;
        let mut distinct = Vec::with_capacity(items.len());
        for item in &items {
            if let Some(value) = read(item) {
                if distinct.contains(&value) {
                    let message = format!("`{}` lists {} twice", self.key, item.given());
                    item.report(message, "already in the list".to_owned(), |problem| problem);
                }
                distinct.push(value);
            }
        }
        Some(distinct)
    }

    /// [`distinct`](Self::distinct), with at least one item.
    pub fn some_distinct<T: PartialEq>(
        &self,
        allowed: &str,
        read: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        if self.value.as_array().is_some_and(|items| items.is_empty()) {
            self.refuse(allowed);
            return None;
        }
        self.distinct(allowed, read)
    }

    /// A table.
    pub fn section(&self) -> Option<Section<'a>> {
        let table = self.value.as_table();
        if table.is_none() {
            self.refuse("a table of keys and values");
        }
        let (document, key) = (self.document, self.key.clone());
        table.map(|table| Section { document, key, table: Some(table), keys: keys::section(&self.key) })
    }
}

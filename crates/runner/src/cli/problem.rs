//! Problems of a spec or a data file, printed as compilers print theirs: place, what was given, what is allowed, what to do.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// Bytes. A longer excerpt (a CSV line of thousands of cells) would bury the message: only its line number is shown.
const LONGEST_EXCERPT: usize = 400;
/// Terminal columns. Messages are not wrapped, so this only decides where long source lines are cut.
const WIDTH: usize = 120;
/// Jaro-Winkler similarity (0 to 1) above which a name is taken for a misspelling of another. Arbitrary; at 0.8
/// `chans`, `warm_up` and `standardise` find their words and `evidence` finds none.
const SIMILAR: f64 = 0.8;

/// One thing that must be changed before anything can run.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    message: String,
    file: String,
    key: Option<String>,
    excerpt: Option<Excerpt>,
    label: String,
    notes: Vec<String>,
    help: Option<String>,
}

/// The lines of a file around the text at fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Excerpt {
    line: usize,
    text: String,
    /// Bytes of `text`.
    span: Range<usize>,
}

impl Excerpt {
    /// The whole lines of `source` that hold the bytes `span`.
    #[must_use]
    pub fn new(source: &str, span: Range<usize>) -> Self {
        let end = source.floor_char_boundary(span.end.min(source.len()));
        let start = source.floor_char_boundary(span.start.min(end));
        let from = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let to = source[end..].find(['\n', '\r']).map_or(source.len(), |length| end + length);
        Self {
            line: 1 + source[..from].bytes().filter(|&byte| byte == b'\n').count(),
            text: source[from..to].to_owned(),
            span: start - from..end - from,
        }
    }

    /// The same where the source is part of a file, after so many lines of it.
    #[must_use]
    pub fn after(self, lines: usize) -> Self {
        Self { line: self.line + lines, ..self }
    }
}

impl Problem {
    /// A problem of a file, to be given a place in it by [`at`](Self::at).
    pub fn new(file: &str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            file: file.to_owned(),
            key: None,
            excerpt: None,
            label: String::new(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// A problem of one key of the spec, such as `data.columns[1]`. The reader of the spec knows its place in the text.
    pub fn with_key(file: &str, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..Self::new(file, message) }
    }

    /// The key of the spec that is at fault.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Points at a place in `file`.
    #[must_use]
    pub fn at(mut self, file: &str, excerpt: Excerpt) -> Self {
        file.clone_into(&mut self.file);
        self.excerpt = Some(excerpt);
        self
    }

    /// The text beside the place: what was given, or what is allowed.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// A line of explanation below the place.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Advice on what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// [`help`](Self::help) that suggests the candidate most similar to what was typed, if any is similar.
    #[must_use]
    pub fn did_you_mean<'a>(self, typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(typed, candidates) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    fn render(&self, renderer: &Renderer) -> String {
        let group = Group::with_title(Level::ERROR.primary_title(self.message.as_str()));
        let label = Some(self.label.as_str()).filter(|label| !label.is_empty());
        let (mut group, unshown_label) = match &self.excerpt {
            Some(excerpt) if excerpt.text.len() <= LONGEST_EXCERPT => {
                let mark = AnnotationKind::Primary.span(excerpt.span.clone()).label(label);
                let source = Snippet::source(excerpt.text.as_str()).path(self.file.as_str());
                (group.element(source.line_start(excerpt.line).annotation(mark)), None)
            }
            Some(excerpt) => (group.element(Origin::path(self.file.as_str()).line(excerpt.line)), label),
            None => (group.element(Origin::path(self.file.as_str())), label),
        };
        for note in unshown_label.into_iter().chain(self.notes.iter().map(String::as_str)) {
            group = group.element(Level::NOTE.message(note));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

/// The candidate most similar to what was typed, if any is similar enough.
fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&typed, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// Whether a report may use the terminal's colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Coloured,
}

/// All problems of an input; never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// `Err` with all the problems, if there is one.
    ///
    /// # Errors
    /// There is at least one problem.
    pub fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// The same problems, with another word for it where a help says `from`.
    #[must_use]
    pub fn rephrase_help(mut self, from: &str, to: &str) -> Self {
        for help in self.0.iter_mut().filter_map(|problem| problem.help.as_mut()) {
            *help = help.replace(from, to);
        }
        self
    }

    /// The report for a person: each problem with its place, as compilers print them.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        };
        let renderer = renderer.term_width(WIDTH);
        let reports: Vec<String> = self.0.iter().map(|problem| problem.render(&renderer)).collect();
        reports.join("\n\n")
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(Style::Plain))
    }
}

impl std::error::Error for Problems {}

//! The layout of the source: no circle of imports between files in any crate, the runner's rooms know only those below them, and
//! one file of the runner knows polars.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree};

/// The crates with sources to look at.
const CRATES: [&str; 6] = ["accuracy", "bench", "oracle", "runner", "sampler", "scoring"];

/// The runner's rooms, the lowest first: a file imports from its own line and from those above it here.
const ROOMS: [&[&str]; 12] = [
    &["cli", "process", "parquet"],
    &["study"],
    &["data"],
    &["storage"],
    &["engine"],
    &["scores"],
    &["recovery"],
    &["present"],
    &["external"],
    &["commands"],
    &["readers"],
    &["lib", "main"],
];

/// A file by its path below `src`, without the ending: `storage/store`.
type File = String;

/// Which files each file imports from.
type Imports = BTreeMap<File, BTreeSet<File>>;

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src")
}

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Every file of a crate, with its text.
fn files(name: &str) -> BTreeMap<File, String> {
    let root = source(name);
    let mut paths = Vec::new();
    rust_files(&root, &mut paths);
    let file = |path: &Path| path.strip_prefix(&root).unwrap().with_extension("").display().to_string();
    paths.iter().map(|path| (file(path), fs::read_to_string(path).unwrap())).collect()
}

fn parse(file: &File, text: &str) -> syn::File {
    syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The files of a crate without those that only its tests compile.
fn program_files(name: &str) -> BTreeMap<File, String> {
    let mut files = files(name);
    let mut tests = Vec::new();
    for (file, text) in &files {
        let above = if matches!(file.as_str(), "lib" | "main") { String::new() } else { format!("{file}/") };
        for item in parse(file, text).items {
            if let Item::Mod(item) = item
                && is_test(&item.attrs)
            {
                tests.push(format!("{above}{}", item.ident));
            }
        }
    }
    files.retain(|file, _| !tests.contains(file));
    files
}

/// Paths that a file names, each from the crate's root.
struct Named<'a> {
    /// The file's own module: empty for the crate's root.
    module: &'a [String],
    /// Modules that the file declares.
    children: BTreeSet<String>,
    paths: Vec<Vec<String>>,
}

impl Named<'_> {
    fn add(&mut self, segments: &[String]) {
        let Some(first) = segments.first() else { return };
        let supers = segments.iter().take_while(|segment| *segment == "super").count();
        let path = match first.as_str() {
            "crate" => segments[1..].to_vec(),
            "self" => [self.module, &segments[1..]].concat(),
            "super" => {
                [&self.module[..self.module.len().saturating_sub(supers)], &segments[supers..]].concat()
            }
            child if self.children.contains(child) => [self.module, segments].concat(),
            _ => return,
        };
        self.paths.push(path);
    }

    fn add_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&with(path.ident.to_string()), &path.tree),
            UseTree::Name(name) => self.add(&with(name.ident.to_string())),
            UseTree::Rename(name) => self.add(&with(name.ident.to_string())),
            UseTree::Glob(_) => self.add(&with("*".to_owned())),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(before, tree)),
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Named<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_test(&item.attrs) {
            self.add_tree(&[], &item.tree);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.add(&segments);
        }
        visit::visit_path(self, path);
    }
}

/// The file that a path from the crate's root leads into: of the longest module that it begins with.
fn file_of(path: &[String], files: &BTreeMap<File, String>) -> Option<File> {
    (0..=path.len()).rev().map(|length| path[..length].join("/")).find_map(|module| {
        let root = if module.is_empty() { ["lib", "main"] } else { [module.as_str(), ""] };
        root.into_iter().find(|file| files.contains_key(*file)).map(str::to_owned)
    })
}

fn imports(files: &BTreeMap<File, String>) -> Imports {
    let of_file = |(file, text): (&File, &String)| {
        let parsed = parse(file, text);
        let is_root = matches!(file.as_str(), "lib" | "main");
        let module: Vec<String> =
            if is_root { Vec::new() } else { file.split('/').map(str::to_owned).collect() };
        let children = parsed.items.iter().filter_map(|item| match item {
            Item::Mod(item) => Some(item.ident.to_string()),
            _ => None,
        });
        let mut named = Named { module: &module, children: children.collect(), paths: Vec::new() };
        named.visit_file(&parsed);
        let mut imported: BTreeSet<File> =
            named.paths.iter().filter_map(|path| file_of(path, files)).collect();
        imported.remove(file);
        (file.clone(), imported)
    };
    files.iter().map(of_file).collect()
}

/// Files that import one another, directly or through others: groups of more than one, each in order.
fn circles(imports: &Imports) -> Vec<Vec<File>> {
    let reachable = |from: &File| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(file) = open.pop() {
            for next in imports.get(&file).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen
    };
    let reachable: BTreeMap<&File, BTreeSet<File>> =
        imports.keys().map(|file| (file, reachable(file))).collect();
    let group = |file: &File| -> Vec<File> {
        imports
            .keys()
            .filter(|other| reachable[file].contains(*other) && reachable[other].contains(file))
            .cloned()
            .collect()
    };
    let groups: BTreeSet<Vec<File>> = imports.keys().map(group).filter(|group| group.len() > 1).collect();
    groups.into_iter().collect()
}

#[test]
fn no_crate_has_a_circle_of_imports_between_files() {
    let mut found = String::new();
    for name in CRATES {
        let imports = imports(&program_files(name));
        for circle in circles(&imports) {
            let inside = |file: &File| imports[file].iter().filter(|other| circle.contains(other)).cloned();
            let edges = circle
                .iter()
                .flat_map(|file| inside(file).map(move |other| format!("\n  {file} imports {other}")));
            found += &format!("\ncrates/{name}:{}", edges.collect::<String>());
        }
    }
    assert!(found.is_empty(), "circles of imports:{found}");
}

#[test]
fn the_runners_rooms_know_only_those_below_them() {
    let floor = |file: &File| {
        let room = file.split('/').next().unwrap();
        ROOMS.iter().position(|rooms| rooms.contains(&room)).unwrap_or_else(|| panic!("{file} is in no room"))
    };
    let mut wrong = Vec::new();
    for (file, imported) in &imports(&program_files("runner")) {
        let above = imported.iter().filter(|other| floor(other) > floor(file));
        wrong.extend(above.map(|other| format!("{file} imports {other}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_file_of_the_runner_knows_polars() {
    let knows = |text: &str| {
        text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains("polars::"))
    };
    let files = program_files("runner");
    let found: Vec<&File> = files.iter().filter(|(_, text)| knows(text)).map(|(file, _)| file).collect();
    assert_eq!(found, ["parquet"]);
}

#[test]
fn circles_are_found_through_other_files_and_inline_paths() {
    let texts = [
        ("lib", "mod a; mod b; mod c;"),
        ("a", "use crate::b::B;"),
        ("b", "fn b() { super::c::c(); }"),
        ("c", "mod d; use d::D;"),
        ("c/d", "use super::super::a::A;"),
    ];
    let files = texts.map(|(file, text)| (file.to_owned(), text.to_owned())).into();
    assert_eq!(circles(&imports(&files)), [["a", "b", "c", "c/d"].map(str::to_owned).to_vec()]);
    let without = [
        ("lib", "mod a; mod b;"),
        ("a", "use crate::b::B;"),
        ("b", "#[cfg(test)] mod tests { use crate::a::A; }"),
    ];
    let files = without.map(|(file, text)| (file.to_owned(), text.to_owned())).into();
    assert_eq!(circles(&imports(&files)), Vec::<Vec<File>>::new());
}

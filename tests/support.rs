//! A directory to run `gmm` in, and what it left there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A directory of its own, removed at the end.
pub struct Workplace {
    directory: TempDir,
}

impl Workplace {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// `gmm` here, with arguments separated by spaces, ready to run.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gmm"));
        command.args(arguments.split(' ')).current_dir(self.directory.path());
        command
    }

    /// Runs `gmm` here, with arguments separated by spaces.
    pub fn gmm(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs an experiment and expects it to be done; what it printed to standard output and standard error. A small one may be found
    /// wanting by its own diagnostics (status 3), since its chains are short.
    #[track_caller]
    pub fn runs(&self, arguments: &str) -> (String, String) {
        let output = self.gmm(arguments);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(0 | 3)), "gmm {arguments}\n{stdout}\n{stderr}");
        (stdout, stderr)
    }

    /// Runs `gmm` and expects this exit status; what it printed to standard output and standard error.
    #[track_caller]
    pub fn expect(&self, status: i32, arguments: &str) -> (String, String) {
        let output = self.gmm(arguments);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "gmm {arguments}\n{stdout}\n{stderr}");
        (stdout, stderr)
    }

    /// Every file below a directory by its relative path, but for the one that holds times and those that were set aside.
    pub fn files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let root = self.path(name);
        let mut files = BTreeMap::new();
        if root.exists() {
            collect(&root, &root, &mut files);
        }
        files.remove("provenance.json");
        files.retain(|name, _| !name.contains(".damaged"));
        files
    }
}

fn collect(root: &Path, directory: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// Two clusters in two dimensions, 60 rows without ties, as CSV with a class column.
pub fn two_clusters() -> String {
    let mut text = String::from("length,width,kind\n");
    for i in 0..60 {
        let t = f64::from(i);
        // Irrational steps fill the unit interval evenly without repeating.
        let (u, v) = ((t * 0.618_033_988_749_894_8).fract(), (t * 0.414_213_562_373_095_05).fract());
        let (centre, kind) = if i % 3 == 0 { (-4.0, "small") } else { (4.0, "large") };
        text.push_str(&format!("{:.9},{:.9},{kind}\n", centre + 2.0 * u + v, 0.5 * centre + v - 0.3 * u));
    }
    text
}

/// Thirty spread values of one feature, and as many equal ones as told, as CSV.
pub fn spread_and_equal(n_equal: usize) -> String {
    let mut text = String::from("x\n");
    (0..30).for_each(|i| text.push_str(&format!("{}\n", f64::from(i) * 0.25)));
    (0..n_equal).for_each(|_| text.push_str("4.1\n"));
    text
}

/// A spec over two clusters which takes a second or two.
pub const SMALL: &str = r#"
name = "small"
[data]
path = "data.csv"
label = "kind"
[model]
components = [1, 2, 3]
[sampler]
seeds = [1, 2]
chains = 2
warmup = 150
draws = 150
[scoring]
folds = 3
"#;

/// A workplace with `spec.toml` and `data.csv`.
pub fn small() -> Workplace {
    let workplace = Workplace::new();
    workplace.write("data.csv", &two_clusters());
    workplace.write("spec.toml", SMALL);
    workplace
}

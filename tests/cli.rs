//! Commands, flags and errors: what is refused, in which words, with which status.

use crate::support::{SMALL, Workplace, small, two_clusters};

#[test]
fn help_names_every_command() {
    let workplace = Workplace::new();
    let (help, _) = workplace.expect(0, "--help");
    insta::assert_snapshot!(help);
}

#[test]
fn wrong_usage_has_status_two() {
    let workplace = small();
    for arguments in [
        "",
        "rnu spec.toml",
        "run",
        "run spec.toml --job 2",
        "run spec.toml --jobs two",
        "run spec.toml -q -v",
    ] {
        let output = workplace.gmm(arguments);
        assert_eq!(output.status.code(), Some(2), "gmm {arguments}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_plan_is_printed_and_nothing_is_written() {
    let workplace = small();
    let (plan, warnings) = workplace.expect(0, "check spec.toml");
    // How long the searches take depends on the machine.
    let (times, plan): (Vec<&str>, Vec<&str>) =
        plan.lines().partition(|line| line.starts_with("  searches    about "));
    assert_eq!(times.len(), 1, "{plan:?}");
    insta::assert_snapshot!(format!("{}\n{warnings}", plan.join("\n")));
    assert!(!workplace.path("reports").exists());
}

#[test]
fn all_problems_of_a_spec_come_at_once_each_with_its_place() {
    let workplace = small();
    workplace.write(
        "spec.toml",
        r#"name = "../elsewhere"
[data]
path = "data.csv"
colums = ["length"]
[model]
components = [0, 2, 2]
[sampler]
seeds = [1, 1]
chains = "four"
target_accept = 1.5
[scoring]
criteria = ["loo", "bicc"]
"#,
    );
    let (_, error) = workplace.expect(1, "run spec.toml");
    insta::assert_snapshot!(error);
    assert!(!workplace.path("reports").exists(), "nothing may be written");
}

/// Each is refused with status 1 and words that name what is wrong; none panics.
#[test]
fn bad_data_are_refused_in_plain_words() {
    let header = "length,width,kind\n";
    let good = two_clusters();
    let many: String = (0..1_000_000).map(|i| format!("c{i},")).collect();
    let cases: [(&str, String, &str); 14] = [
        ("control character", good.replacen("length", "le\u{1b}ngth", 1), "control character"),
        ("empty", String::new(), "empty"),
        ("header only", header.to_owned(), "row"),
        ("ragged", format!("{good}1.0,2.0\n"), "data.csv:62:1"),
        ("text", good.replacen("-", "x", 1), "data.csv:2:1"),
        ("NaN", format!("{good}NaN,2.0,large\n"), "missing"),
        ("infinity", format!("{good}inf,2.0,large\n"), "inf"),
        ("overflow", format!("{good}1e999,2.0,large\n"), "1e999"),
        ("missing cell", format!("{good},2.0,large\n"), "missing"),
        (
            "constant column",
            "length,width,kind\n1.5,2,a\n1.5,3,a\n1.5,4,b\n1.5,5,b\n1.5,7,b\n1.5,9,b\n".to_owned(),
            "length",
        ),
        ("too few rows", "length,width,kind\n1.5,2,a\n2.5,3,b\n".to_owned(), "components"),
        ("a million columns", format!("{many}\n{many}\n"), "columns"),
        ("unclosed quote", format!("{good}\"1.0,2.0,large\n"), "quote"),
        ("unknown label", good.replacen("kind", "sort", 1), "kind"),
    ];
    for (name, data, expected) in cases {
        let workplace = small();
        workplace.write("data.csv", &data);
        let (_, error) = workplace.expect(1, "run spec.toml");
        assert!(error.contains(expected), "{name}: {error}");
        assert!(!error.contains("panicked"), "{name}: {error}");
        assert!(!workplace.path("reports").exists(), "{name}");
    }
}

#[test]
fn data_that_are_not_there_are_refused() {
    let workplace = Workplace::new();
    workplace.write("spec.toml", SMALL);
    let (_, error) = workplace.expect(1, "run spec.toml");
    assert!(error.contains("there is no file `data.csv`"), "{error}");
    let (_, error) = workplace.expect(1, "run nothing.toml");
    assert!(error.contains("nothing.toml"), "{error}");
    let (_, error) = workplace.expect(1, "report nowhere");
    assert!(error.contains("nowhere holds no results"), "{error}");
}

#[test]
fn completions_are_printed_for_a_shell() {
    let workplace = Workplace::new();
    let (script, _) = workplace.expect(0, "completions bash");
    assert!(script.contains("_gmm"));
}

#[test]
fn choose_advises_its_own_flags() {
    let workplace = Workplace::new();
    workplace.write("data.csv", "x,y\n1,2\n3,\n5,6\n");
    let (_, error) = workplace.expect(1, "choose data.csv");
    assert!(error.contains("help: use `--drop-missing` to leave out rows with missing cells"), "{error}");
    assert!(!error.contains("data.missing"), "{error}");
}

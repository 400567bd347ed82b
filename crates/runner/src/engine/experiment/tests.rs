use super::*;
use crate::cli::problem::Style;
use crate::study::load::{LARGEST_SPEC, Study};

const SPEC: &str = r#"name = "x"
data.path = "data/d.csv"
model.components = { from = 1, to = 3 }
"#;

const DATA: &str = "a,b,kind\n1,10,x\n2,20,y\n3,31,x\n5,5,y\n5,6,x\n1,1,x\n";

/// An experiment as commands load it.
fn load_at(path: &Path) -> Result<Experiment, Problems> {
    match Study::load(path)? {
        Study::Experiment(reading) => Experiment::beside(path, reading),
        Study::Suite(_) => panic!("the spec of a suite"),
    }
}

/// An experiment in a directory of its own.
fn load(spec: &str, data: &str) -> Result<Experiment, Problems> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    std::fs::write(directory.path().join("data/d.csv"), data).unwrap();
    let path = directory.path().join("x.toml");
    std::fs::write(&path, spec).unwrap();
    load_at(&path)
}

/// The report, without the directory it was made in.
fn report(spec: &str, data: &str) -> String {
    let report = load(spec, data).expect_err("the experiment cannot run").render(Style::Plain);
    let place = std::env::temp_dir().join("").display().to_string();
    let lines = report.lines().map(|line| match line.split_once(&place) {
        Some((before, after)) => format!("{before}{}", after.split_once('/').map_or("", |(_, after)| after)),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn with(lines: &str) -> String {
    format!("{SPEC}{lines}\n")
}

#[test]
fn a_spec_and_its_data_become_an_experiment() {
    let experiment = load(&with("scoring.folds = 3"), DATA).unwrap();
    assert_eq!(experiment.spec.data.columns.unwrap(), ["a", "b"]);
    assert_eq!(experiment.spec.data.path, "data/d.csv");
    assert!(experiment.data_path.is_absolute() && experiment.data_path.ends_with("data/d.csv"));
    assert_eq!(experiment.dataset.data.n_observations(), 6);
}

#[test]
fn problems_of_the_spec_and_of_the_data_come_together() {
    let spec = with("sampler.chains = 0\nscoring.folds = 10\ndata2 = 1");
    insta::assert_snapshot!(report(&spec, &DATA.replace("31", "3l")));
}

#[test]
fn data_problems_point_at_the_key_that_asks_for_them() {
    let spec = SPEC.replace("data.path", "data.columns = [\n  \"a\",\n  \"bb\",\n]\ndata.path");
    insta::assert_snapshot!(
        [
            report(&spec, DATA),
            report(&SPEC.replace("d.csv", "dd.csv"), DATA),
            report(&SPEC.replace("/d.csv", ""), DATA),
        ]
        .join("\n\n")
    );
}

#[test]
fn what_the_data_cannot_give_is_refused() {
    insta::assert_snapshot!(
        [
            report(&with("scoring.folds = 7"), DATA),
            report(&SPEC.replace("to = 3", "to = 6").replace("model", "scoring.folds = 3\nmodel"), DATA),
            report(&SPEC.replace("to = 3", "to = 9").replace("model", "scoring.folds = 3\nmodel"), DATA),
            report(&with("scoring.criteria = []"), "a,b\n1,1\n1,1\n2,0\n2,-0.0\n2,0.0\n"),
            report(
                "name = \"x\"\ndata.path = \"data/d.csv\"\nmodel.components = 1\nscoring.folds = 2\n\
             model.prior.means.centre = [[1, 2, 3]]\n",
                DATA
            ),
        ]
        .join("\n\n")
    );
}

#[test]
fn folds_matter_only_to_kfold() {
    assert!(load(&with("scoring = { criteria = [\"loo\"], folds = 500 }"), DATA).is_ok());
}

#[test]
fn what_is_not_a_spec_is_refused() {
    let missing = load_at(Path::new("no/such/spec.toml")).unwrap_err().to_string();
    assert!(
        missing.contains("the spec cannot be read") && missing.contains("no/such/spec.toml"),
        "{missing}"
    );
    let directory = tempfile::tempdir().unwrap();
    assert!(load_at(directory.path()).unwrap_err().to_string().contains("not a regular file"));
    let path = directory.path().join("x.toml");
    std::fs::write(&path, b"name = \"\xff\"").unwrap();
    assert!(load_at(&path).unwrap_err().to_string().contains("not UTF-8"));
    std::fs::write(&path, vec![b'\n'; 1 + LARGEST_SPEC as usize]).unwrap();
    assert!(load_at(&path).unwrap_err().to_string().contains("too large for a spec"));
}

#[test]
fn more_fits_than_a_list_can_hold_are_refused() {
    let seeds: Vec<String> = (0..400).map(|seed| seed.to_string()).collect();
    let lines = format!("scoring = {{ folds = 3, repeats = 1000 }}\nsampler.seeds = [{}]", seeds.join(", "));
    let many = report(&with(&lines), DATA);
    // Three K and 400 seeds, each on all rows and on 3,000 folds.
    assert!(many.contains("3601200 fits, at most 1000000 can be run"), "{many}");
}

#[test]
fn repeats_and_groups_hold_out_every_row_once_and_repeats_differ() {
    let lines = "scoring = { folds = 3, repeats = 4, groups = \"kind\" }";
    let experiment = load(&with(lines), &DATA.replace("1,1,x", "1,1,z")).unwrap();
    let (folds, groups) = (experiment.parts(Fits::Folds), experiment.groups());
    assert_eq!((folds.len(), groups.len()), (4, 3));
    for partition in folds.iter().chain([&groups]) {
        let mut rows: Vec<usize> = partition.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
        rows.sort_unstable();
        assert_eq!(rows, [0, 1, 2, 3, 4, 5]);
        assert!(partition.iter().all(|(_, rows)| rows.is_sorted()));
    }
    let rows = |repeat: usize| folds[repeat].iter().map(|(_, rows)| rows.clone()).collect::<Vec<_>>();
    assert!((1..4).any(|repeat| rows(repeat) != rows(0)));
    assert_eq!(groups[0].1[..], [0, 2, 4]);
}

#[test]
fn groups_that_cannot_be_held_out_are_refused() {
    let groups = |column: &str| with(&format!("scoring.groups = \"{column}\""));
    let one = DATA.replace('y', "x");
    let many = groups("kind").replace("to = 3", "to = 4");
    let folds = "\nscoring.criteria = [\"logo\"]\n";
    insta::assert_snapshot!(
        [report(&groups("kind"), &one), report(&groups("knd"), DATA), report(&(many + folds), DATA)]
            .join("\n\n")
    );
}

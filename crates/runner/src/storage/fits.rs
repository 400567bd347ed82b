//! One file per fit: the draws of those of all rows, and what the others say of the rows that they did not see.

use anyhow::{Result, anyhow, ensure};
use gmm_sampler::draws::Draws;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::nuts::chain::DrawStats;
use gmm_sampler::nuts::trajectory::{Ending, Transition};

use super::footer::{INPUTS, VERSION, VERSION_ENTRY};
use super::inputs::{DATA, Inputs};
use super::seal::{self, Sealed};
use super::store::Store;
use crate::parquet::Column;
use crate::storage::atomic::DiskResult;
use crate::storage::diagnostic::{self, Diagnostic};
use crate::study::job::Job;

/// Footer entry: chains left out of a fit, from 0, separated by commas.
const FALLEN: &str = "gmm.fallen";

/// Footer entry: rows whose trajectory was cut off by the largest tree depth, from 0, separated by commas. It is written where
/// any trajectory reached that depth, since the depth does not tell whether the trajectory also turned there.
const CUT_OFF: &str = "gmm.cut_off";

/// Footer entry: what is wrong with the fit that rows were held out from, as JSON; empty if nothing is. Earlier versions wrote words.
const TROUBLE: &str = "gmm.trouble";

/// Footer entry: the Monte Carlo standard error of the sum of a held-out part's log densities.
const MCSE: &str = "gmm.mcse";

/// The draws of all chains of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Variables as [`Mixture::variables`] names them, on the data's own scale.
    pub draws: Draws,
    /// Chain-major, as the draws.
    pub stats: Vec<DrawStats>,
    /// Chains, counted from 0, that fell into the spike of tied observations and are not among the draws.
    pub fallen: Vec<usize>,
}

/// What a fit says of the rows that it has not seen.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    /// Held-out rows, from 0, ascending.
    pub rows: Vec<usize>,
    /// Their log predictive densities, in nats per unit of the data's own scale.
    pub elpd: Vec<f64>,
    /// Monte Carlo standard error of the sum of these, in nats.
    pub mcse: f64,
    /// What is wrong with the fit behind them; empty if nothing is.
    pub diagnostics: Vec<Diagnostic>,
}

/// What every fit's footer says of where it came from. Only the inputs are compared; the rest is for whoever opens the file.
fn origin(job: Job, inputs: &Inputs) -> Vec<(&'static str, String)> {
    let text = |field| inputs.text_of(field).unwrap_or_default().to_owned();
    let mut entries = vec![
        ("gmm.name", text("name")),
        (VERSION_ENTRY, VERSION.to_owned()),
        ("gmm.spec", inputs.hash()),
        ("gmm.data", text(DATA)),
        ("gmm.components", job.model.components.to_string()),
        ("gmm.seed", job.seed.to_string()),
    ];
    entries.extend(job.variant.subdirectory().map(|name| ("gmm.part", name)));
    entries.push((INPUTS, inputs.text()));
    entries
}

impl Store {
    /// Stores a fit's draws.
    ///
    /// # Errors
    /// The disk.
    pub fn write_fit(&self, job: Job, inputs: &Inputs, fit: &Fit) -> DiskResult<()> {
        let (n_draws, n) = (fit.draws.n_draws(), fit.draws.len());
        let stat = |value: fn(&DrawStats) -> f64| fit.stats.iter().map(value).collect::<Vec<_>>();
        let count = |value: fn(&DrawStats) -> u32| fit.stats.iter().map(value).collect::<Vec<_>>();
        let index = |value: &dyn Fn(usize) -> usize| (0..n).map(|s| value(s) as u32).collect::<Vec<_>>();
        let kept: Vec<usize> = (0..fit.draws.n_chains() + fit.fallen.len())
            .filter(|chain| !fit.fallen.contains(chain))
            .collect();
        let mut columns = vec![
            Column::new("chain", index(&|s| kept[s / n_draws])),
            Column::new("draw", index(&|s| s % n_draws)),
            Column::new("lp", stat(|s| s.lp)),
            Column::new("acceptance_rate", stat(|s| s.transition.acceptance_rate)),
            Column::new("step_size", stat(|s| s.step_size)),
            Column::new("tree_depth", count(|s| s.transition.tree_depth)),
            Column::new("n_steps", count(|s| s.transition.n_steps)),
            Column::new(
                "diverging",
                fit.stats.iter().map(|s| s.transition.diverging()).collect::<Vec<bool>>(),
            ),
            Column::new("energy", stat(|s| s.transition.energy)),
        ];
        columns.extend(
            fit.draws
                .variables()
                .iter()
                .enumerate()
                .map(|(variable, name)| Column::new(name, fit.draws.column(variable).to_vec())),
        );
        let mut footer = origin(job, inputs);
        footer.push((FALLEN, fit.fallen.iter().map(usize::to_string).collect::<Vec<_>>().join(",")));
        let max_tree_depth = inputs.count("sampler.max_tree_depth").unwrap_or(u64::MAX);
        if fit.stats.iter().any(|s| u64::from(s.transition.tree_depth) >= max_tree_depth) {
            let cut_off = (0..n).filter(|&s| fit.stats[s].transition.ending == Ending::CutOff);
            footer.push((CUT_OFF, cut_off.map(|s| s.to_string()).collect::<Vec<_>>().join(",")));
        }
        seal::write(&self.path(job), columns, &footer)
    }

    /// Stores what a fit says of the rows that it has not seen.
    ///
    /// # Errors
    /// The disk.
    pub fn write_held_out(&self, job: Job, inputs: &Inputs, held_out: &HeldOut) -> DiskResult<()> {
        let rows: Vec<u32> = held_out.rows.iter().map(|&row| row as u32).collect();
        let columns = vec![Column::new("observation", rows), Column::new("elpd", held_out.elpd.clone())];
        let mut footer = origin(job, inputs);
        footer.push((TROUBLE, diagnostic::to_text(&held_out.diagnostics)));
        footer.push((MCSE, format!("{:?}", held_out.mcse)));
        seal::write(&self.path(job), columns, &footer)
    }
}

/// The fit of K components that a file holds.
///
/// # Errors
/// A file of another shape, which no fit of that K leaves.
pub fn fit(file: &Sealed, components: usize, n_features: usize) -> Result<Fit> {
    let mut table = file.table()?;
    let chain = table.take::<u32>("chain")?;
    // Numbers of chains may have gaps, where one was left out.
    let n_chains = chain.chunk_by(|a, b| a == b).count();
    ensure!(
        n_chains > 0 && chain.len() % n_chains == 0 && chain.is_sorted(),
        "the chains are not of one length"
    );
    let variables = Mixture::variables(components, n_features);
    let columns = variables.iter().map(|name| table.take(name)).collect::<Result<Vec<Vec<f64>>>>()?;
    let [lp, acceptance_rate, step_size, energy] =
        ["lp", "acceptance_rate", "step_size", "energy"].map(|name| table.take::<f64>(name));
    let (lp, acceptance_rate, step_size, energy) = (lp?, acceptance_rate?, step_size?, energy?);
    let (tree_depth, n_steps) = (table.take::<u32>("tree_depth")?, table.take::<u32>("n_steps")?);
    let diverging = table.take::<bool>("diverging")?;
    let cut_off = cut_off(file, &tree_depth)?;
    let stats = (0..chain.len())
        .map(|s| {
            let ending = match (diverging[s], cut_off[s]) {
                (true, _) => Ending::Diverged,
                (false, true) => Ending::CutOff,
                (false, false) => Ending::Turned,
            };
            DrawStats {
                lp: lp[s],
                step_size: step_size[s],
                transition: Transition {
                    acceptance_rate: acceptance_rate[s],
                    tree_depth: tree_depth[s],
                    n_steps: n_steps[s],
                    ending,
                    energy: energy[s],
                },
            }
        })
        .collect();
    Ok(Fit {
        draws: Draws::from_columns(n_chains, variables, columns),
        stats,
        fallen: indices(file.entry(FALLEN).unwrap_or_default())?,
    })
}

/// Numbers from 0, separated by commas.
fn indices(text: &str) -> Result<Vec<usize>> {
    let numbers = text.split(',').filter(|number| !number.is_empty());
    numbers.map(|number| number.parse().map_err(|_| anyhow!("`{number}` is not an index"))).collect()
}

/// Whether each row's trajectory was cut off by the largest tree depth. Older files lack the entry: there every trajectory of that
/// depth counts as cut off, also where it turned in its last doubling.
fn cut_off(file: &Sealed, tree_depth: &[u32]) -> Result<Vec<bool>> {
    let Some(rows) = file.entry(CUT_OFF) else {
        let limit = file.inputs()?.count("sampler.max_tree_depth").unwrap_or(u64::MAX);
        return Ok(tree_depth.iter().map(|&depth| u64::from(depth) >= limit).collect());
    };
    let mut cut_off = vec![false; tree_depth.len()];
    for row in indices(rows)? {
        *cut_off.get_mut(row).ok_or_else(|| anyhow!("{CUT_OFF} names row {row}, which is missing"))? = true;
    }
    Ok(cut_off)
}

/// What a file holds of rows that a fit has not seen.
///
/// # Errors
/// A file of another shape.
pub fn held_out(file: &Sealed) -> Result<HeldOut> {
    let mut table = file.table()?;
    let rows = table.take::<u32>("observation")?.into_iter().map(|row| row as usize).collect();
    let mcse = file.entry(MCSE).ok_or_else(|| anyhow!("{MCSE} is missing"))?;
    Ok(HeldOut {
        rows,
        elpd: table.take("elpd")?,
        mcse: mcse.parse().map_err(|error| anyhow!("{MCSE} is {mcse}: {error}"))?,
        diagnostics: diagnostic::from_text(file.entry(TROUBLE).unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::job::{ModelKey, Variant};

    /// A fit of one component with these depths and endings, as it is read back from its file; `entry` keeps the file's entry.
    fn read_back(endings: &[(u32, Ending)], entry: bool) -> (Vec<Ending>, bool) {
        let directory = tempfile::tempdir().unwrap();
        let job = Job { model: ModelKey::full(1), variant: Variant::AllRows, seed: 1 };
        let inputs = Inputs::new().with("sampler.max_tree_depth", 2);
        let stats = |&(tree_depth, ending): &(u32, Ending)| DrawStats {
            lp: -1.0,
            step_size: 0.5,
            transition: Transition { acceptance_rate: 0.9, tree_depth, n_steps: 3, ending, energy: 1.0 },
        };
        let variables = Mixture::variables(1, 1);
        let columns = vec![vec![1.0; endings.len()]; variables.len()];
        let fit = Fit {
            draws: Draws::from_columns(1, variables, columns),
            stats: endings.iter().map(stats).collect(),
            fallen: Vec::new(),
        };
        let store = Store::new(directory.path().join("out"));
        store.write_fit(job, &inputs, &fit).unwrap();
        let path = store.path(job);
        let file = Sealed::open(std::fs::read(&path).unwrap()).unwrap();
        let has_entry = file.entry(CUT_OFF).is_some();
        let file = if entry {
            file
        } else {
            let columns = file.table().unwrap().into_columns();
            seal::write(&path, columns, &origin(job, &inputs)).unwrap();
            Sealed::open(std::fs::read(&path).unwrap()).unwrap()
        };
        let read = super::fit(&file, 1, 1).unwrap();
        (read.stats.iter().map(|draw| draw.transition.ending).collect(), has_entry)
    }

    #[test]
    fn endings_are_read_back_and_listed_only_if_the_depth_is_ambiguous() {
        let deep = [(2, Ending::CutOff), (2, Ending::Turned), (1, Ending::Diverged), (2, Ending::CutOff)];
        let (read, has_entry) = read_back(&deep, true);
        assert_eq!((read, has_entry), (deep.map(|(_, ending)| ending).to_vec(), true));
        let shallow = [(1, Ending::Turned), (0, Ending::Diverged)];
        let (read, has_entry) = read_back(&shallow, true);
        assert_eq!((read, has_entry), (shallow.map(|(_, ending)| ending).to_vec(), false));
    }

    #[test]
    fn without_the_entry_every_trajectory_of_the_largest_depth_is_cut_off() {
        let stored = [(2, Ending::CutOff), (2, Ending::Turned), (1, Ending::Turned)];
        let (read, _) = read_back(&stored, false);
        assert_eq!(read, [Ending::CutOff, Ending::CutOff, Ending::Turned]);
    }
}

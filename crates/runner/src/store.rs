//! What lands on disk as Parquet, and how it is read again: the only room, beside the data reader, that knows polars.

mod accuracy;
mod bench;
mod draws;
mod loo;
mod suite;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use gmm_sampler::diagnostics::Summary;
use gmm_sampler::draws::Draws;
use gmm_sampler::mixture::params::Mixture;
use gmm_sampler::nuts::chain::DrawStats;
use gmm_sampler::nuts::trajectory::Transition;
use polars::polars_utils::compression::ZstdLevel;
use polars::prelude::*;

use crate::disk::write_whole;
use crate::experiment::Experiment;
use crate::fit::{Fit, settings};
use crate::jobs::{Job, Part, Task};
use crate::score::{HeldOut, ScoreRow, SummaryRow};

pub use accuracy::{write_checks, write_ranks, write_z_scores};
pub use bench::{write_growths, write_measurements};
pub use draws::{Content, DrawsFile};
pub use suite::{Key, read_outcome, write_biases, write_observations, write_outcome, write_picks};

/// Changes when the same spec and data would give other draws than before: what earlier versions stored is then sampled anew.
const ALGORITHM: u32 = 4;

/// Footer entry: chains left out of a fit, from 0, separated by commas.
const FALLEN: &str = "gmm.fallen";

/// Footer entry: why the fit that rows were held out from is doubtful.
const TROUBLE: &str = "gmm.trouble";

/// Footer entry: the Monte Carlo standard error of the sum of a held-out part's log densities.
const MCSE: &str = "gmm.mcse";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Rows that are encoded, and later read, at a time: polars' own default. A fit rarely has more.
const ROW_GROUP: usize = 512 * 512;

/// The results directory of one experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

/// What a stored fit depends on, which its file's footer carries: a file with another key is stale.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Footer(Vec<(&'static str, String)>);

impl Footer {
    fn of(experiment: &Experiment, task: &Task) -> Self {
        let (spec, job) = (&experiment.spec, task.job);
        // Exactly what a fit depends on. Adding a K, a seed, a criterion or a repeat changes no fit. Of `folds` the rows that
        // are held out are what counts; the key is as old as the stored fits of all rows.
        let folds = (job.part != Part::All).then(|| rows_hash(&task.held_out));
        let settings = settings(spec, job.part);
        let sampler = &spec.sampler;
        let slice = serde_json::json!({
            "scale": spec.data.scale,
            "prior": spec.model.prior,
            "chains": sampler.chains,
            "warmup": settings.warmup,
            "draws": settings.draws,
            "target_accept": sampler.target_accept,
            "max_tree_depth": sampler.max_tree_depth,
            "folds": folds,
            "algorithm": ALGORITHM,
        });
        let mut entries = vec![
            ("gmm.name", spec.name.clone()),
            ("gmm.version", VERSION.to_owned()),
            ("gmm.spec", blake3::hash(slice.to_string().as_bytes()).to_hex().to_string()),
            ("gmm.data", experiment.observations_hash.clone()),
            ("gmm.components", job.components.to_string()),
            ("gmm.seed", job.seed.to_string()),
        ];
        entries.extend(job.part.place().1.map(|name| ("gmm.part", name)));
        Self(entries)
    }

    /// Whether a file's footer has every entry of this one.
    fn is_in(&self, metadata: &KeyValueMetadataEntries) -> bool {
        self.0.iter().all(|(key, value)| metadata.iter().any(|(k, v)| k == key && v == value))
    }
}

/// BLAKE3 of the rows that are held out together.
fn rows_hash(rows: &[usize]) -> String {
    let bytes: Vec<u8> = rows.iter().flat_map(|&row| (row as u64).to_le_bytes()).collect();
    blake3::hash(&bytes).to_hex().to_string()
}

type KeyValueMetadataEntries = Vec<(String, String)>;

impl Store {
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a job's result is, in hive layout.
    #[must_use]
    pub fn path(&self, job: Job) -> PathBuf {
        let (top, name) = job.part.place();
        let below = self.root.join(top).join(format!("components={}/seed={}", job.components, job.seed));
        match name {
            None => below.join("draws.parquet"),
            Some(name) => below.join(name).join("held_out.parquet"),
        }
    }

    /// Whether the job's result is there, made by this version from these observations and this part of the spec.
    #[must_use]
    pub fn has(&self, experiment: &Experiment, task: &Task) -> bool {
        let footer = Footer::of(experiment, task);
        metadata(&self.path(task.job)).is_ok_and(|metadata| footer.is_in(&metadata))
    }

    /// Removes a job's result, if there is one.
    ///
    /// # Errors
    /// The disk.
    pub fn remove(&self, job: Job) -> Result<()> {
        removed(&self.path(job))
    }

    /// Stores a fit's draws.
    ///
    /// # Errors
    /// The disk.
    pub fn write_fit(&self, experiment: &Experiment, task: &Task, fit: &Fit) -> Result<()> {
        let (n_draws, n) = (fit.draws.n_draws(), fit.draws.len());
        let stat = |value: fn(&DrawStats) -> f64| fit.stats.iter().map(value).collect::<Vec<_>>();
        let count = |value: fn(&DrawStats) -> u32| fit.stats.iter().map(value).collect::<Vec<_>>();
        let index = |value: &dyn Fn(usize) -> usize| (0..n).map(|s| value(s) as u32).collect::<Vec<_>>();
        let kept: Vec<usize> = (0..fit.draws.n_chains() + fit.fallen.len())
            .filter(|chain| !fit.fallen.contains(chain))
            .collect();
        let mut columns = vec![
            Column::new("chain".into(), index(&|s| kept[s / n_draws])),
            Column::new("draw".into(), index(&|s| s % n_draws)),
            Column::new("lp".into(), stat(|s| s.lp)),
            Column::new("acceptance_rate".into(), stat(|s| s.transition.acceptance_rate)),
            Column::new("step_size".into(), stat(|s| s.step_size)),
            Column::new("tree_depth".into(), count(|s| s.transition.tree_depth)),
            Column::new("n_steps".into(), count(|s| s.transition.n_steps)),
            Column::new(
                "diverging".into(),
                fit.stats.iter().map(|s| s.transition.diverging).collect::<Vec<bool>>(),
            ),
            Column::new("energy".into(), stat(|s| s.transition.energy)),
        ];
        columns.extend(
            fit.draws
                .variables()
                .iter()
                .enumerate()
                .map(|(variable, name)| Column::new(name.into(), fit.draws.column(variable))),
        );
        let mut footer = Footer::of(experiment, task).0;
        footer.push((FALLEN, fit.fallen.iter().map(usize::to_string).collect::<Vec<_>>().join(",")));
        write_parquet(&self.path(task.job), columns, &footer)
    }

    /// Reads a fit again.
    ///
    /// # Errors
    /// A file that is missing, damaged, or of another shape than the job's.
    pub fn read_fit(&self, job: Job, n_features: usize) -> Result<Fit> {
        let path = self.path(job);
        let frame = read_parquet(&path)?;
        let read = || -> Result<Fit> {
            let chain = integers(&frame, "chain")?;
            // Numbers of chains may have gaps, where one was left out.
            let n_chains = chain.chunk_by(|a, b| a == b).count();
            ensure!(
                n_chains > 0 && chain.len() % n_chains == 0 && chain.is_sorted(),
                "the chains are not of one length"
            );
            let variables = Mixture::variables(job.components, n_features);
            let columns = variables.iter().map(|name| numbers(&frame, name)).collect::<Result<Vec<_>>>()?;
            let [lp, acceptance_rate, step_size, energy] =
                ["lp", "acceptance_rate", "step_size", "energy"].map(|name| numbers(&frame, name));
            let (lp, acceptance_rate, step_size, energy) = (lp?, acceptance_rate?, step_size?, energy?);
            let (tree_depth, n_steps) = (integers(&frame, "tree_depth")?, integers(&frame, "n_steps")?);
            let diverging = frame.column("diverging")?.bool()?;
            let stats = (0..chain.len())
                .map(|s| {
                    Ok(DrawStats {
                        lp: lp[s],
                        step_size: step_size[s],
                        transition: Transition {
                            acceptance_rate: acceptance_rate[s],
                            tree_depth: tree_depth[s],
                            n_steps: n_steps[s],
                            diverging: diverging
                                .get(s)
                                .ok_or_else(|| anyhow!("diverging is missing in row {s}"))?,
                            energy: energy[s],
                        },
                    })
                })
                .collect::<Result<_>>()?;
            let footer = metadata(&path)?;
            let fallen = footer.iter().find(|(key, _)| key == FALLEN).map_or("", |(_, value)| value);
            let fallen = fallen.split(',').filter(|chain| !chain.is_empty()).map(str::parse);
            Ok(Fit {
                draws: Draws::from_columns(n_chains, variables, columns),
                stats,
                fallen: fallen.collect::<Result<_, _>>()?,
            })
        };
        read().with_context(|| format!("{} is not a fit of K = {}", path.display(), job.components))
    }

    /// Stores what a fit says of the rows that it has not seen.
    ///
    /// # Errors
    /// The disk.
    pub fn write_held_out(&self, experiment: &Experiment, task: &Task, held_out: &HeldOut) -> Result<()> {
        let rows: Vec<u32> = held_out.rows.iter().map(|&row| row as u32).collect();
        let columns =
            vec![Column::new("observation".into(), rows), Column::new("elpd".into(), held_out.elpd.clone())];
        let mut footer = Footer::of(experiment, task).0;
        footer.push((TROUBLE, held_out.trouble.clone()));
        footer.push((MCSE, format!("{:?}", held_out.mcse)));
        write_parquet(&self.path(task.job), columns, &footer)
    }

    /// Reads it again.
    ///
    /// # Errors
    /// A file that is missing or damaged.
    pub fn read_held_out(&self, job: Job) -> Result<HeldOut> {
        let path = self.path(job);
        let frame = read_parquet(&path)?;
        let rows = integers(&frame, "observation")?.into_iter().map(|row| row as usize).collect();
        let footer = metadata(&path)?;
        let entry =
            |wanted: &str| footer.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.clone());
        let mcse = entry(MCSE).ok_or_else(|| anyhow!("{} has no {MCSE}", path.display()))?;
        Ok(HeldOut {
            rows,
            elpd: numbers(&frame, "elpd")?,
            mcse: mcse.parse().map_err(|error| anyhow!("{MCSE} of {}: {error}", path.display()))?,
            trouble: entry(TROUBLE).unwrap_or_default(),
        })
    }

    /// # Errors
    /// The disk.
    pub fn write_scores(&self, rows: &[ScoreRow]) -> Result<()> {
        let number = |value: fn(&ScoreRow) -> f64| rows.iter().map(value).collect::<Vec<_>>();
        let text = |value: fn(&ScoreRow) -> String| rows.iter().map(value).collect::<Vec<_>>();
        let columns = vec![
            Column::new(
                "components".into(),
                rows.iter().map(|row| row.components as u32).collect::<Vec<_>>(),
            ),
            Column::new("seed".into(), rows.iter().map(|row| row.seed).collect::<Vec<Option<u64>>>()),
            Column::new("criterion".into(), text(|row| row.score.criterion.name().to_owned())),
            Column::new("estimate".into(), number(|row| row.score.estimate)),
            Column::new("se".into(), number(|row| row.score.se)),
            Column::new("mcse".into(), rows.iter().map(|row| row.mcse).collect::<Vec<_>>()),
            Column::new("p_eff".into(), number(|row| row.score.p_eff)),
            Column::new("n_bad".into(), rows.iter().map(|row| row.score.n_bad as u32).collect::<Vec<_>>()),
            Column::new("reliable".into(), rows.iter().map(|row| row.score.reliable).collect::<Vec<bool>>()),
            Column::new("note".into(), text(|row| row.score.note.clone())),
        ];
        write_parquet(&self.root.join("scores.parquet"), columns, &[("gmm.version", VERSION.to_owned())])
    }

    /// # Errors
    /// The disk.
    pub fn write_summary<'a>(&self, rows: impl Iterator<Item = &'a SummaryRow>) -> Result<()> {
        let rows: Vec<&SummaryRow> = rows.collect();
        let number =
            |value: fn(&Summary) -> f64| rows.iter().map(|row| value(&row.summary)).collect::<Vec<_>>();
        let columns = vec![
            Column::new(
                "components".into(),
                rows.iter().map(|row| row.components as u32).collect::<Vec<_>>(),
            ),
            Column::new("seed".into(), rows.iter().map(|row| row.seed).collect::<Vec<u64>>()),
            Column::new("parameter".into(), rows.iter().map(|row| row.parameter.clone()).collect::<Vec<_>>()),
            Column::new("mean".into(), number(|s| s.mean)),
            Column::new("sd".into(), number(|s| s.sd)),
            Column::new("q5".into(), number(|s| s.q5)),
            Column::new("median".into(), number(|s| s.median)),
            Column::new("q95".into(), number(|s| s.q95)),
            Column::new("mcse_mean".into(), number(|s| s.mcse_mean)),
            Column::new("ess_bulk".into(), number(|s| s.ess_bulk)),
            Column::new("ess_tail".into(), number(|s| s.ess_tail)),
            Column::new("rhat".into(), number(|s| s.rhat)),
        ];
        write_parquet(&self.root.join("summary.parquet"), columns, &[("gmm.version", VERSION.to_owned())])
    }
}

/// Removes a file, if there is one.
fn removed(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", path.display()))
        }
        _ => Ok(()),
    }
}

/// The footer of files that belong to no experiment.
fn version_alone() -> [(&'static str, String); 1] {
    [("gmm.version", VERSION.to_owned())]
}

fn write_parquet(path: &Path, columns: Vec<Column>, footer: &[(&'static str, String)]) -> Result<()> {
    let frame = DataFrame::new_infer_height(columns)?;
    let entries = footer.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    write_whole(path, |file| {
        // `finish` of the writer as a whole would first split the frame into its chunks, of which there is one, and for that
        // make a buffer of 8 MiB of zeros that nobody reads.
        let mut writer = ParquetWriter::new(file)
            // Random mantissas do not compress; statistics and labels do, and level 1 costs next to nothing.
            .with_compression(ParquetCompression::Zstd(Some(ZstdLevel::try_new(1)?)))
            .with_key_value_metadata(Some(KeyValueMetadata::from_static(entries)))
            // Writers run inside our own pool already.
            .set_parallel(false)
            .batched(frame.schema())?;
        for first in (0..frame.height()).step_by(ROW_GROUP) {
            writer.write_batch(&frame.slice(first as i64, ROW_GROUP))?;
        }
        writer.finish()?;
        Ok(())
    })
}

/// Of damaged files polars panics in places; here that is an error like any other.
fn guarded<T>(path: &Path, read: impl FnOnce(File) -> Result<T>) -> Result<T> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    match catch_unwind(AssertUnwindSafe(|| read(file))) {
        Ok(result) => result.with_context(|| format!("{} is damaged", path.display())),
        Err(_) => bail!("{} is damaged: its reader gave up", path.display()),
    }
}

fn metadata(path: &Path) -> Result<KeyValueMetadataEntries> {
    guarded(path, |file| {
        let mut reader = ParquetReader::new(file);
        let entries = reader.get_metadata()?.key_value_metadata().clone().unwrap_or_default();
        Ok(entries.into_iter().filter_map(|entry| Some((entry.key, entry.value?))).collect())
    })
}

fn read_parquet(path: &Path) -> Result<DataFrame> {
    guarded(path, |file| Ok(ParquetReader::new(file).finish()?))
}

fn numbers(frame: &DataFrame, name: &str) -> Result<Vec<f64>> {
    let column = frame.column(name)?.f64()?;
    ensure!(column.null_count() == 0, "column {name} has empty cells");
    Ok(column.into_no_null_iter().collect())
}

fn integers(frame: &DataFrame, name: &str) -> Result<Vec<u32>> {
    let column = frame.column(name)?.u32()?;
    ensure!(column.null_count() == 0, "column {name} has empty cells");
    Ok(column.into_no_null_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_rows_than_a_group_holds_come_back_in_their_order() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("long.parquet");
        let rows: Vec<u32> = (0..ROW_GROUP as u32 + 5).collect();
        write_parquet(&path, vec![Column::new("row".into(), &rows)], &[("key", "value".to_owned())]).unwrap();
        assert_eq!(integers(&read_parquet(&path).unwrap(), "row").unwrap(), rows);
        assert!(metadata(&path).unwrap().contains(&("key".to_owned(), "value".to_owned())));
    }
}

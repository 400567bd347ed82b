//! `mixtures.parquet`, mixtures drawn from the posterior with the clusters of their components, and `clusters.parquet`, the cluster of
//! every row.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use gmm_sampler::mixture::params::Mixture;

use super::clusters::{Assignment, Clustering, Clusters, Prediction};
use super::mixtures::PosteriorMixtures;
use crate::data::Dataset;
use crate::parquet::{Column, Values};
use crate::storage::atomic::{DiskResult, read_if_there, remove_file};
use crate::storage::footer::{VERSION, VERSION_ENTRY, version_alone};
use crate::storage::seal::{self, Sealed};
use crate::storage::store::Store;

const MIXTURES: &str = "mixtures.parquet";
const CLUSTERS: &str = "clusters.parquet";

/// The columns of a table of rows, before those with the probability of each cluster.
pub const ROW_COLUMNS: [&str; 6] =
    [ROW, "cluster", "probability", "runner_up", "runner_up_probability", LOG_DENSITY];

const ROW: &str = "row";
const LOG_DENSITY: &str = "log_density";

/// Footer entry: the step in which each feature was recorded, separated by commas.
const STEPS: &str = "gmm.steps";

/// What is needed to predict: the clustering, and what its features are.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredClustering {
    pub clustering: Clustering,
    pub columns: Vec<String>,
    /// As in [`Dataset`].
    pub steps: Vec<f64>,
}

impl Store {
    /// Components and clusters count from 1; means and covariances are on the data's own scale. Where there are no clusters, files of
    /// an earlier run are removed.
    ///
    /// # Errors
    /// The disk.
    pub fn write_clusters(&self, clusters: Option<&Clusters>, dataset: &Dataset) -> DiskResult<()> {
        let [of_mixtures, of_rows] = [MIXTURES, CLUSTERS].map(|file| self.root().join(file));
        let Some(clusters) = clusters else {
            remove_file(&of_mixtures)?;
            return remove_file(&of_rows);
        };
        let steps: Vec<String> = dataset.steps.iter().map(|step| format!("{step:?}")).collect();
        let entries = [(VERSION_ENTRY, VERSION.to_owned()), (STEPS, steps.join(","))];
        let columns = columns_of_mixtures(&clusters.clustering, &dataset.columns);
        seal::write(&of_mixtures, columns, &entries)?;
        seal::write(&of_rows, columns_of_rows(&dataset.rows, &clusters.prediction), &version_alone())
    }
}

fn columns_of_mixtures(clustering: &Clustering, names: &[String]) -> Vec<Column> {
    let of_draw = |(draw, clusters): (usize, &Vec<usize>)| {
        clusters.iter().enumerate().map(|(k, cluster)| (draw as u32, k, *cluster)).collect::<Vec<_>>()
    };
    let draws = &clustering.mixtures.draws;
    let components: Vec<(u32, usize, usize)> =
        clustering.of_components.iter().enumerate().flat_map(of_draw).collect();
    let each = |value: &dyn Fn(&Mixture, usize) -> f64| -> Vec<f64> {
        components.iter().map(|&(draw, k, _)| value(&draws[draw as usize], k)).collect()
    };
    let mut columns = vec![
        Column::new("draw", components.iter().map(|component| component.0).collect::<Vec<_>>()),
        Column::new(
            "component",
            components.iter().map(|component| component.1 as u32 + 1).collect::<Vec<_>>(),
        ),
        Column::new("cluster", components.iter().map(|component| component.2 as u32 + 1).collect::<Vec<_>>()),
        Column::new("weight", each(&|mixture, k| mixture.weight(k))),
    ];
    for (d, name) in names.iter().enumerate() {
        columns.push(Column::new(mean_of(name), each(&|mixture, k| mixture.mean(k)[d])));
    }
    let covariances: Vec<Vec<f64>> =
        components.iter().map(|&(draw, k, _)| draws[draw as usize].covariance(k)).collect();
    for (place, (i, j)) in pairs(names.len()).enumerate() {
        let entries: Vec<f64> = covariances.iter().map(|covariance| covariance[place]).collect();
        columns.push(Column::new(covariance_of(&names[i], &names[j]), entries));
    }
    columns
}

/// Of each row its place in the file, its cluster and the next one, its density, and the probabilities of all clusters.
#[must_use]
pub fn columns_of_rows(places: &[usize], prediction: &Prediction) -> Vec<Column> {
    let assignments: Vec<Assignment> = prediction.assignments().collect();
    let one = |cluster: usize| cluster as u32 + 1;
    let values: [Values; ROW_COLUMNS.len()] = [
        places.iter().map(|&place| place as u64).collect::<Vec<_>>().into(),
        assignments.iter().map(|row| one(row.cluster)).collect::<Vec<_>>().into(),
        assignments.iter().map(|row| row.probability).collect::<Vec<_>>().into(),
        assignments.iter().map(|row| row.runner_up.map(|(other, _)| one(other))).collect::<Vec<_>>().into(),
        assignments.iter().map(|row| row.runner_up.map(|(_, p)| p)).collect::<Vec<_>>().into(),
        prediction.log_density.clone().into(),
    ];
    let mut columns: Vec<Column> =
        ROW_COLUMNS.into_iter().zip(values).map(|(name, values)| Column::new(name, values)).collect();
    let n_clusters = prediction.n_clusters();
    columns.extend((0..n_clusters).map(|cluster| {
        let of_each = prediction.probabilities.chunks_exact(n_clusters).map(|row| row[cluster]);
        Column::new(probability_of(cluster), of_each.collect::<Vec<f64>>())
    }));
    columns
}

/// The name of the column with the probability of a cluster that counts from 0.
#[must_use]
pub fn probability_of(cluster: usize) -> String {
    format!("probability[{}]", cluster + 1)
}

/// The places of the rows that were fitted, and what is stored of them.
///
/// # Errors
/// As [`StoredClustering::read`].
pub fn read_rows(directory: &Path) -> Result<(Vec<usize>, Prediction)> {
    read(directory, CLUSTERS, |file| {
        let mut table = file.table()?;
        let names: Vec<String> = (0..).map(probability_of).take_while(|name| table.has(name)).collect();
        let columns: Vec<Vec<f64>> = names.iter().map(|name| table.take(name)).collect::<Result<_>>()?;
        ensure!(!columns.is_empty(), "it has no cluster");
        let log_density = table.take::<f64>(LOG_DENSITY)?;
        let probabilities =
            (0..log_density.len()).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
        let places = table.take::<u64>(ROW)?.into_iter().map(|place| place as usize).collect();
        Ok((places, Prediction { probabilities, log_density }))
    })
}

/// What a stored file says, if it is there and whole.
fn read<T>(directory: &Path, name: &str, of: impl FnOnce(&Sealed) -> Result<T>) -> Result<T> {
    let path = directory.join(name);
    let Some(bytes) = read_if_there(&path)? else {
        bail!("{} holds no clusters: use `gmm choose` or `gmm run` to compute them", directory.display());
    };
    Sealed::open(bytes).and_then(|file| of(&file)).with_context(|| format!("{} is damaged", path.display()))
}

fn mean_of(name: &str) -> String {
    format!("mean[{name}]")
}

fn covariance_of(one: &str, other: &str) -> String {
    format!("covariance[{one},{other}]")
}

/// The places of a packed lower triangle.
fn pairs(d: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..d).flat_map(|i| (0..=i).map(move |j| (i, j)))
}

impl StoredClustering {
    /// From a directory of results.
    ///
    /// # Errors
    /// No clusters in this directory, a damaged file, a disk that cannot be read.
    pub fn read(directory: &Path) -> Result<Self> {
        read(directory, MIXTURES, Self::from_file)
    }

    /// From a stored file.
    ///
    /// # Errors
    /// A content that this program did not write.
    pub fn from_file(file: &Sealed) -> Result<Self> {
        let steps = file.entry(STEPS).context("it does not say how features were rounded")?;
        let steps: Vec<f64> = steps.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let mut table = file.table()?;
        let name_of = |name: &str| Some(name.strip_prefix("mean[")?.strip_suffix(']')?.to_owned());
        let columns: Vec<String> = table.names().filter_map(name_of).collect();
        let d = columns.len();
        ensure!(d > 0 && steps.len() == d, "it has {d} features and {} steps", steps.len());
        let (draws, clusters) = (table.take::<u32>("draw")?, table.take::<u32>("cluster")?);
        let weights = table.take::<f64>("weight")?;
        let means: Vec<Vec<f64>> =
            columns.iter().map(|name| table.take(&mean_of(name))).collect::<Result<_>>()?;
        let covariances: Vec<Vec<f64>> = pairs(d)
            .map(|(i, j)| table.take(&covariance_of(&columns[i], &columns[j])))
            .collect::<Result<_>>()?;
        let rows_of = |columns: &[Vec<f64>], rows: std::ops::Range<usize>| -> Vec<f64> {
            rows.flat_map(|row| columns.iter().map(move |column| column[row])).collect()
        };
        let (mut mixtures, mut of_components) = (Vec::new(), Vec::new());
        let mut begins = 0;
        while begins < draws.len() {
            let ends = begins + draws[begins..].iter().take_while(|draw| **draw == draws[begins]).count();
            let rows = begins..ends;
            mixtures.push(Mixture::from_covariances(
                d,
                &weights[rows.clone()],
                &rows_of(&means, rows.clone()),
                &rows_of(&covariances, rows.clone()),
            )?);
            let of_draw = clusters[rows].iter().map(|&cluster| (cluster as usize).checked_sub(1));
            of_components.push(of_draw.collect::<Option<Vec<_>>>().context("clusters count from 1")?);
            begins = ends;
        }
        let n_clusters = of_components.iter().flatten().max().context("it has no mixture")? + 1;
        ensure!(n_clusters <= draws.len(), "it has {n_clusters} clusters of {} components", draws.len());
        let mixtures = PosteriorMixtures { draws: mixtures };
        Ok(Self { clustering: Clustering { mixtures, of_components, n_clusters }, columns, steps })
    }
}

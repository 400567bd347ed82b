//! Scores of models fitted elsewhere, as people and programs read them.

use std::fmt::Write;

use gmm_scoring::khat_threshold;
use serde_json::{Value, json};

use super::models::{Model, Ranked};
use crate::present::table::short;
use crate::present::text_table::{TextTable, terminal_width};
use crate::present::words;
use crate::present::words::list::{counted, sentences};

/// Bad observations that are named in a table; JSON has all.
const NAMED: usize = 20;

/// Above this even the mean of the ratios may not exist: Vehtari et al. (2024), section 3.2.
const VERY_BAD: f64 = 1.0;

/// Every model in turn, then how they compare.
pub fn text(models: &[Model], ranked: Option<&Ranked>) -> String {
    let mut text: String = models.iter().map(model_text).collect::<Vec<_>>().join("\n");
    if let Some(ranked) = ranked {
        write!(text, "\n{}", comparison(models, ranked)).expect("writing to a string cannot fail");
    }
    text
}

fn model_text(model: &Model) -> String {
    let Model { name, n_chains, n_draws, observations, log_likelihood, .. } = model;
    let mut scores = vec![["", "elpd", "SE", "p "].map(str::to_owned).to_vec()];
    for (title, score) in [("PSIS-LOO", &model.loo), ("WAIC", &model.waic)] {
        let caveat = if score.reliable { " " } else { "?" };
        scores.push(vec![
            title.to_owned(),
            format!("{:.2}", score.estimate),
            short(score.se),
            format!("{}{caveat}", short(score.p_eff)),
        ]);
    }
    let or_dash = |value: f64, text: String| if value.is_nan() { "–".to_owned() } else { text };
    let mut text = format!(
        "{name}: {} of {} draws, {}\n\n{}\n{}\n",
        counted(*n_chains, "chain"),
        n_draws / n_chains,
        counted(observations.len(), "observation"),
        render(scores),
        pareto_k(model)
    );
    let bad: Vec<usize> = model.bad().collect();
    if !bad.is_empty() {
        let mut rows = vec![["bad observation", "elpd", "Pareto k", "n_eff"].map(str::to_owned).to_vec()];
        for &i in bad.iter().take(NAMED) {
            let point = &model.points[i];
            rows.push(vec![
                observations[i].escape_debug().to_string(),
                short(point.elpd),
                format!("{:.3}", point.pareto_k),
                or_dash(point.n_eff, format!("{:.0}", point.n_eff)),
            ]);
        }
        text.push_str(&render(rows));
        if bad.len() > NAMED {
            writeln!(text, "{} more", bad.len() - NAMED).expect("writing to a string cannot fail");
        }
        text.push('\n');
    }
    writeln!(
        text,
        "log-likelihood of all observations: R-hat {}, bulk ESS {}, tail ESS {}",
        or_dash(log_likelihood.rhat, format!("{:.3}", log_likelihood.rhat)),
        or_dash(log_likelihood.ess_bulk, format!("{:.0}", log_likelihood.ess_bulk)),
        or_dash(log_likelihood.ess_tail, format!("{:.0}", log_likelihood.ess_tail)),
    )
    .expect("writing to a string cannot fail");
    text
}

/// A table whose first column holds names, for the terminal.
fn render(rows: Vec<Vec<String>>) -> String {
    TextTable::with_names(rows).render(terminal_width(), 1)
}

/// How many observations have which k, and the least effective number of draws behind one of them.
fn pareto_k(model: &Model) -> String {
    let threshold = khat_threshold(model.n_draws);
    let class = |k: f64| match k {
        _ if k <= threshold => 0,
        _ if k <= VERY_BAD => 1,
        _ => 2,
    };
    let titles = [
        ("good", format!("at most {threshold:.3}")),
        ("bad", format!("at most {VERY_BAD:.3}")),
        ("very bad", "above, or no tail".to_owned()),
    ];
    let mut rows = vec![["Pareto k", "", "observations", "share", "least n_eff"].map(str::to_owned).to_vec()];
    for (index, (title, range)) in titles.into_iter().enumerate() {
        let members = || model.points.iter().filter(|point| class(point.pareto_k) == index);
        let count = members().count();
        let least = members().map(|point| point.n_eff).fold(f64::INFINITY, f64::min);
        rows.push(vec![
            title.to_owned(),
            range,
            count.to_string(),
            format!("{:.1} %", 100.0 * count as f64 / model.points.len() as f64),
            if least.is_finite() { format!("{least:.0}") } else { "–".to_owned() },
        ]);
    }
    render(rows)
}

fn comparison(models: &[Model], ranked: &Ranked) -> String {
    let mut rows = vec![
        ["by PSIS-LOO", "elpd_diff", "se_diff", "stacking", "pseudo-BMA", "pseudo-BMA+ "]
            .map(str::to_owned)
            .to_vec(),
    ];
    for row in &ranked.comparison.rows {
        let index = row.model;
        let caveat = if models[index].caveats.is_empty() { " " } else { "?" };
        rows.push(vec![
            models[index].name.clone(),
            short(row.difference),
            short(row.difference_se),
            format!("{:.3}", row.weight),
            format!("{:.3}", ranked.pseudo_bma[index]),
            format!("{:.3}{caveat}", ranked.pseudo_bma_plus[index]),
        ]);
    }
    let legend = if models.iter().all(|model| model.caveats.is_empty()) { "" } else { "\n?  unreliable\n" };
    format!("{}{legend}", render(rows))
}

/// What a criterion's own diagnostic finds wrong, in sentences on one line.
fn note(score: &gmm_scoring::Score) -> String {
    sentences(score.diagnostics.iter().map(words::diagnostics::criterion))
}

/// What is undefined or infinite is null.
pub fn json(models: &[Model], ranked: Option<&Ranked>) -> Value {
    let of_model = |model: &Model| {
        let points =
            |field: fn(&gmm_scoring::LooPoint) -> f64| model.points.iter().map(field).collect::<Vec<f64>>();
        let bad: Vec<&String> = model.bad().map(|i| &model.observations[i]).collect();
        let (loo, waic, total) = (&model.loo, &model.waic, &model.log_likelihood);
        json!({
            "name": model.name,
            "n_chains": model.n_chains,
            "n_draws": model.n_draws / model.n_chains,
            "observations": model.observations,
            "loo": {
                "elpd": loo.estimate,
                "se": loo.se,
                "p": loo.p_eff,
                "pointwise": loo.pointwise,
                "pareto_k": points(|point| point.pareto_k),
                "n_eff": points(|point| point.n_eff),
                "mcse": points(|point| point.mcse),
                "khat_threshold": khat_threshold(model.n_draws),
                "bad": bad,
                "reliable": loo.reliable,
                "note": note(loo),
            },
            "waic": {
                "elpd": waic.estimate,
                "se": waic.se,
                "p": waic.p_eff,
                "pointwise": waic.pointwise,
                "reliable": waic.reliable,
                "note": note(waic),
            },
            "log_likelihood": {"rhat": total.rhat, "ess_bulk": total.ess_bulk, "ess_tail": total.ess_tail},
            "reliable": model.caveats.is_empty(),
        })
    };
    let rows = ranked.iter().flat_map(|ranked| {
        ranked.comparison.rows.iter().enumerate().map(|(rank, row)| {
            json!({
                "name": models[row.model].name,
                "criterion": "loo",
                "rank": rank + 1,
                "elpd": row.estimate,
                "se": row.se,
                "elpd_diff": row.difference,
                "se_diff": row.difference_se,
                "stacking": row.weight,
                "pseudo_bma": ranked.pseudo_bma[row.model],
                "pseudo_bma_plus": ranked.pseudo_bma_plus[row.model],
                "reliable": models[row.model].caveats.is_empty(),
            })
        })
    });
    json!({"models": models.iter().map(of_model).collect::<Vec<_>>(), "comparison": rows.collect::<Vec<_>>()})
}

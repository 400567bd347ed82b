//! Both programs have the same posterior: every mean and every standard deviation.

use gmm_oracle::case::Case;
use gmm_oracle::chains::{Plan, run_chains};
use gmm_oracle::program::Program;

/// Means and standard deviations may differ by this many Monte Carlo standard errors of both programs together. The tests
/// compare 1050 pairs (105 variables with two peers and 315 with one, two moments each); if all were independent, one would
/// exceed 5 by chance with probability 1050 × 5.7e-7 = 6e-4. The seeds are fixed.
const FAMILY_WISE: f64 = 5.0;

/// Chains that disagree among themselves cannot be compared with others.
const LARGEST_RHAT: f64 = 1.01;

const PLAN: Plan = Plan { chains: 4, warmup: 1000, draws: 4000, seed: 11 };

fn agrees(case: &Case, peers: &[Program], plan: Plan) {
    let ours = run_chains(case, &Program::Ours(case.start.metric.clone()), plan);
    assert!(ours.max_rhat() < LARGEST_RHAT, "{}: ours has R-hat {}", case.name, ours.max_rhat());
    let n_variables = ours.estimates.len() as f64;
    let mut failures = Vec::new();
    for peer in peers {
        let theirs = run_chains(case, peer, plan);
        let rhat = theirs.max_rhat();
        assert!(rhat < LARGEST_RHAT, "{}: {} has R-hat {rhat}", case.name, peer.name());
        let (mut largest, mut squares) = ([0.0f64; 2], [0.0f64; 2]);
        for ((name, ours), theirs) in case.variables().iter().zip(&ours.estimates).zip(&theirs.estimates) {
            let z = [
                (ours.summary.mean - theirs.summary.mean)
                    / ours.summary.mcse_mean.hypot(theirs.summary.mcse_mean),
                (ours.summary.sd - theirs.summary.sd) / ours.mcse_sd.hypot(theirs.mcse_sd),
            ];
            for moment in 0..2 {
                largest[moment] = largest[moment].max(z[moment].abs());
                squares[moment] += z[moment] * z[moment] / n_variables;
                // An undefined score is a failure as well.
                if z[moment].is_nan() || z[moment].abs() > FAMILY_WISE {
                    let moment = ["mean", "standard deviation"][moment];
                    failures.push(format!("{}, {name}: {moment} off by {z:?}", peer.name()));
                }
            }
        }
        println!(
            "{} against {}: means, largest |z| {:.2}, root mean square {:.2}; standard deviations {:.2}, {:.2}; \
             least ESS {:.0} and {:.0}; divergences {} and {}",
            case.name,
            peer.name(),
            largest[0],
            squares[0].sqrt(),
            largest[1],
            squares[1].sqrt(),
            ours.min_ess(),
            theirs.min_ess(),
            ours.divergences,
            theirs.divergences
        );
    }
    assert!(failures.is_empty(), "{}: {failures:#?}", case.name);
}

const BOTH: [Program; 2] = [Program::Diagonal, Program::LowRank];

#[test]
fn on_blobs_with_eight_components() {
    agrees(&Case::blobs(), &BOTH, PLAN);
}

#[test]
fn on_old_faithful_with_two_components() {
    agrees(&Case::faithful(), &BOTH, PLAN);
}

#[test]
fn on_iris_with_three_components() {
    agrees(&Case::iris(), &BOTH, PLAN);
}

/// Without the low-rank metric, whose updates alone take minutes of every chain in 314 dimensions. With shorter chains than the
/// others: there is a second mode, the log density some 7 nats lower in it, where row 121 (from 0) has left its component for
/// another. One chain of sixteen visited it within 4000 draws, which says next to nothing of its weight; these chains compare
/// the main mode.
#[test]
fn on_wine_with_three_components() {
    agrees(&Case::wine(), &[Program::Diagonal], Plan { draws: 1000, ..PLAN });
}

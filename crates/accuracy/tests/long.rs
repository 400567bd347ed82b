//! The long suite: more cases, several times the draws and replicates. Minutes, so it runs only when asked for.

mod support;

use gmm_accuracy::suite::Length;

#[test]
#[ignore = "minutes: make test-slow"]
fn the_sampler_passes_the_long_suite() {
    let failures = support::failures(Length::Long);
    assert!(failures.is_empty(), "{failures:#?}");
}

//! The long suite, with more cases, draws and replicates; ignored by default because it takes minutes.

mod support;

use gmm_accuracy::suite::Length;

#[test]
#[ignore = "minutes: make test-slow"]
fn the_sampler_passes_the_long_suite() {
    let failures = support::failures(Length::Long);
    assert!(failures.is_empty(), "{failures:#?}");
}

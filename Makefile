# make experiment   run experiments/old-faithful.toml, or SPEC=...; says where the report is
# make experiments  run all of them, but for suites
# make suites       run those with [suite]: hundreds of simulated data sets each, so that they take up to hours where an experiment
#                   takes seconds; what is interrupted goes on where it stopped
# make test         every test, the quick accuracy suite among them
# make test-slow    the long accuracy suite, whether the quick one notices faults, and make counts: half an hour
# make accuracy     does the sampler sample from the right distribution? The long suite, with a report
# make bench        how fast is it? Kernel, chains, EM and whole fits, and how they grow, with a report: three minutes
# make counts       instructions of fixed work against stored counts, by valgrind; UPDATE_COUNTS=1 stores new ones
# make oracle       the sampler against nuts-rs: agreement and speed, with tables; builds for minutes
# make memcheck     everything that has unsafe code, in valgrind: no invalid or uninitialised memory
# make fuzz         fuzz every reader of foreign bytes for ten minutes each; needs cargo-fuzz and a nightly compiler
# make lint         formatting, clippy with warnings denied, and what dependencies may be (cargo-deny, installed where it is not there)

SPEC ?= experiments/old-faithful.toml
CARGO ?= cargo
GMM = target/release/gmm

# Status 3 says that results are there but some fits are not to be trusted, and which: for a study that is an outcome.
RUN = $(GMM) run $(1) || [ $$? -eq 3 ]

.PHONY: build experiment experiments suites test test-slow accuracy bench counts oracle memcheck fuzz lint deny

build:
	$(CARGO) build --release --locked -p gmm-runner

experiment: build
	@$(call RUN,$(SPEC))

experiments: build
	@for spec in $$(grep -L '^\[suite\]' experiments/*.toml); do $(call RUN,$$spec) || exit $$?; done

suites: build
	@for spec in $$(grep -l '^\[suite\]' experiments/*.toml); do $(call RUN,$$spec) || exit $$?; done

# Randomised laws draw the same cases here every time, so that the tree alone decides; test-slow looks for new ones.
test:
	PROPTEST_RNG_SEED=1 $(CARGO) test --locked

oracle:
	$(CARGO) test --locked --profile oracle -p gmm-oracle --no-fail-fast -- --nocapture --test-threads 1

test-slow:
	PROPTEST_CASES=5000 $(CARGO) test --locked --release
	$(CARGO) test --locked --release -- --ignored

accuracy: build
	$(GMM) accuracy

bench: build
	$(GMM) bench

# By itself, so that no more is built than the sampler.
counts:
	$(CARGO) test --locked --release -p gmm-bench --test instructions -- --ignored --nocapture

# The portable path and AVX2's: valgrind knows no AVX-512.
memcheck:
	valgrind --error-exitcode=9 --quiet $$($(CARGO) test --locked --release -p gmm-sampler --lib --no-run --message-format json \
		| sed -n 's/.*"executable":"\([^"]*\)".*/\1/p') simd likelihood

# Inputs found on the way stay in target/fuzz; those worth keeping go to crates/fuzz/corpus, which make test reads.
SECONDS_EACH ?= 600
fuzz:
	for target in spec csv parquet stored; do \
		mkdir -p target/fuzz/$$target; \
		$(CARGO) +nightly fuzz run --fuzz-dir crates/fuzz --sanitizer none -O $$target $(CURDIR)/target/fuzz/$$target $(CURDIR)/crates/fuzz/corpus/$$target -- \
			-max_total_time=$(SECONDS_EACH) -max_len=20000 || exit $$?; \
	done

# The database of advisories needs a network that not every machine has: `cargo deny check advisories`.
deny:
	command -v cargo-deny >/dev/null || $(CARGO) install --quiet --locked cargo-deny@0.20.2
	$(CARGO) deny --locked --log-level error check licenses bans sources

lint: deny
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --all-targets -- --deny warnings

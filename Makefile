# make experiment   run experiments/old-faithful.toml, or SPEC=...; says where the report is
# make experiments  run all of them
# make test         every test, the quick accuracy suite among them
# make test-slow    the long accuracy suite, and whether the quick one notices faults: half an hour
# make accuracy     does the sampler sample from the right distribution? The long suite, with a report
# make lint         formatting and clippy, warnings denied

SPEC ?= experiments/old-faithful.toml
CARGO ?= cargo
GMM = target/release/gmm

# Status 3 says that results are there but some fits are not to be trusted, and which: for a study that is an outcome.
RUN = $(GMM) run $(1) || [ $$? -eq 3 ]

.PHONY: build experiment experiments test test-slow accuracy lint

build:
	$(CARGO) build --release --locked -p gmm-runner

experiment: build
	@$(call RUN,$(SPEC))

experiments: build
	@for spec in experiments/*.toml; do $(call RUN,$$spec) || exit $$?; done

test:
	$(CARGO) test --locked --workspace

test-slow:
	$(CARGO) test --locked --release --workspace -- --ignored

accuracy: build
	$(GMM) accuracy

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- --deny warnings

# Entry points: `make demo`, `make test`, `make quick`. VENV is where the environment lives.
VENV ?= .venv
PYTHON ?= python3

BIN := $(abspath $(VENV))/bin
INSTALLED := $(VENV)/.huse-installed
DEVELOPED := $(VENV)/.huse-developed
# DVC runs its stages with the `python` it finds on the path.
export PATH := $(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
# Every stage is a process: each would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test tests quick lint clean
.DEFAULT_GOAL := demo

$(BIN)/python:
	$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) and 'Python 3.11, 3.12 or 3.13 is needed: make PYTHON=/path/to/python3.12')"
	$(PYTHON) -m venv $(VENV)

# pip compiles tens of thousands of files on one core; a file that is no Python 3 is left alone.
define install
	$(BIN)/python -m pip install --quiet --no-compile --editable ".[$(1)]"
	$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
endef

$(INSTALLED): pyproject.toml | $(BIN)/python
	$(call install,sample)
	touch $(INSTALLED)

# With the sample's packages.
$(DEVELOPED): pyproject.toml | $(BIN)/python
	$(call install,dev)
	touch $(INSTALLED) $(DEVELOPED)

install: $(INSTALLED)

demo: $(INSTALLED)
	test -f data/raw/openmoji/catalog.csv || huse sample_catalog
	dvc repro
	@echo
	huse compare
	@echo
	@echo "Metrics:   source $(VENV)/bin/activate && dvc metrics show --md"
	@echo "Pictures:  data/evaluate/report.html, data/audit/report.html      (open in a browser)"
	@echo "Plots:     source $(VENV)/bin/activate && dvc plots show && open dvc_plots/index.html"
	@echo "Next:      source $(VENV)/bin/activate && dvc exp run -S loss.beta=4 && dvc exp show"
	@echo "Your data: set catalog.path, catalog.images and catalog.columns in params.yaml, then dvc repro"

# Side by side: mypy takes one core for a minute.
test:
	$(MAKE) --no-print-directory --jobs=2 lint tests

tests: $(DEVELOPED)
	pytest -n auto --dist loadfile --no-loadscope-reorder

# Lint, types and the tests that need no finished project: after every change.
quick: lint
	pytest -n auto --dist loadfile --no-loadscope-reorder -m fast

lint: $(DEVELOPED)
	ruff check .
	ruff format --check .
	mypy

clean:
	rm -rf dvc_plots .mypy_cache .pytest_cache .ruff_cache

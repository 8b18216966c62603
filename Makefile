# Two entry points: `make demo` and `make test`. VENV is where the environment lives.
VENV ?= .venv
PYTHON ?= python3.11

BIN := $(abspath $(VENV))/bin
READY := $(VENV)/.huse-ready
# DVC runs its stages with the `python` it finds on the path.
export PATH := $(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1

.PHONY: demo test lint clean
.DEFAULT_GOAL := demo

$(READY): pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info[:2] != (3, 11) and 'Python 3.11 is needed: make PYTHON=/path/to/python3.11')"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $(READY)

demo: $(READY)
	test -f data/raw/openmoji/catalog.csv || huse sample_catalog
	dvc repro
	@echo
	huse compare
	@echo
	@echo "Metrics:   source $(VENV)/bin/activate && dvc metrics show --md"
	@echo "Pictures:  data/evaluate/report.html      (open in a browser)"
	@echo "           data/evaluate/plots/gallery.png"
	@echo "Plots:     source $(VENV)/bin/activate && dvc plots show && open dvc_plots/index.html"
	@echo "Next:      source $(VENV)/bin/activate && dvc exp run -S loss.beta=4 && dvc exp show"
	@echo "Your data: set catalog.path, catalog.images and catalog.columns in params.yaml, then dvc repro"

test: lint
	pytest -n auto --dist loadfile

lint: $(READY)
	ruff check .
	ruff format --check .
	mypy

clean:
	rm -rf dvc_plots .mypy_cache .pytest_cache .ruff_cache

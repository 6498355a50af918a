# Each target sets up what it needs in .venv. `make demo` and `make test` are the two commands of the README.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A GPU that answers, or GPU=1, takes PyTorch's newest build with CUDA; else the CPU build named in constraints/cpu.txt.
GPU ?= $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1 && echo 1)
CONSTRAINT := $(if $(filter 1,$(GPU)),,-c constraints/cpu.txt)
READY := $(VENV)/.ready

.PHONY: help setup demo test slow lint bench speed clean

help:           ## Show this list
	@sed -n 's/^\([a-z]*\): .*## /  make \1\t/p' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv and install everything into it

$(READY): pyproject.toml constraints/cpu.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' \
		|| { echo "Netwright needs Python 3.11 or 3.12: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "Setting up .venv: once, one to three minutes ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINT) -e '.[bo,data,dev]'
	@if [ -n "$(CONSTRAINT)" ] && $(BIN)/python -m pip list --format=freeze 2>/dev/null | grep -iE '^(nvidia-|triton)'; then \
		echo "A CUDA package came on a machine without a GPU: remove .venv and install PyTorch's CPU build first."; exit 1; fi
	@$(BIN)/python -c 'import matplotlib.font_manager, torch, onnxscript' # builds caches now, not in the first search
	@touch $@

demo: $(READY)  ## Search a network for handwritten digits: about 100 seconds
	@$(BIN)/netwright search digits --limit "params<=5k" --budget 115s
	@echo "To go on: source $(BIN)/activate"

test: $(READY)  ## Pass the tests: some minutes
	@$(BIN)/python -m pytest -q -n 2 -m "not slow"

slow: $(READY)  ## Also the slow tests: real searches, killed and resumed
	@$(BIN)/python -m pytest -q -m slow

lint: $(READY)  ## Style and types
	@$(BIN)/ruff check netwright tests benchmarks examples
	@$(BIN)/ruff format --check netwright tests benchmarks examples
	@$(BIN)/mypy

bench: $(READY) ## Strategies beside one another on a small table: a minute
	@$(BIN)/netwright bench --table minibench --strategies random,evolution,bayes --seeds 60 --budget 150

speed: $(READY) ## The benchmarks of speed that take a minute
	@$(BIN)/python benchmarks/counting.py
	@$(BIN)/python benchmarks/startup.py
	@$(BIN)/python benchmarks/throughput.py --quick

clean:          ## Remove .venv and caches; runs stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build *.egg-info

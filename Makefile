# Every target does its own set-up in .venv; all it needs is make and Python 3.11 or newer.
PYTHON ?= python3
RUN = .venv/bin/python -m
INSTALL = $(RUN) pip install --disable-pip-version-check -c constraints.txt

.PHONY: test test-all test-servers layers lint demo docs clean

# Two workers with one thread each: threads of both on the same cores are several times slower.
test test-all test-servers: export OMP_NUM_THREADS ?= 1

test: .venv/.installed
	$(RUN) pytest -q -n 2 -m "not slow"

test-all: .venv/.installed .venv-server/.installed
	$(RUN) pytest -q -n 2

# real model servers, which pin other versions and so have an environment of their own
test-servers: .venv/.installed .venv-server/.installed
	$(RUN) pytest -q tests/test_remote_servers.py tests/test_remote_fits.py

layers: .venv/.installed
	$(RUN) pytest -q tests/test_layers.py

lint: .venv/.installed
	$(RUN) ruff check -q .
	$(RUN) ruff format -q --check .
	$(RUN) codespell_lib

demo: .venv/.installed
	.venv/bin/python examples/plot_quickstart.py

docs: .venv/.installed-docs
	$(RUN) sphinx -q docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

clean:
	rm -rf .venv .venv-server build dist docs/_build docs/auto_examples docs/generated
	rm -rf *.egg-info .hypothesis .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# torch by itself first: it is the long download, so its progress is shown.
.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Got Python %d.%d, but 3.11 or newer is needed: make PYTHON=/path/to/python" % sys.version_info[:2])'
	@echo "Setting up .venv, once: 1 of 3, the environment"
	@$(PYTHON) -m venv .venv
	@echo "Setting up .venv, once: 2 of 3, torch"
	@$(INSTALL) torch
	@echo "Setting up .venv, once: 3 of 3, the other packages (a minute or two)"
	@$(INSTALL) -qq -e ".[test]"
	@touch $@

.venv-server/.installed: tests/serving_setup.sh tests/serving_constraints.txt
	@echo "Setting up .venv-server, once: MLServer and KServe (a minute or two, 760 MB)"
	@PYTHON=$(PYTHON) tests/serving_setup.sh .venv-server

.venv/.installed-docs: .venv/.installed
	@echo "Adding what the documentation needs to .venv"
	@$(INSTALL) -qq -e ".[docs]"
	@touch $@

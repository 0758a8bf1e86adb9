# Everything a newcomer or CI runs. `make quickstart` and `make test` do all the set-up themselves.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# two processes of one thread each, since threads that wait for each other on shared cores are slow
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

AUDIT := .venv-audit
LICENCES := MIT;BSD;Apache;ISC;PSF;Python Software Foundation;MPL;Mozilla;Zlib;NVIDIA

.PHONY: quickstart test test-all check format bench docs package serve audit licences clean

quickstart: $(VENV)/.installed
	$(BIN)/fastdigits quickstart quickstart --overwrite

test: $(VENV)/.installed-dev
	$(PYTEST) -m "not slow"

test-all: $(VENV)/.installed-dev
	$(PYTEST)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -q tests/test_cli.py tests/test_architecture.py

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

docs: $(VENV)/.installed-dev
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs build/docs
	$(BIN)/python tests/prove_site.py build/docs
	@echo "build/docs/index.html"

# wheel and sdist, and each extra by itself, in an environment that does not see these sources
package: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python tests/prove_packaging.py

serve: $(VENV)/.installed-dev
	$(BIN)/fastdigits serve digitnet-mnist

# known vulnerabilities of the pinned packages (asks pypi.org), in an environment of its own
audit: $(AUDIT)/.installed
	$(AUDIT)/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

# ours must stay free to combine: a licence that is not on this list ends with an error
licences: $(AUDIT)/.installed $(VENV)/.installed-dev
	printf '%s\n\n' '# Licences of the packages that fastdigits installs, all extras included' \
		'Written by `make licences`. The NVIDIA packages come with torch on Linux, where its CUDA edition is installed; namex, which keras brings, is Apache-2.0 by its LICENSE file alone.' \
		> docs/reference/licences.md
	$(AUDIT)/bin/pip-licenses --python=$(BIN)/python --from=mixed --format=markdown --order=license --with-urls \
		--ignore-packages fastdigits cuda-toolkit namex --partial-match --allow-only="$(LICENCES)" >> docs/reference/licences.md
	sed -i -E 's/ +/ /g; s/-{3,}/---/g' docs/reference/licences.md

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "fastdigits needs Python 3.11 to 3.13; name one with: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python settings.ini setup.py constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(AUDIT)/.installed:
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet pip-audit pip-licenses
	@touch $@

clean:
	rm -rf $(VENV) $(AUDIT) quickstart build dist *.egg-info .pytest_cache .ruff_cache

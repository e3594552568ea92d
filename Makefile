PYTHON ?= python3

.PHONY: demo test lint types

# Install without torch and correct a few words with the English model that ships.
demo: .venv/installed
	.venv/bin/speller correct recieve Definately acknowlegementt tomorow Londn
	.venv/bin/speller suggest relavent -n 3

test: .venv-dev/installed
	.venv-dev/bin/python -m pytest -q

lint: .venv-dev/installed
	.venv-dev/bin/ruff check
	.venv-dev/bin/ruff format --check

# From outside the root, on an ordinary install: from inside, mypy passes over the folders that are installed elsewhere.
types: .venv-dev/installed
	rm -rf build && .venv-dev/bin/pip install -q --no-deps --target build/types .
	cd build/types && ../../.venv-dev/bin/mypy -p speller --no-namespace-packages --config-file ../../pyproject.toml | tee mypy.txt
	grep -q "in $$(find speller train eval -name '*.py' -or -name '*.pyi' | wc -l) source files" build/types/mypy.txt

.venv/installed: pyproject.toml $(shell find speller train eval -name '*.py' -or -name '*.c')
	$(PYTHON) -m venv .venv
	.venv/bin/pip install -q .
	touch $@

.venv-dev/installed: pyproject.toml constraints.txt speller/nearest.c
	$(PYTHON) -m venv .venv-dev
	.venv-dev/bin/pip install -q -c constraints.txt -e '.[dev]'
	touch $@

# Mynah. `make demo` and `make test` need nothing but Python 3.11 or newer; everything else is installed into .venv.

PYTHON := .venv/bin/python
# taken as written, so that a $ in a text is spoken and not run
override SAMPLE := $(value SAMPLE)
override TEXT := $(value TEXT)
override TRANSCRIPT := $(value TRANSCRIPT)
export SAMPLE TEXT TRANSCRIPT PROVIDER

.PHONY: help setup run demo test lint types floors tests coverage bench bench-voice doctor format lock

help:
	@echo "make demo [SAMPLE=clip] [TEXT=\"...\"]   hear a cloned voice, with no account and no key"
	@echo "          [PROVIDER=fish] [TRANSCRIPT=\"...\"]   ... through a service's stand-in: any name of docs/providers.md"
	@echo "make test                              every check and every test"
	@echo "make coverage                          every test again, and which lines and branches none reaches"
	@echo "make run                               run on Discord (set DISCORD_TOKEN in .env)"
	@echo "make doctor                            check this machine and the settings"
	@echo "make bench                             print the figures of docs/performance.md"
	@echo "make bench-voice                       ... and those of many voice channels at once (an hour)"

setup: .venv/.ready

.venv/.ready: requirements-dev.lock scripts/setup.sh
	@sh scripts/setup.sh

run: setup
	@$(PYTHON) -m bot

demo: setup
	@$(PYTHON) -m playground.demo $${PROVIDER:+--provider="$$PROVIDER"} \
		$${SAMPLE:+--sample="$$SAMPLE"} $${TRANSCRIPT:+--transcript="$$TRANSCRIPT"} $${TEXT:+--text="$$TEXT"}

doctor: setup
	@$(PYTHON) -m bot doctor

test: lint types floors tests

lint: setup
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

types: setup
	$(PYTHON) -m mypy

floors: setup
	.venv/bin/lint-imports

# the workers and the engines they start read what was compiled once, and do not compile it each for themselves;
# threads of numpy beside them only spin; two workers more than two cores, because many tests wait for what is spoken
PYTEST := env -u PYTHONDONTWRITEBYTECODE OPENBLAS_NUM_THREADS=1 $(PYTHON) -m pytest -n 4 --dist worksteal

tests: setup
	$(PYTEST)

# apart, for it makes everything slower by half
coverage: setup
	$(PYTEST) --cov --cov-report=term-missing:skip-covered

bench: setup
	@$(PYTHON) -m benchmarks

bench-voice: setup
	@$(PYTHON) -m benchmarks.voice.suite
	@$(PYTHON) -m benchmarks.voice.plot

format: setup
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -o requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --extra dev --extra playground --generate-hashes --no-emit-index-url --no-annotate --no-header -c requirements.lock -o requirements-dev.lock

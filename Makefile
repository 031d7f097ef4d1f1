# Every target sets up its own environment first; `make demo` and `make test` are all a newcomer needs.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready

.PHONY: demo test heavy fast lowest lint docs clean

demo: $(READY)
	$(VENV)/bin/relevance demo --out demo
	@echo "The demo is done. Look at demo/report.md first, then open demo/report.html in a browser."

test: $(READY)
	$(VENV)/bin/pytest -m "not heavy" --numprocesses=auto --dist=loadfile
	@echo "All tests passed. What they are and how to run some of them: CONTRIBUTING.md."

# Those that start many processes each: a file in each worker, and few workers. Naming their files
# saves importing all others.
heavy: $(READY)
	$(VENV)/bin/pytest -m heavy --numprocesses=auto --maxprocesses=4 --dist=loadfile \
		$$(grep -rlw --include='test_*.py' heavy tests)

fast: $(READY)
	$(VENV)/bin/pytest -m "not process" --numprocesses=auto --dist=loadfile

# The lowest versions that pyproject.toml allows, in an environment of some GB that is made anew; by hand or nightly.
# Torch stays at the pin: other versions come with gigabytes for GPUs. What older
# libraries leave open, or call that is deprecated by now, is theirs.
LOWEST ?= /tmp/relevance-lowest

lowest:
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/pip install --quiet uv
	grep '^torch==' constraints.txt > $(LOWEST)/torch.txt
	$(LOWEST)/bin/uv pip compile --quiet --resolution lowest-direct --extra demo --extra dev \
		--constraint $(LOWEST)/torch.txt --output-file $(LOWEST)/lowest.txt pyproject.toml
	$(LOWEST)/bin/pip install --quiet -c $(LOWEST)/lowest.txt -e '.[demo,dev]'
	PATH="$(LOWEST)/bin:$$PATH" $(LOWEST)/bin/pytest -m "not process" --numprocesses=auto --dist=loadfile \
		-W ignore::pytest.PytestUnraisableExceptionWarning -W ignore::DeprecationWarning
	rm -rf $(LOWEST)

lint: $(READY)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/pre-commit run --all-files --show-diff-on-failure

# The public names, and every kind's folder: what a member must do, and the members that are there.
KINDS := relevance.interfaces.trainer relevance.interfaces.probe relevance.measures \
	relevance.clustering.methods relevance.jobs.engines relevance.tasks.kinds hmnet.kinds hmnet.heads \
	hmnet.samplers hmnet.methods hmnet.inserts hmnet.regularizers hmnet.surgery hmnet.training.hooks

docs: $(READY)
	$(VENV)/bin/python -W error::UserWarning -m pdoc --docformat google --output-directory docs/api relevance hmnet $(KINDS)
	@echo "The reference is in docs/api/index.html."

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --upgrade -c constraints.txt pip
	$(VENV)/bin/pip install --quiet -c constraints.txt -e '.[demo,dask,ray,dev,docs]'
	@touch $@

clean:
	rm -rf $(VENV) demo

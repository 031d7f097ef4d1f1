# Every target sets up its own environment first; `make demo` and `make test` are all a newcomer needs.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready

.PHONY: demo test lint figures clean

demo: $(READY)
	$(VENV)/bin/relevance demo --out demo
	@echo "The demo is done. Look at demo/report.md first, then at demo/gains.png."

test: $(READY)
	$(VENV)/bin/pytest --numprocesses=auto --dist=loadfile
	@echo "All tests passed. What they are and how to run some of them: CONTRIBUTING.md."

lint: $(READY)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/pre-commit run --all-files --show-diff-on-failure

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --upgrade -c constraints.txt pip
	$(VENV)/bin/pip install --quiet -c constraints.txt -e '.[demo,dask,ray,dev]'
	@touch $@

clean:
	rm -rf $(VENV) demo

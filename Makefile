# Every task sets itself up; see bootstrap.py, which does the same where make is missing.
PYTHON ?= python3
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint types bench lock
run test lint types bench lock:
	@exec $(PYTHON) bootstrap.py $@

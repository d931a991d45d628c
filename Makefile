# Every task sets itself up; see bootstrap.py, which does the same where make is missing.
PYTHON ?= python3
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint types bench yardsticks lock
run test lint types bench yardsticks lock:
	@exec $(PYTHON) bootstrap.py $@

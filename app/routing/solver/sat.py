"""CP-SAT as it does best on divisions of shelves."""

from ortools.sat.python import cp_model


def solver_for(seed: int, limit_s: float) -> cp_model.CpSolver:
    """One worker, rows relaxed fully, no time for symmetries and probing."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.linearization_level = 2
    solver.parameters.symmetry_level = 0
    solver.parameters.cp_model_probing_level = 0
    solver.parameters.max_time_in_seconds = max(0.01, limit_s)
    return solver

"""The search for better plans with OR-Tools, and the killable child it runs in. The only rooms that import ortools."""

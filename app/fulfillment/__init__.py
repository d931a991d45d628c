"""The journey of a part request: the only place where the specialists meet."""

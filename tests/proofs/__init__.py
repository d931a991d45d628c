"""Small runs of the harnesses in tools/, against real servers in processes of their own."""

"""The warehouse's pages, made for a handheld: picking, receiving, and what lies where."""

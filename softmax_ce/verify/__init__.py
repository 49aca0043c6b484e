"""Proves the book: what its pages show is what their code does."""

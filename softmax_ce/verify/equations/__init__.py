"""Runs the book's equations: LaTeX in, "it holds" or the logits that refute it out."""

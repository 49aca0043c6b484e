"""Turns the book into a site. `hooks` is the only module that knows MkDocs."""

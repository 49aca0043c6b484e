"""The figures of the book: a module a chapter, a function a figure."""

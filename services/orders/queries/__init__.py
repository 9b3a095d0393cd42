"""Reads, shaped for the screens that show them: a handful of statements for a page, none for a row."""

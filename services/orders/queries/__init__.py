"""Read-only questions, shaped for the screens that ask them: a handful of statements per page, none per row."""

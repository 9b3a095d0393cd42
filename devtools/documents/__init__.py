"""Documents that are generated from the code: API documents, events, regulations."""

"""Parts of the benchmark of the clock."""

"""What the kernel's guarantees cost, as ratios against the bare drivers in the same run."""

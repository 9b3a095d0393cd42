"""Use cases of `notifier`: the clock, the rules, the notices."""

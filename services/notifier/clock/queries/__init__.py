"""Reading: obligations, rules, notices, cabinet messages."""

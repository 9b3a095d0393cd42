"""Read obligations, rules, drafts and explanations."""

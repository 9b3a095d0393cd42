"""The pure part of the clock: rules, facts, schedules, ladders.  No framework, no input or output."""

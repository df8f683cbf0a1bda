"""The audit log: what was done, by whom and when, in rows that nobody changes and anybody can verify."""

"""What may be, and why not: vetting, selection, the agreement's text, starting, hours, evaluations, credit. Pure."""

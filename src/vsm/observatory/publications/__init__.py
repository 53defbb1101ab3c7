"""Briefs and reports whose every number is a fact: told in four languages, drawn, printed, and bundled with their figures."""

"""Emergencies: declared once, everybody concerned found, courses gone on online by consent, and back again."""

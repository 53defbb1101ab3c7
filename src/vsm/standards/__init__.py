"""Codecs: bytes to frozen dataclasses and back, ignorant of our records."""

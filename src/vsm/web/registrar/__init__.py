"""Pages for registrars."""

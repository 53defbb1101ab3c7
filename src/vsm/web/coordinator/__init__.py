"""Pages for international offices."""

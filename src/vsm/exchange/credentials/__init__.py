"""Issue, sign, revoke and verify what was achieved."""

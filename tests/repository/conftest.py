"""What does not touch the database is seen once: the pass on PostgreSQL leaves it out."""

import os

collect_ignore = ["test_shape.py"] if os.environ.get("DATABASE_URL", "").startswith("postgres") else []

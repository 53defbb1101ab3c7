"""Online events: announced, registered for with or without an account, a waiting list that refills, attendance, feedback."""

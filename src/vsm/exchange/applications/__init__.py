"""A student's wishes, from draft to accepted or closed; calls and nominations."""

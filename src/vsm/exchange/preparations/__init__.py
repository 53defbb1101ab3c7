"""Preparation for a coming physical mobility: self-assessments, modules, meetings and companions at the host; change measured."""

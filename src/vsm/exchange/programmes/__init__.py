"""Entire programmes abroad: admission, enrolment by term, progress, interruption, the award, and its recognition at home."""

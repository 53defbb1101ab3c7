"""Who someone is, in which role at which organisation, with which consent."""

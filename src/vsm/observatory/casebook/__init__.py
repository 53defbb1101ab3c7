"""The casebook: models of virtual student mobility and programmes that ran, as reviewed records with a source for every number."""

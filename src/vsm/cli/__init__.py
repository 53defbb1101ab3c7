"""The command line: a door like the pages and the API. Records' commands come from the tables of resources and actions.

Its own lines are English, for operators and developers; labels, states and refusals of records are said in the
language of the person named by `--as`.
"""

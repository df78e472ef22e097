"""What a study, an experiment or a comparison has to say when it is read: tables, figures and a page.

Importing its modules loads pandas and matplotlib: the command line does so only where it writes a report.
"""

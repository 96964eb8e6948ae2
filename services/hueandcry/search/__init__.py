"""Search: which active alerts on a vehicle, a person or a threat may this agency see?

A read replica of the register answers, over HTTPS, to agencies that sign what they ask. `question` makes keys of what
is asked, `shelves` finds what has them, `answer` decides what is shown, `consultations` keeps who asked.
"""

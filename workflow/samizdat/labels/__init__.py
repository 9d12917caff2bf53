"""Labels by people: draws sheets for raters, and reads them back.

Uses `base`, `corpus`, `measures`, `records` and `statistics`.

It is above `corpus`, whose readers know the spreadsheet programs.
"""

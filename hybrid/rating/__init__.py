"""The rating page: clips are shown to raters in a browser, and their votes become ratings.csv.

    <votes>/votes.sqlite3    every vote as it was given, first and second showings, corrections and "cannot grade"
    <votes>/ratings.csv      what the rest reads: each rater's latest grade of each clip's first showing

<votes> is the data set's own folder, or another one where its votes are in labels.csv already.
"""

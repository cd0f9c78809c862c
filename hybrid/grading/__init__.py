"""From a video of a whole field to graded sperm: the folder that tools/grade.py writes.

grades.csv           a row a track, the best first: its grades, how far windows and folds differ, its CASA figures
graded.mp4           the video with each cell's box and grade
index.html, films/   the same to look at: every graded cell plays, the best first
grade.yaml           how it was made
"""

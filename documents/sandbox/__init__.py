"""Programs that read hostile files. Each runs once, on one file, in a process of its own under limits, and knows no
database.

They get a file over a pipe and answer over a pipe: nothing of it is on disk. `documents.inspection` starts them.
They import nothing of the product but each other.
"""

"""The mutation run: plant one small fault at a time and see whether a test notices.

operators, skips    which faults a source file can get
sampling            which of them a run plants
recording           which tests execute which lines, and how long they take
selection           which tests a fault must face, and in which order
pool, facing        a process for each fault, forked from one that has imported all libraries
hook                the faulty source instead of the module's own; files never change
journal, page       results that outlive the run, and docs/mutants.md
"""

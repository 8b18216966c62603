"""The commands: a stage each, and what to do with a trained model."""

import os

# Threads that wait for one another sleep instead of spinning. Beside a process that keeps a core
# busy, spinning threads wait for that core again and again: training took 2.5 times as long, and
# asleep 1.3 times. OpenMP reads this once, when the first library that uses it is loaded, hence
# here, before any command imports one. What the user has chosen stays.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Expects to be right at once.
import sys

print(500, flush=True)
if input() != "correct":
    sys.exit("this cannot be")

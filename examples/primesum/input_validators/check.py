import re
import sys

text = sys.stdin.read()
if not re.fullmatch(r"[1-9][0-9]*\n", text) or int(text) % 2 or not 4 <= int(text) <= 10**9:
    sys.exit("must be one even number from 4 to 1000000000")
sys.exit(42)

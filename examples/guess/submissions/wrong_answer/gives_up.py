# Ends without having guessed it.
print(500, flush=True)
input()

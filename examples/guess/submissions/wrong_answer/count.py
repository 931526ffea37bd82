# Tries one number after the other. It still talks when the judge has already gone.
guess = 0
answer = None
while answer != "correct":
    guess += 1
    print(guess, flush=True)
    answer = input()

"""Called as: interact INPUT ANSWER FEEDBACKDIR guesses=N. Reads what the team's program prints,
answers on standard output, and ends with 42 if the number was guessed, else with 43."""

import sys


def wrong(reason):
    with open(f"{sys.argv[3]}/judgemessage.txt", "w") as file:
        file.write(reason + "\n")
    sys.exit(43)


with open(sys.argv[1]) as file:
    number = int(file.read())
guesses_max = int(sys.argv[4].removeprefix("guesses="))
for guesses in range(1, guesses_max + 1):
    line = sys.stdin.readline(100)
    if line == "":
        wrong(f"The program ended after {guesses - 1} guesses.")
    if not line.strip().isdecimal() or not 1 <= int(line) <= 1000:
        wrong(f"Guess {guesses} is {line.strip()!r}, which is no number from 1 to 1000.")
    answer = "higher" if int(line) < number else "lower" if int(line) > number else "correct"
    try:
        print(answer, flush=True)
    except BrokenPipeError:
        # A submission that was right need not read it.
        sys.stdout = None
    if answer == "correct":
        if sys.stdin.readline(100).strip():
            wrong("The program goes on after the right guess.")
        sys.exit(42)
wrong(f"The program needs more than {guesses_max} guesses.")

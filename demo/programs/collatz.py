# Prints the number below the limit on standard input that has the longest Collatz sequence.
limit = int(input())
lengths = {1: 1}


def length(n):
    chain = []
    while n not in lengths:
        chain.append(n)
        n = n // 2 if n % 2 == 0 else 3 * n + 1
    known = lengths[n]
    for i, m in enumerate(reversed(chain), 1):
        lengths[m] = known + i


for n in range(2, limit):
    length(n)
print(max(range(1, limit), key=lengths.__getitem__))

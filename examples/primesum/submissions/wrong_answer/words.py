# Says it in words.
n = int(input())
print("I believe Goldbach:", n, "is the sum of two primes")

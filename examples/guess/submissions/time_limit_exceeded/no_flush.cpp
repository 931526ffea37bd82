// Keeps its guess in a buffer and waits for an answer: both wait for ever.
#include <cstdio>

int main() {
    char answer[20];
    printf("500\n");
    if (scanf("%19s", answer) == 1) printf("250\n");
}

// Called as: validate INPUT ANSWER FEEDBACKDIR < OUTPUT. Ends with 42 if the output is right, with
// 43 if it is wrong, and then tells the judge and the team why.
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>

static std::string feedback;

static void say(const char* file, const std::string& text) {
    std::ofstream(feedback + "/" + file) << text << '\n';
}

[[noreturn]] static void wrong(const std::string& reason) {
    say("judgemessage.txt", reason);
    std::exit(43);
}

static bool is_prime(int64_t n) {
    if (n < 2) return false;
    for (int64_t d = 2; d * d <= n; d++) {
        if (n % d == 0) return false;
    }
    return true;
}

int main(int argc, char** argv) {
    if (argc < 4) return 1;
    feedback = argv[3];
    int64_t n, p, q;
    if (!(std::ifstream(argv[1]) >> n)) return 1;
    if (!(std::cin >> p >> q)) {
        say("teammessage.txt", "There must be two numbers in the output.");
        wrong("There are no two numbers in the output.");
    }
    std::string more;
    if (std::cin >> more) wrong("There is more in the output after the two numbers.");
    std::string sum = std::to_string(p) + " + " + std::to_string(q);
    if (p < 0 || q < 0 || p > n || p + q != n) wrong(sum + " is not " + std::to_string(n) + ".");
    for (int64_t number : {p, q}) {
        if (!is_prime(number)) wrong(std::to_string(number) + " is not a prime.");
    }
    say("judgemessage.txt", sum + " is right.");
    return 42;
}

import java.util.Scanner;

public class Pairs {
    public static void main(String[] args) {
        long n = new Scanner(System.in).nextLong();
        long count = 0;
        // All a with the same n / a at once.
        for (long a = 1, next; a <= n; a = next) {
            next = n / (n / a) + 1;
            count += (next - a) * (n / a);
        }
        System.out.println(count);
    }
}

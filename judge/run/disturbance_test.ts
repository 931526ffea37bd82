import { assertEquals } from "@std/assert";
import { Disturbance } from "./disturbance.ts";

Deno.test("what runs beside others knows it", async () => {
  const disturbance = new Disturbance();
  const gate = Promise.withResolvers<void>();
  const first = disturbance.beside(() => gate.promise);
  const second = disturbance.beside(() => Promise.resolve(2));
  assertEquals(await second, { value: 2, isDisturbed: true });
  gate.resolve();
  assertEquals((await first).isDisturbed, true);
  assertEquals(await disturbance.beside(() => Promise.resolve(3)), {
    value: 3,
    isDisturbed: false,
  });
});

Deno.test("what runs alone waits for others, and others for it", async () => {
  const disturbance = new Disturbance();
  const seen: string[] = [];
  const work = (name: string) => async () => {
    seen.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    seen.push(`${name} ends`);
  };
  await Promise.all([
    disturbance.beside(work("a")),
    disturbance.alone(work("b")),
    disturbance.alone(work("c")),
    disturbance.beside(work("d")),
  ]);
  const names = ["a", "b", "c", "d"];
  assertEquals(seen, names.flatMap((name) => [`${name} begins`, `${name} ends`]));
});

Deno.test("what fails lets the others go on", async () => {
  const disturbance = new Disturbance();
  const fails = () => Promise.reject(new Error("no"));
  const failed = [disturbance.alone(fails), disturbance.beside(fails)].map((one) =>
    one.catch(() => "failed")
  );
  assertEquals(await Promise.all(failed), ["failed", "failed"]);
  assertEquals(await disturbance.alone(() => Promise.resolve(1)), 1);
});

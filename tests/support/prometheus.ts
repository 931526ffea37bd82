/** A strict reader of the text format of Prometheus, version 0.0.4. */

import { assert, assertEquals, assertMatch } from "@std/assert";

interface Family {
  type: string;
  samples: Sample[];
}

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** What was read. */
export interface ReadMetrics {
  /** The one sample with this name and these labels. */
  value(name: string, labels?: Record<string, string>): number;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"`;
const SAMPLE = new RegExp(
  `^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? ([-+]?(?:[0-9.]+(?:e[-+]?[0-9]+)?|Inf)|NaN)$`,
);
const SUFFIX: Readonly<Record<string, RegExp>> = {
  counter: /^$/,
  gauge: /^$/,
  histogram: /^_(bucket|sum|count)$/,
};

/** Reads it all, and insists on what the format says. */
export function parseMetrics(text: string): ReadMetrics {
  assert(text.endsWith("\n"), "the last line ends");
  const families = new Map<string, Family>();
  let current: [name: string, family: Family] | undefined;
  let helped: string | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const help = new RegExp(`^# HELP (${NAME}) [^\\\\]+$`).exec(line);
    const type = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line);
    if (help) helped = help[1]!;
    else if (type) {
      const [, name, kind] = type as unknown as [string, string, string];
      assertEquals(helped, name, "HELP comes before TYPE");
      assert(!families.has(name), `${name} comes once, in one piece`);
      if (kind === "counter") assertMatch(name, /_total$/);
      current = [name, { type: kind, samples: [] }];
      families.set(...current);
    } else addSample(line, current);
  }
  for (const [name, { type, samples }] of families) {
    assert(samples.length > 0, `${name} has samples`);
    const keys = samples.map(({ name, labels }) => JSON.stringify([name, labels]));
    assertEquals(keys, [...new Set(keys)], "each sample comes once");
    if (type !== "gauge") { for (const { value } of samples) assert(value >= 0); }
    if (type === "histogram") checkHistogram(name, samples);
  }
  const all = [...families.values()].flatMap(({ samples }) => samples);
  return {
    value(name, labels = {}) {
      const found = all.filter((sample) =>
        sample.name === name && JSON.stringify(sample.labels) === JSON.stringify(labels)
      );
      assertEquals(found.length, 1, `one ${name} with ${JSON.stringify(labels)}`);
      return found[0]!.value;
    },
  };
}

function addSample(line: string, current: [string, Family] | undefined): void {
  const match = SAMPLE.exec(line);
  assert(match && current, `a sample of a known type: ${line}`);
  const [family, { type, samples }] = current;
  const name = match[1]!;
  assert(name.startsWith(family), `${name} belongs to ${family}`);
  assertMatch(name.slice(family.length), SUFFIX[type]!);
  const labels = Object.fromEntries(
    [...(match[2] ?? "").matchAll(/([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"/g)].map((found) => [
      found[1]!,
      found[2]!.replaceAll(/\\(.)/g, (_, letter) => letter === "n" ? "\n" : letter),
    ]),
  );
  samples.push({ name, labels, value: Number(match[3]!.replace("Inf", "Infinity")) });
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) => Number(labels["le"]!.replace("Inf", "Infinity")));
  assertEquals(bounds, bounds.toSorted((a, b) => a - b), "bounds ascend");
  assertEquals(bounds.at(-1), Infinity);
  const counts = buckets.map(({ value }) => value);
  assertEquals(counts, counts.toSorted((a, b) => a - b), "buckets are cumulative");
  const count = samples.find((sample) => sample.name === `${name}_count`);
  assertEquals(count?.value, counts.at(-1), "the last bucket has all");
  assert(samples.some((sample) => sample.name === `${name}_sum`));
}

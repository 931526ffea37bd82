import { assertEquals } from "@std/assert";
import { Destinations } from "../callbacks/destinations.ts";
import { type AttributeContext, type Attributes, readAttributes } from "./attributes.ts";
import { readSettings } from "./settings.ts";

const LANGUAGES = [
  { id: 71, language: "python3", name: "Python (3.11.2)", missing: undefined },
  { id: 60, language: "go", name: "Go", missing: "go is not installed" },
];

function read(body: unknown, context: Partial<AttributeContext> = {}) {
  return readAttributes(body, {
    isBase64: false,
    settings: readSettings("", { allowNetwork: false, allowDelete: false }),
    languages: LANGUAGES,
    destinations: new Destinations(""),
    ...context,
  });
}

function good(body: object, context: Partial<AttributeContext> = {}): Attributes {
  const result = read({ source_code: "x", language_id: 71, ...body }, context);
  if ("errors" in result) throw new Error(JSON.stringify(result.errors));
  return result.attributes;
}

function errors(body: object, context: Partial<AttributeContext> = {}): unknown {
  const result = read({ source_code: "x", language_id: 71, ...body }, context);
  return "errors" in result ? result.errors : undefined;
}

const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("a submission that says no more than it must has Judge0's defaults", () => {
  assertEquals(good({}), {
    source_code: utf8("x"),
    language_id: 71,
    stdin: null,
    expected_output: null,
    compiler_options: null,
    command_line_arguments: null,
    callback_url: null,
    additional_files: null,
    number_of_runs: 1,
    cpu_time_limit: 5,
    cpu_extra_time: 1,
    wall_time_limit: 10,
    memory_limit: 128_000,
    stack_limit: 64_000,
    max_processes_and_or_threads: 60,
    max_file_size: 1024,
    enable_per_process_and_thread_time_limit: false,
    enable_per_process_and_thread_memory_limit: false,
    redirect_stderr_to_stdout: false,
    enable_network: false,
  });
});

Deno.test("numbers and flags can be texts, null is as good as nothing, and more is ignored", () => {
  const attributes = good({
    language_id: "71",
    cpu_time_limit: "2.5",
    number_of_runs: 3,
    redirect_stderr_to_stdout: "true",
    memory_limit: null,
    stdin: 42,
    ["__proto__"]: { stack_limit: 1 },
    unknown: {},
  });
  assertEquals(
    [attributes.cpu_time_limit, attributes.number_of_runs, attributes.redirect_stderr_to_stdout],
    [2.5, 3, true],
  );
  assertEquals([attributes.memory_limit, attributes.stdin], [128_000, utf8("42")]);
});

Deno.test("all that is wrong is said at once, in Judge0's words", () => {
  assertEquals(read({}), {
    errors: { language_id: ["can't be blank"], source_code: ["can't be blank"] },
  });
  assertEquals(
    errors({
      language_id: 9999,
      number_of_runs: 21,
      cpu_time_limit: 15.1,
      cpu_extra_time: -1,
      wall_time_limit: 0.5,
      memory_limit: 512_001,
      stack_limit: 1.5,
      max_processes_and_or_threads: "many",
      max_file_size: [],
    }),
    {
      number_of_runs: ["must be less than or equal to 20"],
      cpu_time_limit: ["must be less than or equal to 15.0"],
      cpu_extra_time: ["must be greater than or equal to 0.0"],
      wall_time_limit: ["must be greater than or equal to 1.0"],
      memory_limit: ["must be less than or equal to 512000"],
      stack_limit: ["must be an integer"],
      max_processes_and_or_threads: ["is not a number"],
      max_file_size: ["is not a number"],
      language_id: ["language with id 9999 doesn't exist"],
    },
  );
});

Deno.test("what cannot be used here is refused with the reason", () => {
  assertEquals(errors({ language_id: 60 }), {
    language_id: ["Go cannot be used here: go is not installed"],
  });
  assertEquals(errors({ enable_network: true }), {
    enable_network: ["cannot be true: programs have no network on this server"],
  });
  assertEquals(errors({ callback_url: "http://127.0.0.1/" }), {
    callback_url: ["is not allowed: this server sends no callbacks"],
  });
  const settings = readSettings("", { allowNetwork: true, allowDelete: false });
  assertEquals(good({ enable_network: true }, { settings }).enable_network, true);
  const destinations = new Destinations("any");
  const url = "https://hooks.example.org/x";
  assertEquals(good({ callback_url: url }, { destinations }).callback_url, url);
});

Deno.test("wrong types and too long texts are refused", () => {
  assertEquals(
    errors({
      source_code: {},
      stdin: ["a"],
      compiler_options: "x".repeat(513),
      command_line_arguments: "a\0b",
      redirect_stderr_to_stdout: "maybe",
    }),
    {
      source_code: ["must be a text", "can't be blank"],
      stdin: ["must be a text"],
      compiler_options: ["is too long (maximum is 512 characters)"],
      command_line_arguments: ["must not have a NUL character"],
      redirect_stderr_to_stdout: ["must be true or false"],
    },
  );
  assertEquals(read([]), { errors: { submission: ["must be an object"] } });
  assertEquals(read(null), { errors: { submission: ["must be an object"] } });
});

Deno.test("base64 can hold any bytes and broken lines, and must be base64", () => {
  const attributes = good(
    { source_code: "//8A\nAQI=\n", stdin: "", compiler_options: "-O2" },
    { isBase64: true },
  );
  assertEquals(attributes.source_code, new Uint8Array([255, 255, 0, 1, 2]));
  assertEquals([attributes.stdin, attributes.compiler_options], [new Uint8Array(), "-O2"]);
  assertEquals(errors({ source_code: "!!!", expected_output: "a" }, { isBase64: true }), {
    source_code: ["is not base64", "can't be blank"],
    expected_output: ["is not base64"],
  });
  // An archive is always in base64.
  assertEquals(good({ additional_files: "AAE=" }).additional_files, new Uint8Array([0, 1]));
  assertEquals(errors({ additional_files: "?" }), { additional_files: ["is not base64"] });
});

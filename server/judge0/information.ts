/** What a server of Judge0 tells about itself. */

import { json, type Route, type ServerContext } from "../http/route.ts";
import { HttpError } from "../http/failure.ts";
import { isAuthorized } from "./authorization.ts";
import type { Judge0Options } from "./judge0.ts";
import { type NumberedLanguage, numberLanguages } from "./language_ids.ts";
import { LIMIT_NAMES } from "./settings.ts";
import { STATUSES } from "./statuses.ts";

/** The version whose API this is: clients choose the numbers of languages by it. */
const VERSION = "1.13.1";
const HOMEPAGE = "https://jsr.io/@isolate/isolate";

/** Lists the routes without submissions. */
export function informationRoutes(options: Judge0Options, context: ServerContext): Route[] {
  const { executor, version } = context;
  const languages = async () => numberLanguages(await executor.languages());
  return [
    {
      method: "GET",
      path: "/languages",
      handle: async () =>
        json((await languages()).filter(({ missing }) => missing === undefined).map(brief)),
    },
    {
      method: "GET",
      path: "/languages/all",
      handle: async () => json((await languages()).map(withArchived)),
    },
    {
      method: "GET",
      path: "/languages/{id}",
      handle: async ({ parameters: { id = "" } }) => {
        const language = (await languages()).find((language) => String(language.id) === id);
        if (!language) throw new HttpError(404, `language with id ${id} doesn't exist`);
        // How it is compiled and run is a list of words here, not a line for a shell.
        const more = { source_file: null, compile_cmd: null, run_cmd: null };
        return json({ ...withArchived(language), ...more });
      },
    },
    { method: "GET", path: "/statuses", handle: () => json(STATUSES) },
    { method: "GET", path: "/config_info", handle: () => json(configuration(options)) },
    { method: "GET", path: "/system_info", handle: () => json(systemInformation()) },
    {
      method: "GET",
      path: "/workers",
      handle: () => {
        const { running, waiting, boxes } = executor.load();
        const idle = Math.max(0, boxes - running);
        const counts = { size: waiting, available: boxes, idle, working: running };
        return json([{ queue: "default", ...counts, paused: 0, failed: 0 }]);
      },
    },
    {
      method: "GET",
      path: "/about",
      handle: () => {
        const maintainer = `isolate ${version}`;
        return json({ version: VERSION, homepage: HOMEPAGE, source_code: HOMEPAGE, maintainer });
      },
    },
    { method: "GET", path: "/version", handle: () => new Response(VERSION) },
    // Whoever comes so far has the right token.
    { method: "POST", path: "/authenticate", handle: () => new Response(null) },
    {
      method: "POST",
      path: "/authorize",
      handle: async ({ request }) =>
        new Response(null, { status: await isAuthorized(request, options) ? 200 : 403 }),
    },
  ];
}

function brief({ id, name }: NumberedLanguage) {
  return { id, name };
}

/** What is not installed is as good as archived: it cannot be used. */
function withArchived(language: NumberedLanguage) {
  return { ...brief(language), is_archived: language.missing !== undefined };
}

function configuration({ settings, callbacks, userToken, maxQueueSize }: Judge0Options) {
  const limits = LIMIT_NAMES.flatMap((name) => {
    const { default: byDefault, max } = settings.limits[name];
    return [[name, byDefault], [`max_${name}`, max]] as const;
  });
  return {
    maintenance_mode: false,
    enable_wait_result: true,
    enable_compiler_options: true,
    allowed_languages_for_compile_options: [],
    enable_command_line_arguments: true,
    enable_submission_delete: settings.allowDelete && userToken !== undefined,
    enable_callbacks: !callbacks.destinations.isEmpty,
    callbacks_max_tries: callbacks.triesMax,
    callbacks_timeout: callbacks.timeoutMs / 1000,
    enable_additional_files: true,
    max_queue_size: maxQueueSize,
    ...Object.fromEntries(limits),
    enable_per_process_and_thread_time_limit: false,
    allow_enable_per_process_and_thread_time_limit: true,
    enable_per_process_and_thread_memory_limit: false,
    allow_enable_per_process_and_thread_memory_limit: true,
    redirect_stderr_to_stdout: false,
    max_extract_size: settings.maxExtractSizeKb,
    enable_batched_submissions: true,
    max_submission_batch_size: settings.maxBatchSize,
    submission_cache_duration: 0,
    use_docs_as_homepage: false,
    allow_enable_network: settings.allowNetwork,
    enable_network: false,
  };
}

/** No more than what anybody can measure from outside. */
function systemInformation() {
  return {
    Architecture: Deno.build.arch,
    "Operating System": Deno.build.os,
    "CPU(s)": String(navigator.hardwareConcurrency),
  };
}

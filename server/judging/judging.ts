/** `POST /judge`: a submission for a problem package that lies on the server. */

import { type HostFiles, loadLanguages, PackageError, readPackage } from "../../judge/mod.ts";
import { judge, type JudgeEvent, readSubmission, type SubmissionResult } from "../../judge/mod.ts";
import { callerEnvironment, type Sandbox } from "../../mod.ts";
import { Admission } from "../engine/admission.ts";
import { fileNameComplaint } from "../engine/job_check.ts";
import type { JobFile } from "../engine/types.ts";
import { checkJsonType, parseJson } from "../http/body.ts";
import { describeFailure, HttpError } from "../http/failure.ts";
import { type Call, type Dialect, json, type ServerContext } from "../http/route.ts";
import { type EventForm, eventFormOf, EventStream, type StreamEvent } from "../run/event_stream.ts";
import { JsonReader } from "../run/json_reader.ts";
import { RunRegistry } from "../run/run_registry.ts";
import type { ResultStore } from "../store/result_store.ts";

/** What judging needs. */
export interface JudgingOptions {
  /** The folder of all packages; undefined: nothing is judged. */
  readonly packages: string | undefined;
  readonly sandbox: Sandbox;
  readonly host: HostFiles;
  readonly languagesFile: string | undefined;
  /** The boxes to use; those that others use are left alone. */
  readonly boxIds: { readonly first: number; readonly count: number };
  readonly store: ResultStore;
}

/** What a client wants. */
interface JudgeSubmissionRequest {
  readonly problem: string;
  readonly files: readonly JobFile[];
  readonly language: string | undefined;
  readonly entrypoint: string | undefined;
  readonly allTests: boolean;
}

/** What became of it. */
type JudgeAnswer =
  & { readonly id: string }
  & Omit<
    SubmissionResult,
    "submission" | "expected" | "asExpected"
  >;

/** Tests of one submission run at once; submissions are judged one after the other. */
const JOBS_MAX = 2;
const WAITING_MAX = 64;
const PACKAGE_NAME = /^[A-Za-z0-9_][\w.-]{0,99}$/;

/** Answers requests to judge. */
export function judging(options: JudgingOptions): Dialect {
  return (context) => {
    const judge = new PackageJudge(options, context);
    return [
      { method: "POST", path: "/judge", handle: (call) => judge.post(call) },
      {
        method: "DELETE",
        path: "/judge/{id}",
        handle: ({ parameters: { id = "" } }) => judge.cancel(id),
      },
    ];
  };
}

class PackageJudge {
  readonly #options: JudgingOptions;
  readonly #context: ServerContext;
  readonly #registry: RunRegistry;
  readonly #admission = new Admission({ running: 1, waiting: WAITING_MAX });

  constructor(options: JudgingOptions, context: ServerContext) {
    this.#options = options;
    this.#context = context;
    this.#registry = new RunRegistry(options.store, "judge");
  }

  cancel(id: string): Response {
    if (this.#registry.cancel(id)) return new Response(null, { status: 202 });
    throw new HttpError(404, "nothing with this id is being judged");
  }

  async post(call: Call): Promise<Response> {
    checkJsonType(call.request);
    const body = await call.body();
    const wanted = readWanted(parseJson(body), this.#context.settings);
    const directory = this.#packageOf(wanted.problem);
    const form = eventFormOf(call.request.headers.get("Accept"));
    const key = call.request.headers.get("Idempotency-Key");
    if (key !== null) return await this.#postOnce(call, { wanted, directory, form, key, body });
    if (!form) {
      const signals = [call.signal];
      return json(await this.#judge(call, { wanted, directory, signals, tell: () => {} }));
    }
    const gone = new AbortController();
    const events = new EventStream(form, () => gone.abort());
    const response = events.response({});
    events.send({ event: "accepted", id: call.requestId });
    const release = call.hold();
    this.#judge(call, {
      ...{ wanted, directory, signals: [call.signal, gone.signal] },
      tell: (event) => events.send(event),
    }).then(
      ({ tests: _, compile: __, ...answer }) => events.send({ event: "end", ...answer }),
      (error) => events.send({ event: "error", message: this.#failure(call, error) }),
    ).finally(() => {
      events.end();
      release();
    });
    return response;
  }

  /** Judges once, whoever asks how often; it goes on when the connection breaks. */
  async #postOnce(call: Call, { wanted, directory, form, key, body }: {
    wanted: JudgeSubmissionRequest;
    directory: string;
    form: EventForm | undefined;
    key: string;
    body: Uint8Array<ArrayBuffer>;
  }): Promise<Response> {
    const { answer, isRepeated } = await this.#registry.once({ key, body }, async () => {
      const made = await this.#judge(call, { wanted, directory, signals: [], tell: () => {} });
      // Whoever asks again may be luckier.
      return { answer: JSON.stringify(made), isKept: made.verdict !== "JE" };
    });
    const headers = isRepeated ? { "Idempotency-Replayed": "true" } : {};
    if (!form) {
      return new Response(answer, { headers: { "Content-Type": "application/json", ...headers } });
    }
    const events = new EventStream(form, () => {});
    const response = events.response(headers);
    for (const event of eventsOf(JSON.parse(answer))) events.send(event);
    events.end();
    return response;
  }

  #failure({ requestId }: Call, error: unknown): string {
    const { message, isOurs } = describeFailure(error);
    if (!isOurs) return message;
    this.#context.complain(`Request ${requestId} failed: ${message}`);
    return `the server failed; the request was ${requestId}`;
  }

  #packageOf(name: string): string {
    const { packages, host } = this.#options;
    if (packages === undefined) {
      throw new HttpError(404, "this server has no packages: its administrator names their folder");
    }
    const directory = `${packages}/${name}`;
    if (PACKAGE_NAME.test(name) && host.status(directory)?.kind === "directory") return directory;
    throw new HttpError(404, "there is no package of this name");
  }

  async #judge({ requestId }: Call, { wanted, directory, signals, tell }: {
    wanted: JudgeSubmissionRequest;
    directory: string;
    signals: readonly AbortSignal[];
    tell: (event: StreamEvent) => void;
  }): Promise<JudgeAnswer> {
    const work = async (signal: AbortSignal) => {
      const result = await this.#admission.run(
        () => this.#judgeFiles(wanted, { directory, signal, tell }),
        { signal },
      );
      const { submission: _, expected: __, asExpected: ___, ...answer } = result;
      return { id: requestId, ...answer };
    };
    return await this.#registry.cancellable(requestId, {
      signals: [...signals, this.#context.ending],
      work,
    });
  }

  async #judgeFiles(wanted: JudgeSubmissionRequest, { directory, signal, tell }: {
    directory: string;
    signal: AbortSignal;
    tell: (event: StreamEvent) => void;
  }): Promise<SubmissionResult> {
    const { sandbox, host, languagesFile, boxIds } = this.#options;
    const folder = host.makeTemporaryDirectory({ prefix: "isolate-judge-" });
    try {
      const submission = readSubmission(host, writeFiles(host, { folder, files: wanted.files }));
      const { language, entrypoint } = wanted;
      const report = await judge({
        ...{ sandbox, host, boxIds, signal },
        problem: await readPackage(host, directory),
        submissions: [{ ...submission, language, entrypoint }],
        languages: await loadLanguages(host, {
          environment: await callerEnvironment(),
          ...languagesFile !== undefined && { userFile: languagesFile },
        }),
        verify: false,
        allTests: wanted.allTests,
        jobs: Math.min(JOBS_MAX, navigator.hardwareConcurrency),
        onEvent: (event) => {
          const told = streamEvent(event);
          if (told) tell(told);
        },
      });
      signal.throwIfAborted();
      const [result] = report.submissions;
      if (result) return result;
      throw new Error(`There is no result: ${report.complaints.join("; ")}`);
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      // Its path is the administrator's business.
      this.#context.complain(`Package ${wanted.problem} cannot be judged: ${error.message}`);
      throw new HttpError(500, `the package cannot be judged: ${error.reason}`);
    } finally {
      host.removeTree(folder);
    }
  }
}

/** Writes a submission, and gives the path of its file or folder. */
function writeFiles(
  host: HostFiles,
  { folder, files }: { folder: string; files: readonly JobFile[] },
): string {
  const root = `${folder}/submission`;
  host.makeDirectory(root);
  const made = new Set<string>();
  for (const { name, content } of files) {
    const parts = name.split("/").slice(0, -1);
    for (let i = 1; i <= parts.length; i++) {
      const path = parts.slice(0, i).join("/");
      if (!made.has(path)) host.makeDirectory(`${root}/${path}`);
      made.add(path);
    }
    host.write(`${root}/${name}`, content);
  }
  const [only] = files;
  return files.length === 1 && !only!.name.includes("/") ? `${root}/${only!.name}` : root;
}

function readWanted(value: unknown, { filesMax }: { filesMax: number }): JudgeSubmissionRequest {
  const body = new JsonReader(value)
    .object(["package", "files", "language", "entrypoint", "allTests"]);
  const files = body.files.list({ max: filesMax }).map((file) => {
    const { name, content } = file.object(["name", "content"]);
    const complaint = fileNameComplaint(name.text());
    if (complaint !== undefined) throw new HttpError(400, `${name.place}: ${complaint}`);
    return { name: name.text(), content: content.bytes() };
  });
  if (files.length === 0) throw body.files.error("must have at least one file");
  const names = new Set(files.map(({ name }) => name));
  const isFolder = files.some(({ name }) =>
    name.split("/").some((_, i, parts) => i > 0 && names.has(parts.slice(0, i).join("/")))
  );
  if (names.size < files.length || isFolder) {
    throw body.files.error("must have names that differ, none of which is the folder of another");
  }
  return {
    problem: body.package.text(),
    files,
    language: body.language.optional((value) => value.text()),
    entrypoint: body.entrypoint.optional((value) => value.text()),
    allTests: body.allTests.optional((value) => value.truth()) ?? false,
  };
}

/** The events of an answer that is there already. */
function eventsOf({ tests, compile, ...answer }: JudgeAnswer): StreamEvent[] {
  const total = tests.length;
  return [
    { event: "accepted", id: answer.id },
    { event: "compile", ...compile },
    ...tests.map((test, index) => ({ event: "test", ...test, done: index + 1, total })),
    { event: "end", ...answer },
  ];
}

function streamEvent(event: JudgeEvent): StreamEvent | undefined {
  if (event.kind === "compiled") return { event: "compile", ...event.compile };
  if (event.kind !== "test") return undefined;
  const { result, done, total } = event;
  return { event: "test", ...result, done, total };
}

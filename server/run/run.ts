/** Our own API: one program, several tests, results as they come. */

import type { ExecuteOptions } from "../engine/executor.ts";
import type { Job, JobEvent } from "../engine/types.ts";
import { checkJsonType, parseJson } from "../http/body.ts";
import { describeFailure, HttpError } from "../http/failure.ts";
import { type Call, type Dialect, json, type ServerContext } from "../http/route.ts";
import type { ResultStore } from "../store/result_store.ts";
import { type EventForm, eventFormOf, EventStream, type StreamEvent } from "./event_stream.ts";
import { type RunAnswer, runAnswer, stageAnswer, testAnswer } from "./run_answer.ts";
import { type ProgramRequest, readProgramRequest } from "./program_request.ts";
import { RunRegistry } from "./run_registry.ts";

/** Answers requests to run programs. */
export function run({ store }: { readonly store: ResultStore }): Dialect {
  return (context) => {
    const running = new RunRegistry(store, "run");
    return [
      { method: "POST", path: "/run", handle: (call) => post(call, { context, running }) },
      { method: "GET", path: "/run/languages", handle: () => listLanguages(context) },
      {
        method: "DELETE",
        path: "/run/{id}",
        handle: ({ parameters: { id = "" } }) => {
          if (running.cancel(id)) return new Response(null, { status: 202 });
          throw new HttpError(404, "there is no run with this id, or it has ended");
        },
      },
    ];
  };
}

async function listLanguages({ executor }: ServerContext): Promise<Response> {
  const languages = await executor.languages();
  return json(
    languages.filter(({ missing }) => missing === undefined)
      .map(({ id, name, version = "", isCompiled }) => ({ id, name, version, isCompiled })),
  );
}

interface Environment {
  readonly context: ServerContext;
  readonly running: RunRegistry;
}

async function post(call: Call, environment: Environment): Promise<Response> {
  const { context: { settings } } = environment;
  checkJsonType(call.request);
  const body = await call.body();
  const request = readProgramRequest(parseJson(body), settings);
  const form = eventFormOf(call.request.headers.get("Accept"));
  const key = call.request.headers.get("Idempotency-Key");
  if (key !== null) return await answerOnce(call, { ...environment, request, form, key, body });
  if (form) return await stream(call, { ...environment, request, form });
  const answer = await execute(call, { ...environment, request, signals: [call.signal] });
  return json(answer);
}

/** Does the work once, whoever asks how often; it goes on when the connection breaks. */
async function answerOnce(
  call: Call,
  { context, running, request, form, key, body }: Environment & {
    request: ProgramRequest;
    form: EventForm | undefined;
    key: string;
    body: Uint8Array<ArrayBuffer>;
  },
): Promise<Response> {
  const { answer, isRepeated } = await running.once({ key, body }, async () => {
    const signals = [context.ending];
    const made = await execute(call, { context, running, request, signals });
    const isKept = !isOurFault(made);
    return { answer: JSON.stringify(made), isKept };
  });
  const headers = isRepeated ? { "Idempotency-Replayed": "true" } : undefined;
  if (!form) {
    return new Response(answer, { headers: { "Content-Type": "application/json", ...headers } });
  }
  const events = new EventStream(form, () => {});
  const response = events.response(headers ?? {});
  for (const event of eventsOf(JSON.parse(answer))) events.send(event);
  events.end();
  return response;
}

/** Whoever asks again may be luckier. */
function isOurFault({ compile, tests }: RunAnswer): boolean {
  const all = [...compile ? [compile] : [], ...tests];
  return all.some(({ status }) => status === "failed" || status === "cancelled");
}

/** Answers with events as they come. What is wrong before the first one has a status of its own. */
async function stream(
  call: Call,
  { context, running, request, form }: Environment & { request: ProgramRequest; form: EventForm },
): Promise<Response> {
  const gone = new AbortController();
  const events = new EventStream(form, () => gone.abort());
  const accepted = Promise.withResolvers<void>();
  const teller = new EventTeller(request);
  const tell = (event: JobEvent) => {
    for (const told of teller.tell(event)) events.send(told);
  };
  const answered = execute(call, {
    ...{ context, running, request },
    signals: [call.signal, gone.signal],
    options: { onAccepted: accepted.resolve, onEvent: tell },
  });
  // The beginning is told before anything happens, and the answer has to be there for that.
  const response = events.response({});
  events.send({ event: "accepted", id: call.requestId });
  const release = call.hold();
  const ended = answered.then(
    (answer) => events.send(endEvent(answer)),
    (error) => {
      const { message, isOurs } = describeFailure(error);
      if (isOurs) context.complain(`Run ${call.requestId} failed: ${message}`);
      events.send({ event: "error", message: isOurs ? "the server failed" : message });
    },
  ).finally(() => {
    events.end();
    release();
  });
  try {
    await Promise.race([accepted.promise, answered]);
  } catch (error) {
    await ended;
    await response.body?.cancel();
    throw error;
  }
  return response;
}

async function execute(
  { requestId }: Call,
  { context: { executor }, running, request, signals, options = {} }: Environment & {
    request: ProgramRequest;
    signals: readonly AbortSignal[];
    options?: Omit<ExecuteOptions, "signal">;
  },
): Promise<RunAnswer> {
  const { job, names, isBase64 } = request;
  return await running.cancellable(requestId, {
    signals,
    work: async (signal) => {
      // A client that chooses ids must not choose the one of another's job.
      const whole: Job = { id: crypto.randomUUID(), ...job };
      const result = await executor.execute(whole, { ...options, signal });
      return runAnswer(result, { id: requestId, names, isBase64 });
    },
  });
}

/** Tells a client what happens to its job. */
class EventTeller {
  readonly #request: ProgramRequest;
  /** Of both streams of the stage; a character can come in two pieces. */
  #decoders = newDecoders();

  constructor(request: ProgramRequest) {
    this.#request = request;
  }

  tell(event: JobEvent): StreamEvent[] {
    const { names, isBase64, tellsOutput } = this.#request;
    const { stage, run: index = 0 } = event;
    const place = stage === "compile" ? { stage } : { stage: "test", index };
    switch (event.kind) {
      case "begin":
        this.#decoders = newDecoders();
        return [{ event: "begin", ...place }];
      case "output": {
        if (!tellsOutput) return [];
        const { stream, bytes } = event;
        const decoder = this.#decoders[stream];
        const text = isBase64 ? bytes.toBase64() : decoder.decode(bytes, { stream: true });
        return text === "" ? [] : [{ event: "output", ...place, stream, text }];
      }
      case "end":
        return [
          stage === "compile"
            ? { event: "compile", ...stageAnswer(event.result, { isBase64, isCompiler: true }) }
            : {
              event: "test",
              ...testAnswer(event.result, { index, name: names[index], isBase64 }),
            },
        ];
    }
  }
}

function newDecoders() {
  const decoder = () => new TextDecoder("utf-8", { ignoreBOM: true });
  return { stdout: decoder(), stderr: decoder() };
}

function endEvent({ id, status, version, isCached }: RunAnswer): StreamEvent {
  return { event: "end", id, status, version, isCached };
}

/** The events of an answer that is there already. */
function eventsOf(answer: RunAnswer): StreamEvent[] {
  const { id, compile, tests } = answer;
  return [
    { event: "accepted", id },
    ...compile ? [{ event: "compile", ...compile }] : [],
    ...tests.map((test) => ({ event: "test", ...test })),
    endEvent(answer),
  ];
}

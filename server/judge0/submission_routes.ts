/** The routes of submissions. */

import { HttpError } from "../http/failure.ts";
import { BusyError, JobError } from "../engine/executor.ts";
import { type Call, json, type Route, type ServerContext } from "../http/route.ts";
import { StoreFullError } from "../store/result_store.ts";
import { AdditionalFilesError, unpackAdditionalFiles } from "./additional_files.ts";
import { type AttributeErrors, readAttributes } from "./attributes.ts";
import { isAuthorized } from "./authorization.ts";
import type { Judge0Options } from "./judge0.ts";
import { type NumberedLanguage, numberLanguages } from "./language_ids.ts";
import {
  DEFAULT_FIELDS,
  type LanguageNames,
  NotUtf8Error,
  readFields,
  type StoredSubmission,
  writeFields,
} from "./submission_fields.ts";
import { type NewSubmission, Submissions } from "./submissions.ts";
import { STATUS, statusOf } from "./statuses.ts";

const NOT_UTF8 = "cannot be converted to UTF-8, use base64_encoded=true query parameter";
const PER_PAGE = 20;
const PER_PAGE_MAX = 100;

/** How answers about submissions are written. */
interface AnswerForm {
  readonly fields: readonly string[];
  readonly isBase64: boolean;
  readonly names: LanguageNames;
}

/** Lists the routes of submissions. */
export function submissionRoutes(options: Judge0Options, context: ServerContext): Route[] {
  const routes = new SubmissionRoutes(options, context);
  return [
    { method: "POST", path: "/submissions", handle: (call) => routes.create(call) },
    { method: "POST", path: "/submissions/batch", handle: (call) => routes.createBatch(call) },
    { method: "GET", path: "/submissions/batch", handle: (call) => routes.showBatch(call) },
    { method: "GET", path: "/submissions", handle: (call) => routes.list(call) },
    { method: "GET", path: "/submissions/{token}", handle: (call) => routes.show(call) },
    { method: "DELETE", path: "/submissions/{token}", handle: (call) => routes.remove(call) },
  ];
}

class SubmissionRoutes {
  readonly #options: Judge0Options;
  readonly #context: ServerContext;
  readonly #submissions: Submissions;

  constructor(options: Judge0Options, context: ServerContext) {
    this.#options = options;
    this.#context = context;
    const { store, callbacks } = options;
    const { executor, settings: { compileLimits } } = context;
    // None of these fields names the language.
    const form = { fields: DEFAULT_FIELDS, isBase64: true, names: String };
    const callbackBody = (submission: StoredSubmission) =>
      JSON.stringify(writeFields(submission, form));
    this.#submissions = new Submissions({
      ...{ executor, store, callbacks, compileLimits, callbackBody },
    });
  }

  async create(call: Call): Promise<Response> {
    const form = await this.#form(call);
    const read = await this.#read(await call.json(), form);
    if ("errors" in read) return json(read.errors, { status: 422 });
    const isAwaited = isTrue(call, "wait");
    const { token, finished } = await this.#begin(read, isAwaited ? call.signal : undefined);
    if (!isAwaited) return json({ token }, { status: 201 });
    await finished;
    return this.#answer(token, { form, status: 201 });
  }

  async createBatch(call: Call): Promise<Response> {
    const form = await this.#form(call);
    const bodies = batchOf(await call.json());
    this.#checkBatch(bodies.length);
    const read = await Promise.all(bodies.map((body) => this.#read(body, form)));
    const good = read.filter((one) => !("errors" in one)).length;
    // All or none: nobody wants a half of a batch.
    const { running, waiting, boxes } = this.#context.executor.load();
    const places = this.#options.maxQueueSize - waiting + Math.max(0, boxes - running);
    if (good > places) throw queueIsFull(1);
    const answers = [];
    for (const one of read) answers.push(await this.#beginOneOf(one));
    return json(answers, { status: 201 });
  }

  async show(call: Call): Promise<Response> {
    const form = await this.#form(call);
    return this.#answer(call.parameters.token!, { form, status: 200 });
  }

  async showBatch(call: Call): Promise<Response> {
    const form = await this.#form(call);
    const tokens = (call.url.searchParams.get("tokens") ?? "").split(",")
      .map((token) => token.trim()).filter((token) => token !== "");
    this.#checkBatch(tokens.length);
    const found = tokens.map((token) => this.#submissions.find(token));
    return this.#answerAll(found, { form, more: {} });
  }

  async list(call: Call): Promise<Response> {
    await this.#authorize(call);
    const form = await this.#form(call);
    const page = positive(call, "page", { byDefault: 1, max: Number.MAX_SAFE_INTEGER });
    const perPage = positive(call, "per_page", { byDefault: PER_PAGE, max: PER_PAGE_MAX });
    const count = this.#submissions.count;
    const pages = Math.ceil(count / perPage);
    const found = this.#submissions.list({ offset: (page - 1) * perPage, limit: perPage });
    const meta = {
      current_page: page,
      next_page: page < pages ? page + 1 : null,
      prev_page: page > 1 ? page - 1 : null,
      total_pages: pages,
      total_count: count,
    };
    return this.#answerAll(found, { form, more: { meta } });
  }

  async remove(call: Call): Promise<Response> {
    await this.#authorize(call);
    if (!this.#options.settings.allowDelete) {
      throw new HttpError(403, "submissions cannot be deleted on this server");
    }
    const form = { ...await this.#form(call), isBase64: true };
    const token = call.parameters.token!;
    const { findings: { status_id: status } } = this.#find(token);
    if (status <= STATUS.processing) {
      const { id, description } = statusOf(status);
      const reason = `its status is ${id} (${description})`;
      throw new HttpError(400, `submission cannot be deleted because ${reason}`);
    }
    const answer = this.#answer(token, { form, status: 200 });
    this.#submissions.remove(token);
    return answer;
  }

  async #languages(): Promise<NumberedLanguage[]> {
    return numberLanguages(await this.#context.executor.languages());
  }

  async #form(call: Call): Promise<AnswerForm> {
    const read = readFields(call.url.searchParams.get("fields") ?? "");
    if ("unknown" in read) throw new HttpError(400, `invalid fields: [${read.unknown.join(", ")}]`);
    const { fields } = read;
    const languages = fields.includes("language") ? await this.#languages() : [];
    const names = (id: number) => languages.find((language) => language.id === id)?.name ?? "";
    return { fields, isBase64: isTrue(call, "base64_encoded"), names };
  }

  async #read(
    body: unknown,
    { isBase64 }: AnswerForm,
  ): Promise<NewSubmission | { errors: AttributeErrors }> {
    const { settings, callbacks: { destinations } } = this.#options;
    const languages = await this.#languages();
    const read = readAttributes(body, { isBase64, settings, languages, destinations });
    if ("errors" in read) return read;
    const { attributes } = read;
    const { language } = languages.find(({ id }) => id === attributes.language_id)!;
    const { additional_files: zip } = attributes;
    if (zip === null) return { attributes, language, files: [] };
    try {
      const files = await unpackAdditionalFiles(zip, { limitKb: settings.maxExtractSizeKb });
      return { attributes, language, files };
    } catch (error) {
      if (!(error instanceof AdditionalFilesError)) throw error;
      return { errors: { additional_files: [error.message] } };
    }
  }

  async #begin(submission: NewSubmission, signal: AbortSignal | undefined) {
    try {
      return await this.#submissions.begin(submission, signal);
    } catch (error) {
      if (error instanceof BusyError) throw queueIsFull(error.retryAfterSeconds);
      if (error instanceof StoreFullError) throw queueIsFull(1);
      if (error instanceof JobError) throw new HttpError(422, error.message);
      throw error;
    }
  }

  /** In a batch, each has an answer of its own. */
  async #beginOneOf(read: NewSubmission | { errors: AttributeErrors }) {
    if ("errors" in read) return read.errors;
    try {
      return { token: (await this.#begin(read, undefined)).token };
    } catch (error) {
      if (error instanceof HttpError) return { error: error.message };
      throw error;
    }
  }

  #checkBatch(count: number): void {
    const { maxBatchSize } = this.#options.settings;
    if (count === 0) {
      throw new HttpError(400, "there should be at least one submission in a batch");
    }
    if (count <= maxBatchSize) return;
    const rule = `should be less than or equal to ${maxBatchSize}`;
    throw new HttpError(400, `number of submissions in a batch ${rule}`);
  }

  async #authorize({ request }: Call): Promise<void> {
    if (await isAuthorized(request, this.#options)) return;
    throw new HttpError(403, "this needs the header X-Auth-User, as the administrator has set it");
  }

  #find(token: string): StoredSubmission {
    const submission = this.#submissions.find(token);
    if (submission) return submission;
    throw new HttpError(404, "there is no submission with this token, or not any more");
  }

  #answer(token: string, { form, status }: { form: AnswerForm; status: number }): Response {
    const submission = this.#find(token);
    try {
      return json(writeFields(submission, form), { status });
    } catch (error) {
      if (!(error instanceof NotUtf8Error)) throw error;
      const said = `some attributes for this submission ${NOT_UTF8}`;
      return json({ error: said, token }, { status: 400 });
    }
  }

  #answerAll(
    found: readonly (StoredSubmission | undefined)[],
    { form, more }: { form: AnswerForm; more: object },
  ): Response {
    try {
      const submissions = found.map((submission) =>
        submission ? writeFields(submission, form) : null
      );
      return json({ submissions, ...more });
    } catch (error) {
      if (!(error instanceof NotUtf8Error)) throw error;
      throw new HttpError(400, `some attributes for one or more submissions ${NOT_UTF8}`);
    }
  }
}

function isTrue({ url }: Call, name: string): boolean {
  return ["true", "1"].includes(url.searchParams.get(name)?.toLowerCase() ?? "");
}

function positive(
  { url }: Call,
  name: string,
  { byDefault, max }: { byDefault: number; max: number },
): number {
  const text = url.searchParams.get(name);
  if (text === null || text === "") return byDefault;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= max) return number;
  throw new HttpError(400, `invalid ${name}: ${text.slice(0, 50)}`);
}

function batchOf(body: unknown): readonly unknown[] {
  const isObject = typeof body === "object" && body !== null;
  const submissions = isObject && "submissions" in body ? body.submissions : undefined;
  if (Array.isArray(submissions)) return submissions;
  throw new HttpError(400, "submissions is required as an array");
}

function queueIsFull(retryAfterSeconds: number): HttpError {
  return new HttpError(503, "queue is full", { "Retry-After": `${retryAfterSeconds}` });
}

/** Executes jobs in boxes of this machine. */

import { type Box, HostFiles, type Sandbox, SandboxError } from "../../mod.ts";
import { Compiler } from "../../judge/compile/compile.ts";
import type { Language, LanguageTable } from "../../judge/languages/language_table.ts";
import { whyNoControlGroups } from "../../judge/run/workers.ts";
import { Admission } from "./admission.ts";
import { BoxShelf } from "./box_shelf.ts";
import {
  type ExecuteOptions,
  type Executor,
  type ExecutorLoad,
  JobError,
  type LanguageInfo,
  type Session,
} from "./executor.ts";
import { checkJob, withEnding } from "./job_check.ts";
import { executeJob, type JobContext, SERVER_FAILED } from "./job_execution.ts";
import { SessionInput } from "./session_input.ts";
import { unfinished } from "./stage_result.ts";
import type { Job, JobEvent, JobResult, StageLimits } from "./types.ts";

/** How jobs are executed. */
export interface LocalExecutorOptions {
  readonly sandbox: Sandbox;
  readonly languages: LanguageTable;
  /** How many jobs run at once. */
  readonly boxes: number;
  /** The boxes to use; others may use them, too. */
  readonly boxIds: { readonly first: number; readonly count: number };
  /** How many jobs may wait. */
  readonly waiting: number;
  /** The memory of a stage that names no limit, in KiB. */
  readonly memoryKib: number;
  /** What compilers may use where a job does not say so. */
  readonly compileLimits: StageLimits;
  /** Whether programs may use the host's network. Default: false. */
  readonly allowNetwork?: boolean | undefined;
  /** The size of all compiled programs that are kept, in bytes. Default: 1 GiB. */
  readonly cacheLimitBytes?: number | undefined;
  /** Where languages are kept that have to be prepared; undefined: only as long as the executor exists. */
  readonly preparedDirectory?: string | undefined;
  /** Told of failures that no client is to blame for. */
  readonly complain: (message: string) => void;
}

/** The program that builds and runs by scripts of a package is no language for clients. */
const NO_LANGUAGE = "script";

/** Executes jobs here: one box for each, compiled programs are kept. */
export class LocalExecutor implements Executor {
  readonly #options: LocalExecutorOptions;
  readonly #shelf: BoxShelf;
  readonly #compiler: Compiler;
  readonly #admission: Admission;
  #languages: Promise<readonly LanguageInfo[]> | undefined;
  /** Languages are being prepared. */
  #preparing: Promise<void> = Promise.resolve();
  readonly #ending = new AbortController();
  /** Why boxes have no control groups; undefined: they have. */
  readonly whyNoControlGroups: string | undefined;

  private constructor(
    options: LocalExecutorOptions,
    { shelf, reason }: { shelf: BoxShelf; reason: string | undefined },
  ) {
    const { sandbox, boxes, waiting, cacheLimitBytes, preparedDirectory } = options;
    this.#options = options;
    this.#shelf = shelf;
    const host = new HostFiles(sandbox);
    this.#compiler = new Compiler({ sandbox, host, cacheLimitBytes, preparedDirectory });
    this.#admission = new Admission({ running: boxes, waiting });
    this.whyNoControlGroups = reason;
  }

  /** Makes an executor; no box is taken yet. */
  static async open(options: LocalExecutorOptions): Promise<LocalExecutor> {
    const { sandbox, boxIds, boxes: size } = options;
    const reason = await whyNoControlGroups(sandbox);
    const shelf = await BoxShelf.open({
      sandbox,
      boxIds,
      // One more for what nobody waits for.
      size: size + 1,
      controlGroup: reason === undefined,
    });
    return new LocalExecutor(options, { shelf, reason });
  }

  async execute(job: Job, options: ExecuteOptions = {}): Promise<JobResult> {
    return await this.#execute(job, options);
  }

  open(job: Job, options: ExecuteOptions = {}): Session {
    const input = new SessionInput(job.runs[0]?.stdin ?? new Uint8Array());
    let box: Box | undefined;
    const isOneRun = job.runs.length === 1;
    const result = isOneRun
      ? this.#execute(job, options, {
        moreStdin: input.stream,
        onBox: (given) => box = given,
      })
      : Promise.reject(new JobError("a session needs a job with one run"));
    let isOver = false;
    const over = () => {
      isOver = true;
      input.end();
    };
    result.then(over, over);
    return {
      result,
      write: (bytes) => input.write(bytes),
      end: () => input.end(),
      signal: (number) => !isOver && (box?.signal(number) ?? false),
    };
  }

  async languages(): Promise<readonly LanguageInfo[]> {
    if (!this.#languages) {
      this.#languages = this.#listLanguages();
      this.#preparing = this.#languages.then((infos) => this.#prepare(infos), () => {});
    }
    try {
      return await this.#languages;
    } catch (error) {
      this.#languages = undefined;
      throw error;
    }
  }

  load(): ExecutorLoad {
    const { running, waiting } = this.#admission;
    return { running, waiting, boxes: this.#options.boxes };
  }

  async close(): Promise<void> {
    await this.#admission.close();
    this.#ending.abort();
    await this.#languages?.catch(() => {});
    await this.#preparing;
    await this.#shelf[Symbol.asyncDispose]();
    await this.#compiler[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #execute(
    job: Job,
    { signal = new AbortController().signal, onAccepted, onEvent = () => {} }: ExecuteOptions,
    { moreStdin, onBox }: Pick<JobContext, "moreStdin"> & {
      onBox?: (box: Box | undefined) => void;
    } = {},
  ): Promise<JobResult> {
    const { allowNetwork = false, compileLimits, memoryKib } = this.#options;
    const language = this.#languageOf(job);
    const checkerLanguage = job.checker && this.#languageOf(job.checker);
    checkJob(job, { allowNetwork });
    const files = withEnding(language, job.files);
    const checker = job.checker && checkerLanguage && {
      ...job.checker,
      language: checkerLanguage,
      files: withEnding(checkerLanguage, job.checker.files),
    };
    const priority = job.priority ?? 0;
    return await this.#admission.run(async () => {
      const compiler = this.#compiler;
      const work = async (box: Box) => {
        onBox?.(box);
        try {
          return await executeJob({
            ...{ job, files, language, checker, box, compiler, compileLimits, memoryKib, signal },
            onEvent,
            complain: this.#options.complain,
            moreStdin,
          });
        } finally {
          onBox?.(undefined);
        }
      };
      try {
        return await this.#shelf.use(work, { signal });
      } catch (error) {
        return this.#failed(error, { signal, onEvent });
      }
    }, { priority, signal, onAccepted });
  }

  /** What fails here is no fault of the job, and told as its result. */
  #failed(
    error: unknown,
    { signal, onEvent }: { signal: AbortSignal; onEvent: (event: JobEvent) => void },
  ): JobResult {
    if (!signal.aborted) {
      const text = error instanceof SandboxError
        ? error.message
        : error instanceof Error
        ? error.stack ?? error.message
        : String(error);
      this.#options.complain(`A job failed: ${text}`);
    }
    const result = unfinished(
      signal.aborted ? { kind: "cancelled" } : { kind: "failed", reason: SERVER_FAILED },
    );
    onEvent({ stage: "run", run: 0, kind: "end", result });
    return { version: "", isCached: false, runs: [result] };
  }

  #languageOf({ language: id }: Pick<Job, "language">): Language {
    const language = this.#options.languages.find(id);
    if (language && language.id !== NO_LANGUAGE) return language;
    const known = this.#options.languages.languages.map(({ id }) => id)
      .filter((id) => id !== NO_LANGUAGE);
    throw new JobError(`unknown language ${id} (known: ${known.join(", ")})`);
  }

  async #listLanguages(): Promise<readonly LanguageInfo[]> {
    const { languages } = this.#options.languages;
    return await this.#shelf.use(async (box) => {
      const infos: LanguageInfo[] = [];
      for (const language of languages) {
        if (language.id !== NO_LANGUAGE) infos.push(await this.#look(language, box));
      }
      return infos;
    });
  }

  /** Prepares the languages that need it, while nobody waits for them. */
  async #prepare(infos: readonly LanguageInfo[]): Promise<void> {
    const { languages: { languages }, complain } = this.#options;
    const { signal } = this.#ending;
    for (const language of languages) {
      const isUsable = infos.some(({ id, version }) => id === language.id && version !== undefined);
      if (!language.definition.prepare || !isUsable || signal.aborted) continue;
      try {
        await this.#shelf.use((box) => this.#compiler.prepare({ language, box, signal }), {
          signal,
        });
      } catch (error) {
        if (!signal.aborted) complain(error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** Asks the tool of a language for its version, which also proves that it works in a box. */
  async #look(language: Language, box: Box): Promise<LanguageInfo> {
    const { id, name, definition: { compile } } = language;
    const facts = { id, name, isCompiled: compile !== undefined && !compile.onlyChecks };
    try {
      const version = await this.#compiler.version({ language, box });
      return { ...facts, version, missing: undefined };
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      return { ...facts, version: undefined, missing: error.message };
    }
  }
}

/** A box that is there without a program, so that somebody can look around in it. */

import { Plan } from "../ffi/plan.ts";
import { SandboxError } from "../host/errors.ts";
import { boxPlaces } from "./claim/paths.ts";
import type { Enterable } from "./enter.ts";
import type { Sandbox } from "./sandbox.ts";
import { defaultDirectoryRules } from "./setup/directory_rules.ts";
import { planCallerLimits } from "./setup/limits.ts";
import { boxKind } from "./setup/box_kind.ts";
import { closeSources, openSources } from "./setup/sources.ts";
import { discard, Receiver, Stage, type WaitingBox } from "./setup/stage.ts";

/** Makes the box that a program would find, for the holder of its lock, and ends it afterwards. */
export async function inHeldBox<Result>(
  sandbox: Sandbox,
  boxId: number,
  work: (place: Enterable) => Promise<Result>,
): Promise<Result> {
  const { system, remote, settings } = sandbox;
  const plan = new Plan();
  const readLimits = planCallerLimits(plan, remote);
  system.run(plan, "which limits the caller has");
  const rules = openSources(sandbox, {
    rules: defaultDirectoryRules(),
    places: boxPlaces(settings, boxId),
  });
  const setup = { rules, shareNetwork: false, terminal: false, controlGroup: false };
  let stage: Stage | undefined;
  let box: WaitingBox | undefined;
  try {
    try {
      stage = new Stage(system, setup, boxKind(setup));
      box = new Receiver(system).receive(stage.order(setup));
    } finally {
      closeSources(system, rules);
    }
    if (!box) throw new SandboxError("internal", `Box ${boxId} cannot be made for a visitor`);
    return await work({
      boxId,
      ...box,
      controlGroup: undefined,
      limits: {},
      callerLimits: readLimits(),
    });
  } finally {
    if (box) discard(system, box);
    stage?.close();
  }
}

import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Diagnosis } from '../core/diagnosis.ts';
import { diagnose } from '../core/diagnosis/diagnose.ts';
import { diagnosisToJson } from '../core/diagnosis-json.ts';
import type { BudgetStore } from '../connectors/forticloud/budget-store.ts';
import { createProbeKit } from '../round/probe-kit.ts';
import { voidWhenStalled } from '../round/void-round.ts';
import { activationOf, assessUnits } from '../units/assess-units.ts';
import { observeHolders, observeUnits, type UnitsPicture } from '../units/observe-units.ts';
import { createProgressLine, type ProgressOutput } from './progress.ts';
import { renderDiagnosis } from './report-text.ts';

export interface CheckOptions {
  readonly config: Config;
  readonly json: boolean;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly budget: BudgetStore;
  readonly signal: AbortSignal;
  readonly output: { write(text: string): unknown };
  readonly style: { readonly color: boolean; readonly width: number };
  /** Where progress is shown; null: nowhere. */
  readonly progress: ProgressOutput | null;
}

/** Exit codes as a Nagios plugin gives them. */
export const CHECK_EXIT = { ready: 0, warnings: 1, notReady: 2, unknown: 3 } as const;

/** One round of everything. Returns the exit code. */
export async function check(options: CheckOptions): Promise<number> {
  const diagnosis = await checkOnce(options);
  options.output.write(options.json ? `${JSON.stringify(diagnosisToJson(diagnosis))}\n` : renderDiagnosis(diagnosis, options.style));
  return exitCode(diagnosis);
}

async function checkOnce(options: CheckOptions): Promise<Diagnosis> {
  const { config, clock, env, signal } = options;
  const kit = await createProbeKit(config, { clock, env });
  const progress = createProgressLine(options.progress);
  try {
    const [round, picture] = await Promise.all([kit.observe(signal, progress.show), observePicture(options)]);
    progress.clear();
    const assessments = voidWhenStalled(kit.assess(round).assessments, round);
    const { host, port } = config.licenseServer;
    return diagnose([...assessments, ...assessUnits(config, picture)], {
      site: config.site,
      at: round.startedAt,
      host,
      port,
      source: config.firewall?.source ?? null,
      activation: activationOf(picture),
    });
  } finally {
    progress.clear();
    kit.close();
  }
}

async function observePicture({ config, budget, clock, env, signal }: CheckOptions): Promise<UnitsPicture> {
  const ctx = { clock, env, signal };
  const seen = await observeUnits(config, ctx);
  return { ...seen, registration: await observeHolders(config, seen.units, budget, ctx) };
}

function exitCode({ ready, causes }: Diagnosis): number {
  switch (ready) {
    case 'ready':
      return causes.some(({ severity }) => severity !== 'info') ? CHECK_EXIT.warnings : CHECK_EXIT.ready;
    case 'not-ready':
      return CHECK_EXIT.notReady;
    case 'unknown':
      return CHECK_EXIT.unknown;
  }
}

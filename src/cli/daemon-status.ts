import * as z from 'zod';

import { SEVERITIES } from '../core/severity.ts';
import { PRECONDITION_STATES } from '../engine/precondition-state.ts';
import type { SeenDiagnosis } from '../report/nagios-line.ts';
import type { OpenIncident } from '../report/unseen-incidents.ts';
import { controlPlace } from '../runtime/control-place.ts';
import { createDaemonClient, type DaemonAnswer, NoDaemon } from './daemon-client.ts';
import type { Terminal } from './terminal.ts';

/** What the daemon of a store reports now. */
export interface DaemonStatus {
  /** A text: why there is none yet. */
  readonly diagnosis: SeenDiagnosis | string;
  readonly incidents: readonly OpenIncident[];
}

const statusShape = z.object({
  ready: z.enum(['ready', 'not-ready', 'unknown']),
  at: z.iso.datetime(),
  preconditions: z.array(
    z.object({
      id: z.string(),
      state: z.enum(PRECONDITION_STATES),
      summary: z.string(),
      findings: z.array(z.object({ rule: z.string() })),
    }),
  ),
  causes: z.array(z.object({ severity: z.enum(SEVERITIES), summary: z.string() })),
});
const incidentsShape = z.object({
  incidents: z.array(
    z.object({
      id: z.string(),
      status: z.enum(['open', 'closed']),
      cause: z.string(),
      subject: z.string(),
      severity: z.enum(SEVERITIES),
      summary: z.string(),
      since: z.iso.datetime(),
      lastSeen: z.iso.datetime(),
    }),
  ),
});
const problemShape = z.object({ error: z.string() });

/**
 * Null: no daemon runs with this store.
 * @throws {Error} when it cannot be asked, or answers something else
 */
export async function readDaemonStatus(
  storePath: string,
  terminal: Pick<Terminal, 'clock' | 'env' | 'signal'>,
): Promise<DaemonStatus | null> {
  try {
    await using daemon = await createDaemonClient(controlPlace(storePath, terminal.env), terminal);
    const answered = await daemon.ask('GET', '/api/v1/status');
    if (answered.status === 503) return { diagnosis: read(problemShape, answered).error, incidents: [] };
    const diagnosis = read(statusShape, answered);
    const { incidents } = read(incidentsShape, await daemon.ask('GET', '/api/v1/incidents?state=open'));
    // A daemon of version 0.1.0 knows no parameter and answers with the closed ones too.
    return { diagnosis, incidents: incidents.filter(({ status }) => status === 'open') };
  } catch (error) {
    if (error instanceof NoDaemon) return null;
    throw error;
  }
}

/** @throws {Error} when it is none of these answers */
function read<T>(shape: z.ZodType<T>, { status, text }: DaemonAnswer): T {
  const parsed = shape.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new Error(`The daemon answered HTTP ${String(status)} and no status: is it ftm-watch of this version?`);
}

/** Undefined for what is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import * as z from 'zod';
import { SEVERITIES } from '../core/severity.ts';
import type { OpenIncident, SeenDiagnosis } from '../document/site-state.ts';
import { PRECONDITION_STATES, type Cause } from '../engine/model.ts';
import { controlPlace } from '../runtime/store-places.ts';
import { readableCauses } from '../store/known-causes.ts';
import { createDaemonClient, NoDaemon, problemShape, read } from './daemon-client.ts';
import type { Terminal } from './terminal.ts';

export interface DaemonStatus {
  /** If there is no diagnosis yet, a string that explains why. */
  readonly diagnosis: SeenDiagnosis | string;
  readonly incidents: readonly OpenIncident[];
  /** Causes in the diagnosis that this version knows. */
  readonly causes: readonly Cause[];
}

const fault = {
  severity: z.enum(SEVERITIES),
  summary: z.string(),
  headline: z.string().optional(),
  remedy: z.array(z.string()).default([]),
};

/** An earlier daemon sends no headlines, and version 0.1.0 sends no remedies of incidents. */
function named<T extends { readonly summary: string; readonly headline?: string | undefined }>(shape: z.ZodType<T>) {
  return shape.transform((one) => ({ ...one, headline: one.headline ?? one.summary }));
}

const statusShape = z.object({
  ready: z.enum(['ready', 'not-ready', 'unknown']),
  at: z.iso.datetime(),
  preconditions: z.array(
    z.object({
      id: z.string(),
      state: z.enum(PRECONDITION_STATES),
      summary: z.string(),
      /** An earlier daemon does not send it. */
      isLeftOut: z.boolean().default(false),
      findings: z.array(z.object({ rule: z.string() })),
    }),
  ),
  causes: z.array(named(z.looseObject({ ...fault, precondition: z.string(), subject: z.string() }))),
  quantities: z
    .array(z.object({ id: z.string(), subject: z.string(), value: z.number(), unit: z.string() }))
    .default([]),
});
const incidentsShape = z.object({
  incidents: z.array(
    named(
      z.object({
        ...fault,
        id: z.string(),
        status: z.enum(['open', 'closed']),
        cause: z.string(),
        subject: z.string(),
        since: z.iso.datetime(),
        lastSeen: z.iso.datetime(),
      }),
    ),
  ),
});

/**
 * Returns null if no daemon is running with this store.
 * @throws {NoDaemon} if the daemon was killed
 */
export async function readDaemonStatus(
  storePath: string,
  terminal: Pick<Terminal, 'clock' | 'env' | 'signal'>,
): Promise<DaemonStatus | null> {
  try {
    const daemon = await createDaemonClient(controlPlace(storePath, terminal.env), terminal);
    const answered = await daemon.ask('GET', '/api/v1/status');
    if (answered.status === 503) return { diagnosis: read(problemShape, answered).error, incidents: [], causes: [] };
    const diagnosis = read(statusShape, answered);
    const { incidents } = read(incidentsShape, await daemon.ask('GET', '/api/v1/incidents?state=open'));
    // Version 0.1.0 of the daemon ignores the parameter and also returns closed incidents.
    const open = incidents.filter(({ status }) => status === 'open');
    return { diagnosis, incidents: open, causes: readableCauses(diagnosis.causes) };
  } catch (error) {
    if (error instanceof NoDaemon && !error.hasLeftSocket) return null;
    throw error;
  }
}

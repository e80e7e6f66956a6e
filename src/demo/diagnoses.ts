import type { DiagnosisJson } from '../checks/diagnosis-json.ts';
import type { Millis } from '../core/clock.ts';
import { sleep, systemClock } from '../system/clock.ts';

/** Shorter than any round, so that none is missed. */
const ASK_EVERY: Millis = 100;

/**
 * Yields a daemon's latest diagnosis, and each one that differs from the one before, until the signal aborts.
 * @param page URL of the status page, with a trailing slash
 * @throws the signal's reason
 */
export async function* followDiagnoses(page: string, signal: AbortSignal): AsyncGenerator<DiagnosisJson> {
  for (let last = ''; ; await sleep(systemClock, ASK_EVERY, signal)) {
    const text = await statusOf(page, signal);
    if (text === last) continue;
    last = text;
    const diagnosis: unknown = JSON.parse(text);
    if (isDiagnosis(diagnosis)) yield diagnosis;
  }
}

/** JSON that is no diagnosis before the first round, and while a reload closes the page. */
async function statusOf(page: string, signal: AbortSignal): Promise<string> {
  try {
    return await (await fetch(`${page}api/v1/status`, { signal })).text();
  } catch {
    signal.throwIfAborted();
    return 'null';
  }
}

/** The daemon is of the same version, so the outermost fields tell. */
function isDiagnosis(value: unknown): value is DiagnosisJson {
  return typeof value === 'object' && value !== null && 'ready' in value && 'preconditions' in value;
}

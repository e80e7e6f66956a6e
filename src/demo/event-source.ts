import type { DiagnosisJson } from '../engine/diagnosis-json.ts';

/**
 * Yields the diagnoses that a daemon sends as server-sent events, starting with the latest, until it stops or the
 * signal aborts.
 * @throws the signal's reason
 */
export async function* followEvents(url: string, signal: AbortSignal): AsyncGenerator<DiagnosisJson> {
  const response = await fetch(url, { signal });
  if (!response.ok || response.body === null)
    throw new Error(`Cannot listen to ${url}: HTTP ${String(response.status)}`);
  let pending = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    pending += text;
    const events = pending.split('\n\n');
    pending = events.pop() ?? '';
    for (const event of events) {
      const data = event.split('\n').find((line) => line.startsWith('data: '));
      const diagnosis: unknown = JSON.parse(data?.slice('data: '.length) ?? 'null');
      if (isDiagnosis(diagnosis)) yield diagnosis;
    }
  }
}

/** The daemon is of the same version, so the outermost fields tell. */
function isDiagnosis(value: unknown): value is DiagnosisJson {
  return typeof value === 'object' && value !== null && 'ready' in value && 'preconditions' in value;
}

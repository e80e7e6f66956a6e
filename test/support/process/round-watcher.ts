import { summaryOf } from '../../../src/demo/daemon.ts';
import { followDiagnoses } from '../../../src/demo/diagnoses.ts';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import { until } from '../time/until.ts';

/** Watches a daemon's further conclusions over one connection that is already open. */
export interface RoundWatcher extends AsyncDisposable {
  readonly diagnoses: readonly DiagnosisJson[];
  /** Waits for the first further diagnosis that matches. */
  next(isMeant: (diagnosis: DiagnosisJson) => boolean, limitMs: number): Promise<DiagnosisJson>;
  /** Waits for this number of further diagnoses. */
  more(count: number, limitMs: number): Promise<readonly DiagnosisJson[]>;
}

/** @param page URL of the status page, without a trailing slash */
export async function watchRounds(page: string): Promise<RoundWatcher> {
  const ending = new AbortController();
  const diagnoses: DiagnosisJson[] = [];
  const done = (async () => {
    try {
      for await (const diagnosis of followDiagnoses(`${page}/`, ending.signal)) diagnoses.push(diagnosis);
    } catch (error) {
      if (!ending.signal.aborted) throw error;
    }
  })();
  const since = (start: number): readonly DiagnosisJson[] => diagnoses.slice(start);
  const watcher: RoundWatcher = {
    diagnoses,
    next: async (isMeant, limitMs) => {
      const start = diagnoses.length;
      const found = await until(
        () => Promise.resolve(since(start).find(isMeant) ?? null),
        (diagnosis) => diagnosis !== null,
        limitMs,
      ).catch((error: unknown) => {
        const last = diagnoses.at(-1);
        throw new Error(`${String(error)}; the last diagnosis was ${last === undefined ? 'none' : summaryOf(last)}`, {
          cause: error,
        });
      });
      if (found === null) throw new Error('Cannot be: it was waited for');
      return found;
    },
    more: async (count, limitMs) => {
      const start = diagnoses.length;
      await until(
        () => Promise.resolve(diagnoses.length - start),
        (seen) => seen >= count,
        limitMs,
      );
      return since(start);
    },
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await done;
    },
  };
  await until(
    () => Promise.resolve(diagnoses.length),
    (seen) => seen > 0,
    20_000,
  );
  return watcher;
}

import type { WebSources } from './sources.ts';

/** A text can contain a thousand incidents, about 2 MB. */
const MOST_KEPT = 4;
const MOST_WAITING = 16;

/**
 * Makes one text at a time, and keeps it until an incident changes. Requests for the same text share it.
 * @returns null if too many different texts are waiting
 */
export type KeptTexts = (key: string, make: () => Promise<string>) => Promise<string> | null;

export function createKeptTexts({ incidentsVersion }: Pick<WebSources, 'incidentsVersion'>): KeptTexts {
  const kept = new Map<string, { readonly version: object; readonly text: Promise<string> }>();
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  function next(make: () => Promise<string>): Promise<string> {
    waiting += 1;
    const text = last.then(make).finally(() => {
      waiting -= 1;
    });
    last = text.catch(() => undefined);
    return text;
  }

  return (key, make) => {
    const version = incidentsVersion();
    const known = kept.get(key);
    if (known?.version === version) return known.text;
    if (waiting >= MOST_WAITING) return null;
    const text = next(make);
    text.catch(() => kept.delete(key));
    kept.delete(key);
    kept.set(key, { version, text });
    for (const oldest of [...kept.keys()].slice(0, -MOST_KEPT)) kept.delete(oldest);
    return text;
  };
}

import { readFileSync } from 'node:fs';
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { createRoutes } from '../../../src/web/routes.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { sourcesOf, webState } from '../../support/web/web-sources.ts';

describe('docs/web.md', () => {
  test('names every route, and no other', () => {
    const { routes } = createRoutes({
      sources: sourcesOf(webState()),
      access: { kind: 'socket' },
      changeLimit: () => true,
      files: new Map(),
      tls: false,
      clock: handClock(0),
      logger: pino({ level: 'silent' }),
    });
    const text = readFileSync(new URL('../../../docs/web.md', import.meta.url), 'utf8');

    const documented = [...text.matchAll(/^\| `((?:GET|POST|DELETE) \S+)` \|/gmu)].map(([, route]) => route);
    const served = routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replace(String.raw`{[^/]+\.md}`, '.md')}`);

    expect(served).toContain('GET /metrics');
    expect(new Set(documented)).toEqual(new Set(served));
  });
});

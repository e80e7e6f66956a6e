import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../../src/core/audit.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';
import { startWeb } from '../../support/web/web-bench.ts';

const HOSTILE = '<script>alert(1)</script>';

/** Returns changes, latest first. */
function changes(count: number, more: Partial<AuditEntry> = {}): readonly AuditEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    at: START + index,
    action: 'comment' as const,
    account: 'ada',
    address: '10.0.0.7',
    incident: index % 2 === 0 ? 'first' : 'second',
    cause: 'tls-intercepted',
    subject: 'host:443',
    detail: `change ${String(index + 1)}`,
    ...more,
  })).toReversed();
}

interface Trail {
  readonly changes: readonly { readonly id: number; readonly detail: string }[];
  readonly more: boolean;
}

describe('GET /api/v1/audit', () => {
  test('gives all changes page by page', async () => {
    await using web = await startWeb({ state: { changes: changes(2_500) } });
    const read: string[] = [];
    let path = '/api/v1/audit';
    for (;;) {
      const page = (await (await web.get(path)).json()) as Trail;
      read.push(...page.changes.map(({ detail }) => detail));
      if (!page.more) break;
      path = `/api/v1/audit?before=${String(page.changes.at(-1)?.id)}`;
    }
    expect(read).toEqual(Array.from({ length: 2_500 }, (_, index) => `change ${String(2_500 - index)}`));
  });

  test('gives those of one incident', async () => {
    await using web = await startWeb({ state: { changes: changes(10) } });
    const found = (await (await web.get('/api/v1/audit?incident=second')).json()) as Trail;
    expect(found.changes.map(({ detail }) => detail)).toEqual([10, 8, 6, 4, 2].map((n) => `change ${String(n)}`));
  });

  test.each(['before=x', 'before=-1', 'since=3', `before=${'9'.repeat(30)}`])('refuses %s', async (query) => {
    await using web = await startWeb();
    const refused = await web.get(`/api/v1/audit?${query}`);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ problems: [expect.stringContaining('expected')] });
  });
});

describe('GET /changes', () => {
  test('shows who changed what, leads to what is earlier, and runs nothing that people wrote', async () => {
    await using web = await startWeb({ state: { changes: changes(150, { account: HOSTILE }) } });
    const page = await (await web.get('/changes')).text();
    expect(page).toContain('change 150');
    expect(page).not.toContain('change 50<');
    expect(page).not.toContain(HOSTILE);
    const [, earlier = ''] = /href="(changes\?before=\d+)">Earlier/u.exec(page) ?? [];
    const before = await (await web.get(`/${earlier}`)).text();
    expect(before).toContain('change 50<');
    expect(before).not.toContain('Earlier');
  });

  test('says what of its address it does not understand', async () => {
    await using web = await startWeb();
    expect(await (await web.get('/changes?before=x&sense=none')).text()).toContain('&quot;sense&quot;: expected');
  });
});

test('the page of an incident says how many changes are folded, and where all of them are', async () => {
  const { incidents } = timeline().rounds(2, [causeOf('tls-intercepted')]).state;
  const id = incidents[0]?.id ?? '';
  await using web = await startWeb({ state: { incidents, omittedChanges: 4_000 } });
  const page = await (await web.get(`/incidents/${id}`)).text();
  expect(page).toContain('4000 more changes are not shown');
  expect(page).toContain(`href="../changes?incident=${id}"`);
  expect(await (await web.get(`/api/v1/incidents/${id}`)).json()).toMatchObject({ omittedChanges: 4_000 });
});

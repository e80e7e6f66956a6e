import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../../src/core/audit.ts';
import { incidentOf } from '../../support/notify/outbox-entry-of.ts';
import { START } from '../../support/store/incident-timeline.ts';
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
    for (let before: number | null = null, more = true; more; ) {
      const page = (await web.json(`/api/v1/audit${before === null ? '' : `?before=${String(before)}`}`)) as Trail;
      read.push(...page.changes.map(({ detail }) => detail));
      [before, more] = [page.changes.at(-1)?.id ?? null, page.more];
    }
    expect(read).toEqual(Array.from({ length: 2_500 }, (_, index) => `change ${String(2_500 - index)}`));
  });

  test('gives those of one incident', async () => {
    await using web = await startWeb({ state: { changes: changes(10) } });
    const found = (await web.json('/api/v1/audit?incident=second')) as Trail;
    expect(found.changes.map(({ detail }) => detail)).toEqual([10, 8, 6, 4, 2].map((n) => `change ${String(n)}`));
  });

  test.each(['before=x', 'before=-1', 'since=3', `before=${'9'.repeat(30)}`])('refuses %s', async (query) => {
    await using web = await startWeb();
    const refused = await web.get(`/api/v1/audit?${query}`);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ problems: [expect.stringContaining(query.split('=')[0] ?? '')] });
  });
});

describe('GET /changes', () => {
  test('shows who changed what, leads to what is earlier, and runs nothing that people wrote', async () => {
    await using web = await startWeb({ state: { changes: changes(150, { account: HOSTILE }) } });
    const page = await web.text('/changes');
    expect(page).toContain('change 150');
    expect(page).not.toContain('change 50<');
    expect(page).not.toContain(HOSTILE);
    const [, earlier = ''] = /href="(changes\?before=\d+)">Earlier/u.exec(page) ?? [];
    const before = await web.text(`/${earlier}`);
    expect(before).toContain('change 50<');
    expect(before).not.toContain('Earlier');
  });

  test('says what of its address it does not understand', async () => {
    await using web = await startWeb();
    expect(await web.text('/changes?before=x&sense=none')).toContain('&quot;sense&quot;');
  });
});

test('the page of an incident says how many changes are folded, and where all of them are', async () => {
  const { id } = incidentOf();
  await using web = await startWeb({ state: { incidents: [incidentOf()], omittedChanges: 4_000 } });
  const page = await web.text(`/incidents/${id}`);
  expect(page).toContain('4000');
  expect(page).toContain(`href="../changes?incident=${id}"`);
  expect(await web.json(`/api/v1/incidents/${id}`)).toMatchObject({ omittedChanges: 4_000 });
});

import { describe, expect, test } from 'vitest';
import { zoneOf } from '../../../src/core/time-text.ts';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { renderFeed } from '../../../src/web/feed.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { MINUTE, START, timeline } from '../../support/store/incident-timeline.ts';
import { formerCauseOf, incidentOf } from '../../support/notify/outbox-entry-of.ts';

const OPEN = incidentOf();
const OVER: Incident = { ...OPEN, status: 'closed', closedAt: START + 10 * MINUTE };

function feedOf(incidents: readonly Incident[], more: Partial<Parameters<typeof renderFeed>[0]> = {}): string {
  return renderFeed({
    site: 'hq',
    publicUrl: null,
    incidents,
    startedAt: START - MINUTE,
    zone: zoneOf('UTC'),
    ...more,
  });
}

function all(feed: string, name: string): readonly string[] {
  return [...feed.matchAll(new RegExp(`<${name}>([^<]*)<`, 'gu'))].map(([, text = '']) => text);
}

describe('the feed', () => {
  test('has ids that stay the same when an incident ends, the daemon restarts or the page moves', () => {
    const ids = all(feedOf([OPEN]), 'id');
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids)
      expect(id).toMatch(/^urn:uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/u);
    const moved = feedOf([OVER], {
      publicUrl: 'https://ftm.example.org',
      startedAt: START,
      zone: zoneOf('Asia/Tokyo'),
    });
    expect(all(moved, 'id')).toEqual(ids);
    expect(all(feedOf([OPEN], { site: 'other' }), 'id')[0]).not.toBe(ids[0]);
  });

  test('moves "updated" when an incident changes its cause, ends or comes back, and not with each round', () => {
    const updated = (incident: Incident): readonly string[] => all(feedOf([incident]), 'updated');
    expect(updated(OPEN)).toEqual(['2026-11-24T13:00:30.000Z', '2026-11-24T13:00:30.000Z']);
    expect(updated({ ...OPEN, lastSeen: START + 5 * MINUTE })).toEqual(updated(OPEN));
    expect(updated({ ...OPEN, formerCauses: [formerCauseOf('clock-skewed', START + 3 * MINUTE)] })[1]).toContain(
      '13:03:00',
    );
    expect(updated(OVER)).toEqual(['2026-11-24T13:10:00.000Z', '2026-11-24T13:10:00.000Z']);
    const again: Incident = { ...OPEN, openedAt: START + 20 * MINUTE, earlier: [OVER] };
    expect(updated(again)[1]).toContain('13:20:00');
    expect(all(feedOf([again]), 'published')).toEqual(['2026-11-24T13:00:30.000Z']);
  });

  test('says what it is, what to do first and whether it is over', () => {
    const feed = feedOf([OPEN]);
    expect(all(feed, 'title')[1]).toBe('Critical: TLS is intercepted');
    for (const text of ['Summary of tls-intercepted', 'What to do first: Do this.', 'Since 2026-11-24 13:00:00 UTC'])
      expect(feed).toContain(text);
    expect(feed).not.toContain('Then do that.');
    expect(all(feedOf([OVER]), 'title')[1]).toBe('Resolved: TLS is intercepted');
  });

  test('names no host unless one is configured', () => {
    expect(feedOf([OPEN])).toContain(`href="incidents/${OPEN.id}"`);
    expect(feedOf([OPEN])).not.toMatch(/href="https?:/u);
    for (const publicUrl of ['https://ftm.example.org/here', 'https://ftm.example.org/here/']) {
      const links = [...feedOf([OPEN], { publicUrl }).matchAll(/href="([^"]*)"/gu)].map(([, url]) => url);
      expect(new Set(links)).toEqual(
        new Set(
          ['incidents.atom', 'incidents', `incidents/${OPEN.id}`].map((path) => `https://ftm.example.org/here/${path}`),
        ),
      );
    }
  });

  test('has an old incident that just ended before fifty newer ones, and no more than fifty', () => {
    const newer = Array.from(
      { length: 60 },
      (_, index): Incident => ({ ...OPEN, id: `newer-${String(index)}`, openedAt: START + index * MINUTE }),
    );
    const old: Incident = { ...OVER, id: 'old', openedAt: START - 60 * MINUTE, closedAt: START + 90 * MINUTE };
    const ids = [...feedOf([...newer, old]).matchAll(/<link [^>]*href="incidents\/([^"]*)"/gu)].map(([, id]) => id);
    expect(ids).toHaveLength(50);
    expect(ids.slice(0, 2)).toEqual(['old', 'newer-59']);
  });

  test('has the latest change first, and without incidents the time of the start', () => {
    const causes = [causeOf('tls-intercepted'), causeOf('mail-unreachable')];
    const [first, second] = timeline().rounds(2, causes).state.incidents;
    if (first === undefined || second === undefined) throw new Error('Two incidents were to open');
    const late = { ...second, status: 'closed', closedAt: START + 5 * MINUTE } as const;
    expect([...feedOf([first, late]).matchAll(/<category term="([^"]*)"/gu)].map(([, term]) => term)).toEqual([
      'mail-unreachable',
      'tls-intercepted',
    ]);
    expect(all(feedOf([]), 'updated')).toEqual(['2026-11-24T12:59:00.000Z']);
  });
});

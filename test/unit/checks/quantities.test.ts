import { describe, expect, test } from 'vitest';
import type { PollingReport } from '../../../src/core/polling/report.ts';
import { quantitiesOf } from '../../../src/checks/quantities.ts';
import type { Quantity } from '../../../src/engine/model.ts';
import { DAY, WELL } from '../../support/checks/agent-health.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { factsOf, heard, roundFacts, targetFacts } from '../../support/checks/facts.ts';
import { endpoint, path, picture, round } from '../../support/checks/observed.ts';
import { configOf } from '../../support/config/config-of.ts';

const CONFIG = await configOf(`
logs: { syslog: { udp: 192.0.2.9:5514 } }
appliances:
  - { name: fac-1, certificates: [{ license: EFTM1, redeemBy: 2026-12-24 }, { license: EFTM2, redeemBy: 2026-11-20 }] }
  - { name: fac-2 }
`);
const AT = WELL.at;

function units(...rests: readonly (ReturnType<typeof applianceFacts> | null)[]) {
  return picture({
    appliances: CONFIG.appliances.map((config, index) => ({ config, rest: rests[index] ?? null, role: null })),
  });
}

function log(...appliances: PollingReport['appliances']): ReturnType<typeof heard> {
  return heard({ window: 1, silentAfter: 1, appliances, firewallEvidence: [] });
}

/** Returns a target that presents certificates with these expiry dates at its addresses. */
function target(subject: string, ...ends: readonly number[]): ReturnType<typeof targetFacts> {
  const endpoints = ends.map((notAfter) => ({
    ...endpoint('192.0.2.1'),
    tls: { chain: { certificates: [{ notAfter }, { notAfter: AT - DAY }] } },
  }));
  return targetFacts({ path: path({ subject, endpoints: endpoints as never }) });
}

function told(quantities: readonly Quantity[]): readonly string[] {
  return quantities.map(({ id, subject, value, unit }) => `${id} ${subject} ${String(value)} ${unit}`);
}

describe('quantitiesOf()', () => {
  test('contains each number once, by ID and subject', () => {
    const spoke = { name: 'fac-1', errors: [], lastLineAt: AT, reliableLineAt: AT, silent: false, silentFor: null };
    const mail = [{ server: 'mail.test:25', certificateNotAfter: AT - 1 }];
    const facts = factsOf({
      config: CONFIG,
      at: AT,
      agent: WELL,
      round: roundFacts({
        observations: round({ mail: mail as never }),
        targets: [target('server.test:443', AT + 90 * DAY, AT + 30 * DAY), target('push.test:443', AT + DAY - 1)],
      }),
      picture: units(applianceFacts({ sms: { kind: 'read', value: { total: 1000, available: 40 } } }), null),
      log: log(
        { ...spoke, errorsWithinHour: 7 },
        { ...spoke, name: 'fac-2', silent: true, errorsWithinHour: 0 },
        { ...spoke, name: 'fac-3', lastLineAt: null, errorsWithinHour: 0 },
      ),
    });

    expect(told(quantitiesOf(facts))).toEqual([
      'certificate-days mail.test:25 -1 days',
      'certificate-days push.test:443 0 days',
      'certificate-days server.test:443 30 days',
      'certificate-days status page 15 days',
      'certificate-days syslog listener 15 days',
      'license-days EFTM1 31 days',
      'license-days EFTM2 -3 days',
      'polling-errors fac-1 7 errors',
      'sms-left fac-1 40 messages',
      'tokens-free fac-1 30 tokens',
    ]);
  });

  test('contains no errors of a log that is no longer received', () => {
    const spoke = { name: 'fac-1', errors: [], lastLineAt: AT, reliableLineAt: AT, silent: false, silentFor: null };
    const known = { at: AT, log: log({ ...spoke, errorsWithinHour: 7 }) };
    const logs = { ...CONFIG.logs, syslog: { udp: null, tcp: null, tls: null }, files: [] };
    expect(told(quantitiesOf(factsOf({ ...known, config: CONFIG })))).toEqual(['polling-errors fac-1 7 errors']);
    expect(quantitiesOf(factsOf({ ...known, config: { ...CONFIG, logs } }))).toEqual([]);
  });

  test('counts no locked tokens, also if only the licence tells how many are free', () => {
    const none = { new: 0, available: 0, pending: 0, assigned: 0, other: 0 };
    const byStatus = { ...none, available: 20, other: 80 };
    const counts = { total: 100, byStatus, byLicense: [], locked: { ...none, available: 15 }, withoutLicense: 0 };
    const free = (available: number) =>
      told(
        quantitiesOf(
          factsOf({
            config: CONFIG,
            at: AT,
            picture: units(
              applianceFacts({
                tokens: { kind: 'read', value: counts },
                licensed: { kind: 'read', value: { total: 100, used: null, available } },
              }),
            ),
          }),
        ),
      ).filter((one) => one.startsWith('tokens-free'));
    expect(free(50)).toEqual(['tokens-free fac-1 35 tokens']);
    // The list shows at least five free tokens that are not locked.
    expect(free(10)).toEqual(['tokens-free fac-1 5 tokens']);
  });

  test('contains nothing that is unknown', () => {
    const denied = { kind: 'denied', status: 403, message: '' } as const;
    const rests = [applianceFacts({ tokens: denied, licensed: denied, sms: denied }), null] as const;
    const facts = factsOf({ config: CONFIG, at: AT, picture: units(...rests) });
    expect(quantitiesOf(facts).filter(({ id }) => id !== 'license-days')).toEqual([]);
  });
});

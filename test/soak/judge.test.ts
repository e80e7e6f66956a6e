import { describe, expect, test } from 'vitest';

import { faultNamed } from './faults.ts';
import { judge, type SeenMail } from './judge.ts';
import type { Injection } from './plan.ts';
import type { SaidLine } from './protocol.ts';

const MINUTE = 60_000;
const FAULT: Injection = {
  fault: faultNamed('tls-intercepted'),
  moment: 'ordinary',
  from: 100 * MINUTE,
  to: 200 * MINUTE,
  endsWithin: null,
};

function change(at: number, transition: string, cause = 'tls-intercepted'): SaidLine {
  return {
    at: at * MINUTE,
    level: 30,
    event: 'incident-changed',
    transition,
    cause,
    severity: 'critical',
    text: `${transition} ${cause}`,
  };
}

function mail(at: number, event: string, cause = 'tls-intercepted'): SeenMail {
  return { at: at * MINUTE, event, causes: [cause], subject: event, isIntermittent: false };
}

const CHANGES = [change(105, 'opened'), change(210, 'closed')];
const MAILS = [mail(105, 'firing'), mail(210, 'resolved')];

describe('judging a soak', () => {
  test('takes a fault that was found, told once and ended for right', () => {
    const { injections, falseAlarms } = judge([FAULT], { changes: CHANGES, errors: [], mails: MAILS });
    expect(injections).toMatchObject([{ foundAfter: 5 * MINUTE, firing: 1, resolved: 1, complaints: [] }]);
    expect(falseAlarms).toEqual([]);
  });

  test.each([
    ['nothing at all', [], [], ['not found', 'told 0 times instead of 1', 'its end told 0 times instead of 1']],
    ['two mails', CHANGES, [...MAILS, mail(106, 'firing')], ['told 2 times instead of 1']],
    ['no end', CHANGES.slice(0, 1), MAILS.slice(0, 1), ['never ended', 'its end told 0 times instead of 1']],
  ])('complains of %s', (_, changes, mails, complaints) => {
    expect(judge([FAULT], { changes, errors: [], mails }).injections).toMatchObject([{ complaints }]);
  });

  test('complains of a mail in a maintenance window', () => {
    const { injections } = judge([{ ...FAULT, moment: 'inside maintenance' }], {
      changes: CHANGES,
      errors: [],
      mails: MAILS,
    });
    expect(injections).toMatchObject([
      { complaints: ['told 1 times instead of 0', 'its end told 1 times instead of 0'] },
    ]);
  });

  test('tells one of several outages from the next, and complains of an end that comes late', () => {
    const short = { ...FAULT, moment: 'in a row', to: 110 * MINUTE, endsWithin: 30 * MINUTE } as const;
    const next = { ...short, from: 150 * MINUTE, to: 160 * MINUTE };
    const again = [change(155, 'reopened'), change(195, 'closed')];
    const evidence = {
      changes: [change(105, 'opened'), change(140, 'closed'), ...again],
      errors: [],
      mails: [mail(105, 'firing'), mail(140, 'resolved'), mail(155, 'firing'), mail(195, 'resolved')],
    };
    expect(judge([short, next], evidence).injections).toMatchObject([
      { firing: 1, resolved: 1, complaints: [] },
      { firing: 1, resolved: 1, complaints: ['ended late'] },
    ]);
  });

  test('calls an outage that is told as intermittent a false alarm', () => {
    const mails = MAILS.map((one) => ({ ...one, isIntermittent: one.event === 'firing' }));
    const evidence = { changes: CHANGES, errors: [], mails };
    expect(judge([FAULT], evidence).falseAlarms).toEqual([
      { at: 105 * MINUTE, what: 'mail "firing" of an intermittent fault: firing' },
    ]);
    expect(judge([{ ...FAULT, fault: { ...FAULT.fault, isShare: true } }], evidence).falseAlarms).toEqual([]);
  });

  test('calls what no fault explains a false alarm: another cause, another time', () => {
    const evidence = {
      changes: [...CHANGES, change(150, 'opened', 'mail-unreachable'), change(50, 'opened')],
      errors: [],
      mails: [...MAILS, mail(50, 'firing'), mail(150, 'firing', 'mail-unreachable')],
    };
    expect(judge([FAULT], evidence).falseAlarms.map(({ at }) => at / MINUTE)).toEqual([50, 50, 150, 150]);
  });
});

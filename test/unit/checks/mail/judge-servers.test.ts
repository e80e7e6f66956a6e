import { describe, expect, test } from 'vitest';
import { judged } from '../../../../src/checks/judgement.ts';
import type { MailObservation, MailOutcome } from '../../../../src/core/observation.ts';
import { certificatePem } from '../../../../src/tls/pem.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';
import { judgeMailServers } from '../../../support/checks/judged-mail.ts';
import { CONTEXT, judgedRound } from '../../../support/checks/judged-round.ts';

const HOUR = 3_600_000;
const failure = { kind: 'failed', message: 'as it is', durationMs: 9, tlsError: null } as const;

const OUTCOMES = {
  accepts: { kind: 'accepted', durationMs: 9, slowestMs: 9, greeting: '220 hello' },
  'is slow': { kind: 'accepted', durationMs: 9000, slowestMs: 6000, greeting: '220 hello' },
  refuses: { ...failure, stage: 'connect', reason: 'refused', code: null },
  'is busy': { ...failure, stage: 'recipient', reason: 'rejected', code: 450 },
  'is ours': { ...failure, stage: 'connect', reason: 'internal', code: null },
} as const satisfies Readonly<Record<string, MailOutcome>>;

function seen(server: string, how: keyof typeof OUTCOMES, more: Partial<MailObservation> = {}): MailObservation {
  const settings = { security: 'none', required: false, patience: 5000, certificateNotAfter: null } as const;
  return { server, ...settings, outcome: OUTCOMES[how], ...more };
}

const [DOWN, WORKS, BUSY] = [seen('a:25', 'refuses'), seen('b:25', 'accepts'), seen('b:25', 'is busy')];

function rejecting(code: number, message: string, more: Partial<MailObservation> = {}): MailObservation {
  return seen('b:25', 'is busy', { outcome: { ...OUTCOMES['is busy'], code, message }, ...more });
}

const LOGIN = rejecting(530, '5.7.0 Authentication required', { isLoginUnknown: true });
const REFUSED = rejecting(554, '5.7.1 <u@example.org>: Relaying denied');

function levels(...servers: readonly MailObservation[]): readonly string[] {
  return judgeMailServers(servers).map(({ subject, level }) => `${subject} ${level}`);
}

function suggested(...servers: readonly MailObservation[]): readonly unknown[] {
  return judgeMailServers(servers).map(({ suggests }) => suggests);
}

describe('several mail servers', () => {
  test.each<readonly [string, readonly MailObservation[], readonly string[]]>([
    ['none', [], []],
    ['one is down, another works', [DOWN, WORKS], ['a:25 warning']],
    [
      'one that is required is down',
      [seen('a:25', 'refuses', { required: true }), WORKS, seen('c:25', 'refuses')],
      ['a:25 broken', 'c:25 warning'],
    ],
    ['one is down, another refuses', [DOWN, seen('b:25', 'refuses')], ['a:25 broken', 'b:25 broken']],
    ['one is down, another is slow', [DOWN, seen('b:25', 'is slow')], ['a:25 broken', 'b:25 warning']],
    ['one is down, another was not judged', [DOWN, seen('b:25', 'is ours')], ['a:25 warning', 'b:25 unknown']],
    ['one is down, another requires a login that only the appliance has', [DOWN, LOGIN], ['a:25 warning', 'b:25 note']],
    ['one was not judged, another works', [seen('a:25', 'is ours'), WORKS], ['a:25 unknown']],
  ])('%s', (_, servers, expected) => {
    expect(levels(...servers)).toEqual(expected);
  });

  test('one is down, another refuses perhaps only the address of ftm-watch', () => {
    const levelFrom = (appliance: boolean): unknown => judgeMailServers([DOWN, REFUSED], appliance)[0]?.level;
    expect([levelFrom(true), levelFrom(false)]).toEqual(['broken', 'warning']);
  });

  test.each<readonly [string, Partial<MailObservation>, 'warning' | 'broken']>([
    ['for the first time', {}, 'warning'],
    ['for less time than a code lives', { deferral: { lasted: 2 * HOUR, codeLife: 2 * HOUR + 1 } }, 'warning'],
    ['for as long as a code lives', { deferral: { lasted: 2 * HOUR, codeLife: 2 * HOUR } }, 'broken'],
    ['for longer than the shortest life', { deferral: { lasted: HOUR, codeLife: null } }, 'broken'],
  ])('one that greylists %s works: a down one is $2', (_, deferral, level) => {
    expect(levels(DOWN, { ...BUSY, ...deferral }).slice(0, 2)).toEqual([`a:25 ${level}`, 'b:25 warning']);
  });

  test('name one that works, and one that works after a delay only without another', () => {
    const named = (...others: readonly MailObservation[]): boolean[] => {
      const claim = judgeMailServers([DOWN, ...others])[0]?.claim ?? '';
      return ['b:25', 'c:25', 'delay'].map((word) => claim.includes(word));
    };
    expect(named(WORKS)).toEqual([true, false, false]);
    expect(named(BUSY)).toEqual([true, false, true]);
    expect(named(BUSY, seen('c:25', 'accepts'))).toEqual([false, true, false]);
  });

  test.each([
    '450 4.7.25 Client host rejected: cannot find your hostname',
    '454 4.7.1 <user@example.org>: Relay access denied',
    '451 4.3.5 Server configuration problem',
  ])('do not work that say %s, nor are they late', (reply) => {
    const outcome = { ...OUTCOMES['is busy'], code: Number(reply.slice(0, 3)), message: reply };
    const refusing = { ...BUSY, outcome, deferral: { lasted: 3 * HOUR, codeLife: HOUR } };
    expect(levels(DOWN, refusing)).toEqual(['a:25 broken', 'b:25 warning']);
    expect(suggested(refusing)).not.toContain('mail-outlasts-code');
  });

  test('leave localhost to deliver codes while none works', () => {
    const [cause] = diagnose(judgedRound(['mail', judgeMailServers([DOWN])]), CONTEXT).causes;
    expect(cause?.remedy.at(-1)).toMatch(/"localhost".*SPF, DKIM/u);
  });
});

describe('a server that has messages come back later', () => {
  const [late, inTime] = [HOUR, HOUR - 1].map((lasted) => ({ deferral: { lasted, codeLife: HOUR } }));

  test('may be too slow for a code', () => {
    const told = { subject: 'b:25', level: 'warning', confidence: 'suspected', suggests: 'mail-outlasts-code' };
    const facts = { security: 'none', waited: '1 h', life: '1 h' };
    expect(judgeMailServers([{ ...WORKS, ...late }, DOWN])).toMatchObject([
      { ...told, rule: 'mail-arrives-while-codes-live', facts },
      { subject: 'a:25', level: 'warning' },
    ]);
    expect(suggested({ ...BUSY, ...late })).toEqual(['mail-recipient-rejected', 'mail-outlasts-code']);
  });

  test('is not if it takes them in time, or nothing is known', () => {
    const unknown = { deferral: { lasted: HOUR, codeLife: null } };
    for (const more of [{}, inTime, unknown]) expect(suggested({ ...WORKS, ...more })).toEqual([]);
  });
});

test('reports a new root besides another fault of the same server, and asks for the root in a note', async () => {
  const [former, root] = await Promise.all(
    ['Former', 'New'].map(async (name) => certificateOf(await createIdentity({ name: `CN=${name}`, authority: true }))),
  );
  if (former === undefined || root === undefined) throw new Error('Expected two roots');
  const tls = { chain: { certificates: [root], dropped: 0 }, root, isVerified: true, trust: 'machine' } as const;
  const changed = { ...seen('a:25', 'is slow'), tls, newRoots: [{ root, former: [former] }] };
  const { causes } = diagnose([{ id: 'mail', ...judged(judgeMailServers([changed]), '') }], CONTEXT);
  expect(causes.map(({ id, subject, isEvent }) => [id, subject, isEvent])).toEqual([
    ['mail-slow', 'a:25', undefined],
    ['mail-authority-changed', 'a:25', true],
  ]);
  expect(causes[1]?.remedySteps.map(({ commands }) => commands)).toContain(certificatePem(root).trim());
  for (const name of ['"New"', '"Former"']) expect(causes[1]?.evidence.join()).toContain(name);
  const told = (over: Partial<MailObservation>): readonly string[] =>
    judgeMailServers([{ ...WORKS, ...over }]).map(({ level, claim }) => `${level} ${claim}`);
  expect(told({ tls })).toEqual([expect.stringMatching(/^note .*"New"/u)]);
  expect(told({ tls: { ...tls, trust: 'appliance' } })).toEqual([]);
  expect(told({ tls: { ...tls, isVerified: false } })).toEqual([]);
});

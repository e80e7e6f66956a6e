import { judged } from '../../../../src/checks/judgement.ts';
import { certificatePem } from '../../../../src/core/parse-certificate.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';
import { describe, expect, test } from 'vitest';
import type { MailObservation, MailOutcome } from '../../../../src/core/observation.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { judgeMailServers } from '../../../support/checks/judged-mail.ts';
import { CONTEXT, round } from '../../../support/checks/judged-round.ts';

type MailDeferral = NonNullable<MailObservation['deferral']>;

function seen(
  server: string,
  outcome: 'accepts' | 'is slow' | 'refuses' | 'is busy' | 'is ours',
  required = false,
): MailObservation {
  const failure = { kind: 'failed', message: 'as it is', durationMs: 9, tlsError: null } as const;
  return {
    server,
    security: 'none',
    required,
    patience: 5000,
    outcome: {
      accepts: { kind: 'accepted', durationMs: 9, slowestMs: 9, greeting: '220 hello' } as const,
      'is slow': { kind: 'accepted', durationMs: 9000, slowestMs: 6000, greeting: '220 hello' } as const,
      refuses: { ...failure, stage: 'connect', reason: 'refused', code: null } as const,
      'is busy': { ...failure, stage: 'recipient', reason: 'rejected', code: 450 } as const,
      'is ours': { ...failure, stage: 'connect', reason: 'internal', code: null } as const,
    }[outcome],
    certificateNotAfter: null,
  };
}

function levels(...servers: readonly MailObservation[]): readonly string[] {
  return judgeMailServers(servers).map(({ subject, level }) => `${subject} ${level}`);
}

describe('several mail servers', () => {
  test('leaves a warning where another server works, and says which', () => {
    expect(levels(seen('a:25', 'refuses'), seen('b:25', 'accepts'))).toEqual(['a:25 warning']);
    const [finding] = judgeMailServers([seen('a:25', 'refuses'), seen('b:25', 'accepts')]);
    expect(finding).toMatchObject({
      suggests: 'mail-unreachable',
      claim: expect.stringMatching(/; b:25 still accepts messages\.$/u),
    });
  });

  test('finds nothing where there is no server', () => {
    expect(judgeMailServers([])).toEqual([]);
  });

  test('is critical for a server that is required', () => {
    expect(levels(seen('a:25', 'refuses', true), seen('b:25', 'accepts'), seen('c:25', 'refuses'))).toEqual([
      'a:25 broken',
      'c:25 warning',
    ]);
  });

  test.each(['refuses', 'is slow', 'is ours'] as const)('does not take one for it that %s', (outcome) => {
    expect(levels(seen('a:25', 'refuses'), seen('b:25', outcome))[0]).toBe('a:25 broken');
  });

  const HOUR = 3_600_000;

  test.each<[string, MailDeferral | undefined, 'warning' | 'broken']>([
    ['for the first time', undefined, 'warning'],
    ['for less time than a code lives', { lasted: 2 * HOUR, codeLife: 2 * HOUR + 1 }, 'warning'],
    ['for as long as a code lives', { lasted: 2 * HOUR, codeLife: 2 * HOUR }, 'broken'],
    ['for longer than the shortest life, and nobody tells it', { lasted: HOUR, codeLife: null }, 'broken'],
  ])('takes one for it that greylists %s', (_, deferral, level) => {
    const greylisting = { ...seen('b:25', 'is busy'), ...(deferral === undefined ? {} : { deferral }) };
    expect(levels(seen('a:25', 'refuses'), greylisting).slice(0, 2)).toEqual([`a:25 ${level}`, 'b:25 warning']);
  });

  test('says that it takes messages after a delay, unless another takes them at once', () => {
    const down = seen('a:25', 'refuses');
    const claim = (...others: readonly MailObservation[]): string | undefined =>
      judgeMailServers([down, ...others])[0]?.claim;
    expect(claim(seen('b:25', 'is busy'))).toMatch(/; b:25 still accepts messages, after a delay\.$/u);
    expect(claim(seen('b:25', 'is busy'), seen('c:25', 'accepts'))).toMatch(/; c:25 still accepts messages\.$/u);
  });

  test.each([
    '450 4.7.25 Client host rejected: cannot find your hostname',
    '454 4.7.1 <user@example.org>: Relay access denied',
    '451 4.3.5 Server configuration problem',
  ])('does not take one for it that says %s, nor calls it late', (reply) => {
    const busy = seen('b:25', 'is busy');
    const outcome = { ...busy.outcome, code: Number(reply.slice(0, 3)), message: reply } as MailOutcome;
    const refusing = { ...busy, outcome, deferral: { lasted: 3 * HOUR, codeLife: HOUR } };
    expect(levels(seen('a:25', 'refuses'), refusing)).toEqual(['a:25 broken', 'b:25 warning']);
    expect(judgeMailServers([refusing]).map(({ suggests }) => suggests)).not.toContain('mail-outlasts-code');
  });

  test('tells of codes that are void when they arrive, by a server that greylists', () => {
    const greylisting = { ...seen('a:25', 'is busy'), deferral: { lasted: 2 * HOUR, codeLife: HOUR } };
    expect(judgeMailServers([greylisting]).map(({ suggests }) => suggests)).toEqual([
      'mail-recipient-rejected',
      'mail-outlasts-code',
    ]);
  });

  test('leaves unknown what could not be judged', () => {
    expect(levels(seen('a:25', 'is ours'), seen('b:25', 'accepts'))).toEqual(['a:25 unknown']);
  });

  const DEFERRAL = { lasted: 2 * 3_600_000, codeLife: 3_600_000 };

  test('tells of codes that are void when they arrive, by a server that works', () => {
    const findings = judgeMailServers([{ ...seen('a:25', 'accepts'), deferral: DEFERRAL }, seen('b:25', 'refuses')]);
    expect(findings).toMatchObject([
      {
        subject: 'a:25',
        suggests: 'mail-outlasts-code',
        level: 'warning',
        confidence: 'suspected',
      },
      { subject: 'b:25', level: 'warning' },
    ]);
  });

  test('leaves localhost to deliver codes while no server works', () => {
    const findings = judgeMailServers([seen('a:25', 'refuses', true)]);
    const [cause] = diagnose(round(['mail', findings]), CONTEXT).causes;
    expect(cause?.remedy.at(-1)).toMatch(/deliver codes directly: .*SMTP server "localhost".*SPF, DKIM/u);
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
  expect(causes[1]?.evidence.join()).toContain('"New" instead of "Former"');
  const told = (over: Partial<MailObservation>): readonly string[] =>
    judgeMailServers([{ ...seen('a:25', 'accepts'), ...over }]).map(({ level, claim }) => `${level} ${claim}`);
  expect(told({ tls })).toEqual([expect.stringMatching(/^note FortiAuthenticator must trust .*"New"/u)]);
  expect(told({ tls: { ...tls, trust: 'appliance' } })).toEqual([]);
  expect(told({ tls: { ...tls, isVerified: false } })).toEqual([]);
});

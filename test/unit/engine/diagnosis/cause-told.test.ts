import { describe, expect, test } from 'vitest';
import type { Severity } from '../../../../src/core/severity.ts';
import { type Cause, type Finding, impactOf, type Step } from '../../../../src/engine/model.ts';
import { ANY_SERVER, fill, remedyOf } from '../../../../src/engine/remedy-words.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { headline, shortCause } from '../../../../src/checks/headline.ts';
import { CHECKS, type FaultId, isFaultId, type PreconditionId, wordsOf } from '../../../../src/checks/registry.ts';
import { CONTEXT, finding, judgedRound, TARGET } from '../../../support/checks/judged-round.ts';

type DiagnosisContext = Parameters<typeof diagnose>[1];

function causesAt(
  stage: PreconditionId,
  findings: readonly Finding[],
  context: Partial<DiagnosisContext> = {},
): readonly Cause[] {
  return diagnose(judgedRound([stage, findings]), { ...CONTEXT, ...context }).causes;
}

function toldAt(
  stage: PreconditionId,
  suggests: FaultId,
  over: Partial<Finding> = {},
  context: Partial<DiagnosisContext> = {},
) {
  return causesAt(stage, [finding(suggests, over)], context).at(0);
}

/** Causes that can apply to the same subject. Of two, the one listed first is reported, whichever was found first. */
const DEEPEST_FIRST: readonly (readonly [PreconditionId, readonly FaultId[]])[] = [
  ['name-resolution', ['answer-hijacked', 'name-not-found', 'resolver-unreachable', 'resolvers-disagree']],
  [
    'tls-genuine',
    ['tls-intercepted', 'tls-interception-suspected', 'tls-blocked', 'certificate-broken', 'vendor-ca-changed'],
  ],
];
const NEIGHBOURS = DEEPEST_FIRST.flatMap(([stage, ids]) =>
  ids.slice(1).map((id, at) => [stage, ids[at] ?? id, id] as const),
);

/** Returns the causes for both orders of the findings. */
function both(stage: PreconditionId, first: Finding, second: Finding): readonly (readonly string[])[] {
  return [
    [first, second],
    [second, first],
  ].map((found) => causesAt(stage, found).map(({ id }) => id));
}

describe('a suspected cause is told by what was observed', () => {
  const CLAIM = 'No connection to the host opens at 192.0.2.1: no answer. This is probably a firewall.';
  const words = (cause: Cause | undefined) =>
    cause === undefined ? [] : [headline(cause), shortCause(cause), shortCause(cause, 60)];

  const causes = CHECKS.flatMap(({ id, causes: own }) =>
    Object.keys(own).flatMap((cause) => (isFaultId(cause) ? [[cause, id] as const] : [])),
  );

  test.each(causes)('%s', (id, stage) => {
    const kinds = new Set([undefined, ...(wordsOf(id).variants ?? []).map(({ when }) => when.kind)]);
    const told = (over: Partial<Finding>) => words(toldAt(stage, id, { claim: CLAIM, ...over }));
    for (const kind of kinds)
      for (const level of ['broken', 'warning'] as const) {
        const over = { level, ...(kind === undefined ? {} : { kind }), facts: { product: 'Zscaler' } };
        const suspected = told({ ...over, confidence: 'suspected' });
        expect(suspected).toEqual([
          expect.stringMatching(/: no connection to the host opens at 192\.0\.2\.1: no answer$/u),
          'no connection to the host opens',
          'no connection to the host opens at 192.0.2.1: no answer',
        ]);
        for (const text of told(over)) expect(suspected).not.toContain(text);
      }
  });

  test.each([
    [`No parcel for ${TARGET} at 192.0.2.1: lost.`, 'no parcel for the server'],
    ['The parcel was opened by Example Very Long Customs Authority.', 'the parcel was opened by…'],
    ['The parcel arrives, but it is empty, because it is open.', 'the parcel arrives, but it is…'],
    ['The parcel at 192.0.2.1 is empty.', 'the parcel at 192.0.2.1 is empty'],
    ['The parcel was lost before it arrived.', 'the parcel was lost'],
  ])('"%s" in a mail subject is "%s"', (claim, short) => {
    const cause = toldAt('reachability', 'egress-blocked', { claim, confidence: 'suspected' });
    expect(words(cause)[1]).toBe(short);
  });
});

describe('of several explanations of one fault', () => {
  test.each(NEIGHBOURS)('%s: %s goes before %s', (stage, deeper, other) => {
    expect(both(stage, finding(deeper), finding(other))).toEqual([[deeper], [deeper]]);
    expect(both(stage, finding(deeper, { confidence: 'suspected' }), finding(other))).toEqual([[deeper], [deeper]]);
  });

  test('the graver one goes before the deeper one', () => {
    const [note, warning] = (['note', 'warning'] as const).map((level) => finding('tls-intercepted', { level }));
    const [milder, graver] = (['warning', 'broken'] as const).map((level) => finding('certificate-broken', { level }));
    if (note === undefined || warning === undefined || milder === undefined || graver === undefined)
      throw new Error('never');
    expect(both('tls-genuine', note, milder)).toEqual([['certificate-broken'], ['certificate-broken']]);
    expect(both('tls-genuine', warning, graver)).toEqual([['certificate-broken'], ['certificate-broken']]);
  });

  test('what could not be judged is none', () => {
    expect(causesAt('tls-genuine', [finding('tls-intercepted', { level: 'unknown' })])).toEqual([]);
  });
});

describe('how grave a cause is', () => {
  test.each<readonly [FaultId, PreconditionId, Finding['level'], readonly [Severity, Parameters<typeof impactOf>[0]]]>([
    ['egress-blocked', 'reachability', 'broken', ['critical', 'activation']],
    ['egress-blocked', 'reachability', 'warning', ['warning', 'uncertain']],
    ['egress-blocked', 'reachability', 'note', ['info', 'none']],
    ['mail-unreachable', 'mail', 'broken', ['critical', 'codes']],
    ['certificate-rotated', 'tls-genuine', 'warning', ['info', 'none']],
    ['appliance-silent', 'polling', 'warning', ['warning', 'blind']],
  ])('%s at %s as %s: %j', (id, stage, level, [severity, impact]) => {
    const cause = toldAt(stage, id, { level });
    expect(cause?.severity).toBe(severity);
    expect(cause?.impact).toBe(impactOf(impact, CONTEXT.activation));
  });

  test('a fault breaks the stage of the path at which it was found, and another its own', () => {
    expect(toldAt('reachability', 'license-server-down')?.precondition).toBe('reachability');
    expect(toldAt('tls-genuine', 'clock-skewed')?.precondition).toBe('clock');
    expect(toldAt('mail', 'egress-blocked')?.precondition).toBe('reachability');
  });
});

describe('what is said of a cause', () => {
  const product = 'Fortinet FortiGate';
  const { remedy, variants = [] } = wordsOf('tls-intercepted');
  const stepsWhen = (situation: string): readonly Step[] =>
    variants.find(({ when }) => Object.values(when).includes(situation))?.remedy ?? [];

  test.each<readonly [string, Partial<Finding>, readonly Step[]]>([
    ['the steps for a product', { facts: { product } }, stepsWhen(product)],
    ['those for any product', { facts: { product: 'Acme Box' } }, stepsWhen('*')],
    ['those for none', {}, remedy],
    [
      'those for a kind, where they are for a product too',
      { kind: 'behind-firewall', facts: { product } },
      stepsWhen('behind-firewall'),
    ],
    ['its own for a kind that it does not have', { kind: 'no-answer' }, remedy],
  ])('has %s', (_, over, steps) => {
    const facts = { subject: TARGET, host: CONTEXT.host, port: '443', ...over.facts };
    expect(steps.length).toBeGreaterThan(0);
    expect(toldAt('tls-genuine', 'tls-intercepted', over)?.remedy).toEqual(remedyOf(steps, facts).remedy);
  });

  test('has its own steps where no product matters', () => {
    const told = (over: Partial<Finding>) => toldAt('tls-genuine', 'certificate-broken', over)?.remedy;
    expect(told({ facts: { product: 'Acme Box' } })).toEqual(told({}));
  });

  test('has the address that the firewall sees', () => {
    const step = (source: string | null) => toldAt('polling', 'polling-failing', {}, { source })?.remedy[0];
    expect(step('10.0.0.5')).toContain(' 10.0.0.5,');
    expect(step(null)).toContain(` ${fill('{unit}', ANY_SERVER)},`);
  });

  test.each([
    ['tls-genuine', 'tls-intercepted', { facts: { issuer: 'Web Filter CA' } }, 'Web Filter CA'],
    ['mail', 'mail-recipient-rejected', { quote: '550 no such user' }, '550 no such user'],
  ] as const)('has beside the step of %s what it needs', (check, cause, over, needed) => {
    const step = (more: Partial<Finding>) => toldAt(check, cause, more)?.remedy[0];
    expect(step(over)).toContain(needed);
    expect(step({ quote: 'long '.repeat(50) })).toBe(step({}));
  });

  test('names the address that is bad and the one that is clean', () => {
    const cause = toldAt('tls-genuine', 'tls-blocked', { facts: { address: '192.0.2.7' }, clean: ['2001:db8::7'] });
    expect(cause?.summary).toMatch(/ This affects 192\.0\.2\.7, but not 2001:db8::7\.$/u);
    expect(cause?.remedy[0]).toMatch(/^Compare how 192\.0\.2\.7 and 2001:db8::7 are treated\. /u);
    const whole = toldAt('tls-genuine', 'tls-blocked', { facts: { address: '192.0.2.7' } });
    expect(whole?.summary).not.toContain('192.0.2.7');
    expect(whole?.remedy[0]).not.toContain('Compare how');
    // The additional finding is about another address.
    const beside = causesAt('tls-genuine', [
      finding('tls-blocked'),
      finding('tls-blocked', { level: 'warning', facts: { address: '192.0.2.7' }, clean: ['2001:db8::7'] }),
    ]);
    expect(beside.map(({ remedy }) => remedy[0])).toEqual([expect.not.stringContaining('Compare how')]);
  });

  test('speaks of the own path of FortiAuthenticator only where the path of this machine is broken', () => {
    const unaffected = { applianceUnaffected: true };
    const speaks = (cause: Cause | undefined): boolean | undefined =>
      cause?.summary.includes('has not logged any errors so far');
    expect(speaks(toldAt('reachability', 'egress-blocked', {}, unaffected))).toBe(true);
    expect(speaks(toldAt('reachability', 'egress-blocked', { level: 'warning' }, unaffected))).toBe(false);
    expect(speaks(toldAt('mail', 'mail-unreachable', {}, unaffected))).toBe(false);
  });

  test.each([
    ['A certificate', 'An answer', 'An answer. Expected: a certificate.'],
    ['No answer', 'Issued by CN=Acme', 'Issued by CN=Acme. Expected: no answer.'],
    ['TLS at all', 'RSA-1024', 'RSA-1024. Expected: TLS at all.'],
    ['the same', '5 of 7', '5 of 7. Expected: the same.'],
  ])('has evidence that says what was found, what was expected, and where: %s, %s', (expected, actual, line) => {
    const elsewhere = finding('tls-blocked', { level: 'warning', subject: 'b:443', expected, actual });
    const causes = causesAt('tls-genuine', [finding('tls-blocked', { expected, actual }), elsewhere]);
    expect(causes.map(({ subject, evidence }) => [subject, evidence])).toEqual([[TARGET, [line, `b:443: ${line}`]]]);
  });
});

describe('the policy that a firewall named', () => {
  const inspecting = (policy: string, incoming: string, source = '10.0.0.5'): Finding =>
    finding('policy-inspects-traffic', {
      subject: `${source} to server`,
      facts: { source, firewall: 'fgt-1', policy, incoming, outgoing: 'wan1' },
    });
  const commandsOf = (...policies: readonly Finding[]): string => {
    const intercepted = finding('tls-intercepted', { facts: { product: 'Fortinet FortiGate' } });
    const { causes } = diagnose(judgedRound(['tls-genuine', [intercepted]], ['firewall-policy', policies]), CONTEXT);
    expect(causes.map(({ id }) => id)).toEqual(['tls-intercepted']);
    return causes[0]?.remedySteps.map(({ commands }) => commands ?? '').join('\n') ?? '';
  };

  test('fills the remedy of the interception that it is evidence of', () => {
    expect(commandsOf(inspecting('5 (out)', 'port2'))).toMatch(
      /set srcintf "port2"[^]+set dstintf "wan1"[^]+before 5$/mu,
    );
  });

  test('has no interface of another policy', () => {
    const commands = commandsOf(inspecting('5', 'port2'), inspecting('7', ''));
    expect(commands).toMatch(/set srcintf "FILL-IN-INSIDE"[^]+before 7$/mu);
    expect(commandsOf(inspecting('5', 'port2'), inspecting('7', 'port3', '10.0.0.6'))).toMatch(
      /set srcintf "FILL-IN-INSIDE"[^]+before FILL-IN-POLICY-ID$/mu,
    );
  });
});

describe('of several units whose traffic has one fault', () => {
  const inspected = (source: string): Finding =>
    finding('policy-inspects-traffic', { subject: `${source} to server`, facts: { source, firewall: 'fgt-1' } });
  const remedyBeside = (main: Partial<Finding>, sources: readonly string[]): string =>
    diagnose(
      judgedRound(['tls-genuine', [finding('tls-intercepted', main)]], ['firewall-policy', sources.map(inspected)]),
      {
        ...CONTEXT,
        source: '192.0.2.1',
      },
    ).causes[0]?.remedy.join('\n') ?? '';

  test.each<readonly [string, Partial<Finding>, readonly string[], string]>([
    ['the address of each is named', {}, ['10.0.0.5', '10.0.0.6', '10.0.0.5'], '10.0.0.5, 10.0.0.6'],
    ['the address of the only one is named', {}, ['10.0.0.5'], '10.0.0.5'],
    ['the address that is known by itself is named where none is told', {}, [], '192.0.2.1'],
    ['that of the fault itself is named alone', { facts: { source: '10.0.0.9' } }, ['10.0.0.5'], '10.0.0.9'],
  ])('%s', (_, ...[main, sources, expected]) => {
    expect(remedyBeside(main, sources)).toContain(` ${expected} to `);
  });
});

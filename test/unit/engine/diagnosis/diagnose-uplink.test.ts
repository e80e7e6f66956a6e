import { describe, expect, test } from 'vitest';
import type { FaultId } from '../../../../src/checks/registry.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { outcome } from '../../../support/checks/diagnosed-round.ts';
import { CONTEXT, finding, round, type Special } from '../../../support/checks/judged-round.ts';

const OFFLINE: Special = ['internet', [finding('internet-unreachable')]];
const SILENT_RESOLVER = finding('resolver-unreachable', { subject: 'udp://10.0.0.53:53' });
const MAIL_LOST = finding('mail-unreachable', { rule: 'mail-server-resolves', subject: 'mx.test:25' });
const MAIL_SILENT = finding('mail-unreachable', { rule: 'mail-server-answers', subject: 'mx.test:25' });
const MAIL_REJECTS = finding('mail-recipient-rejected', { rule: 'mail-recipient-accepted', subject: 'mx2.test:25' });

describe('diagnose()', () => {
  test('explains a silent resolver and a silent mail server by a dead uplink', () => {
    const result = outcome(
      round(
        ['internet', [finding('internet-unreachable')]],
        ['name-resolution', [finding('resolver-unreachable')]],
        ['reachability', [], 'unjudged'],
        ['mail', [finding('mail-unreachable', { rule: 'mail-server-resolves' })]],
      ),
    );
    expect(result.causes).toEqual(['critical internet-unreachable']);
    expect(result.blocked).toEqual(['name-resolution', 'reachability', 'tls-genuine', 'license-server', 'mail']);
  });

  test.each<readonly [string, Special[1], Special[1], readonly FaultId[]]>([
    ['a mail server without a name', [], [MAIL_LOST], []],
    ['a mail server that is silent', [], [MAIL_SILENT], []],
    ['both, and a warning beside', [], [MAIL_LOST, MAIL_SILENT, { ...MAIL_REJECTS, level: 'warning' }], []],
    ['a mail server that refuses', [], [MAIL_REJECTS], ['mail-recipient-rejected']],
    [
      'one that is silent and one that refuses',
      [],
      [MAIL_SILENT, MAIL_REJECTS],
      ['mail-unreachable', 'mail-recipient-rejected'],
    ],
    ['silent resolvers', [SILENT_RESOLVER, { ...SILENT_RESOLVER, subject: 'udp://10.0.0.54:53' }], [], []],
    ['silent resolvers, and a note beside', [SILENT_RESOLVER, finding(null, { level: 'note' })], [], []],
    ['a silent resolver and one that lies', [SILENT_RESOLVER, finding('answer-hijacked')], [], ['answer-hijacked']],
  ])('tells a dead uplink with what it does not explain, and only that: %s', (_, resolvers, mail, own) => {
    const { causes } = diagnose(round(OFFLINE, ['name-resolution', resolvers], ['mail', mail]), CONTEXT);
    expect(causes.map(({ id }) => id)).toEqual(['internet-unreachable', ...own]);
    // A consequence of the cause is not evidence for it.
    expect(causes[0]?.evidence).toEqual(['that. Expected: this.']);
  });

  test.each<readonly [string, Special[1], readonly FaultId[]]>([
    ['an appliance that is silent', [finding('appliance-unreachable')], []],
    ['one that is another unit', [finding('appliance-serial-differs')], ['appliance-serial-differs']],
  ])('explains by a dead uplink %s', (_, appliance, own) => {
    const { causes } = diagnose(round(OFFLINE, ['appliance', appliance]), CONTEXT);
    expect(causes.map(({ id }) => id)).toEqual(['internet-unreachable', ...own]);
  });

  test('explains a mail server by the resolvers only while its own name is not to be had', () => {
    const hijacked = ['name-resolution', [finding('answer-hijacked')]] as const;
    const mail = (rule: string) => outcome(round(hijacked, ['mail', [finding('mail-unreachable', { rule })]]));
    expect(mail('mail-server-resolves')).toMatchObject({ causes: ['critical answer-hijacked'] });
    expect(mail('mail-server-resolves').blocked).toContain('mail');
    expect(mail('mail-server-answers').causes).toEqual(['critical answer-hijacked', 'critical mail-unreachable']);
    // It does not explain a warning either, and a finding that it explains is not evidence for it.
    const warning: Finding = { ...MAIL_LOST, level: 'warning' };
    expect(outcome(round(hijacked, ['mail', [warning]])).causes).toEqual([
      'critical answer-hijacked',
      'warning mail-unreachable',
    ]);
    expect(
      diagnose(round(hijacked, ['mail', [MAIL_LOST]]), CONTEXT).causes.map(({ evidence }) => evidence.length),
    ).toEqual([1]);
    expect(outcome(round(hijacked, ['mail', [MAIL_LOST, { ...MAIL_REJECTS, level: 'warning' }]])).blocked).toContain(
      'mail',
    );
    expect(outcome(round(hijacked, ['mail', [MAIL_LOST, MAIL_REJECTS]])).causes).toHaveLength(3);
  });

  test('keeps a false answer a cause of its own although the internet is down', () => {
    expect(
      outcome(round(['internet', [finding('internet-unreachable')]], ['name-resolution', [finding('answer-hijacked')]]))
        .causes,
    ).toEqual(['critical internet-unreachable', 'critical answer-hijacked']);
  });
});

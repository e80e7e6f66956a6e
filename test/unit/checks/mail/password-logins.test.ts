import { describe, expect, test } from 'vitest';
import { mail } from '../../../../src/checks/mail/judge.ts';
import type { UnitObservation } from '../../../../src/connectors/picture.ts';
import type { MailObservation, MailStage } from '../../../../src/core/observation.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import type { Assessment, Finding } from '../../../../src/engine/model.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { factsOf, shown } from '../../../support/checks/facts.ts';
import { CONTEXT, judgedRound } from '../../../support/checks/judged-round.ts';
import { picture } from '../../../support/checks/observed.ts';
import { configOf } from '../../../support/config/config-of.ts';

const BEFORE = Date.UTC(2026, 11, 31, 23, 59);
const AFTER = Date.UTC(2027, 0, 1);
const EXCHANGE = 'smtp.office365.com';

const RESULTS = {
  accepted: { kind: 'accepted', durationMs: 9, slowestMs: 9, greeting: '220 hello' },
  'refused recipient': failedAt('recipient', '550 5.1.1 no such user'),
  'refused login': failedAt('login', '535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.'),
  'refused password': failedAt('login', '550 5.7.30 Basic authentication is not supported for Client Submission.'),
  'no answer': { ...failedAt('connect', ''), reason: 'timeout', code: null },
} as const satisfies Readonly<Record<string, MailObservation['outcome']>>;

function failedAt(stage: MailStage, reply: string) {
  const message = `The server replied "${reply}"`;
  return {
    kind: 'failed',
    reason: 'rejected',
    message,
    durationMs: 9,
    stage,
    code: Number(reply.slice(0, 3)),
    tlsError: null,
  } as const;
}

interface Site {
  readonly host?: string;
  /** Whether a login is configured in `mail`. */
  readonly login?: boolean;
  readonly result?: keyof typeof RESULTS;
  readonly at?: number;
  /** The mail server on FortiAuthenticator, if it has a login. */
  readonly onAppliance?: string;
}

async function judged({ host = EXCHANGE, login = true, result = 'accepted', ...site }: Site): Promise<Assessment> {
  const loaded = await configOf(`mail: [{ host: ${host}, port: 587 }]`);
  const credentials = login ? ({ user: 'fac', password: { kind: 'env', name: 'PASSWORD' } } as const) : {};
  const config = { ...loaded, mail: loaded.mail.map((server) => ({ ...server, ...credentials })) };
  const seen: MailObservation = {
    server: `${host}:587`,
    security: 'starttls',
    required: false,
    patience: 5000,
    outcome: RESULTS[result],
    certificateNotAfter: null,
  };
  const known = shown({ mail: [seen], at: site.at ?? BEFORE });
  const facts = factsOf({ config, round: known, picture: picture({ appliances: unitsOf(site.onAppliance) }) });
  return { id: mail.id, ...mail.judge(facts) };
}

function unitsOf(host: string | undefined): readonly UnitObservation[] {
  if (host === undefined) return [];
  const server = { host, port: 587, security: 'starttls', from: null, to: null, user: null, password: null } as const;
  const value = [{ ...server, caFile: null, applianceCaFile: null, hasLogin: true }];
  const unit = { config: { name: 'fac-1' }, rest: applianceFacts({ mailServers: { kind: 'read', value } }) };
  return [unit as unknown as UnitObservation];
}

async function aboutLogin(site: Site): Promise<readonly string[]> {
  const isAboutLogin = ({ rule }: Finding): boolean => rule === 'mail-login-lasts';
  const { findings } = await judged(site);
  return findings.filter(isAboutLogin).map(({ level, subject, claim }) => {
    const [, who = '-'] = /login of (\S+)/u.exec(claim) ?? [];
    return `${level} ${subject} ${who}`;
  });
}

describe('a login with a password at Exchange Online', () => {
  test.each<[Site, readonly string[]]>([
    [{}, ['warning smtp.office365.com ftm-watch']],
    [{ login: false }, []],
    [{ login: false, onAppliance: EXCHANGE }, ['warning smtp.office365.com fac-1']],
    [{ onAppliance: EXCHANGE }, ['warning smtp.office365.com ftm-watch', 'warning smtp.office365.com fac-1']],
    [{ host: 'mail.example.test', onAppliance: 'SMTP.office365.com.' }, ['warning smtp.office365.com fac-1']],
    [{ result: 'no answer', at: AFTER }, ['warning smtp.office365.com ftm-watch']],
    [{ result: 'refused login', at: AFTER }, ['warning smtp.office365.com ftm-watch']],
    // After the date, a login that succeeds settles the question, also for FortiAuthenticator.
    [{ at: AFTER, onAppliance: EXCHANGE }, ['note smtp.office365.com -']],
    [{ at: AFTER, result: 'refused recipient' }, ['note smtp.office365.com -']],
    // The rejected login is reported instead.
    [{ at: BEFORE, result: 'refused password', onAppliance: EXCHANGE }, []],
    [{ at: AFTER, result: 'refused password', onAppliance: EXCHANGE }, []],
  ])('%j', async (site, expected) => {
    expect(await aboutLogin(site)).toEqual(expected);
  });

  test.each([
    ['smtp-legacy.office365.com', 1],
    ['eur.outlook.office365.com', 1],
    ['example-com.mail.protection.outlook.com', 0],
    ['smtp-hve.office365.com', 0],
    ['smtp.office365.com.example.test', 0],
    ['outlook.office365.com.example.test', 0],
  ])('%s', async (host, count) => {
    expect(await aboutLogin({ host })).toHaveLength(count);
    expect(await aboutLogin({ host: 'mail.example.test', onAppliance: host })).toHaveLength(count);
  });

  test('is a fault of its own while the server has another one', async () => {
    const own = await judged({ result: 'no answer', onAppliance: EXCHANGE });
    const others = judgedRound().filter(({ id }) => id !== mail.id);
    const { causes } = diagnose([...others, own], CONTEXT);
    expect(causes.map(({ id, severity, subject, evidence }) => [id, severity, subject, evidence.length])).toEqual([
      ['mail-unreachable', 'critical', 'smtp.office365.com:587', 1],
      ['mail-login-retiring', 'warning', 'smtp.office365.com', 2],
    ]);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type ConfigIssue, formatIssue } from '../../../src/config/issues.ts';
import { CANARY, loadText } from '../../support/config/config-machine.ts';

/** The configurations in the fixture, by name. */
const CONFIGURATIONS: ReadonlyMap<string, string> = new Map(
  readFileSync('test/fixtures/config/bad.txt', 'utf8')
    .split(/^=== /mu)
    .slice(1)
    .map((part): readonly [string, string] => {
      const end = part.indexOf('\n');
      return [part.slice(0, end), part.slice(end + 1)];
    }),
);

/** The place and key of each configuration's only message. The messages are in test/golden/configuration.txt. */
const PLACES = [
  'quoted-flag.yaml:3:5  mail[0].required',
  'quoted-share.yaml:3:5  appliances[0].tokensLow',
  'quoted-text.yaml:3:5  mail[0].port',
  'yaml-indentation.yaml:3:5',
  'appliance-ca-and-pin.yaml:8:7  appliances[0].api.pin',
  'appliance-log-source-twice.yaml:3:43  appliances[1].logSources[1]',
  'appliance-peer-is-itself.yaml:4:5  appliances[0].peerSerial',
  'appliance-serial-twice.yaml:3:20  appliances[1].serial',
  'appliance-serial.yaml:3:5  appliances[0].serial',
  'appliance-tokens-low.yaml:3:5  appliances[0].tokensLow',
  'appliance-url-with-password.yaml:4:7  appliances[0].api.url',
  'appliance-url.yaml:3:12  appliances[0].api.url',
  'appliance-without-user.yaml:3:5  appliances[0].api.user',
  'certificate-date.yaml:3:49  appliances[0].certificates[0].redeemBy',
  'certificate-twice.yaml:3:53  appliances[0].certificates[1].license',
  'ca-file-is-a-number.yaml:2:13  trust.caFiles[0]',
  'ca-file-missing.yaml:2:13  trust.caFiles[0]',
  'control-host.yaml:2:5  controlHosts[0]',
  'empty-section.yaml:2:1  mail',
  'expected-address.yaml:4:7  licenseServer.expectedAddresses[1]',
  'family.yaml:2:3  licenseServer.family',
  'firewall-is-a-text.yaml:2:1  firewall',
  'firewall-of-nobody.yaml:2:1  firewall',
  'firewall-path.yaml:2:3  firewall.url',
  'firewall-twice.yaml:3:32  firewall[1].source',
  'host.yaml:2:3  licenseServer.host',
  'log-level.yaml:2:3  log.level',
  'logs-foreign.yaml:2:3  logs.foreign',
  'logs-window-too-long.yaml:2:3  logs.window',
  'logs-window-unit.yaml:2:3  logs.window',
  'logs-window.yaml:2:3  logs.window',
  'mail-address.yaml:3:5  mail[0].from',
  'mail-from-without-to.yaml:3:5  mail[0].from',
  'mail-password-without-user.yaml:2:5  mail[0]',
  'mail-required.yaml:3:5  mail[0].required',
  'mail-security.yaml:3:5  mail[0].security',
  'mail-to-without-from.yaml:3:5  mail[0].to',
  'mail-two-authorities.yaml:4:5  mail[0].applianceCaFile',
  'mail-twice.yaml:3:5  mail[1].host',
  'mail-user-without-password.yaml:3:5  mail[0].user',
  'not-a-list.yaml:1:1  controlHosts',
  'not-a-section.yaml:1:1  licenseServer',
  'notify-alertmanager-url.yaml:3:12  notify.alertmanager.urls[0]',
  'notify-confirmations.yaml:3:5  notify.policy.confirmations',
  'notify-from.yaml:3:5  notify.email.from',
  'notify-maintenance-cron.yaml:3:7  notify.maintenance[0].cron',
  'notify-maintenance-without-duration.yaml:3:7  notify.maintenance[0].duration',
  'notify-no-alertmanager.yaml:3:5  notify.alertmanager.urls',
  'notify-no-recipient.yaml:4:5  notify.email.to',
  'notify-no-server.yaml:5:5  notify.email.servers',
  'notify-reminder.yaml:3:5  notify.policy.reminder',
  'notify-alertmanager-login-and-token.yaml:4:5  notify.alertmanager.user',
  'notify-alertmanager-login-in-clear.yaml:3:5  notify.alertmanager.urls',
  'notify-heartbeat-without-url.yaml:2:3  notify.heartbeat',
  'metrics-headers-in-clear.yaml:3:5  metrics.otlp.url',
  'notify-ntfy-topic.yaml:3:23  notify.ntfy[0].url',
  'notify-pagerduty-in-clear.yaml:3:51  notify.pagerduty[0].url',
  'notify-slack-name-twice.yaml:4:9  notify.slack[1].name',
  'notify-template-no-json.yaml:4:7  notify.webhooks[0].template',
  'notify-template-place.yaml:4:7  notify.webhooks[0].template',
  'notify-webhook-url-twice.yaml:3:7  notify.webhooks[0].url',
  'notify-webhook-token-in-clear.yaml:3:7  notify.webhooks[0].url',
  'notify-webhook-with-password.yaml:3:7  notify.webhooks[0].url',
  'path.yaml:2:3  licenseServer.path',
  'pin.yaml:3:7  trust.pins[0]',
  'port-is-a-text.yaml:2:3  licenseServer.port',
  'quoted-family.yaml:2:3  licenseServer.family',
  'port.yaml:4:5  mail[0].port',
  'proxy-is-a-number.yaml:2:3  licenseServer.proxy',
  'proxy-section-with-password.yaml:3:5  licenseServer.proxy.url',
  'proxy-user-without-password.yaml:4:5  licenseServer.proxy.user',
  'proxy-with-password.yaml:2:3  licenseServer.proxy',
  'proxy-without-port.yaml:2:3  licenseServer.proxy',
  'proxy.yaml:2:3  licenseServer.proxy',
  'registration-account.yaml:4:3  registration.accountId',
  'resolver-scheme.yaml:2:5  resolvers[0]',
  'resolver-twice.yaml:1:32  resolvers[2]',
  'resolver.yaml:3:5  resolvers[1]',
  'resolvers-empty.yaml:1:1  resolvers',
  'snmp-community-and-user.yaml:6:7  appliances[0].snmp.user',
  'snmp-user-without-encryption.yaml:3:5  appliances[0].snmp',
  'snmp-without-login.yaml:3:5  appliances[0].snmp',
  'schedule-expression.yaml:2:3  schedule.appliance',
  'schedule-timezone-offset.yaml:2:3  schedule.timezone',
  'schedule-timezone.yaml:2:3  schedule.timezone',
  'schedule-without-seconds.yaml:2:3  schedule.probes',
  'secret-as-variable.yaml:4:3  firewall.tokenEnv',
  'secret-file-is-a-number.yaml:4:3  firewall.tokenFile',
  'secret-file-missing.yaml:4:3  firewall.tokenFile',
  'secret-in-the-file.yaml:4:5  mail[0]',
  'secret-missing.yaml:1:1  firewall',
  'secret-twice.yaml:5:3  firewall.tokenEnv',
  'secret-variable-not-set.yaml:4:3  firewall.tokenEnv',
  'server-name.yaml:2:3  licenseServer.serverName',
  'service-name-twice.yaml:3:7  services[1].name',
  'service-of-no-name.yaml:1:18  services[1]',
  'service-without-host.yaml:2:5  services[0].host',
  'site-is-a-number.yaml:1:1  site',
  'site.yaml:1:1  site',
  'source-address.yaml:1:1  sourceAddress',
  'syslog-listen.yaml:3:5  logs.syslog.udp',
  'syslog-listeners-collide.yaml:4:12  logs.syslog.tls.listen',
  'syslog-certificate-name.yaml:9:24  logs.syslog.tls.certificates[0].name',
  'syslog-certificate-of-unknown-unit.yaml:9:7  logs.syslog.tls.certificates',
  'syslog-certificates-without-authority.yaml:8:7  logs.syslog.tls.certificates',
  'syslog-tls-without-key.yaml:3:5  logs.syslog.tls.keyFile',
  'trust-profile.yaml:2:3  trust.profile',
  'unknown-key-in-section.yaml:3:3  licenseServer',
  'unknown-key-like-no-other.yaml:2:3  store',
  'unknown-key-merge.yaml:1:1',
  'unknown-key-of-another-section.yaml:2:1',
  'unknown-key-prototype.yaml:1:1',
  'unknown-key.yaml:1:1',
  'web-listen-collides.yaml:3:5  logs.syslog.tcp',
  'web-listen.yaml:2:3  web.listen',
  'web-proxy-without-proof.yaml:2:3  web.proxy',
  'web-crl-without-authority.yaml:5:5  web.tls.clientCrlFile',
  'web-user-without-hash.yaml:3:7  web.users[0]',
  'whole-file-is-a-list.yaml:1:1',
  'yaml-alias-without-anchor.yaml:1:7',
  'yaml-aliases-of-aliases.yaml:2:12',
  'yaml-key-is-a-list.yaml:1:3',
  'yaml-key-twice.yaml:3:1',
  'yaml-open-bracket.yaml:2:1',
  'yaml-open-quote.yaml:2:1',
  'yaml-tab.yaml:2:1',
  'yaml-tag.yaml:1:7',
  'yaml-too-deep.yaml:1:38',
  'yaml-two-colons.yaml:1:7',
  'yaml-two-documents.yaml:2:1',
];

const TEN_MISTAKES = 'ten-mistakes.yaml';

async function issuesOf(name: string): Promise<readonly ConfigIssue[]> {
  const text = CONFIGURATIONS.get(name);
  if (text === undefined) throw new Error(`No configuration "${name}" in the fixture`);
  const result = await loadText(text, { path: name });
  return result.kind === 'ok' ? [] : result.issues;
}

/** Returns where the issues are, as in `unknown.yaml:3:5  mail[0].port`. */
async function placesOf(name: string): Promise<readonly string[]> {
  return (await issuesOf(name)).map((issue) => formatIssue({ ...issue, message: '' }).replace(/[: ]*$/u, ''));
}

function fileOf(place: string): string {
  return place.slice(0, place.indexOf(':'));
}

describe('a bad configuration', () => {
  test.each(PLACES.map((place) => [fileOf(place), place] as const))('%s', async (file, place) => {
    expect(await placesOf(file)).toEqual([place]);
  });

  test('with ten mistakes gives ten messages, each with its line', async () => {
    expect(await placesOf(TEN_MISTAKES)).toEqual([
      'ten-mistakes.yaml:2:1',
      'ten-mistakes.yaml:4:3  licenseServer.host',
      'ten-mistakes.yaml:5:3  licenseServer.port',
      'ten-mistakes.yaml:8:5  resolvers[1]',
      'ten-mistakes.yaml:11:5  mail[0].security',
      'ten-mistakes.yaml:12:5  mail[0].from',
      'ten-mistakes.yaml:14:3  logs.window',
      'ten-mistakes.yaml:16:3  schedule.probes',
      'ten-mistakes.yaml:19:7  notify.webhooks[0].url',
      'ten-mistakes.yaml:21:3  web.listen',
    ]);
  });

  test('never has a secret in its messages', async () => {
    const issues = await Promise.all([...CONFIGURATIONS.keys()].map(issuesOf));
    expect(issues.flat().filter(({ message }) => message.includes(CANARY))).toEqual([]);
  });

  test('has a message for each configuration', () => {
    expect([...CONFIGURATIONS.keys()].toSorted()).toEqual([...PLACES.map(fileOf), TEN_MISTAKES].toSorted());
  });
});

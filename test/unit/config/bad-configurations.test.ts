import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatIssue } from '../../../src/config/issues.ts';
import { CANARY, CONFIG_FOLDER, loadText } from '../../support/config/config-machine.ts';

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

/** The message for each configuration, compared exactly. */
const MESSAGES = [
  'quoted-flag.yaml:3:5  mail[0].required: expected true or false, got "false": write it without quotes',
  'quoted-share.yaml:3:5  appliances[0].tokensLow: expected a share between 0 and 1, such as 0.1 for ten per cent, ' +
    'got "0.2": write it without quotes',
  'quoted-text.yaml:3:5  mail[0].port: expected a port between 1 and 65535, got "smtp"',
  'yaml-indentation.yaml:3:5  not valid YAML: wrong indentation, or a bracket or brace is not closed',
  'appliance-ca-and-pin.yaml:8:7  appliances[0].api.pin: expected only one of "caFile" and "pin"',
  'appliance-log-source-twice.yaml:3:43  appliances[1].logSources[1]: "10.0.0.5" is already a log source of ' +
    'appliances[0]',
  'appliance-peer-is-itself.yaml:4:5  appliances[0].peerSerial: expected the serial number of the other unit, got ' +
    'the serial number of this unit',
  'appliance-serial-twice.yaml:3:20  appliances[1].serial: "FACVM0000000001" is already in this list',
  'appliance-serial.yaml:3:5  appliances[0].serial: expected a serial number of 4 to 40 letters and digits, such as ' +
    '"FACVM0000000001", got "FAC VM"',
  'appliance-tokens-low.yaml:3:5  appliances[0].tokensLow: expected a share between 0 and 1, such as 0.1 for ten ' +
    'per cent, got 10',
  'appliance-url-with-password.yaml:4:7  appliances[0].api.url: expected a URL without a user name and password, ' +
    'because secrets are not allowed in this file',
  'appliance-url.yaml:3:12  appliances[0].api.url: expected a URL that begins with "https://" and has no path, such ' +
    'as "https://10.0.0.5", got "http://10.0.0.5"',
  'appliance-without-user.yaml:3:5  appliances[0].api.user: expected a single line of text, but the key is missing',
  'certificate-date.yaml:3:49  appliances[0].certificates[0].redeemBy: expected a date such as "2027-03-31", got ' +
    '"2027-02-29"',
  'certificate-twice.yaml:3:53  appliances[0].certificates[1].license: "EFTM000000000001" is already in this list',
  'ca-file-is-a-number.yaml:2:13  trust.caFiles[0]: expected the name of a file, got 5',
  'ca-file-missing.yaml:2:13  trust.caFiles[0]: cannot read file "<folder>/missing.pem": no such file',
  'control-host.yaml:2:5  controlHosts[0]: expected a host, with or without a port, such as "www.example.org:443", ' +
    'got "https://www.fortinet.com"',
  'empty-section.yaml:2:1  mail: expected a list, got nothing; enter a value or remove the key',
  'expected-address.yaml:4:7  licenseServer.expectedAddresses[1]: expected an address or a CIDR block such as ' +
    '"173.243.138.0/24", got "173.243.138.0/33"',
  'family.yaml:2:3  licenseServer.family: expected "auto", 4 or 6, got 5',
  'firewall-is-a-text.yaml:2:1  firewall: expected a section (keys and values), or a list of them, got ' +
    '"https://10.0.0.1"',
  'firewall-of-nobody.yaml:2:1  firewall: "fac-2" is not listed in "appliances"',
  'firewall-path.yaml:2:3  firewall.url: expected a URL that begins with "https://" and has no path, such as ' +
    '"https://10.0.0.1", got "https://10.0.0.1/api/v2"',
  'firewall-twice.yaml:3:32  firewall[1].source: firewall[0] has the same query; list all units in its "appliances"',
  'host.yaml:2:3  licenseServer.host: expected a host name or an address, got "10.0.0.300"',
  'log-level.yaml:2:3  log.level: expected one of "trace", "debug", "info", "warn", "error", got "verbose"',
  'logs-foreign.yaml:2:3  logs.foreign: expected one of "count", "refuse", got "drop"',
  'logs-window-too-long.yaml:2:3  logs.window: expected a duration such as "90s", "15m", "4h" or "7d", at most ' +
    '"1d", got "2d"',
  'logs-window-unit.yaml:2:3  logs.window: expected a duration such as "90s", "15m", "4h" or "7d", at most "1d", ' +
    'got "15 minutes"',
  'logs-window.yaml:2:3  logs.window: expected a duration such as "90s", "15m", "4h" or "7d", at most "1d", got 15',
  'mail-address.yaml:3:5  mail[0].from: expected an email address such as "admins@example.org", got "fac"',
  'mail-from-without-to.yaml:3:5  mail[0].from: expected "to" in addition to "from", because the rehearsal needs both',
  'mail-password-without-user.yaml:2:5  mail[0]: expected "user" in addition to the password',
  'mail-required.yaml:3:5  mail[0].required: expected true or false, got "yes"',
  'mail-security.yaml:3:5  mail[0].security: expected one of "starttls", "tls", "none", got "ssl"',
  'mail-to-without-from.yaml:3:5  mail[0].to: expected "from" in addition to "to", because the rehearsal needs both',
  'mail-two-authorities.yaml:4:5  mail[0].applianceCaFile: expected only one of "caFile" and "applianceCaFile"',
  'mail-twice.yaml:3:5  mail[1].host: "mail.example.org:25" is already in this list',
  'mail-user-without-password.yaml:3:5  mail[0].user: expected "passwordFile" or "passwordEnv" in addition to "user"',
  'not-a-list.yaml:1:1  controlHosts: expected a list, got "www.fortinet.com:443"',
  'not-a-section.yaml:1:1  licenseServer: expected a section (keys and values), got "fortitokenmobile.fortinet.com"',
  'notify-alertmanager-url.yaml:3:12  notify.alertmanager.urls[0]: expected a URL such as "http://127.0.0.1:9093", ' +
    'got "127.0.0.1:9093"',
  'notify-confirmations.yaml:3:5  notify.policy.confirmations: expected a number of rounds between 1 and 1000, got 0',
  'notify-from.yaml:3:5  notify.email.from: expected an email address such as "ftm-watch@example.org" or "FTM watch ' +
    '<ftm-watch@example.org>", got "FTM watch"',
  'notify-maintenance-cron.yaml:3:7  notify.maintenance[0].cron: expected a cron expression of five fields, such as ' +
    '"0 2 * * 0", got "0 0 2 * * 0"',
  'notify-maintenance-without-duration.yaml:3:7  notify.maintenance[0].duration: expected a duration such as "90s", ' +
    '"15m", "4h" or "7d", at most "7d", but the key is missing',
  'notify-no-alertmanager.yaml:3:5  notify.alertmanager.urls: expected at least one URL',
  'notify-no-recipient.yaml:4:5  notify.email.to: expected at least one recipient',
  'notify-no-server.yaml:5:5  notify.email.servers: expected at least one mail server',
  'notify-reminder.yaml:3:5  notify.policy.reminder: expected a duration such as "90s", "15m", "4h" or "7d", at ' +
    'most "7d", got "0s"',
  'notify-alertmanager-login-and-token.yaml:4:5  notify.alertmanager.user: expected a login or a token, not both',
  'notify-alertmanager-login-in-clear.yaml:3:5  notify.alertmanager.urls: expected only URLs that begin with ' +
    '"https://", because the credentials would otherwise be sent unencrypted',
  'notify-heartbeat-without-url.yaml:2:3  notify.heartbeat: expected one of "url", "urlFile", "urlEnv", but all of ' +
    'them are missing',
  'metrics-headers-in-clear.yaml:3:5  metrics.otlp.url: expected a URL that begins with "https://", because the ' +
    'headers would otherwise be sent unencrypted',
  'notify-ntfy-topic.yaml:3:23  notify.ntfy[0].url: expected a URL that ends in a topic of at most 64 letters, ' +
    'digits, "_" and "-"',
  'notify-pagerduty-in-clear.yaml:3:51  notify.pagerduty[0].url: expected a URL that begins with "https://", ' +
    'because the integration key would otherwise be sent unencrypted',
  'notify-slack-name-twice.yaml:4:9  notify.slack[1].name: "ops" is already in this list',
  'notify-template-no-json.yaml:4:7  notify.webhooks[0].template: expected JSON with placeholders such as ' +
    '"{{title}}", got "{ "text": {{title}} }"',
  'notify-template-place.yaml:4:7  notify.webhooks[0].template: expected one of {{id}}, {{event}}, {{site}}, ' +
    '{{time}}, {{tone}}, {{title}}, {{text}}, {{cause}}, {{subject}}, {{severity}}, {{incident}}, {{key}}, ' +
    '{{page}}, {{runbook}}, got "{{titel}}"',
  'notify-webhook-url-twice.yaml:3:7  notify.webhooks[0].url: expected only one of "url", "urlFile", "urlEnv"',
  'notify-webhook-token-in-clear.yaml:3:7  notify.webhooks[0].url: expected a URL that begins with "https://", ' +
    'because the token would otherwise be sent unencrypted',
  'notify-webhook-with-password.yaml:3:7  notify.webhooks[0].url: expected a URL without a user name and password, ' +
    'because secrets are not allowed in this file',
  'path.yaml:2:3  licenseServer.path: expected a path that begins with "/", got "status"',
  'pin.yaml:3:7  trust.pins[0]: expected a pin that consists of "sha256/" and 44 base64 characters, got "sha256/abc"',
  'port-is-a-text.yaml:2:3  licenseServer.port: expected a port between 1 and 65535, got "443": write it without ' +
    'quotes',
  'quoted-family.yaml:2:3  licenseServer.family: expected "auto", 4 or 6, got "4": write it without quotes',
  'port.yaml:4:5  mail[0].port: expected a port between 1 and 65535, got 70000',
  'proxy-is-a-number.yaml:2:3  licenseServer.proxy: expected a URL such as "http://10.0.0.8:3128", or a section ' +
    'with "url", "user" and "passwordFile", got 3128',
  'proxy-section-with-password.yaml:3:5  licenseServer.proxy.url: expected a URL without a user name and password; ' +
    'use a section with "url", "user" and "passwordFile"',
  'proxy-user-without-password.yaml:4:5  licenseServer.proxy.user: expected "passwordFile" or "passwordEnv" in ' +
    'addition to "user"',
  'proxy-with-password.yaml:2:3  licenseServer.proxy: expected a URL without a user name and password; use a ' +
    'section with "url", "user" and "passwordFile"',
  'proxy-without-port.yaml:2:3  licenseServer.proxy: expected a URL with host and port, such as ' +
    '"http://10.0.0.8:3128", got "http://proxy.example"',
  'proxy.yaml:2:3  licenseServer.proxy: expected a URL with host and port, such as "http://10.0.0.8:3128", got ' +
    '"10.0.0.8:3128"',
  'registration-account.yaml:4:3  registration.accountId: expected an account number between 1 and 999999999999, got 0',
  'resolver-scheme.yaml:2:5  resolvers[0]: expected "system", an address (not a name), or a URL that begins with ' +
    'udp://, tcp://, tls:// or https://, got "quic://9.9.9.9"',
  'resolver-twice.yaml:1:32  resolvers[2]: "10.0.0.53" is already in this list',
  'resolver.yaml:3:5  resolvers[1]: expected "system", an address (not a name), or a URL that begins with udp://, ' +
    'tcp://, tls:// or https://, got "dns.example.org"',
  'resolvers-empty.yaml:1:1  resolvers: expected at least one resolver, such as "system"',
  'snmp-community-and-user.yaml:6:7  appliances[0].snmp.user: expected a community or a user, not both',
  'snmp-user-without-encryption.yaml:3:5  appliances[0].snmp: expected "user", "authPasswordFile" and ' +
    '"privPasswordFile" together, because SNMPv3 without authentication or encryption is not supported',
  'snmp-without-login.yaml:3:5  appliances[0].snmp: expected "communityFile", or "user" with "authPasswordFile" and ' +
    '"privPasswordFile"',
  'schedule-expression.yaml:2:3  schedule.appliance: expected a cron expression of six fields, starting with the ' +
    'seconds, such as "*/30 * * * * *", got "0 61 * * * *"',
  'schedule-timezone-offset.yaml:2:3  schedule.timezone: expected an IANA time zone such as "UTC" or ' +
    '"Europe/Berlin", got "+01:00"',
  'schedule-timezone.yaml:2:3  schedule.timezone: expected an IANA time zone such as "UTC" or "Europe/Berlin", got ' +
    '"Berlin"',
  'schedule-without-seconds.yaml:2:3  schedule.probes: expected a cron expression of six fields, starting with the ' +
    'seconds, such as "*/30 * * * * *", got "*/30 * * * *"',
  'secret-as-variable.yaml:4:3  firewall.tokenEnv: expected the name of an environment variable in capitals, such ' +
    'as "FTM_WATCH_PASSWORD", got text',
  'secret-file-is-a-number.yaml:4:3  firewall.tokenFile: expected the name of a file, got a number',
  'secret-file-missing.yaml:4:3  firewall.tokenFile: cannot read file "<folder>/missing.txt": no such file',
  'secret-in-the-file.yaml:4:5  mail[0]: unknown key "password"; secrets are not allowed in this file, use ' +
    '"passwordFile" or "passwordEnv"',
  'secret-missing.yaml:1:1  firewall: expected "tokenFile" or "tokenEnv", but both are missing',
  'secret-twice.yaml:5:3  firewall.tokenEnv: expected only one of "tokenFile" and "tokenEnv"',
  'secret-variable-not-set.yaml:4:3  firewall.tokenEnv: environment variable "UNSET_SECRET" is not set',
  'server-name.yaml:2:3  licenseServer.serverName: expected a host name, got "173.243.138.84"',
  'service-name-twice.yaml:3:7  services[1].name: "push" is already in this list',
  'service-of-no-name.yaml:1:18  services[1]: expected one of "push", "sms", "directregistration", "globalftm", ' +
    '"fortitoken-cloud", got "email"',
  'service-without-host.yaml:2:5  services[0].host: expected a host name or an address, but the key is missing',
  'site-is-a-number.yaml:1:1  site: expected a name of up to 64 letters, digits, spaces and "._-" (if it is a ' +
    'number, in quotes), got 7',
  'site.yaml:1:1  site: expected a name of up to 64 letters, digits, spaces and "._-" (if it is a number, in ' +
    'quotes), got "hq/1"',
  'source-address.yaml:1:1  sourceAddress: expected an IPv4 or IPv6 address, got "eth0"',
  'syslog-listen.yaml:3:5  logs.syslog.udp: expected an address and port to listen on, such as "127.0.0.1:9843", ' +
    'got 5514',
  'syslog-listeners-collide.yaml:4:12  logs.syslog.tls.listen: another listener (logs.syslog.tcp) also listens on ' +
    '0.0.0.0:6514',
  'syslog-certificate-name.yaml:9:24  logs.syslog.tls.certificates[0].name: expected a host name, or "sha-256:" and ' +
    '32 bytes such as "AB:CD:…", got "sha-256:AB"',
  'syslog-certificate-of-unknown-unit.yaml:9:7  logs.syslog.tls.certificates: "fac-2" is not listed in "appliances"',
  'syslog-certificates-without-authority.yaml:8:7  logs.syslog.tls.certificates: expected "clientCaFile" as well, ' +
    'because client certificates are not verified without it',
  'syslog-tls-without-key.yaml:3:5  logs.syslog.tls.keyFile: expected the name of a file, but the key is missing',
  'trust-profile.yaml:2:3  trust.profile: expected one of "fortinet", "public", "pinned", got "system"',
  'unknown-key-in-section.yaml:3:3  licenseServer: unknown key "prot"; did you mean "port"?',
  'unknown-key-like-no-other.yaml:2:3  store: unknown key "frequency"; expected "path", "retention"',
  'unknown-key-merge.yaml:1:1  unknown key "<<"; expected "include", "site", "timezone", "licenseServer", "trust", ' +
    '"services", "resolvers", "sourceAddress", "controlHosts", "mail", "clock", "appliances", "firmwareFactFiles", "logs", ' +
    '"registration", "firewall", "peers", "schedule", "notify", "web", "metrics", "store", "log"',
  'unknown-key-of-another-section.yaml:2:1  unknown key "retention"; did you mean "store.retention"?',
  'unknown-key-prototype.yaml:1:1  unknown key "__proto__"; expected "include", "site", "timezone", ' +
    '"licenseServer", "trust", "services", "resolvers", "sourceAddress", "controlHosts", "mail", "clock", ' +
    '"appliances", "firmwareFactFiles", "logs", "registration", "firewall", "peers", "schedule", "notify", "web", "metrics", "store", "log"',
  'unknown-key.yaml:1:1  unknown key "resolver"; did you mean "resolvers"?',
  'web-listen-collides.yaml:3:5  logs.syslog.tcp: the status page (web.listen) also listens on 127.0.0.1:9843',
  'web-listen.yaml:2:3  web.listen: expected an address and port to listen on, such as "127.0.0.1:9843", got ":9843"',
  'web-proxy-without-proof.yaml:2:3  web.proxy: expected "secretFile", "secretEnv" or "certificate", because ' +
    'otherwise anyone could send the header',
  'web-crl-without-authority.yaml:5:5  web.tls.clientCrlFile: expected "tls.clientCaFile" as well, because client ' +
    'certificates are not verified without it',
  'web-user-without-hash.yaml:3:7  web.users[0]: expected "passwordHashFile" or "passwordHashEnv", but both are ' +
    'missing',
  'whole-file-is-a-list.yaml:1:1  expected a section (keys and values), got a list',
  'yaml-alias-without-anchor.yaml:1:7  this alias (*) refers to an anchor (&) that is not defined before it',
  'yaml-aliases-of-aliases.yaml:2:12  expected at most 100 aliases',
  'yaml-key-is-a-list.yaml:1:3  expected text as the key',
  'yaml-key-twice.yaml:3:1  key "site" occurs twice in this section',
  'yaml-open-bracket.yaml:2:1  not valid YAML: wrong indentation, or a bracket or brace is not closed',
  'yaml-open-quote.yaml:2:1  not valid YAML: a closing quote, bracket or brace, a comma, a colon, or the space ' +
    'after a comma or colon is missing',
  'yaml-tab.yaml:2:1  not valid YAML: indentation with a tab; use spaces',
  'yaml-tag.yaml:1:7  not valid YAML: unknown YAML tag (!); remove it, or put the text in quotes',
  'yaml-too-deep.yaml:1:38  expected at most 32 levels',
  'yaml-two-colons.yaml:1:7  not valid YAML: two keys on one line, or a line that is indented too far; text that ' +
    'contains ": " must be in quotes',
  'yaml-two-documents.yaml:2:1  not valid YAML: expected one document; remove the "---" lines after the first document',
];

const TEN_MISTAKES = 'ten-mistakes.yaml';

async function messagesOf(name: string): Promise<readonly string[]> {
  const text = CONFIGURATIONS.get(name);
  if (text === undefined) throw new Error(`No configuration "${name}" in the fixture`);
  const result = await loadText(text, { path: name });
  return result.kind === 'ok'
    ? []
    : result.issues.map((issue) => formatIssue(issue).replaceAll(CONFIG_FOLDER, '<folder>'));
}

function fileOf(message: string): string {
  return message.slice(0, message.indexOf(':'));
}

describe('a bad configuration', () => {
  test.each(MESSAGES.map((message) => [fileOf(message), message] as const))('%s', async (file, message) => {
    expect(await messagesOf(file)).toEqual([message]);
  });

  test('with ten mistakes gives ten messages, each with its line', async () => {
    expect(await messagesOf(TEN_MISTAKES)).toEqual([
      'ten-mistakes.yaml:2:1  unknown key "sites"; did you mean "site"?',
      'ten-mistakes.yaml:4:3  licenseServer.host: expected a host name or an address, got "fortitoken ' +
        'mobile.fortinet.com"',
      'ten-mistakes.yaml:5:3  licenseServer.port: expected a port between 1 and 65535, got 70000',
      'ten-mistakes.yaml:8:5  resolvers[1]: expected "system", an address (not a name), or a URL that begins with ' +
        'udp://, tcp://, tls:// or https://, got "dns.example.org"',
      'ten-mistakes.yaml:11:5  mail[0].security: expected one of "starttls", "tls", "none", got "ssl"',
      'ten-mistakes.yaml:12:5  mail[0].from: expected "to" in addition to "from", because the rehearsal needs both',
      'ten-mistakes.yaml:14:3  logs.window: expected a duration such as "90s", "15m", "4h" or "7d", at most "1d", ' +
        'got 15',
      'ten-mistakes.yaml:16:3  schedule.probes: expected a cron expression of six fields, starting with the ' +
        'seconds, such as "*/30 * * * * *", got "*/30 * * * *"',
      'ten-mistakes.yaml:19:7  notify.webhooks[0].url: expected a URL without a user name and password, because ' +
        'secrets are not allowed in this file',
      'ten-mistakes.yaml:21:3  web.listen: expected an address and port to listen on, such as "127.0.0.1:9843", got ' +
        '9843',
    ]);
  });

  test('never has a secret in its messages', async () => {
    const messages = await Promise.all([...CONFIGURATIONS.keys()].map(messagesOf));
    expect(messages.flat().filter((message) => message.includes(CANARY))).toEqual([]);
  });

  test('has a message for each configuration', () => {
    expect([...CONFIGURATIONS.keys()].toSorted()).toEqual([...MESSAGES.map(fileOf), TEN_MISTAKES].toSorted());
  });
});

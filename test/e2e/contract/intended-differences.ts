import type { Difference } from '../../support/contract-differences.ts';
import { ACCESS_DIFFERENCES } from './access-differences.ts';
import { CHANNEL_DIFFERENCES } from './channel-differences.ts';
import { MESSAGE_DIFFERENCES } from './message-differences.ts';
import { METRICS_DIFFERENCES } from './metrics-differences.ts';
import { TOKEN_DIFFERENCES } from './token-differences.ts';

const FINDING_FIELDS = ['claim:', 'quote:', 'fullNames', 'address:', 'at:'] as const;

/** What has changed since 0.1.0 on purpose, each with its reason as `CHANGELOG.md` has it. Nothing else may. */
export const INTENDED_DIFFERENCES: readonly Difference[] = [
  {
    reason: 'The view of other agents is evidence: `peers`',
    lines: ['+ schema: properties.peers.*', '+ metrics: # TYPE ftm_peer_readable gauge'],
  },
  {
    reason: 'An incident goes on when the same fault is understood better; two that come and go in turn become one',
    lines: [
      '+ http: GET /api/v1/incidents 200 incidents[].causeSince: string',
      '+ http: GET /api/v1/incidents 200 incidents[].merged: []',
      '+ http: GET /api/v1/incidents 200 incidents[].mergedInto: null',
      '+ http: GET /api/v1/incidents 200 incidents[].acknowledgement: null',
    ],
  },
  {
    reason: 'A finding has a claim in one plain sentence, the words that it rests on, full names, address and time',
    lines: FINDING_FIELDS.flatMap((field) => [
      `+ check-*: preconditions[*].findings[*].${field}*`,
      `+ http: GET /api/v1/status 200 preconditions[].findings[].${field}*`,
    ]),
  },
  {
    reason: 'A store of a newer version is said by `ftm_store_newer`',
    lines: ['+ metrics: # TYPE ftm_store_newer gauge', '+ metrics: ftm_store_newer {}'],
  },
  {
    reason: 'An appliance whose API is down while its log or SNMP speaks is `appliance-unreadable`',
    lines: ['+ metrics: ftm_cause_active cause="appliance-unreadable"'],
  },
  {
    reason: 'A unit with another serial number, or with another provisioning server, than the configured one is told',
    lines: [
      '+ metrics: ftm_cause_active cause="appliance-serial-differs"',
      '+ metrics: ftm_cause_active cause="provisioning-server-differs"',
    ],
  },
  {
    reason: '`precondition-unknown`: a warning for a precondition that stays unknown for 15 minutes',
    lines: ['+ metrics: ftm_cause_active cause="precondition-unknown"'],
  },
  {
    reason: 'A mail server that refuses to relay is `mail-relay-denied`',
    lines: ['+ metrics: ftm_cause_active cause="mail-relay-denied"'],
  },
  {
    reason: 'Of several mail servers, one that works leaves a warning of the others, unless they are `required`',
    lines: [
      '+ schema: properties.mail.items.properties.required.default: false',
      '+ schema: properties.mail.items.properties.required.type: "boolean"',
    ],
  },
  {
    reason: 'A mail server that takes longer than `mail[].timeout`, which FortiAuthenticator waits, is `mail-slow`',
    lines: [
      '+ metrics: ftm_cause_active cause="mail-slow"',
      '+ schema: properties.mail.items.properties.timeout.default: "5s"',
      '+ schema: properties.mail.items.properties.timeout.pattern: "^[1-9]\\\\d{0,8}[smhd]$"',
      '+ schema: properties.mail.items.properties.timeout.type: "string"',
    ],
  },
  {
    reason: 'What the sites of a fleet share stands in files that the configuration includes',
    lines: [
      '+ schema: properties.include.default: []',
      '+ schema: properties.include.items.minLength: 1',
      '+ schema: properties.include.items.type: "string"',
      '+ schema: properties.include.type: "array"',
    ],
  },
  {
    reason: 'What was given up shows as `ftm_notifications_total{result="expired"}`',
    lines: ['+ metrics: ftm_notifications_total result="expired"'],
  },
  {
    reason: '`logs.syslog.tls.certificates` says which unit a certificate proves; `clientCrlFile` who is out',
    lines: [
      'certificates.default: []',
      'certificates.items.additionalProperties: false',
      'certificates.items.properties.appliance.type: "string"',
      'certificates.items.properties.name.maxLength: 255',
      'certificates.items.properties.name.minLength: 1',
      'certificates.items.properties.name.type: "string"',
      'certificates.items.required[]: "appliance"',
      'certificates.items.required[]: "name"',
      'certificates.items.type: "object"',
      'certificates.type: "array"',
      'clientCrlFile.minLength: 1',
      'clientCrlFile.type: "string"',
    ].map((line) => `+ schema: properties.logs.properties.syslog.properties.tls.properties.${line}`),
  },
  {
    reason: 'Connections of log senders are counted',
    lines: [
      '+ metrics: # TYPE ftm_log_connections_open gauge',
      '+ metrics: # TYPE ftm_log_connections_total counter',
      '+ metrics: ftm_log_connections_open {}',
      '+ metrics: ftm_log_connections_total {result}',
      ...['accepted', 'failed-handshake', 'no-certificate', 'over-budget', 'over-limit', 'refused', 'timed-out'].map(
        (result) => `+ metrics: ftm_log_connections_total result="${result}"`,
      ),
    ],
  },
  {
    reason: 'A line with an FTM keyword that no signature knows is counted as `unrecognised`',
    lines: ['+ metrics: ftm_log_lines_total result="unrecognised"'],
  },
  {
    reason: '`licenseServer.family`: `auto`, 4 or 6',
    lines: [
      '+ schema: properties.licenseServer.properties.family.default: "auto"',
      '+ schema: properties.licenseServer.properties.family.enum[]: "auto"',
      '+ schema: properties.licenseServer.properties.family.enum[]: 4',
      '+ schema: properties.licenseServer.properties.family.enum[]: 6',
    ],
  },
  {
    reason: '`firewall` is a list; a single section still stands for a list of one',
    lines: [
      '- schema: properties.firewall.additionalProperties: false',
      '- schema: properties.firewall.properties.caFile.minLength: 1',
      '- schema: properties.firewall.properties.caFile.type: "string"',
      '- schema: properties.firewall.properties.source.type: "string"',
      '- schema: properties.firewall.properties.sourceInterface.maxLength: 255',
      '- schema: properties.firewall.properties.sourceInterface.minLength: 1',
      '- schema: properties.firewall.properties.sourceInterface.type: "string"',
      '- schema: properties.firewall.properties.tokenEnv.pattern: "^[A-Z][A-Z0-9_]{0,127}$"',
      '- schema: properties.firewall.properties.tokenEnv.type: "string"',
      '- schema: properties.firewall.properties.tokenFile.minLength: 1',
      '- schema: properties.firewall.properties.tokenFile.type: "string"',
      '- schema: properties.firewall.properties.url.type: "string"',
      '- schema: properties.firewall.properties.vdom.default: "root"',
      '- schema: properties.firewall.properties.vdom.maxLength: 255',
      '- schema: properties.firewall.properties.vdom.minLength: 1',
      '- schema: properties.firewall.properties.vdom.type: "string"',
      '- schema: properties.firewall.required[]: "source"',
      '- schema: properties.firewall.required[]: "url"',
      '- schema: properties.firewall.type: "object"',
      '+ schema: properties.firewall.anyOf[].additionalProperties: false',
      '+ schema: properties.firewall.anyOf[].items.additionalProperties: false',
      '+ schema: properties.firewall.anyOf[].items.properties.appliances.default: []',
      '+ schema: properties.firewall.anyOf[].items.properties.appliances.items.type: "string"',
      '+ schema: properties.firewall.anyOf[].items.properties.appliances.type: "array"',
      '+ schema: properties.firewall.anyOf[].items.properties.caFile.minLength: 1',
      '+ schema: properties.firewall.anyOf[].items.properties.caFile.type: "string"',
      '+ schema: properties.firewall.anyOf[].items.properties.source.type: "string"',
      '+ schema: properties.firewall.anyOf[].items.properties.sourceInterface.maxLength: 255',
      '+ schema: properties.firewall.anyOf[].items.properties.sourceInterface.minLength: 1',
      '+ schema: properties.firewall.anyOf[].items.properties.sourceInterface.type: "string"',
      '+ schema: properties.firewall.anyOf[].items.properties.tokenEnv.pattern: "^[A-Z][A-Z0-9_]{0,127}$"',
      '+ schema: properties.firewall.anyOf[].items.properties.tokenEnv.type: "string"',
      '+ schema: properties.firewall.anyOf[].items.properties.tokenFile.minLength: 1',
      '+ schema: properties.firewall.anyOf[].items.properties.tokenFile.type: "string"',
      '+ schema: properties.firewall.anyOf[].items.properties.url.type: "string"',
      '+ schema: properties.firewall.anyOf[].items.properties.vdom.default: "root"',
      '+ schema: properties.firewall.anyOf[].items.properties.vdom.maxLength: 255',
      '+ schema: properties.firewall.anyOf[].items.properties.vdom.minLength: 1',
      '+ schema: properties.firewall.anyOf[].items.properties.vdom.type: "string"',
      '+ schema: properties.firewall.anyOf[].items.required[]: "source"',
      '+ schema: properties.firewall.anyOf[].items.required[]: "url"',
      '+ schema: properties.firewall.anyOf[].items.type: "object"',
      '+ schema: properties.firewall.anyOf[].properties.appliances.default: []',
      '+ schema: properties.firewall.anyOf[].properties.appliances.items.type: "string"',
      '+ schema: properties.firewall.anyOf[].properties.appliances.type: "array"',
      '+ schema: properties.firewall.anyOf[].properties.caFile.minLength: 1',
      '+ schema: properties.firewall.anyOf[].properties.caFile.type: "string"',
      '+ schema: properties.firewall.anyOf[].properties.source.type: "string"',
      '+ schema: properties.firewall.anyOf[].properties.sourceInterface.maxLength: 255',
      '+ schema: properties.firewall.anyOf[].properties.sourceInterface.minLength: 1',
      '+ schema: properties.firewall.anyOf[].properties.sourceInterface.type: "string"',
      '+ schema: properties.firewall.anyOf[].properties.tokenEnv.pattern: "^[A-Z][A-Z0-9_]{0,127}$"',
      '+ schema: properties.firewall.anyOf[].properties.tokenEnv.type: "string"',
      '+ schema: properties.firewall.anyOf[].properties.tokenFile.minLength: 1',
      '+ schema: properties.firewall.anyOf[].properties.tokenFile.type: "string"',
      '+ schema: properties.firewall.anyOf[].properties.url.type: "string"',
      '+ schema: properties.firewall.anyOf[].properties.vdom.default: "root"',
      '+ schema: properties.firewall.anyOf[].properties.vdom.maxLength: 255',
      '+ schema: properties.firewall.anyOf[].properties.vdom.minLength: 1',
      '+ schema: properties.firewall.anyOf[].properties.vdom.type: "string"',
      '+ schema: properties.firewall.anyOf[].required[]: "source"',
      '+ schema: properties.firewall.anyOf[].required[]: "url"',
      '+ schema: properties.firewall.anyOf[].type: "array"',
      '+ schema: properties.firewall.anyOf[].type: "object"',
      '+ schema: properties.firewall.default: []',
    ],
  },
  {
    reason: 'Signatures for texts that the vendor documents',
    lines: [
      '+ metrics: ftm_polling_errors_total signature="fortigate-push-failed"',
      '+ metrics: ftm_polling_errors_total signature="fortigate-token-activation-failed"',
      '+ metrics: ftm_polling_errors_total signature="ftm-provision-timeout"',
      '+ metrics: ftm_polling_errors_total signature="mail-relay-blocklisted"',
      '+ metrics: ftm_polling_errors_total signature="provision-rolled-back"',
      '+ metrics: ftm_polling_errors_total signature="push-error"',
      '+ metrics: ftm_polling_errors_total signature="server-name-not-resolved"',
      '+ metrics: ftm_polling_errors_total signature="trial-token-stale"',
    ],
  },
  ...ACCESS_DIFFERENCES,
  ...CHANNEL_DIFFERENCES,
  ...METRICS_DIFFERENCES,
  ...TOKEN_DIFFERENCES,
  ...MESSAGE_DIFFERENCES,
];

import type { Difference } from '../../support/contract-differences.ts';

/** What has changed since 0.1.0 on purpose, each with its reason as `CHANGELOG.md` has it. Nothing else may. */
export const INTENDED_DIFFERENCES: readonly Difference[] = [
  {
    reason: 'An incident goes on when the same fault is understood better; two that come and go in turn become one',
    lines: [
      '+ http: GET /api/v1/incidents 200 incidents[].causeSince: string',
      '+ http: GET /api/v1/incidents 200 incidents[].merged: []',
      '+ http: GET /api/v1/incidents 200 incidents[].mergedInto: null',
    ],
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
    reason: 'What was given up shows as `ftm_notifications_total{result="expired"}`',
    lines: ['+ metrics: ftm_notifications_total result="expired"'],
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
];

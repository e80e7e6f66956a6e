import type { Difference } from '../../support/contract/contract-differences.ts';

/** Changes in access rights and in the credentials that ftm-watch uses to log in. */
export const ACCESS_DIFFERENCES: readonly Difference[] = [
  {
    reason: 'Users of the page have roles; programs show a token or a certificate; a proxy names its user',
    lines: [
      '+ schema: properties.web.properties.users.items.properties.role*',
      '+ schema: properties.web.properties.tokens*',
      '+ schema: properties.web.properties.certificates*',
      '+ schema: properties.web.properties.proxy*',
      '+ schema: properties.web.properties.tls.properties.clientCaFile*',
      '+ metrics: # TYPE ftm_web_logins_total counter',
      '+ metrics: ftm_web_logins_total*',
    ],
  },
  {
    reason:
      'Without an account changes over the network are refused: a request through a proxy looks like one of this ' +
      'machine. The control socket answers them as before; `web.localReload` accepts a reload over loopback',
    lines: [
      '+ http: POST /-/reload 403*',
      '+ http: POST /api/v1/silences 403*',
      '+ http: DELETE /api/v1/silences/none 403*',
      '+ schema: properties.web.properties.localReload*',
    ],
  },
  {
    reason: 'What client authorities have revoked is refused',
    lines: ['+ schema: properties.web.properties.tls.properties.clientCrlFile*'],
  },
  {
    reason: 'Changes are counted, and kept in an audit trail',
    lines: ['+ metrics: # TYPE ftm_web_changes_total counter', '+ metrics: ftm_web_changes_total*'],
  },
  {
    reason: 'A page that is open to strangers, or to who listens on the way, warns unless that is meant',
    lines: ['+ schema: properties.web.properties.anonymous*', '+ schema: properties.web.properties.plaintext*'],
  },
  {
    reason: 'The end of the own certificate is told',
    lines: ['+ metrics: # TYPE ftm_web_certificate_expiry_timestamp_seconds gauge'],
  },
  {
    reason: 'URLs that are secrets are read from files and variables',
    lines: [
      '+ schema: properties.notify.properties.heartbeat.properties.url*',
      '- schema: properties.notify.properties.heartbeat.required[]: "url"',
      '+ schema: properties.notify.properties.webhooks.items.properties.url*',
      '- schema: properties.notify.properties.webhooks.items.required[]: "url"',
    ],
  },
  {
    reason: 'Alertmanager may ask for a login or a token',
    lines: [
      '+ schema: properties.notify.properties.alertmanager.properties.user*',
      '+ schema: properties.notify.properties.alertmanager.properties.password*',
      '+ schema: properties.notify.properties.alertmanager.properties.token*',
      '+ schema: properties.notify.properties.alertmanager.properties.caFile*',
    ],
  },
  {
    reason: 'SNMPv3 beside the community of v2c',
    lines: [
      '+ schema: properties.appliances.items.properties.snmp.properties.user*',
      '+ schema: properties.appliances.items.properties.snmp.properties.auth*',
      '+ schema: properties.appliances.items.properties.snmp.properties.priv*',
    ],
  },
];

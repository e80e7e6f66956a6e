import type { Difference } from '../../support/contract/contract-differences.ts';

/** Changes about tokens, licences and the delivery of codes. */
export const TOKEN_DIFFERENCES: readonly Difference[] = [
  {
    reason: 'Precondition `delivery`: push notifications, SMS, and other hosts that tokens need',
    lines: [
      '+ check-dns: preconditions[delivery]*',
      '+ check-egress: preconditions[delivery]*',
      '+ check-inspection: preconditions[delivery]*',
      '+ check-license: preconditions[delivery]*',
      '+ check-mail: preconditions[delivery]*',
      '+ check-ready: preconditions[delivery]*',
      '+ metrics: ftm_cause_active cause="fortigate-activation-unreachable"',
      '+ metrics: ftm_cause_active cause="fortitoken-cloud-unreachable"',
      '+ metrics: ftm_cause_active cause="push-certificate-refused"',
      '+ metrics: ftm_cause_active cause="push-unreachable"',
      '+ metrics: ftm_cause_active cause="sms-exhausted"',
      '+ metrics: ftm_cause_active cause="sms-gateway-unreachable"',
      '+ metrics: ftm_cause_active cause="sms-running-out"',
      '+ metrics: ftm_precondition_state precondition="delivery"',
    ],
  },
  {
    reason: 'A service may be a name, `push` for one, and says what it `carries`',
    lines: ['+ schema: properties.services.items.anyOf[]*', '- schema: properties.services.items.*'],
  },
  {
    reason: '`appliances[].certificates`: what is printed on a licence certificate, and its causes',
    lines: [
      '+ metrics: ftm_cause_active cause="license-expired"',
      '+ metrics: ftm_cause_active cause="license-expires-in-30-days"',
      '+ metrics: ftm_cause_active cause="license-expires-in-7-days"',
      '+ metrics: ftm_cause_active cause="license-expires-in-90-days"',
      '+ schema: properties.appliances.items.properties.certificates*',
    ],
  },
  {
    reason: '`mail-outlasts-code`: a mail server that puts codes off until they are void',
    lines: ['+ metrics: ftm_cause_active cause="mail-outlasts-code"'],
  },
  {
    reason: 'What the API replied although the activation message may have been sent',
    lines: ['+ metrics: ftm_polling_errors_total signature="activation-message-reported-failed"'],
  },
  {
    reason: 'The root that FortiAuthenticator must trust for a mail server, and `mail[].applianceCaFile`',
    lines: [
      '- check-dns: preconditions[mail].findings: []',
      '+ check-dns: preconditions[mail].findings[mail-authority-trusted]*',
      '- check-egress: preconditions[mail].findings: []',
      '+ check-egress: preconditions[mail].findings[mail-authority-trusted]*',
      '- check-inspection: preconditions[mail].findings: []',
      '+ check-inspection: preconditions[mail].findings[mail-authority-trusted]*',
      '- check-license: preconditions[mail].findings: []',
      '+ check-license: preconditions[mail].findings[mail-authority-trusted]*',
      '- check-ready: preconditions[mail].findings: []',
      '+ check-ready: preconditions[mail].findings[mail-authority-trusted]*',
      '+ check-mail: preconditions[mail].findings[mail-authority-trusted]*',
      '+ metrics: ftm_cause_active cause="mail-authority-changed"',
      '+ schema: properties.mail.items.properties.applianceCaFile*',
    ],
  },
  {
    reason: 'Locked tokens are counted in `ftm_tokens_locked`',
    lines: ['+ metrics: # TYPE ftm_tokens_locked gauge', '+ metrics: ftm_tokens_locked*'],
  },
  {
    reason: '`firmwareFactFiles`: additional facts about firmware',
    lines: ['+ schema: properties.firmwareFactFiles*'],
  },
  {
    reason: 'Firmware 8.0.3 is listed as affected by faults that were published later',
    lines: [
      '- check-dns: preconditions[appliance].findings: []',
      '+ check-dns: preconditions[appliance].findings[firmware-known]*',
      '- check-egress: preconditions[appliance].findings: []',
      '+ check-egress: preconditions[appliance].findings[firmware-known]*',
      '- check-inspection: preconditions[appliance].findings: []',
      '+ check-inspection: preconditions[appliance].findings[firmware-known]*',
      '- check-license: preconditions[appliance].findings: []',
      '+ check-license: preconditions[appliance].findings[firmware-known]*',
      '- check-mail: preconditions[appliance].findings: []',
      '+ check-mail: preconditions[appliance].findings[firmware-known]*',
      '- check-ready: preconditions[appliance].findings: []',
      '+ check-ready: preconditions[appliance].findings[firmware-known]*',
    ],
  },
];

import type { Difference } from '../../support/contract-differences.ts';

/** Those of licences and tokens. */
export const LICENSE_DIFFERENCES: readonly Difference[] = [
  {
    reason: '`appliances[].certificates`: what is printed on a licence certificate, and its causes',
    lines: [
      '+ metrics: ftm_cause_active cause="license-expired"',
      '+ metrics: ftm_cause_active cause="license-expires-in-30-days"',
      '+ metrics: ftm_cause_active cause="license-expires-in-7-days"',
      '+ metrics: ftm_cause_active cause="license-expires-in-90-days"',
      '+ schema: properties.appliances.items.properties.certificates.default: []',
      '+ schema: properties.appliances.items.properties.certificates.items.additionalProperties: false',
      '+ schema: properties.appliances.items.properties.certificates.items.properties.license.pattern: "^[A-Za-z0-9_-]{4,40}$"',
      '+ schema: properties.appliances.items.properties.certificates.items.properties.license.type: "string"',
      '+ schema: properties.appliances.items.properties.certificates.items.properties.redeemBy.pattern: "^\\\\d{4}-\\\\d{2}-\\\\d{2}$"',
      '+ schema: properties.appliances.items.properties.certificates.items.properties.redeemBy.type: "string"',
      '+ schema: properties.appliances.items.properties.certificates.items.properties.tokens.maximum: 1000000',
      '+ schema: properties.appliances.items.properties.certificates.items.properties.tokens.minimum: 1',
      '+ schema: properties.appliances.items.properties.certificates.items.properties.tokens.type: "integer"',
      '+ schema: properties.appliances.items.properties.certificates.items.required[]: "license"',
      '+ schema: properties.appliances.items.properties.certificates.items.type: "object"',
      '+ schema: properties.appliances.items.properties.certificates.type: "array"',
    ],
  },
  {
    reason: '`mail-outlasts-code`: a mail server that puts codes off until they are void',
    lines: ['+ metrics: ftm_cause_active cause="mail-outlasts-code"'],
  },
  {
    reason: 'Locked tokens are counted in `ftm_tokens_locked`',
    lines: [
      '+ metrics: # TYPE ftm_tokens_locked gauge',
      '+ metrics: ftm_tokens_locked appliance="fac-1"',
      '+ metrics: ftm_tokens_locked {appliance}',
    ],
  },
  {
    reason: '`firewall[].fortitokens`: a FortiGate that holds tokens itself is asked for their status',
    lines: [
      '+ schema: properties.firewall.anyOf[].items.properties.fortitokens.default: false',
      '+ schema: properties.firewall.anyOf[].items.properties.fortitokens.type: "boolean"',
      '+ schema: properties.firewall.anyOf[].properties.fortitokens.default: false',
      '+ schema: properties.firewall.anyOf[].properties.fortitokens.type: "boolean"',
    ],
  },
];

import type { MailObservation } from '../../../src/core/observation.ts';

const SETTINGS = { security: 'none', required: false, patience: 5000, certificateNotAfter: null } as const;
const REFUSED = { reason: 'refused', message: 'refused', durationMs: 9, stage: 'connect' } as const;

export const UNREACHABLE: MailObservation = {
  ...SETTINGS,
  server: 'mail.example.test:25',
  outcome: { kind: 'failed', ...REFUSED, code: null, tlsError: null },
};

export const WORKING: MailObservation = {
  ...SETTINGS,
  server: 'mail-2.example.test:25',
  outcome: { kind: 'accepted', durationMs: 9, slowestMs: 9, greeting: '220 hello' },
};

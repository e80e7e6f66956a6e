import { optional } from '../../config/schema/section.ts';
import type { RegistrationObservation } from '../../core/license/registration.ts';
import type { SlowSource } from '../source.ts';
import { observeRegistration } from './observe-registration.ts';
import { registrationQuery } from './registration-query.ts';
import { registration as section } from './section.ts';
import { watchRegistration, type RegistrationSettings, type RegistrationTools } from './watch-registration.ts';

/** FortiCloud's asset management: who holds the licences. Null: it was not asked. */
export const registration: SlowSource<
  'registration',
  RegistrationSettings,
  RegistrationObservation | null,
  RegistrationTools
> = {
  id: 'registration',
  runs: 'registration',
  sections: {
    registration: optional(section).describe(
      'FortiCloud asset management, read only: tells which unit a licence is registered to.',
    ),
  },
  isConfigured: (settings) => settings.registration !== null,
  unseen: () => null,
  observe: async (settings, look) =>
    settings.registration === null
      ? null
      : observeRegistration(settings.registration, registrationQuery(look.appliances), look.budget, look),
  watch: watchRegistration,
};

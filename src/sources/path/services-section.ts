import type * as z from 'zod';
import { textAt, unique } from '../../config/schema/rules.ts';
import { completed, list, section } from '../../config/schema/section.ts';
import { serverName, serverNameOf } from '../../config/schema/server-name.ts';
import { caFiles, pins, trustProfile } from './trust-section.ts';
import { choice, host, name, port } from '../../config/schema/values.ts';

const service = completed(
  section({
    name: name.describe('Name of the service in messages and metrics; each has its own.'),
    host: host.describe('Its host.'),
    port: port.prefault(443).describe('Its TCP port.'),
    serverName: serverName.describe('Name sent in the TLS hello; the default is the host, null sends none.'),
    trust: section({
      profile: trustProfile.prefault('public').describe('What makes its certificate genuine, as in trust.profile.'),
      pins: pins.describe('Public keys to trust, as in trust.pins.'),
      caFiles: caFiles.describe('PEM files of root certificates to verify under.'),
    })
      .prefault({})
      .describe('How its certificate is judged.'),
    severity: choice('critical', 'warning', 'info')
      .prefault('warning')
      .describe(
        'How bad a fault of it is. Activation itself needs the licence server alone, so the default does not page ' +
          'anybody.',
      ),
  }),
  (given) => ({ ...given, serverName: serverNameOf(given) }),
);

export type ServiceConfig = z.output<typeof service>;

/** Other hosts that FortiAuthenticator talks to. */
export const services = unique(list(service), textAt('name'));

import type * as z from 'zod';
import { authorityFile } from '../../config/schema/files.ts';
import { textAt, unique } from '../../config/schema/rules.ts';
import { optionalSecret } from '../../config/schema/secret.ts';
import { list, section } from '../../config/schema/section.ts';
import { httpsOrigin } from '../../config/schema/urls.ts';
import { name } from '../../config/schema/values.ts';

const peer = section({
  name: name.describe('What evidence calls it.'),
  url: httpsOrigin('https://10.0.0.9:9843').describe('Address of its status page, "https://" without a path.'),
  token: optionalSecret('token', 'File with a token of its "web.tokens" that may read.'),
  caFile: authorityFile,
});

export type PeerConfig = z.output<typeof peer>;

export const peersSection = unique(list(peer), textAt('name'));

import { stat } from 'node:fs/promises';
import { configJsonSchema, type Config, configFile } from '../config/config.ts';
import type { LoadResult } from '../config/load.ts';
import { printConfig, plainConfig, secretUrls } from '../config/print.ts';
import { EXIT_UNKNOWN } from './exit-codes.ts';
import { load, needsNothing, type Streams, type Invocation, writeIssues } from './terminal.ts';
import { networkWithin } from '../core/addresses.ts';
import { usedTexts } from '../config/schema/section.ts';
import { exposureNotes } from '../web/change-refusal.ts';
import { noChannelNote } from '../notify/channels/registry.ts';

export async function runConfigPrint(terminal: Invocation): Promise<number> {
  return configPrint(await load(terminal, needsNothing), terminal);
}

export function configPrint(result: LoadResult, { output, errors }: Streams): number {
  if (result.kind === 'invalid') {
    writeIssues(result, errors);
    return EXIT_UNKNOWN;
  }
  output.write(
    '# ' +
      `${result.sources.length === 0 ? 'The built-in defaults' : result.sources.map((file) => JSON.stringify(file)).join(', ')}\n` +
      `${printConfig(result.config)}`,
  );
  return 0;
}

export function configSchemaCommand({ output }: Pick<Streams, 'output'>): number {
  output.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return 0;
}

const OTHERS_READ = 0o004;

/** Warns about valid settings that may not be intended. */
export function fileWarnings(config: Config): readonly string[] {
  const nobody = noChannelNote(config.notify);
  return [
    ...(nobody === null ? [] : [nobody]),
    ...logWarnings(config),
    ...networkWarnings(config),
    ...exposureNotes(config.web),
  ];
}

/** Such an entry covers a whole network, although the single address may be intended. */
function networkWarnings({ logs, licenseServer }: Config): readonly string[] {
  const blocks = [
    ...logs.relays.map((block) => ({ key: 'logs.relays', block, what: 'is trusted as a relay' })),
    ...licenseServer.expectedAddresses.map((block) => ({
      key: 'licenseServer.expectedAddresses',
      block,
      what: 'is expected',
    })),
  ];
  return blocks.flatMap(({ key, block, what }) => {
    const network = networkWithin(block);
    return network === null
      ? []
      : [
          `${key} contains "${block}", which has host bits set, so the whole network ${network} ${what}. Write ` +
            `"${block.replace(/\/.*$/u, '')}" for only this address, or "${network}" for the network.`,
        ];
  });
}

function logWarnings({ logs: { syslog, files }, appliances }: Config): readonly string[] {
  const listens = syslog.udp !== null || syslog.tcp !== null || syslog.tls !== null || files.length > 0;
  if (!listens)
    return [
      "No log source is configured, so FortiAuthenticator's errors are not detected. Set logs.syslog, and add this " +
        'machine as a syslog server on FortiAuthenticator.',
    ];
  // With only one unit, there is no need to tell the units' log lines apart.
  return appliances.length < 2
    ? []
    : appliances
        .filter(({ logSources }) => logSources.length === 0)
        .map(
          ({ name }) =>
            `Log lines from "${name}" are ignored, because they cannot be attributed to it: ` +
            'set logSources for this appliance.',
        );
}

export async function machineWarnings(config: Config, sources: readonly string[]): Promise<readonly string[]> {
  const secrets = usedTexts(configFile, plainConfig(config)).flatMap(({ use, text, path }) =>
    use === 'secret-file' || path?.at(-1) === 'keyFile' ? [text] : [],
  );
  // These URLs are written in the configuration file itself and contain secrets in their paths.
  const files = [...new Set([...secrets, ...(secretUrls(config).length === 0 ? [] : sources)])];
  const open = await Promise.all(files.map(isReadByOthers));
  return files
    .filter((_, index) => open[index])
    .map(
      (file) =>
        `Every user of this machine can read the secrets in "${file}". To prevent this, run: chmod o= "${file}".`,
    );
}

async function isReadByOthers(file: string): Promise<boolean> {
  try {
    return ((await stat(file)).mode & OTHERS_READ) !== 0;
  } catch {
    // Another check reports files that cannot be read at all.
    return false;
  }
}

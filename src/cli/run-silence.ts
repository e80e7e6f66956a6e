import { createDaemonClient } from './daemon-client.ts';
import { EXIT_UNKNOWN } from './exit-code.ts';
import { type NewSilence, silenceAdd, type SilenceDeps, silenceList, silenceRemove } from './silence.ts';
import { loadOrExplain, type Terminal } from './terminal.ts';

/** What was typed after `silence`. */
export type SilenceCommand =
  | { readonly kind: 'add'; readonly silence: Omit<NewSilence, 'by'> & { readonly by: string | undefined } }
  | { readonly kind: 'list'; readonly json: boolean }
  | { readonly kind: 'remove'; readonly ids: readonly string[] };

/** Carries a command out at the daemon that the configuration names. Returns the exit code. */
export async function runSilence(
  path: string | undefined,
  command: SilenceCommand,
  terminal: Terminal,
): Promise<number> {
  const config = await loadOrExplain(path, terminal);
  if (config === null) return EXIT_UNKNOWN;
  try {
    const daemon = await createDaemonClient(config.web, terminal);
    try {
      return await carryOut(command, { ...terminal, daemon }, terminal.env);
    } finally {
      await daemon.close();
    }
  } catch (error) {
    terminal.errors.write(`${error instanceof Error ? error.message : 'unknown error'}\n`);
    return EXIT_UNKNOWN;
  }
}

function carryOut(command: SilenceCommand, deps: SilenceDeps, env: NodeJS.ProcessEnv): Promise<number> {
  switch (command.kind) {
    case 'add':
      return silenceAdd({ ...command.silence, by: command.silence.by ?? whoAsks(env) }, deps);
    case 'list':
      return silenceList(command.json, deps);
    case 'remove':
      return silenceRemove(command.ids, deps);
  }
}

function whoAsks({ FTM_WATCH_USER: login, SUDO_USER: person, USER: account }: NodeJS.ProcessEnv): string {
  return [login, person, account].find((name) => name !== undefined && name !== '') ?? '';
}

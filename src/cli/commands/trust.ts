import type { Command } from 'commander';

import { collectFingerprint } from '../fingerprint.ts';
import { type Finish, type Invoked, withConfig } from './command.ts';

interface LearnOptions {
  readonly yes?: boolean;
  readonly fingerprint: readonly string[];
  readonly capture?: readonly string[];
}

export function addTrust(program: Command, invoked: Invoked, finish: Finish): void {
  const trust = program.command('trust').description('the chain that the licence server is trusted by');
  withConfig(trust.command('learn'))
    .description('record the chain of the licence server, from a path known to be clean')
    .option('--yes', 'the path is known to be clean: do not ask')
    .option(
      '--fingerprint <sha256>',
      'of the certificate that the chain rests on, as another source has it',
      collectFingerprint,
      [],
    )
    .option('--capture <file...>', 'learn the chain in a packet capture instead; always needs --fingerprint')
    .action(async ({ yes, fingerprint, capture = [] }: LearnOptions, command: Command) => {
      const { runTrustLearn } = await import('../run-trust.ts');
      const wishes = { yes: yes === true, fingerprints: fingerprint, captures: capture };
      finish(await runTrustLearn(wishes, invoked(command)));
    });
  withConfig(trust.command('show'))
    .description('print what is trusted and why')
    .action(async (_, command: Command) => {
      const { runTrustShow } = await import('../run-trust.ts');
      finish(await runTrustShow(invoked(command)));
    });
}

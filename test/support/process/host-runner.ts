/** The program of `startHost`: runs the function `host` of the module that it is given, and ends with its parent. */
import type { Hosted, HostFunction } from './host.ts';

type Message = { readonly settings: unknown } | { readonly request: unknown };

const { host } = (await import(process.argv[2] ?? '')) as { readonly host: HostFunction<unknown, unknown, unknown> };
const stack = new AsyncDisposableStack();
let hosted: Promise<Hosted<unknown, unknown>> | null = null;

process.on('message', (message: Message) => {
  void reply(message).then((answer) => process.send?.(answer ?? null));
});
process.once('disconnect', () => {
  void stack.disposeAsync().then(() => process.exit());
});

async function reply(message: Message): Promise<unknown> {
  if ('settings' in message) {
    hosted = host(message.settings, stack);
    return (await hosted).ready;
  }
  return (await hosted)?.answer?.(message.request);
}
